//! GIF in.

mod image;

pub(super) use image::open;
