//! JPEG 2000 (ITU-T T.800, ISO/IEC 15444-1).

mod codestream_decoder;
mod decoder;
mod openjpeg;

use crate::codecs::CodecError;

pub use codestream_decoder::{CodestreamDecoder, Plane};
pub(super) use decoder::{Codestream, decode};
pub use openjpeg::OpenJpeg;

/// The format's name in errors.
const JPEG_2000: &str = "JPEG 2000";

/// A broken file.
fn malformed(what: impl Into<String>) -> CodecError {
    CodecError::malformed(JPEG_2000, what)
}
