//! JPEG XL (ISO/IEC 18181) through `jxl-oxide`: pictures as tiles of TIFFs hold them.

mod decoder;

pub(super) use decoder::decode;

/// The format's name in errors.
const JPEG_XL: &str = "JPEG XL";
