//! What a directory tells of the picture as a whole: profile, resolution, the value of missing tiles.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::tiff::structure::Structure;
use crate::codecs::upright::Orientation;
use crate::codecs::{CodecError, DecodeLimits};
use crate::imaging::read_profile;
use crate::model::Profile;
use crate::model::image_info::Resolution;

/// Bytes of `GDAL_NODATA`: one number as text.
const NODATA_BYTES_MAX: u64 = 64;

/// The embedded ICC profile; nothing where it is empty or larger than the limit.
///
/// # Errors
/// `Malformed` where it lies outside the file; `Io`.
pub(super) fn icc(
    structure: &mut Structure,
    from: &Directory,
    limits: &DecodeLimits,
) -> Result<Option<Profile>, CodecError> {
    match structure.bytes(from, Tag::IccProfile, limits.icc_bytes_max) {
        Ok(profile) => {
            let profile = profile.filter(|profile| !profile.is_empty());
            Ok(profile.map(|profile| read_profile(profile.into())))
        }
        Err(CodecError::OverLimit { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Pixels a metre, where the file gives them in inches or centimetres.
///
/// # Errors
/// `Malformed` where the tags lie outside the file; `Io`.
pub(super) fn resolution(
    structure: &mut Structure,
    from: &Directory,
) -> Result<Option<Resolution>, CodecError> {
    let per_metre = match structure.number(from, Tag::ResolutionUnit)?.unwrap_or(2) {
        2 => 1.0 / 0.0254,
        3 => 100.0,
        _ => return Ok(None),
    };
    let mut along = |tag| -> Result<Option<f64>, CodecError> {
        let value = structure.fractions(from, tag, 1)?.and_then(|values| values.first().copied());
        Ok(value.filter(|value| value.is_finite() && 0.0 < *value).map(|value| value * per_metre))
    };
    let (x, y) = (along(Tag::XResolution)?, along(Tag::YResolution)?);
    Ok(x.zip(y).map(|(x_per_metre, y_per_metre)| Resolution { x_per_metre, y_per_metre }))
}

/// How the stored picture lies.
///
/// # Errors
/// `Malformed` where the tag is no whole number; `Io`.
pub(super) fn orientation(
    structure: &mut Structure,
    from: &Directory,
) -> Result<Orientation, CodecError> {
    Ok(Orientation::of(structure.number(from, Tag::Orientation)?.unwrap_or(1)))
}

/// The sample that stands for tiles that were never written: `GDAL_NODATA` where that is a whole number
/// from 0 to 255, else 0.
///
/// # Errors
/// `Io`.
pub(super) fn nodata(structure: &mut Structure, from: &Directory) -> Result<u8, CodecError> {
    match structure.bytes(from, Tag::GdalNodata, NODATA_BYTES_MAX) {
        Ok(text) => Ok(text.and_then(|text| whole_number(&text)).unwrap_or(0)),
        Err(CodecError::Io(error)) => Err(CodecError::Io(error)),
        Err(_) => Ok(0),
    }
}

fn whole_number(text: &[u8]) -> Option<u8> {
    let text = str::from_utf8(text).ok()?.trim_matches(['\0', ' ']);
    let number: f64 = text.parse().ok()?;
    (0..=255_u8).find(|value| (f64::from(*value) - number).abs() < 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_whole_numbers_of_a_byte() {
        for (text, expected) in [
            (&b"255\0"[..], Some(255)),
            (b"0", Some(0)),
            (b"7.0 ", Some(7)),
            (b"-9999", None),
            (b"nan", None),
            (b"", None),
            (b"\xff", None),
        ] {
            assert_eq!(whole_number(text), expected, "{text:?}");
        }
    }
}
