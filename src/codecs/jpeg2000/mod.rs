//! JPEG 2000 (ITU-T T.800) codestreams through `hayro-jpeg2000`, whole: as tiles of TIFFs hold them.

mod decoder;

pub(super) use decoder::{Codestream, decode};

/// The format's name in errors.
const JPEG_2000: &str = "JPEG 2000";
