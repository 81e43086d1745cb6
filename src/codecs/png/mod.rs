//! PNG both ways.

mod encoder;
mod image;
mod texts;

pub(super) use encoder::encode;
pub(super) use image::open;

/// The format's name in errors.
const PNG: &str = "PNG";
