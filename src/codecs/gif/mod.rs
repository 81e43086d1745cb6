//! GIF in and out.

mod encoder;
mod image;

pub(super) use encoder::encode;
pub(super) use image::open;
