//! Tessera streams gigapixel images to web viewers.
//!
//! The way of a request, and so the order in which to read the modules:
//!
//! ```text
//! bytes -> front -> RawRequest -> protocols::parse -> Request -> actors::Service::answer -> Reply
//!       -> protocols::respond -> Response -> front -> bytes
//!
//! answer:  registry.lookup            open, known, unchanged since the last look?
//!          plan                       level, tiles, steps, cost, key; refuses here or never
//!          conditions                 304 without touching a pixel
//!          cache shard's map          hit: read in place
//!          cache shard, admission     miss: who makes it, who waits, is there room
//!          decoder, pool              stored tile passed through, or decode -> steps -> encode
//! ```

pub mod model;

pub mod cli;

pub mod config;

pub mod live;
pub mod server;

pub mod front;

pub mod protocols;

pub mod actors;

pub mod plan;

pub mod sources;

pub mod codecs;

pub mod modules;

pub mod imaging;

pub mod metrics;

pub mod telemetry;

pub mod http_client;
