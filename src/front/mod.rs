//! Sockets: HTTP bytes to [`RawRequest`](crate::protocols::RawRequest), responses to bytes. The only
//! layer that sees a header that no protocol asked for.

pub mod admin;
pub mod exchange;
pub mod fastcgi;
mod forwarded;
pub mod gallery;
pub mod http;
pub mod listener;
mod manifest;
pub mod manners;
pub mod rankings;
pub mod request_count;
mod request_name;
mod timed_body;
pub mod tls;
mod trace;
pub mod troubles;
pub mod viewer;
