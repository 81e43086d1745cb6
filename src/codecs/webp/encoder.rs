//! A raster to a WebP file, lossy or lossless, alpha kept.
#![expect(unsafe_code, reason = "libwebp is C")]

use std::borrow::Cow;
use std::os::raw::{c_int, c_void};
use std::ptr;

use libwebp_sys::{
    WebPConfig, WebPEncode, WebPEncodingError, WebPPicture, WebPPictureFree, WebPPictureImportRGB,
    WebPPictureImportRGBA, WebPPreset,
};

use crate::codecs::CodecError;
use crate::codecs::encoding::Encoding;
use crate::codecs::number::reserved;
use crate::codecs::webp::WEBP;
use crate::codecs::webp::container::with_chunks;
use crate::imaging::Raster;
use crate::model::ColourModel;

/// The longest side that the format holds (RFC 9649, section 2.5: 14 bits).
const SIDE_PX_MAX: u32 = 16_383;

/// libwebp's effort. Its default, 4, takes four times as long for no smaller tiles (2026-11-22).
const METHOD: c_int = 1;

/// What `quality` means without loss: effort, as in libwebp's second fastest preset.
const LOSSLESS_EFFORT: f32 = 20.0;

/// Encodes a raster; quality 0 to 100, and lossless below 0.
///
/// # Errors
/// `OverLimit` above 16383 pixels a side; `Io` where memory is short.
pub(crate) fn encode(raster: &Raster, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    let quality = encoding.quality;
    crate::codecs::check_side(raster.size(), "pixels of a WebP's side", SIDE_PX_MAX)?;
    let config = config(quality)?;
    let mut picture = Picture::of(raster, quality < 0)?;
    let mut file = reserved(raster.samples().len() / 4 + 1024)?;
    picture.0.writer = Some(append);
    picture.0.custom_ptr = ptr::from_mut(&mut file).cast::<c_void>();
    // SAFETY: both structures were initialised by libwebp; `file` outlives the call that appends to it.
    let ok = unsafe { WebPEncode(&raw const config, &raw mut picture.0) };
    if ok == 0 {
        return Err(error_of(picture.0.error_code));
    }
    drop(picture);
    with_chunks(file, raster.size(), &encoding.about)
}

fn config(quality: i8) -> Result<WebPConfig, CodecError> {
    let lossless = quality < 0;
    let value = if lossless { LOSSLESS_EFFORT } else { f32::from(quality.min(100)) };
    let mut config = WebPConfig::new_with_preset(WebPPreset::WEBP_PRESET_DEFAULT, value)
        .map_err(|()| CodecError::unsupported(WEBP, "this version of libwebp"))?;
    config.method = METHOD;
    config.lossless = lossless.into();
    // Colours below full transparency are kept: lossless means every sample.
    config.exact = lossless.into();
    Ok(config)
}

/// libwebp's picture; frees its planes when dropped.
struct Picture(WebPPicture);

impl Picture {
    fn of(raster: &Raster, lossless: bool) -> Result<Self, CodecError> {
        let samples = colour_samples(raster)?;
        let mut picture = Self(
            WebPPicture::new()
                .map_err(|()| CodecError::unsupported(WEBP, "this version of libwebp"))?,
        );
        // Sides are within 16383, so that these always fit.
        let side = |pixels: u32| c_int::try_from(pixels).unwrap_or(0);
        picture.0.width = side(raster.size().width());
        picture.0.height = side(raster.size().height());
        picture.0.use_argb = lossless.into();
        let (import, bands): (unsafe extern "C" fn(_, _, _) -> _, _) =
            if raster.alpha() { (WebPPictureImportRGBA, 4) } else { (WebPPictureImportRGB, 3) };
        // SAFETY: `samples` holds `height` rows of `width * bands` bytes, by the raster's invariant.
        let ok = unsafe { import(&raw mut picture.0, samples.as_ptr(), picture.0.width * bands) };
        if ok == 0 { Err(error_of(picture.0.error_code)) } else { Ok(picture) }
    }
}

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: the structure was initialised by libwebp and is not used afterwards.
        unsafe { WebPPictureFree(&raw mut self.0) };
    }
}

/// The samples as RGB or RGBA: WebP knows no gray.
fn colour_samples(raster: &Raster) -> Result<Cow<'_, [u8]>, CodecError> {
    let samples = raster.samples();
    if raster.colour() == ColourModel::Rgb {
        return Ok(Cow::Borrowed(samples));
    }
    let mut colour = reserved(samples.len() * (raster.bands() + 2) / raster.bands())?;
    for pixel in samples.chunks_exact(raster.bands()) {
        if let [gray, alpha @ ..] = pixel {
            colour.extend_from_slice(&[*gray; 3]);
            colour.extend_from_slice(alpha);
        }
    }
    Ok(Cow::Owned(colour))
}

/// Takes what libwebp has written; 0 stops it.
extern "C" fn append(data: *const u8, len: usize, picture: *const WebPPicture) -> c_int {
    // SAFETY: libwebp passes the picture that it was given.
    let Some(picture) = (unsafe { picture.as_ref() }) else { return 0 };
    // SAFETY: `encode` points it at a buffer that nobody else holds during the call.
    let Some(file) = (unsafe { picture.custom_ptr.cast::<Vec<u8>>().as_mut() }) else { return 0 };
    if len == 0 {
        return 1;
    }
    if file.try_reserve(len).is_err() {
        return 0;
    }
    // SAFETY: libwebp passes `len` readable bytes.
    file.extend_from_slice(unsafe { std::slice::from_raw_parts(data, len) });
    1
}

fn error_of(code: WebPEncodingError) -> CodecError {
    match code {
        WebPEncodingError::VP8_ENC_ERROR_PARTITION0_OVERFLOW
        | WebPEncodingError::VP8_ENC_ERROR_PARTITION_OVERFLOW
        | WebPEncodingError::VP8_ENC_ERROR_FILE_TOO_BIG => {
            CodecError::unsupported(WEBP, "a picture whose compressed parts exceed the format")
        }
        _ => CodecError::Io(std::io::ErrorKind::OutOfMemory.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codecs::webp::{decode, summarise};
    use crate::model::{Format, Size};

    fn raster(colour: ColourModel, alpha: bool) -> Raster {
        let size = Size::new(40, 30).unwrap();
        let len = Raster::<u8>::samples_len(size, colour, alpha);
        let samples = (0..len).map(|i| u8::try_from(i / 7 % 256).unwrap()).collect();
        Raster::new(size, colour, alpha, samples).unwrap()
    }

    #[test]
    fn lossless_keeps_every_sample_with_and_without_profile() {
        for alpha in [false, true] {
            for icc in [None, Some(&b"profile"[..])] {
                let raster = raster(ColourModel::Rgb, alpha);
                let encoding = Encoding::plain(Format::Webp, -1).with_icc(icc.map(Arc::from));
                let file = encode(&raster, &encoding).unwrap();
                assert_eq!(decode(&file, raster.size(), alpha).unwrap(), raster.samples());
                assert_eq!(summarise(&file).unwrap().alpha, alpha);
            }
        }
    }

    #[test]
    fn gray_becomes_three_equal_bands() {
        let raster = raster(ColourModel::Gray, false);
        let file = encode(&raster, &Encoding::plain(Format::Webp, -1)).unwrap();
        let samples = decode(&file, raster.size(), false).unwrap();
        let expected: Vec<u8> = raster.samples().iter().flat_map(|&gray| [gray; 3]).collect();
        assert_eq!(samples, expected);
    }

    #[test]
    fn a_file_cut_anywhere_is_malformed() {
        let raster = raster(ColourModel::Rgb, true);
        let file = encode(&raster, &Encoding::plain(Format::Webp, 80)).unwrap();
        for len in 0..file.len() - 1 {
            let error = decode(&file[..len], raster.size(), true).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{len}");
        }
    }

    #[test]
    fn sides_beyond_the_format_are_refused() {
        let wide = Raster::zeroed(Size::new(16_384, 1).unwrap(), ColourModel::Gray, false);
        let error = encode(&wide, &Encoding::plain(Format::Webp, 80)).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { .. }));
    }
}
