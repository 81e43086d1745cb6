//! Pixels in memory: one [`Raster`], one file per operation. Knows no file, format, clock or request.
#![deny(clippy::disallowed_types)]

pub mod raster;

pub use raster::Raster;
