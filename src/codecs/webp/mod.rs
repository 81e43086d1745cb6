//! WebP both ways through libwebp, and the RIFF container around it.

mod animation;
mod container;
mod decoder;
mod encoder;
mod header;
mod image;

pub(super) use container::summarise;
pub(super) use decoder::decode;
pub(super) use encoder::encode;
pub(super) use image::open;

/// The format's name in errors.
const WEBP: &str = "WebP";
