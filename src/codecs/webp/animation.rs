//! The first picture of an animated WebP file, on its canvas.
#![expect(unsafe_code, reason = "libwebp is C")]

use std::os::raw::c_int;
use std::ptr::{self, NonNull};
use std::{mem, slice};

use libwebp_sys::{
    WebPAnimDecoder, WebPAnimDecoderDelete, WebPAnimDecoderGetInfo, WebPAnimDecoderGetNext,
    WebPAnimDecoderNew, WebPAnimDecoderOptions, WebPAnimDecoderOptionsInit, WebPAnimInfo, WebPData,
};

use crate::codecs::CodecError;
use crate::codecs::number::{reserved, usize_of};
use crate::codecs::webp::WEBP;
use crate::model::Size;

/// libwebp's decoder; deleted when dropped.
struct Animation(NonNull<WebPAnimDecoder>);

impl Drop for Animation {
    fn drop(&mut self) {
        // SAFETY: libwebp made it, and it is not used afterwards.
        unsafe { WebPAnimDecoderDelete(self.0.as_ptr()) };
    }
}

/// Decodes the first frame of a file whose canvas must be exactly `size` pixels to RGBA; what the frame
/// leaves free is transparent.
///
/// # Errors
/// `Malformed` where the file is damaged, cut short or of another size.
pub(super) fn first_frame(file: &[u8], size: Size) -> Result<Vec<u8>, CodecError> {
    let damaged = || CodecError::malformed(WEBP, "the animation is damaged or cut short");
    // SAFETY: a C structure of integers and an enumeration that has a 0.
    let mut options: WebPAnimDecoderOptions = unsafe { mem::zeroed() };
    // SAFETY: it fills the structure that it is given.
    if unsafe { WebPAnimDecoderOptionsInit(&raw mut options) } == 0 {
        return Err(CodecError::unsupported(WEBP, "animation by this version of libwebp"));
    }
    let data = WebPData { bytes: file.as_ptr(), size: file.len() };
    // SAFETY: the bytes outlive the decoder, which is dropped before this function returns.
    let decoder = unsafe { WebPAnimDecoderNew(&raw const data, &raw const options) };
    let decoder = Animation(NonNull::new(decoder).ok_or_else(damaged)?);
    let mut info = WebPAnimInfo::default();
    // SAFETY: both structures live.
    let known = unsafe { WebPAnimDecoderGetInfo(decoder.0.as_ptr(), &raw mut info) };
    if known == 0 || (info.canvas_width, info.canvas_height) != (size.width(), size.height()) {
        return Err(damaged());
    }
    let (mut canvas, mut until_ms): (*mut u8, c_int) = (ptr::null_mut(), 0);
    // SAFETY: the decoder lives, and the two values outlive the call.
    let decoded =
        unsafe { WebPAnimDecoderGetNext(decoder.0.as_ptr(), &raw mut canvas, &raw mut until_ms) };
    if decoded == 0 || canvas.is_null() {
        return Err(damaged());
    }
    let len = usize_of(size.width()) * usize_of(size.height()) * 4;
    let mut samples = reserved(len)?;
    // SAFETY: the canvas is the decoder's own, of that many RGBA pixels, until its next call.
    samples.extend_from_slice(unsafe { slice::from_raw_parts(canvas, len) });
    Ok(samples)
}
