//! The real binary against a real socket: what a client, an operator and a stranger see.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::string_slice,
    reason = "tests fail by panicking"
)]

mod cache;
mod harness;
mod hostile;
mod http;
mod lifecycle;
mod overload;
mod pictures;
