//! Sockets: HTTP bytes to [`RawRequest`](crate::protocols::RawRequest), responses to bytes. The only
//! layer that sees a header that no protocol asked for.

pub mod admin;
pub mod exchange;
pub mod gallery;
pub mod http;
mod timed_body;
pub mod viewer;
