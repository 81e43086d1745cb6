//! Gray or RGB samples to a baseline JPEG file, at libjpeg-turbo's speed and size.

use mozjpeg::qtable::{AnnexK_Chroma, AnnexK_Luma};
use mozjpeg::{ColorSpace, Compress, Marker};

use crate::codecs::CodecError;
use crate::codecs::jpeg::JPEG;
use crate::codecs::jpeg::failure::{error_manager, guarded};
use crate::codecs::jpeg::icc::icc_bodies;
use crate::codecs::number::{reserved, usize_of};
use crate::imaging::Raster;
use crate::model::ColourModel;

/// The longest side that libjpeg writes (`JPEG_MAX_DIMENSION`).
const SIDE_PX_MAX: u32 = 65_500;

/// Below this quality the scaled tables of annex K exceed 255, and libjpeg writes 16-bit tables, which
/// are no baseline JPEG and which browsers do not promise to read.
const QUALITY_8_BIT_MIN: i8 = 24;

/// Encodes a raster, colour with 4:2:0 subsampling, gray as one component; `quality` is clamped to 1
/// to 100.
///
/// # Errors
/// `Unsupported` with alpha, `OverLimit` above 65500 pixels a side or with a profile above 16.7 MB.
pub(crate) fn encode(
    raster: &Raster,
    quality: i8,
    icc: Option<&[u8]>,
) -> Result<Vec<u8>, CodecError> {
    if raster.alpha() {
        return Err(CodecError::unsupported(JPEG, "alpha (flatten the raster first)"));
    }
    crate::codecs::check_side(raster, "pixels of a JPEG's side", SIDE_PX_MAX)?;
    let profile = icc.map(icc_bodies).transpose()?;
    // 2 bits a sample: enough for most pictures up to quality 90, so that the buffer grows rarely.
    let file = reserved(raster.samples().len() / 4 + icc.map_or(0, <[u8]>::len) + 1024)?;
    guarded(|| {
        let mut encoder = settings(raster, quality).start_compress(file)?;
        for body in profile.into_iter().flatten() {
            encoder.write_marker(Marker::APP(2), &body);
        }
        encoder.write_scanlines(raster.samples())?;
        Ok(encoder.finish()?)
    })
}

fn settings(raster: &Raster, quality: i8) -> Compress {
    let space = match raster.colour().shown() {
        ColourModel::Gray => ColorSpace::JCS_GRAYSCALE,
        _ => ColorSpace::JCS_RGB,
    };
    let mut settings = Compress::new_err(Box::new(error_manager()), space);
    // First, because it resets everything; without it mozjpeg takes 37 times as long.
    settings.set_fastest_defaults();
    settings.set_size(usize_of(raster.size().width()), usize_of(raster.size().height()));
    let quality = quality.clamp(1, 100);
    if QUALITY_8_BIT_MIN <= quality {
        settings.set_quality(quality.into());
    } else {
        settings.set_luma_qtable(&AnnexK_Luma.scaled(quality.into(), quality.into()));
        settings.set_chroma_qtable(&AnnexK_Chroma.scaled(quality.into(), quality.into()));
    }
    if raster.colour() == ColourModel::Rgb {
        settings.set_chroma_sampling_pixel_sizes((2, 2), (2, 2));
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::jpeg::frame_of;
    use crate::codecs::jpeg::markers::{APP2, DQT, split};
    use crate::model::Size;

    fn raster(colour: ColourModel, alpha: bool) -> Raster {
        let size = Size::new(33, 17).unwrap();
        let len = Raster::<u8>::samples_len(size, colour, alpha);
        let samples = (0..len).map(|i| u8::try_from(i * 13 % 256).unwrap()).collect();
        Raster::new(size, colour, alpha, samples).unwrap()
    }

    #[test]
    fn every_quality_is_baseline_with_8_bit_tables() {
        for quality in [-5, 0, 1, 2, 10, 23, 24, 50, 75, 100, 127] {
            let file = encode(&raster(ColourModel::Rgb, false), quality, None).unwrap();
            assert_eq!(frame_of(&file).unwrap().process, 0xc0, "quality {quality}");
            let (segments, _) = split(&file).unwrap();
            let tables = segments.iter().filter(|segment| segment.marker == DQT);
            for table in tables {
                assert!(table.body[0] < 16, "quality {quality}: a 16-bit table");
            }
        }
    }

    #[test]
    fn gray_stays_one_component() {
        let file = encode(&raster(ColourModel::Gray, false), 75, None).unwrap();
        assert_eq!(frame_of(&file).unwrap().components, 1);
        assert_eq!(frame_of(&file).unwrap().width_px, 33);
    }

    #[test]
    fn alpha_and_sides_beyond_the_format_are_refused() {
        let error = encode(&raster(ColourModel::Rgb, true), 75, None).unwrap_err();
        assert!(matches!(error, CodecError::Unsupported { .. }));
        let wide = Raster::zeroed(Size::new(65_501, 1).unwrap(), ColourModel::Gray, false);
        assert!(matches!(encode(&wide, 75, None).unwrap_err(), CodecError::OverLimit { .. }));
    }

    #[test]
    fn a_profile_is_embedded_numbered_from_one() {
        let file = encode(&raster(ColourModel::Rgb, false), 75, Some(&vec![9; 70_000])).unwrap();
        let (segments, _) = split(&file).unwrap();
        let numbers: Vec<&[u8]> = segments
            .iter()
            .filter(|segment| segment.marker == APP2)
            .map(|segment| &segment.body[12..14])
            .collect();
        assert_eq!(numbers, [[1, 2], [2, 2]]);
    }
}
