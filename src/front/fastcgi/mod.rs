//! The FastCGI front: a responder behind nginx, Apache, lighttpd and whatever else speaks it, on TCP, a
//! unix socket or the listening socket that a spawner left as descriptor 0.
//!
//! ```text
//! acceptor  sockets to connections, dealt out over threads
//! connection  bytes to records, one request at a time, watched for aborts
//! record      framing            \  pure
//! intake      records to requests /
//! params      name-value pairs
//! responder   CGI variables to the exchange that all fronts share
//! reply       the answer to records
//! rehearsal   all that is pure of it, for fuzzing
//! ```

mod acceptor;
mod connection;
mod intake;
mod params;
mod record;
mod rehearsal;
mod reply;
mod responder;

pub use acceptor::FastCgi;
pub use rehearsal::rehearse;
