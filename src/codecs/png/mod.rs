//! PNG both ways.

mod encoder;
mod image;
mod texts;

pub(super) use encoder::encode;
pub(super) use image::open;

/// The format's name in errors.
const PNG: &str = "PNG";

/// Bytes that a byte of compressed data can stand for: deflate's longest match, 258 bytes, takes two bits
/// at least.
const INFLATED_A_BYTE_MAX: u64 = 1032;
