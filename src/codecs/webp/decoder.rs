//! A WebP file to RGB or RGBA samples.
#![expect(unsafe_code, reason = "libwebp is C")]

use std::os::raw::c_int;

use libwebp_sys::{WebPDecodeRGBAInto, WebPDecodeRGBInto, WebPGetInfo};

use crate::codecs::CodecError;
use crate::codecs::number::{usize_of, zeroed};
use crate::codecs::webp::WEBP;
use crate::model::Size;

/// Decodes a file that must be exactly `size` pixels; `alpha` says whether four bands are wanted or
/// three: `samples[(y * width + x) * bands + band]`.
///
/// # Errors
/// `Malformed` where the file is damaged, cut short or of another size.
pub(crate) fn decode(file: &[u8], size: Size, alpha: bool) -> Result<Vec<u8>, CodecError> {
    let (mut width, mut height): (c_int, c_int) = (0, 0);
    // SAFETY: the pointer and the length are those of one slice; the two integers outlive the call.
    let ok = unsafe { WebPGetInfo(file.as_ptr(), file.len(), &raw mut width, &raw mut height) };
    let found = (u32::try_from(width).unwrap_or(0), u32::try_from(height).unwrap_or(0));
    if ok == 0 || found != (size.width(), size.height()) {
        let (width, height) = (size.width(), size.height());
        let what = format!("no file of {width}x{height} pixels");
        return Err(CodecError::malformed(WEBP, what));
    }
    let bands = if alpha { 4 } else { 3 };
    let row_bytes = usize_of(size.width()) * bands;
    let mut samples = zeroed(row_bytes * usize_of(size.height()))?;
    let stride = c_int::try_from(row_bytes).unwrap_or(0);
    let (target, target_len) = (samples.as_mut_ptr(), samples.len());
    let decode = if alpha { WebPDecodeRGBAInto } else { WebPDecodeRGBInto };
    // SAFETY: both buffers are given with their lengths, and libwebp checks `height * stride` against
    // the length of the target.
    let end = unsafe { decode(file.as_ptr(), file.len(), target, target_len, stride) };
    if end.is_null() {
        return Err(CodecError::malformed(WEBP, "the pixels are damaged or cut short"));
    }
    Ok(samples)
}
