//! Gray or RGB samples to a baseline JPEG file, at libjpeg-turbo's speed and size.

use mozjpeg::qtable::{AnnexK_Chroma, AnnexK_Luma};
use mozjpeg::{ColorSpace, Compress, Marker, PixelDensity, PixelDensityUnit};

use crate::codecs::CodecError;
use crate::codecs::encoding::{About, Encoding};
use crate::codecs::exif::{PREFIX, written};
use crate::codecs::fields::INCH_M;
use crate::codecs::iptc;
use crate::codecs::jpeg::failure::{error_manager, guarded};
use crate::codecs::jpeg::icc::icc_bodies;
use crate::codecs::jpeg::{JPEG, XMP_PREFIX};
use crate::codecs::number::{reserved, usize_of};
use crate::imaging::Raster;
use crate::model::image_info::Resolution;
use crate::model::{ColourModel, Field, Subsampling};

/// The longest side that libjpeg writes (`JPEG_MAX_DIMENSION`).
const SIDE_PX_MAX: u32 = 65_500;

/// Below this quality the scaled tables of annex K exceed 255, and libjpeg writes 16-bit tables, which
/// are no baseline JPEG and which browsers do not promise to read.
const QUALITY_8_BIT_MIN: i8 = 24;

/// Bytes of a segment's body: 16 bits, less the two of the length itself.
const BODY_BYTES_MAX: usize = 65_533;

/// Encodes a raster, gray as one component; the quality is clamped to 1 to 100. Blocks of metadata that are
/// too long for a segment are left out.
///
/// # Errors
/// `Unsupported` with alpha, `OverLimit` above 65500 pixels a side or with a profile above 16.7 MB.
pub(crate) fn encode(raster: &Raster, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    if raster.alpha() {
        return Err(CodecError::unsupported(JPEG, "alpha (flatten the raster first)"));
    }
    crate::codecs::check_side(raster.size(), "pixels of a JPEG's side", SIDE_PX_MAX)?;
    let about = &encoding.about;
    let profile = about.icc.as_deref().map(icc_bodies).transpose()?;
    // 2 bits a sample: enough for most pictures up to quality 90, so that the buffer grows rarely.
    let file = reserved(raster.samples().len() / 4 + about.len())?;
    guarded(|| {
        let mut encoder = settings(raster, encoding).start_compress(file)?;
        for (marker, body) in metadata(about) {
            encoder.write_marker(marker, &body);
        }
        for body in profile.into_iter().flatten() {
            encoder.write_marker(Marker::APP(2), &body);
        }
        encoder.write_scanlines(raster.samples())?;
        Ok(encoder.finish()?)
    })
}

/// The segments of what the source says, Exif first, as its standard wants it.
fn metadata(about: &About) -> impl Iterator<Item = (Marker, Vec<u8>)> {
    let prefixed = |prefix: &[u8], body: &[u8]| [prefix, body].concat();
    let exif = written(about, BODY_BYTES_MAX - PREFIX.len());
    let comment = about.text(Field::Comment);
    [
        exif.map(|exif| (Marker::APP(1), prefixed(PREFIX, &exif))),
        about.xmp().map(|xmp| (Marker::APP(1), prefixed(XMP_PREFIX, &xmp))),
        about.iptc().map(|iptc| (Marker::APP(13), iptc::framed(iptc))),
        comment.map(|comment| (Marker::COM, comment.as_bytes().to_vec())),
    ]
    .into_iter()
    .flatten()
    .filter(|(_, body)| body.len() <= BODY_BYTES_MAX)
}

/// JFIF's density in inches, where it can be said in whole numbers of 16 bits.
fn density(resolution: Resolution) -> Option<PixelDensity> {
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a conversion of floats saturates"
    )]
    let inches = |per_metre: f64| match (per_metre * INCH_M).round() as u16 {
        0 | u16::MAX => None,
        dots => Some(dots),
    };
    let (x, y) = (inches(resolution.x_per_metre)?, inches(resolution.y_per_metre)?);
    Some(PixelDensity { unit: PixelDensityUnit::Inches, x, y })
}

fn settings(raster: &Raster, encoding: &Encoding) -> Compress {
    let space = match raster.colour().shown() {
        ColourModel::Gray => ColorSpace::JCS_GRAYSCALE,
        _ => ColorSpace::JCS_RGB,
    };
    let mut settings = Compress::new_err(Box::new(error_manager()), space);
    if !encoding.trellis {
        // First, because it resets everything; without it mozjpeg takes 37 times as long.
        settings.set_fastest_defaults();
    }
    settings.set_size(usize_of(raster.size().width()), usize_of(raster.size().height()));
    let quality = encoding.quality.clamp(1, 100);
    if QUALITY_8_BIT_MIN <= quality {
        settings.set_quality(quality.into());
    } else {
        settings.set_luma_qtable(&AnnexK_Luma.scaled(quality.into(), quality.into()));
        settings.set_chroma_qtable(&AnnexK_Chroma.scaled(quality.into(), quality.into()));
    }
    if raster.colour() == ColourModel::Rgb {
        let shared = match encoding.subsampling {
            Subsampling::Quarter => (2, 2),
            Subsampling::Half => (2, 1),
            Subsampling::Full => (1, 1),
        };
        settings.set_chroma_sampling_pixel_sizes(shared, shared);
    }
    if let Some(density) = encoding.about.resolution.and_then(density) {
        settings.set_pixel_density(density);
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::jpeg::frame_of;
    use crate::codecs::jpeg::markers::{APP2, DQT, split};
    use crate::model::{Format, Size};

    fn raster(colour: ColourModel, alpha: bool) -> Raster {
        let size = Size::new(33, 17).unwrap();
        let len = Raster::<u8>::samples_len(size, colour, alpha);
        let samples = (0..len).map(|i| u8::try_from(i * 13 % 256).unwrap()).collect();
        Raster::new(size, colour, alpha, samples).unwrap()
    }

    #[test]
    fn every_quality_is_baseline_with_8_bit_tables() {
        for quality in [-5, 0, 1, 2, 10, 23, 24, 50, 75, 100, 127] {
            let file =
                encode(&raster(ColourModel::Rgb, false), &Encoding::plain(Format::Jpeg, quality))
                    .unwrap();
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
        let file =
            encode(&raster(ColourModel::Gray, false), &Encoding::plain(Format::Jpeg, 75)).unwrap();
        assert_eq!(frame_of(&file).unwrap().components, 1);
        assert_eq!(frame_of(&file).unwrap().width_px, 33);
    }

    #[test]
    fn alpha_and_sides_beyond_the_format_are_refused() {
        let error = encode(&raster(ColourModel::Rgb, true), &Encoding::plain(Format::Jpeg, 75))
            .unwrap_err();
        assert!(matches!(error, CodecError::Unsupported { .. }));
        let wide = Raster::zeroed(Size::new(65_501, 1).unwrap(), ColourModel::Gray, false);
        assert!(matches!(
            encode(&wide, &Encoding::plain(Format::Jpeg, 75)).unwrap_err(),
            CodecError::OverLimit { .. }
        ));
    }

    #[test]
    fn a_profile_is_embedded_numbered_from_one() {
        let encoding = Encoding::plain(Format::Jpeg, 75).with_icc(Some(vec![9; 70_000].into()));
        let file = encode(&raster(ColourModel::Rgb, false), &encoding).unwrap();
        let (segments, _) = split(&file).unwrap();
        let numbers: Vec<&[u8]> = segments
            .iter()
            .filter(|segment| segment.marker == APP2)
            .map(|segment| &segment.body[12..14])
            .collect();
        assert_eq!(numbers, [[1, 2], [2, 2]]);
    }
}
