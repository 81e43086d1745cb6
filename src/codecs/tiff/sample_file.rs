//! A TIFF written value by value, for tests of what no sound writer would write.

use tiff::tags::ByteOrder;

use crate::codecs::number::{u64_of, usize_of_bytes};

/// A tag and its values, written as LONG (LONG8 in a BigTIFF).
pub(super) type Tags<'a> = &'a [(u16, &'a [u64])];

/// The tags of a 40x24 gray picture in 16x16 tiles without compression; the tiles are all alike.
const GRAY: [(u16, u64); 7] =
    [(256, 40), (257, 24), (258, 8), (259, 1), (262, 1), (322, 16), (323, 16)];

/// Tiles of the gray picture.
pub(super) const GRAY_TILES: usize = 6;

/// A file that grows at its end; directories are linked as they are added.
pub(super) struct SampleFile {
    order: ByteOrder,
    big: bool,
    /// The bytes so far.
    pub(super) data: Vec<u8>,
    /// Where the offset of the next directory goes.
    pub(super) link_at: usize,
}

impl SampleFile {
    pub(super) fn new(order: ByteOrder, big: bool) -> Self {
        let mut file = Self { order, big, data: Vec::new(), link_at: if big { 8 } else { 4 } };
        let mark = if order == ByteOrder::LittleEndian { 0x4949 } else { 0x4d4d };
        file.put(mark, 2);
        let fields: &[(u64, usize)] =
            if big { &[(43, 2), (8, 2), (0, 2), (0, 8)] } else { &[(42, 2), (0, 4)] };
        for (value, len) in fields {
            file.put(*value, *len);
        }
        file
    }

    /// A little-endian classic file with one gray picture; `tags` win over the usual ones.
    pub(super) fn gray(tags: Tags<'_>) -> Vec<u8> {
        let mut file = Self::new(ByteOrder::LittleEndian, false);
        file.add_gray(tags);
        file.data
    }

    /// Adds a gray picture; `tags` win over the usual ones. The offset of its directory.
    pub(super) fn add_gray(&mut self, tags: Tags<'_>) -> u64 {
        let tile = u64_of(self.data.len());
        self.data.extend((0..=255).map(|sample: u8| sample));
        let (offsets, lengths) = ([tile; GRAY_TILES], [256; GRAY_TILES]);
        let mut all: Vec<(u16, Vec<u64>)> =
            GRAY.iter().map(|(tag, value)| (*tag, vec![*value])).collect();
        all.push((324, offsets.to_vec()));
        all.push((325, lengths.to_vec()));
        for (tag, values) in tags {
            all.retain(|(known, _)| known != tag);
            all.push((*tag, values.to_vec()));
        }
        all.sort();
        self.add(&all)
    }

    /// Adds a directory and links it. Its offset.
    fn add(&mut self, tags: &[(u16, Vec<u64>)]) -> u64 {
        let (wide, kind) = if self.big { (8, 16) } else { (4, 4) };
        let mut values = Vec::new();
        for (_, list) in tags {
            values.push(u64_of(self.data.len()));
            for value in list {
                self.put(*value, wide);
            }
        }
        let at = u64_of(self.data.len());
        self.put(u64_of(tags.len()), if self.big { 8 } else { 2 });
        for ((tag, list), offset) in tags.iter().zip(values) {
            self.put(u64::from(*tag), 2);
            self.put(kind, 2);
            self.put(u64_of(list.len()), wide);
            self.put(if list.len() == 1 { list[0] } else { offset }, wide);
        }
        self.link(at);
        self.link_at = self.data.len();
        self.put(0, wide);
        at
    }

    /// Makes the last directory point to `offset`.
    pub(super) fn link(&mut self, offset: u64) {
        let end = self.data.split_off(self.link_at);
        let wide = if self.big { 8 } else { 4 };
        self.put(offset, wide);
        self.data.extend(end.into_iter().skip(wide));
    }

    /// Overwrites the count of a tag in the directory at `directory` (little-endian classic only).
    pub(super) fn claim(&mut self, directory: u64, tag: u16, count: u32) {
        let entries = usize_of_bytes(directory) + 2;
        let found = self.data[entries..].chunks_exact(12).position(|e| e[..2] == tag.to_le_bytes());
        let at = entries + found.unwrap() * 12 + 4;
        self.data[at..at + 4].copy_from_slice(&count.to_le_bytes());
    }

    fn put(&mut self, value: u64, len: usize) {
        match self.order {
            ByteOrder::LittleEndian => self.data.extend(value.to_le_bytes().into_iter().take(len)),
            ByteOrder::BigEndian => self.data.extend(value.to_be_bytes().into_iter().skip(8 - len)),
        }
    }
}
