//! What is read of an Exif block: how the picture lies, its resolution, and its texts. A damaged block says
//! nothing.
//!
//! # Source
//! CIPA DC-008 (Exif 2.32), sections 4.5 and 4.6.4; the block is a TIFF without pixels.

use crate::codecs::exif::TEXT_TAGS;
use crate::codecs::fields::{ORIENTATION, RESOLUTION_UNIT, X_RESOLUTION, Y_RESOLUTION};
use crate::codecs::number::usize_of;
use crate::codecs::upright::Orientation;
use crate::model::Metadata;
use crate::model::image_info::Resolution;

/// What stands before the block in JPEG, and in some WebP files.
pub(in crate::codecs) const PREFIX: &[u8] = b"Exif\0\0";
/// Bytes of a directory's entry.
const ENTRY_BYTES: usize = 12;
/// Bytes of a text: more is no text for people.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// What a block says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::codecs) struct Exif {
    /// How the picture lies.
    pub(in crate::codecs) orientation: Orientation,
    /// Pixels a metre.
    pub(in crate::codecs) resolution: Option<Resolution>,
    /// Its texts.
    pub(in crate::codecs) texts: Metadata,
}

/// Reads a block, with or without its prefix.
pub(in crate::codecs) fn read(block: &[u8]) -> Exif {
    let tiff = block.strip_prefix(PREFIX).unwrap_or(block);
    Block::of(tiff).map_or_else(Exif::default, |block| Exif {
        orientation: Orientation::of(block.short(ORIENTATION).unwrap_or(1).into()),
        resolution: block.resolution(),
        texts: block.texts(),
    })
}

/// A block whose byte order and first directory were found.
pub(super) struct Block<'a> {
    tiff: &'a [u8],
    big_endian: bool,
    entries: &'a [[u8; ENTRY_BYTES]],
}

impl<'a> Block<'a> {
    /// Finds the first directory.
    pub(super) fn of(tiff: &'a [u8]) -> Option<Self> {
        let big_endian = match tiff.get(..4)? {
            b"MM\0\x2a" => true,
            b"II\x2a\0" => false,
            _ => return None,
        };
        let block = Self { tiff, big_endian, entries: &[] };
        block.directory(block.u32_at(tiff, 4)?)
    }

    /// Another directory of the same block.
    pub(super) fn directory(&self, at: u32) -> Option<Self> {
        let directory = self.tiff.get(usize_of(at)..)?;
        let count = self.u16_at(directory, 0)?;
        // A directory that is cut short holds the entries that are there.
        let (entries, _) = directory.get(2..)?.as_chunks();
        let entries = entries.get(..usize::from(count)).unwrap_or(entries);
        Some(Self { entries, ..*self })
    }

    /// Whether numbers have their high byte first.
    pub(super) const fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// Tag, and type, count and value or offset, of each entry.
    pub(super) fn entries(&self) -> impl Iterator<Item = (u16, (u16, u32, [u8; 4]))> {
        self.entries.iter().filter_map(|entry| {
            let value = *entry.get(8..)?.first_chunk()?;
            Some((self.u16_at(entry, 0)?, (self.u16_at(entry, 2)?, self.u32_at(entry, 4)?, value)))
        })
    }

    /// The number of a tag that has one 32-bit number.
    pub(super) fn long(&self, tag: u16) -> Option<u32> {
        self.u32_at(self.entry(tag, 4)?, 8)
    }

    /// The value of an entry, its numbers with their low byte first.
    pub(super) fn value(&self, (kind, count, value): (u16, u32, [u8; 4])) -> Option<Vec<u8>> {
        // The bytes of a value, and of the numbers that it is made of.
        let (bytes, unit) = match kind {
            1 | 2 | 6 | 7 => (1, 1),
            3 | 8 => (2, 2),
            4 | 9 | 11 => (4, 4),
            5 | 10 => (8, 4),
            12 => (8, 8),
            _ => return None,
        };
        let len = usize_of(count).checked_mul(bytes)?;
        let mut taken = if let Some(here) = value.get(..len) {
            here.to_vec()
        } else {
            let at = usize_of(self.u32_at(&value, 0)?);
            self.tiff.get(at..at.checked_add(len)?)?.to_vec()
        };
        if self.big_endian {
            taken.chunks_mut(unit).for_each(<[u8]>::reverse);
        }
        Some(taken)
    }

    /// The text of a tag, up to its first NUL.
    pub(super) fn text(&self, tag: u16) -> Option<String> {
        let entry = self.entries.iter().find(|entry| {
            self.u16_at(*entry, 0) == Some(tag) && self.u16_at(*entry, 2) == Some(2)
        })?;
        let len = usize_of(self.u32_at(entry, 4)?);
        let bytes = if len <= 4 {
            entry.get(8..8 + len)?
        } else {
            let at = usize_of(self.u32_at(entry, 8)?);
            self.tiff.get(at..at.checked_add(len)?)?
        };
        (bytes.len() <= TEXT_BYTES_MAX).then(|| text_of(bytes))
    }

    fn texts(&self) -> Metadata {
        let mut texts = Metadata::default();
        for (tag, field) in TEXT_TAGS {
            texts.add(field, &self.text(tag).unwrap_or_default());
        }
        texts
    }

    fn u16_at(&self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32_at(&self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// The entry of a tag with one value of this type.
    fn entry(&self, tag: u16, kind: u16) -> Option<&'a [u8; ENTRY_BYTES]> {
        self.entries.iter().find(|entry| {
            self.u16_at(*entry, 0) == Some(tag)
                && self.u16_at(*entry, 2) == Some(kind)
                && self.u32_at(*entry, 4) == Some(1)
        })
    }

    fn short(&self, tag: u16) -> Option<u16> {
        self.u16_at(self.entry(tag, 3)?, 8)
    }

    fn fraction(&self, tag: u16) -> Option<f64> {
        let at = usize_of(self.u32_at(self.entry(tag, 5)?, 8)?);
        let over = self.u32_at(self.tiff, at)?;
        let under = self.u32_at(self.tiff, at.checked_add(4)?)?;
        let value = f64::from(over) / f64::from(under);
        (value.is_finite() && 0.0 < value).then_some(value)
    }

    fn resolution(&self) -> Option<Resolution> {
        let per_metre = match self.short(RESOLUTION_UNIT).unwrap_or(2) {
            2 => 1.0 / 0.0254,
            3 => 100.0,
            _ => return None,
        };
        Some(Resolution {
            x_per_metre: self.fraction(X_RESOLUTION)? * per_metre,
            y_per_metre: self.fraction(Y_RESOLUTION)? * per_metre,
        })
    }
}

/// Text up to its first NUL: UTF-8, which many write where ASCII is asked, else Latin-1.
pub(in crate::codecs) fn text_of(bytes: &[u8]) -> String {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::fields::Fields;
    use crate::model::Field;

    /// Orientation 6, 300 by 200 pixels an inch.
    fn block(big_endian: bool) -> Vec<u8> {
        let u16 = |value: u16| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let u32 = |value: u32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        let mut bytes = if big_endian { b"MM\0\x2a".to_vec() } else { b"II\x2a\0".to_vec() };
        bytes.extend(u32(8));
        bytes.extend(u16(4));
        for (tag, kind, value) in [(ORIENTATION, 3, u16(6)), (RESOLUTION_UNIT, 3, u16(2))] {
            bytes.extend([u16(tag), u16(kind)].concat());
            bytes.extend(u32(1));
            bytes.extend([value, [0; 2]].concat());
        }
        for (tag, at) in [(X_RESOLUTION, 62), (Y_RESOLUTION, 70)] {
            bytes.extend([u16(tag), u16(5)].concat());
            bytes.extend([u32(1), u32(at)].concat());
        }
        bytes.extend(u32(0));
        bytes.extend([u32(300), u32(1), u32(400), u32(2)].concat());
        bytes
    }

    #[test]
    fn both_byte_orders_are_read_with_and_without_prefix() {
        for big_endian in [false, true] {
            let plain = block(big_endian);
            for bytes in [plain.clone(), [PREFIX, &plain].concat()] {
                let exif = read(&bytes);
                assert_eq!(exif.orientation, Orientation::of(6));
                let resolution = exif.resolution.unwrap();
                assert!((resolution.x_per_metre * 0.0254 - 300.0).abs() < 1e-9);
                assert!((resolution.y_per_metre * 0.0254 - 200.0).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn texts_are_read_in_utf_8_and_latin_1() {
        let mut fields = Fields::new(false);
        fields.ascii(0x13b, "Zo\u{eb}");
        fields.bytes(0x8298, 2, b"\xa9 Zo\xeb 2026\0".to_vec());
        fields.ascii(0x10f, "abc");
        let block = [b"II\x2a\0\x08\0\0\0".to_vec(), fields.encode(8)].concat();
        let texts = read(&block).texts;
        assert_eq!(texts.text(Field::Creator), Some("Zo\u{eb}"));
        assert_eq!(texts.text(Field::Rights), Some("\u{a9} Zo\u{eb} 2026"));
        assert_eq!(texts.text(Field::Make), Some("abc"));
    }

    #[test]
    fn a_damaged_block_says_nothing_and_never_panics() {
        assert_eq!(read(b""), Exif::default());
        assert_eq!(read(b"Exif\0\0garbage"), Exif::default());
        assert_eq!(read(b"II\x2a\0\xff\xff\xff\xff"), Exif::default());
        let whole = block(true);
        for len in 0..whole.len() {
            assert_eq!(read(&whole[..len]).resolution, None, "{len}");
        }
        for at in 0..whole.len() {
            let mut spoilt = whole.clone();
            spoilt[at] = 0xff;
            read(&spoilt);
        }
    }
}
