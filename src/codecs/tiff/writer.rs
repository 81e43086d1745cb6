//! The bytes of a BigTIFF around JPEG tiles that are already written: a header, and one directory a
//! level, chained, reduced levels marked by `NewSubfileType`. Does no IO.
//!
//! Source: TIFF 6.0, sections 2, 15 and 21; Technical Note 2 (JPEG); the BigTIFF design of 2004.

use crate::codecs::error::CodecError;
use crate::model::Size;

/// Length of [`header`] in bytes: tiles may follow directly.
pub const HEADER_BYTES: u64 = 16;

/// Directories begin at multiples of this, as BigTIFF asks of 8-byte values.
pub const ALIGNMENT_BYTES: u64 = 8;

/// Where a tile's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileSpan {
    /// From the start of the file.
    pub offset_bytes: u64,
    /// Length.
    pub len_bytes: u32,
}

/// One level whose tiles are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenLevel {
    /// Pixels of the level.
    pub size: Size,
    /// All tiles of its grid, row by row.
    pub tiles: Vec<TileSpan>,
}

/// A pyramid of abbreviated YCbCr 4:2:0 JPEG tiles.
#[derive(Clone, Debug)]
pub struct JpegPyramid<'a> {
    /// Pixels of a tile, both sides multiples of 16.
    pub tile: Size,
    /// Full image first.
    pub levels: &'a [WrittenLevel],
    /// The tables that all tiles share.
    pub tables: &'a [u8],
    /// `ImageDescription` of the full image; ASCII.
    pub description: &'a str,
}

/// The first bytes of the file: little-endian BigTIFF whose first directory is at this offset.
pub fn header(first_directory_bytes: u64) -> [u8; 16] {
    let mut bytes = [0; 16];
    let (start, offset) = bytes.split_at_mut(8);
    start.copy_from_slice(&[b'I', b'I', 43, 0, 8, 0, 0, 0]);
    offset.copy_from_slice(&first_directory_bytes.to_le_bytes());
    bytes
}

impl JpegPyramid<'_> {
    /// All directories, to be written at `at_bytes`, a multiple of [`ALIGNMENT_BYTES`].
    ///
    /// # Errors
    /// `Malformed` where a level has not as many tiles as its grid, a tile's side is no multiple of 16,
    /// or `at_bytes` is not aligned.
    pub fn directories(&self, at_bytes: u64) -> Result<Vec<u8>, CodecError> {
        let refuse = |what: &str| Err(CodecError::malformed("TIFF", what));
        if !at_bytes.is_multiple_of(ALIGNMENT_BYTES) {
            return refuse("directories must begin at a multiple of 8 bytes");
        }
        if !self.tile.width().is_multiple_of(16) || !self.tile.height().is_multiple_of(16) {
            return refuse("the sides of a tile must be multiples of 16 pixels");
        }
        let mut bytes = Vec::new();
        for (index, level) in self.levels.iter().enumerate() {
            let (columns, rows) = level.size.grid(self.tile);
            if u64::from(columns) * u64::from(rows) != count(level.tiles.len()) {
                return refuse("a level must have exactly the tiles of its grid");
            }
            let last = index + 1 == self.levels.len();
            let directory = self.directory(level, index == 0);
            bytes.extend(directory.encode(at_bytes + count(bytes.len()), last));
        }
        Ok(bytes)
    }

    fn directory(&self, level: &WrittenLevel, full: bool) -> Directory {
        let offsets = level.tiles.iter().flat_map(|tile| tile.offset_bytes.to_le_bytes());
        let lengths = level.tiles.iter().flat_map(|tile| tile.len_bytes.to_le_bytes());
        let mut directory = Directory::default();
        directory.add(254, Kind::Long, u32::from(!full).to_le_bytes());
        directory.add(256, Kind::Long, level.size.width().to_le_bytes());
        directory.add(257, Kind::Long, level.size.height().to_le_bytes());
        directory.add(258, Kind::Short, shorts(&[8, 8, 8]));
        directory.add(259, Kind::Short, shorts(&[COMPRESSION_JPEG]));
        directory.add(262, Kind::Short, shorts(&[PHOTOMETRIC_YCBCR]));
        if full {
            directory.add(270, Kind::Ascii, self.description.bytes().chain([0]));
        }
        directory.add(277, Kind::Short, shorts(&[3]));
        directory.add(284, Kind::Short, shorts(&[PLANAR_CONTIGUOUS]));
        directory.add(322, Kind::Long, self.tile.width().to_le_bytes());
        directory.add(323, Kind::Long, self.tile.height().to_le_bytes());
        directory.add(324, Kind::Long8, offsets);
        directory.add(325, Kind::Long, lengths);
        directory.add(347, Kind::Undefined, self.tables.iter().copied());
        directory.add(530, Kind::Short, shorts(&[2, 2]));
        directory.add(532, Kind::Rational, full_range());
        directory
    }
}

const COMPRESSION_JPEG: u16 = 7;
const PHOTOMETRIC_YCBCR: u16 = 6;
const PLANAR_CONTIGUOUS: u16 = 1;

/// `ReferenceBlackWhite` of JFIF's full-range YCbCr: three pairs of 32-bit fractions.
fn full_range() -> impl Iterator<Item = u8> {
    let numbers = [0_u32, 255, 128, 255, 128, 255];
    numbers.into_iter().flat_map(|number| [number, 1]).flat_map(u32::to_le_bytes)
}

fn shorts(values: &[u16]) -> impl Iterator<Item = u8> {
    values.iter().flat_map(|value| value.to_le_bytes())
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// A field's type, by its number in TIFF 6.0 and BigTIFF.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Ascii,
    Short,
    Long,
    Rational,
    Undefined,
    Long8,
}

impl Kind {
    const fn number(self) -> u16 {
        match self {
            Self::Ascii => 2,
            Self::Short => 3,
            Self::Long => 4,
            Self::Rational => 5,
            Self::Undefined => 7,
            Self::Long8 => 16,
        }
    }

    const fn value_bytes(self) -> u64 {
        match self {
            Self::Ascii | Self::Undefined => 1,
            Self::Short => 2,
            Self::Long => 4,
            Self::Rational | Self::Long8 => 8,
        }
    }
}

/// Fields in the order of their tags, as TIFF wants them.
#[derive(Debug, Default)]
struct Directory {
    fields: Vec<(u16, Kind, Vec<u8>)>,
}

impl Directory {
    fn add(&mut self, tag: u16, kind: Kind, value: impl IntoIterator<Item = u8>) {
        self.fields.push((tag, kind, value.into_iter().collect()));
    }

    /// The directory as it stands at `at_bytes`: the entries, then the values that do not fit into one,
    /// each aligned; the next directory follows at once.
    fn encode(&self, at_bytes: u64, last: bool) -> Vec<u8> {
        let entries_bytes = 8 + 20 * count(self.fields.len()) + 8;
        let values_at = at_bytes + entries_bytes.next_multiple_of(ALIGNMENT_BYTES);
        let mut entries = count(self.fields.len()).to_le_bytes().to_vec();
        let mut values: Vec<u8> = Vec::new();
        for (tag, kind, value) in &self.fields {
            entries.extend(tag.to_le_bytes());
            entries.extend(kind.number().to_le_bytes());
            entries.extend((count(value.len()) / kind.value_bytes()).to_le_bytes());
            if value.len() <= 8 {
                entries.extend(value);
                entries.extend(std::iter::repeat_n(0, 8 - value.len()));
            } else {
                entries.extend((values_at + count(values.len())).to_le_bytes());
                values.extend(value);
                align(&mut values);
            }
        }
        let next = if last { 0 } else { values_at + count(values.len()) };
        entries.extend(next.to_le_bytes());
        align(&mut entries);
        entries.extend(values);
        entries
    }
}

fn align(bytes: &mut Vec<u8>) {
    while !count(bytes.len()).is_multiple_of(ALIGNMENT_BYTES) {
        bytes.push(0);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use tiff::decoder::Decoder;
    use tiff::tags::Tag;

    use super::*;

    fn size(side_px: u32) -> Size {
        Size::new(side_px, side_px).unwrap()
    }

    fn level(side_px: u32, tiles: u64) -> WrittenLevel {
        let span = |index| TileSpan { offset_bytes: 16 + index, len_bytes: 1 };
        WrittenLevel { size: size(side_px), tiles: (0..tiles).map(span).collect() }
    }

    fn pyramid(levels: &[WrittenLevel], tile_px: u32) -> JpegPyramid<'_> {
        JpegPyramid { tile: size(tile_px), levels, tables: &[1; 20], description: "a picture" }
    }

    #[test]
    fn a_reader_finds_every_level_and_its_tiles() {
        let levels = [level(1000, 16), level(500, 4), level(250, 1)];
        let mut file = header(64).to_vec();
        file.resize(64, 0);
        file.extend(pyramid(&levels, 256).directories(64).unwrap());
        let mut decoder = Decoder::new(Cursor::new(file)).unwrap();
        for (index, level) in levels.iter().enumerate() {
            assert_eq!(decoder.dimensions().unwrap(), (level.size.width(), level.size.height()));
            let offsets = decoder.get_tag_u64_vec(Tag::TileOffsets).unwrap();
            let expected: Vec<u64> = level.tiles.iter().map(|tile| tile.offset_bytes).collect();
            assert_eq!(offsets, expected);
            let reduced = decoder.get_tag_u32(Tag::NewSubfileType).unwrap();
            assert_eq!(reduced, u32::from(index != 0));
            assert_eq!(decoder.get_tag_u8_vec(Tag::JPEGTables).unwrap(), [1; 20]);
            assert_eq!(decoder.more_images(), index != 2);
            if decoder.more_images() {
                decoder.next_image().unwrap();
            }
        }
    }

    #[test]
    fn what_would_be_a_broken_file_is_refused() {
        let levels = [level(1000, 15)];
        for (tile_px, at_bytes, expected) in [
            (256, 16, "tiles of its grid"),
            (250, 16, "multiples of 16"),
            (256, 17, "multiple of 8"),
        ] {
            let error = pyramid(&levels, tile_px).directories(at_bytes).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
