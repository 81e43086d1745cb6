//! Text to [`Request`](crate::model::Request) and [`Reply`](crate::model::Reply) to text, per protocol.
//! Pure: knows no socket, no HTTP library, no file and no clock.
#![deny(clippy::disallowed_types)]

pub mod wire;
