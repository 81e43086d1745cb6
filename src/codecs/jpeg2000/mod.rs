//! JPEG 2000 (ITU-T T.800, ISO/IEC 15444-1), part 15 included: files and codestreams of their own with an
//! index of our own, and codestreams in TIFFs whole.

mod area_decoder;
mod bits;
mod boxes;
mod bytes;
mod channels;
mod codestream;
mod codestream_decoder;
mod coding;
mod component_samples;
mod decoder;
mod entropy;
mod fetched;
mod found;
mod grid;
mod header;
mod image;
mod kept;
mod markers;
mod openjpeg;
mod packed_headers;
mod packet_header;
mod progression;
mod region;
mod repack;
mod samples;
mod segments;
mod stretch;
mod synthesis;
mod tag_tree;
#[cfg(test)]
mod tests;
mod tile_index;

use crate::codecs::CodecError;

pub use codestream_decoder::{CodestreamDecoder, Plane};
pub(super) use decoder::{Codestream, decode};
pub(super) use image::open;
pub use kept::KeptBlocks;
pub use openjpeg::OpenJpeg;

/// The format's name in errors.
const JPEG_2000: &str = "JPEG 2000";

/// A broken file.
fn malformed(what: impl Into<String>) -> CodecError {
    CodecError::malformed(JPEG_2000, what)
}

/// A feature that we do not read.
fn unsupported(feature: impl Into<String>) -> CodecError {
    CodecError::unsupported(JPEG_2000, feature)
}
