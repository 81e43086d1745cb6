//! A TIFF's JPEG tile is an abbreviated stream (TIFF Technical Note 2): quantization and Huffman tables
//! stand elsewhere, and the colour space is TIFF's business. Here it becomes a file of its own.

use crate::codecs::CodecError;
use crate::codecs::jpeg::JPEG;
use crate::codecs::jpeg::markers::{APP0, APP14, DAC, DHT, DQT, DRI, EOI, SOI, Segment, split};
use crate::codecs::number::reserved;

/// What the components of a stream mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StreamColour {
    /// One component.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Luma and two colour differences.
    Ycbcr,
    /// Four components that are taken as they are.
    Four,
}

/// JFIF 1.02, square pixels, no thumbnail: one component is gray, three are YCbCr, to every reader.
const JFIF: &[u8] = b"\xff\xe0\0\x10JFIF\0\x01\x02\0\0\x01\0\x01\0\0";

/// Adobe's segment with transform 0: three components are RGB, four CMYK, to every reader that finds no
/// JFIF.
const ADOBE_RGB: &[u8] = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0";

impl StreamColour {
    /// The segment that tells readers.
    const fn segment(self) -> &'static [u8] {
        match self {
            Self::Gray | Self::Ycbcr => JFIF,
            Self::Rgb | Self::Four => ADOBE_RGB,
        }
    }

    /// Components of a stream.
    pub(crate) const fn components(self) -> u8 {
        match self {
            Self::Gray => 1,
            Self::Rgb | Self::Ycbcr => 3,
            Self::Four => 4,
        }
    }
}

/// The segments of a `JPEGTables` tag that a tile needs.
///
/// # Errors
/// `Malformed` where the tag holds no such stream.
pub(crate) fn table_segments(tables: &[u8]) -> Result<Vec<u8>, CodecError> {
    let (segments, _) =
        split(tables).ok_or_else(|| CodecError::malformed(JPEG, "JPEGTables holds no tables"))?;
    let wanted = |segment: &&Segment<'_>| matches!(segment.marker, DQT | DHT | DAC | DRI);
    Ok(segments.iter().filter(wanted).flat_map(|segment| segment.whole).copied().collect())
}

/// A whole file of a tile: SOI, the colour's segment, `extra` segments (tables, profile), the tile.
///
/// Segments of the tile itself that would claim other colours than TIFF does are left out; a missing
/// EOI is added, so that only a tile whose data breaks off is taken for damaged.
///
/// # Errors
/// `Malformed` where the tile does not begin as a JPEG stream; `Io` where memory is short.
pub(crate) fn complete(
    tile: &[u8],
    colour: StreamColour,
    extra: &[&[u8]],
) -> Result<Vec<u8>, CodecError> {
    let (segments, scans) =
        split(tile).ok_or_else(|| CodecError::malformed(JPEG, "the tile is no JPEG stream"))?;
    let extra_len: usize = extra.iter().map(|part| part.len()).sum();
    let mut file = reserved(tile.len() + extra_len + 2 * JFIF.len())?;
    file.extend_from_slice(&SOI);
    file.extend_from_slice(colour.segment());
    for part in extra {
        file.extend_from_slice(part);
    }
    for segment in segments {
        if !matches!(segment.marker, APP0 | APP14) {
            file.extend_from_slice(segment.whole);
        }
    }
    file.extend_from_slice(scans);
    if !scans.ends_with(&EOI) {
        file.extend_from_slice(&EOI);
    }
    Ok(file)
}

/// A stored tile up to its EOI, without the zeros that some writers pad with; nothing where it has no
/// EOI.
pub(crate) fn trimmed_to_end(tile: &[u8]) -> Option<&[u8]> {
    let len = tile.iter().rposition(|&byte| byte != 0)? + 1;
    tile.get(..len).filter(|tile| tile.ends_with(&EOI))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TILE: &[u8] = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x03c\xff\xda\0\x02data\xff\xd9";

    #[test]
    fn a_tile_becomes_a_file_with_tables_and_one_colour_segment() {
        let file = complete(TILE, StreamColour::Rgb, &[b"TABLES"]).unwrap();
        let expected =
            [&SOI[..], ADOBE_RGB, b"TABLES", b"\xff\xc0\0\x03c\xff\xda\0\x02data\xff\xd9"];
        assert_eq!(file, expected.concat());
    }

    #[test]
    fn a_missing_end_is_added_once() {
        let cut = TILE.strip_suffix(&EOI).unwrap();
        let whole = complete(TILE, StreamColour::Ycbcr, &[]).unwrap();
        assert_eq!(complete(cut, StreamColour::Ycbcr, &[]).unwrap(), whole);
    }

    #[test]
    fn tables_lose_their_ends_and_their_application_segments() {
        let tables = b"\xff\xd8\xff\xe0\0\x04ab\xff\xdb\0\x03q\xff\xc4\0\x03h\xff\xd9";
        assert_eq!(table_segments(tables).unwrap(), b"\xff\xdb\0\x03q\xff\xc4\0\x03h");
        assert_eq!(table_segments(b"\xff\xd8\xff\xd9").unwrap(), b"");
        table_segments(b"no tables").unwrap_err();
    }

    #[test]
    fn padding_after_the_end_is_cut() {
        assert_eq!(trimmed_to_end(b"x\xff\xd9\0\0"), Some(&b"x\xff\xd9"[..]));
        assert_eq!(trimmed_to_end(b"x\xff\xd9"), Some(&b"x\xff\xd9"[..]));
        assert_eq!(trimmed_to_end(b"x\xff"), None);
        assert_eq!(trimmed_to_end(b"\0\0"), None);
    }
}
