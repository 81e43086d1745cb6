//! JPEG XL (ISO/IEC 18181): pictures as tiles of TIFFs hold them are read through `jxl-oxide`, answers are
//! written through `zune-jpegxl`.

mod decoder;
mod encoder;

pub(super) use decoder::decode;
pub(super) use encoder::encode;

/// The format's name in errors.
const JPEG_XL: &str = "JPEG XL";
