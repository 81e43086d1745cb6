//! JPEG (ITU-T T.81) both ways through mozjpeg, and the marker segments around it: a tile of a TIFF
//! is an abbreviated stream that has to be made a whole file before anybody reads it.

pub mod abbreviated;
mod decoder;
mod encoder;
mod failure;
mod header;
mod icc;
mod image;
mod markers;
mod scaled;
mod splice;

pub(super) use decoder::decode;
pub(super) use encoder::encode;
pub(super) use icc::icc_segments;
pub(super) use image::open;
pub(super) use markers::{
    DHT, DQT, DRI, EOI, SOF0, SOI, SOS, Segment, first_segment, frame_of, split,
};
pub(super) use splice::{StreamColour, complete, table_segments, trimmed_to_end};

/// The format's name in errors.
const JPEG: &str = "JPEG";

/// What stands before XMP in its segment (XMP part 3, section 1.1.3).
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
