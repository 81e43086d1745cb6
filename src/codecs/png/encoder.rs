//! A raster to a PNG file (W3C PNG, third edition): 8 bit, gray or RGB, with or without alpha.

use std::borrow::Cow;

use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Info};

use crate::codecs::CodecError;
use crate::codecs::number::reserved;
use crate::imaging::Raster;
use crate::model::ColourModel;

/// Encodes a raster. `level` 0 is uncompressed, 1 to 3 fast (the fit one for tiles: a 256x256 tile in
/// a quarter of a millisecond), 4 to 6 balanced (13 times slower, a quarter smaller), 7 to 9 small.
///
/// # Errors
/// `Io` where memory is short.
pub(crate) fn encode(
    raster: &Raster,
    level: i8,
    icc: Option<&[u8]>,
) -> Result<Vec<u8>, CodecError> {
    let mut file = reserved(raster.samples().len() / 2 + icc.map_or(0, <[u8]>::len) + 1024)?;
    write(raster, level, icc, &mut file).map_err(|error| match error {
        EncodingError::IoError(error) => CodecError::Io(error),
        other => CodecError::unsupported("PNG", other.to_string()),
    })?;
    Ok(file)
}

fn write(
    raster: &Raster,
    level: i8,
    icc: Option<&[u8]>,
    file: &mut Vec<u8>,
) -> Result<(), EncodingError> {
    let mut info = Info::with_size(raster.size().width(), raster.size().height());
    info.bit_depth = BitDepth::Eight;
    info.color_type = match (raster.colour(), raster.alpha()) {
        (ColourModel::Gray, false) => ColorType::Grayscale,
        (ColourModel::Gray, true) => ColorType::GrayscaleAlpha,
        (_, false) => ColorType::Rgb,
        (_, true) => ColorType::Rgba,
    };
    info.icc_profile = icc.map(Cow::Borrowed);
    let mut encoder = Encoder::with_info(file, info)?;
    encoder.set_compression(match level {
        ..=0 => Compression::NoCompression,
        1..=3 => Compression::Fast,
        4..=6 => Compression::Balanced,
        7.. => Compression::High,
    });
    let mut writer = encoder.write_header()?;
    writer.write_image_data(raster.samples())?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    fn raster(colour: ColourModel, alpha: bool) -> Raster {
        let size = Size::new(31, 9).unwrap();
        let len = Raster::<u8>::samples_len(size, colour, alpha);
        let samples = (0..len).map(|i| u8::try_from(i * 13 % 256).unwrap()).collect();
        Raster::new(size, colour, alpha, samples).unwrap()
    }

    #[test]
    fn every_shape_comes_back_as_it_was_at_every_level() {
        for (colour, alpha) in [
            (ColourModel::Gray, false),
            (ColourModel::Gray, true),
            (ColourModel::Rgb, false),
            (ColourModel::Rgb, true),
        ] {
            for level in [-1, 0, 1, 4, 9] {
                let raster = raster(colour, alpha);
                let file = encode(&raster, level, Some(b"a profile")).unwrap();
                let mut reader =
                    png::Decoder::new(std::io::Cursor::new(&file)).read_info().unwrap();
                let mut samples = vec![0; raster.samples().len()];
                reader.next_frame(&mut samples).unwrap();
                assert_eq!(samples, raster.samples(), "{colour:?} {alpha} {level}");
                assert_eq!(reader.info().icc_profile.as_deref(), Some(&b"a profile"[..]));
            }
        }
    }
}
