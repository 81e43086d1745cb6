//! What a directory tells of the picture as a whole: profile, resolution, what stands for no data, and what
//! is said in words and blocks.

use tiff::Directory;
use tiff::tags::{ByteOrder, Tag, Type};

use crate::codecs::exif::{TEXT_TAGS, block_of, text_of};
use crate::codecs::fields::Fields;
use crate::codecs::iptc;
use crate::codecs::number::u64_of;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::upright::Orientation;
use crate::codecs::{CodecError, DecodeLimits};
use crate::imaging::read_profile;
use crate::model::image_info::Resolution;
use crate::model::{Field, Metadata, Profile};

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

/// `PageName`, which stands for a title where there is no `DocumentName`.
const PAGE_NAME: u16 = 285;
/// XMP (XMP part 3, section 3.2).
const XMP: u16 = 700;
/// IPTC's records.
const IPTC: u16 = 33_723;
/// Where the directory of the camera's settings is.
const EXIF_DIRECTORY: u16 = 34_665;
/// What each maker writes as he likes, with offsets in the file that it was written into.
const MAKER_NOTE: u16 = 37_500;
/// The last type of TIFF 6.0; those behind it are BigTIFF's.
const TYPE_LAST: u16 = 12;

/// Texts, XMP and IPTC's records, as far as they are whole and not too long.
///
/// # Errors
/// `Io`.
pub(super) fn about(
    structure: &mut Structure,
    from: &Directory,
    limits: &DecodeLimits,
) -> Result<Metadata, CodecError> {
    let xmp = block_in(structure, from, XMP, limits)?;
    let records = block_in(structure, from, IPTC, limits)?;
    let texts = records.as_deref().map(iptc::texts).unwrap_or_default();
    let exif = exif(structure, from, limits).or_else(unless_io)?;
    let blocks = [exif, xmp, records].map(|block| block.map(Into::into));
    let mut block = |tag| block_in(structure, from, tag, limits);
    let mut metadata = Metadata::of_blocks(blocks);
    for (tag, field) in TEXT_TAGS.into_iter().chain([(PAGE_NAME, Field::Title)]) {
        if let Some(text) = block(tag)? {
            metadata.add(field, &text_of(&text));
        }
    }
    metadata.add_all(&texts);
    Ok(metadata)
}

/// The bytes of a tag; nothing where there are none, too many, or they lie outside of the file.
fn block_in(
    structure: &mut Structure,
    from: &Directory,
    tag: u16,
    limits: &DecodeLimits,
) -> Result<Option<Vec<u8>>, CodecError> {
    let tag = Tag::from_u16_exhaustive(tag);
    let bytes = structure.bytes(from, tag, limits.metadata_bytes_max).or_else(unless_io)?;
    Ok(bytes.filter(|bytes| !bytes.is_empty()))
}

/// Damaged metadata is none: the picture may be fine.
fn unless_io<T>(error: CodecError) -> Result<Option<T>, CodecError> {
    if matches!(error, CodecError::Io(_)) { Err(error) } else { Ok(None) }
}

/// The camera's settings as an Exif block.
fn exif(
    structure: &mut Structure,
    from: &Directory,
    limits: &DecodeLimits,
) -> Result<Option<Vec<u8>>, CodecError> {
    let pointer = Tag::from_u16_exhaustive(EXIF_DIRECTORY);
    let Some(offset) = structure.number(from, pointer)? else { return Ok(None) };
    let directory = structure.directory(offset)?;
    let mut fields = Fields::new(structure.order() == ByteOrder::BigEndian);
    let mut room = limits.metadata_bytes_max;
    let entries: Vec<_> = directory
        .iter()
        .map(|(tag, entry)| (tag.to_u16(), entry.field_type().to_u16(), entry.count()))
        .filter(|(tag, kind, _)| *tag != MAKER_NOTE && *kind <= TYPE_LAST)
        .collect();
    for (tag, kind, count) in entries {
        let value = structure.bytes(&directory, Tag::from_u16_exhaustive(tag), room);
        let Some(bytes) = value.or_else(unless_io)? else { continue };
        room = room.saturating_sub(u64_of(bytes.len()));
        fields.copy(tag, (kind, u32::try_from(count).unwrap_or(0), bytes));
    }
    Ok((!fields.is_empty()).then(|| block_of(&fields)))
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

/// The number that stands for no data (`GDAL_NODATA`), where it is one.
///
/// # Errors
/// `Io`.
pub(super) fn nodata(
    structure: &mut Structure,
    from: &Directory,
) -> Result<Option<f64>, CodecError> {
    match structure.bytes(from, Tag::GdalNodata, NODATA_BYTES_MAX) {
        Ok(text) => Ok(text.and_then(|text| number(&text))),
        Err(CodecError::Io(error)) => Err(CodecError::Io(error)),
        Err(_) => Ok(None),
    }
}

fn number(text: &[u8]) -> Option<f64> {
    str::from_utf8(text).ok()?.trim_matches(['\0', ' ']).parse().ok()
}

/// The values of a tag of numbers of any type, at most `count_max`; nothing where the directory lacks it
/// or it holds more.
///
/// # Errors
/// `Malformed` where it lies outside the file.
pub(super) fn reals(
    structure: &mut Structure,
    from: &Directory,
    tag: Tag,
    count_max: u64,
) -> Result<Option<Vec<f64>>, CodecError> {
    let Some(entry) = from.get(tag).filter(|entry| entry.count() <= count_max) else {
        return Ok(None);
    };
    let kind = entry.field_type();
    let Some(bytes) = structure.bytes(from, tag, count_max.saturating_mul(8))? else {
        return Ok(None);
    };
    Ok(real_values(&bytes, kind, structure.order()))
}

#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "64-bit whole numbers to the nearest"
)]
fn real_values(bytes: &[u8], kind: Type, order: ByteOrder) -> Option<Vec<f64>> {
    fn each<const N: usize>(
        bytes: &[u8],
        order: ByteOrder,
        convert: impl Fn([u8; N]) -> f64,
    ) -> Vec<f64> {
        let little = |mut field: [u8; N]| {
            if order == ByteOrder::BigEndian {
                field.reverse();
            }
            convert(field)
        };
        bytes.as_chunks::<N>().0.iter().map(|field| little(*field)).collect()
    }
    Some(match kind {
        Type::BYTE => each::<1>(bytes, order, |field| u8::from_le_bytes(field).into()),
        Type::SBYTE => each::<1>(bytes, order, |field| i8::from_le_bytes(field).into()),
        Type::SHORT => each::<2>(bytes, order, |field| u16::from_le_bytes(field).into()),
        Type::SSHORT => each::<2>(bytes, order, |field| i16::from_le_bytes(field).into()),
        Type::LONG => each::<4>(bytes, order, |field| u32::from_le_bytes(field).into()),
        Type::SLONG => each::<4>(bytes, order, |field| i32::from_le_bytes(field).into()),
        Type::FLOAT => each::<4>(bytes, order, |field| f32::from_le_bytes(field).into()),
        Type::DOUBLE => each::<8>(bytes, order, f64::from_le_bytes),
        Type::LONG8 => each::<8>(bytes, order, |field| u64::from_le_bytes(field) as f64),
        Type::SLONG8 => each::<8>(bytes, order, |field| i64::from_le_bytes(field) as f64),
        Type::RATIONAL | Type::SRATIONAL => {
            let halves = if kind == Type::RATIONAL { Type::LONG } else { Type::SLONG };
            let halves = real_values(bytes, halves, order)?;
            halves.as_chunks::<2>().0.iter().map(|[above, below]| above / below).collect()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_data_is_any_number() {
        for (text, expected) in [
            (&b"255\0"[..], Some(255.0)),
            (b"0", Some(0.0)),
            (b"7.0 ", Some(7.0)),
            (b"-9999", Some(-9999.0)),
            (b"-3.5e+10\0", Some(-3.5e10)),
            (b"", None),
            (b"none", None),
            (b"\xff", None),
        ] {
            assert_eq!(number(text), expected, "{text:?}");
        }
        assert!(number(b"nan").unwrap().is_nan());
    }

    #[test]
    fn values_of_every_type_are_numbers() {
        let (little, big) = (ByteOrder::LittleEndian, ByteOrder::BigEndian);
        for (bytes, kind, order, expected) in [
            (&[1, 255][..], Type::BYTE, big, &[1.0, 255.0][..]),
            (&[255], Type::SBYTE, big, &[-1.0]),
            (&[1, 0], Type::SHORT, big, &[256.0]),
            (&[254, 255], Type::SSHORT, little, &[-2.0]),
            (&[0, 0, 128, 63], Type::FLOAT, little, &[1.0]),
            (&[255, 255, 255, 255, 0, 0, 0, 2], Type::SRATIONAL, big, &[-0.5]),
            (&[0, 0, 0, 1, 0, 0, 0, 2], Type::RATIONAL, big, &[0.5]),
            (&[255; 8], Type::SLONG8, big, &[-1.0]),
        ] {
            assert_eq!(real_values(bytes, kind, order).unwrap(), expected, "{kind:?}");
        }
        assert_eq!(real_values(b"a", Type::ASCII, big), None);
    }
}
