//! Pixels to a PNG file (W3C PNG, third edition): 8 or 16 bit, gray or RGB, with or without alpha, and what
//! the source says.

use std::borrow::Cow;

use png::text_metadata::{ITXtChunk, TEXtChunk};
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Info, PixelDimensions, Unit};

use crate::codecs::CodecError;
use crate::codecs::encoding::{About, Encoding};
use crate::codecs::exif::written;
use crate::codecs::number::{reserved, usize_of};
use crate::codecs::png::texts::{KEYWORDS, XMP_KEYWORD};
use crate::imaging::Pixels;
use crate::model::ColourModel;
use crate::model::image_info::Resolution;

/// Bytes of a chunk: 31 bits.
const CHUNK_BYTES_MAX: u32 = 0x7fff_ffff;

/// Encodes pixels. Level 0 is uncompressed, 1 to 3 fast (the fit one for tiles: a 256x256 tile in a quarter
/// of a millisecond), 4 to 6 balanced (13 times slower, a quarter smaller), 7 to 9 small.
///
/// # Errors
/// `Unsupported` for floating point samples; `Io` where memory is short.
pub(crate) fn encode(pixels: &Pixels, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    let (depth, samples) = match pixels {
        Pixels::U8(raster) => (BitDepth::Eight, Cow::Borrowed(raster.samples())),
        Pixels::U16(raster) => {
            let mut bytes = reserved(raster.samples().len() * 2)?;
            bytes.extend(raster.samples().iter().flat_map(|sample| sample.to_be_bytes()));
            (BitDepth::Sixteen, Cow::Owned(bytes))
        }
        Pixels::F32(_) => return Err(CodecError::unsupported("PNG", "floating point samples")),
    };
    let mut file = reserved(samples.len() / 2 + encoding.about.len())?;
    let mut info = Info::with_size(pixels.size().width(), pixels.size().height());
    info.bit_depth = depth;
    info.color_type = match (pixels.colour(), pixels.alpha()) {
        (ColourModel::Gray, false) => ColorType::Grayscale,
        (ColourModel::Gray, true) => ColorType::GrayscaleAlpha,
        (_, false) => ColorType::Rgb,
        (_, true) => ColorType::Rgba,
    };
    describe(&mut info, &encoding.about);
    write(info, &samples, encoding.quality, &mut file).map_err(|error| match error {
        EncodingError::IoError(error) => CodecError::Io(error),
        other => CodecError::unsupported("PNG", other.to_string()),
    })?;
    Ok(file)
}

fn write(
    info: Info<'_>,
    samples: &[u8],
    level: i8,
    file: &mut Vec<u8>,
) -> Result<(), EncodingError> {
    let mut encoder = Encoder::with_info(file, info)?;
    encoder.set_compression(match level {
        ..=0 => Compression::NoCompression,
        1..=3 => Compression::Fast,
        4..=6 => Compression::Balanced,
        7.. => Compression::High,
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(samples)?;
    writer.finish()
}

/// What the source says, as chunks before the pixels.
fn describe<'a>(info: &mut Info<'a>, about: &'a About) {
    info.icc_profile = about.icc.as_deref().map(Cow::Borrowed);
    info.pixel_dims = about.resolution.map(density);
    info.exif_metadata = written(about, usize_of(CHUNK_BYTES_MAX)).map(Cow::Owned);
    for (keyword, field) in KEYWORDS {
        match about.text(field) {
            Some(text) if text.is_ascii() => {
                info.uncompressed_latin1_text.push(TEXtChunk::new(keyword, text));
            }
            Some(text) => info.utf8_text.push(ITXtChunk::new(keyword, text)),
            None => {}
        }
    }
    if let Some(xmp) = about.xmp().and_then(|xmp| String::from_utf8(xmp).ok()) {
        info.utf8_text.push(ITXtChunk::new(XMP_KEYWORD, xmp));
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion of floats saturates"
)]
fn density(resolution: Resolution) -> PixelDimensions {
    let dots = |per_metre: f64| (per_metre.round() as u32).clamp(1, CHUNK_BYTES_MAX);
    PixelDimensions {
        xppu: dots(resolution.x_per_metre),
        yppu: dots(resolution.y_per_metre),
        unit: Unit::Meter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Raster, Sample};
    use crate::model::{Format, SampleType, Size};

    fn check<T: Sample>(sample: impl Fn(usize) -> T, bytes: impl Fn(&T) -> Vec<u8>) {
        let size = Size::new(31, 9).unwrap();
        for (colour, alpha) in [
            (ColourModel::Gray, false),
            (ColourModel::Gray, true),
            (ColourModel::Rgb, false),
            (ColourModel::Rgb, true),
        ] {
            for level in [-1, 0, 1, 4, 9] {
                let len = Raster::<T>::samples_len(size, colour, alpha);
                let raster =
                    Raster::new(size, colour, alpha, (0..len).map(&sample).collect()).unwrap();
                let expected: Vec<u8> = raster.samples().iter().flat_map(&bytes).collect();
                let encoding =
                    Encoding::plain(Format::Png, level).with_icc(Some((*b"a profile").into()));
                let file = encode(&T::wrap(raster), &encoding).unwrap();
                let mut reader =
                    png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
                let mut samples = vec![0; expected.len()];
                reader.next_frame(&mut samples).unwrap();
                assert_eq!(samples, expected, "{:?} {colour:?} {alpha} {level}", T::TYPE);
                assert_eq!(reader.info().icc_profile.as_deref(), Some(&b"a profile"[..]));
            }
        }
    }

    #[test]
    fn every_shape_and_depth_comes_back_as_it_was_at_every_level() {
        check(|at| u8::try_from(at * 13 % 256).unwrap(), |sample| vec![*sample]);
        check(
            |at| u16::try_from(at * 977 % 65_536).unwrap(),
            |sample| sample.to_be_bytes().to_vec(),
        );
        let float = Pixels::F32(Raster::zeroed(Size::ONE, ColourModel::Gray, false));
        assert_eq!(float.sample_type(), SampleType::F32);
        encode(&float, &Encoding::plain(Format::Png, 1)).unwrap_err();
    }
}
