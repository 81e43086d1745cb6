//! Tessera streams gigapixel images to web viewers.
//!
//! The way of a request, and so the order in which to read the modules:
//!
//! ```text
//! bytes -> front -> RawRequest -> protocols::parse -> Request -> actors::Service::answer -> Reply
//!       -> protocols::respond -> Response -> front -> bytes
//! ```

pub mod model;

pub mod config;

pub mod sources;

pub mod protocols;

pub mod plan;

pub mod imaging;

pub mod codecs;

pub mod front;

pub mod cli;
