//! Sockets and pages: the only layer that sees an HTTP or FastCGI byte.

pub mod viewer;
