//! Pixels in memory: one [`Raster`] of three sample types, one file per operation. Knows no file, format, clock or request.
#![deny(clippy::disallowed_types)]

pub mod bitonal;
mod block_sums;
pub mod cmyk;
pub mod colour;
pub mod crop_box;
pub mod error;
pub mod flatten;
pub mod gray;
mod ink_table;
pub mod lab;
pub mod mirror;
pub mod mosaic;
pub mod pixels;
pub mod profile;
pub mod raster;
pub mod resize;
pub mod sample;
pub mod scratch;
pub mod step;
pub mod to_bytes;
pub mod turn;

pub use bitonal::to_bitonal;
pub use cmyk::cmyk_to_rgb;
pub use colour::to_colour;
pub use crop_box::CropBox;
pub use error::ImagingError;
pub use flatten::flatten;
pub use gray::to_gray;
pub use lab::lab_to_rgb;
pub use mirror::mirror;
pub use mosaic::{Mosaic, Shrink};
pub use pixels::Pixels;
pub use profile::read_profile;
pub use raster::Raster;
pub use resize::{Filter, resize};
pub use sample::Sample;
pub use scratch::Scratch;
pub use step::{Step, apply};
pub use to_bytes::to_bytes;
pub use turn::turn;
