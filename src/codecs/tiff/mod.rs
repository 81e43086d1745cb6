//! TIFF and BigTIFF, pyramids and single pictures (TIFF 6.0, its Technical Notes 1 and 2, BigTIFF). The `tiff` crate reads
//! the structure once; what a tile needs is copied into an immutable index, and tiles are then read by
//! position and decoded by a table of our own, many at once.

mod associated;
mod block;
mod blocks;
mod channels;
mod compression;
mod encoder;
mod extent;
mod fax;
mod format;
mod image;
mod lab;
mod layout;
mod level;
mod metadata;
mod old_jpeg;
mod ome;
mod outline;
mod packbits;
mod palette;
mod picture;
mod pixels;
mod predictor;
mod pyramid;
mod ranges;
#[cfg(test)]
mod sample_file;
mod slices;
mod stored;
mod structure;
mod thunder;
mod tile;
mod unpack;
pub mod writer;
mod ycbcr;

pub(super) use encoder::encode;
pub(super) use image::open;

use crate::codecs::CodecError;

/// The format's name in errors.
const TIFF: &str = "TIFF";

/// A file that breaks TIFF's rules.
fn malformed(what: impl Into<String>) -> CodecError {
    CodecError::malformed(TIFF, what)
}

/// A feature of TIFF that is not read or written.
fn unsupported(feature: impl Into<String>) -> CodecError {
    CodecError::unsupported(TIFF, feature)
}
