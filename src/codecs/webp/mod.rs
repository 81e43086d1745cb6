//! WebP both ways through libwebp, and the RIFF container around it.

mod container;
mod decoder;
mod encoder;

pub(super) use container::summarise;
pub(super) use decoder::decode;
pub(super) use encoder::encode;

/// The format's name in errors.
const WEBP: &str = "WebP";
