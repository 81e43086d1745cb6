//! Old-style JPEG (TIFF 6.0, section 22; TIFF Technical Note 2 tells what is wrong with it): tables apart
//! in the file, or a stream in `JPEGInterchangeFormat`, and blocks of entropy-coded data alone. What goes
//! before a block's data is read once.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::jpeg::{DHT, DQT, DRI, EOI, SOF0, SOI, SOS, Segment, first_segment, split};
use crate::codecs::number::{reserved, u64_of};
use crate::codecs::tiff::extent::Extent;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::{malformed, unsupported};
use crate::model::Size;

const PROCESS: Tag = Tag::Unknown(512);
const INTERCHANGE: Tag = Tag::Unknown(513);
const INTERCHANGE_BYTES: Tag = Tag::Unknown(514);
const RESTART_INTERVAL: Tag = Tag::Unknown(515);
const Q_TABLES: Tag = Tag::Unknown(519);
const DC_TABLES: Tag = Tag::Unknown(520);
const AC_TABLES: Tag = Tag::Unknown(521);

/// `JPEGProc`: baseline.
const BASELINE: u64 = 1;

/// Bytes of a stream that its header is looked for in.
const HEADER_BYTES_MAX: u64 = 64 << 10;

/// What goes before the data of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OldJpeg {
    /// Segments with tables.
    tables: Vec<u8>,
    /// Of each component its number, sampling and quantization table, as a frame header has them.
    frame: Vec<u8>,
    /// Of each component its number and Huffman tables, as a scan header has them.
    scan: Vec<u8>,
    /// Where the data is that follows the header of the one stream.
    data: Option<Extent>,
}

impl OldJpeg {
    /// Reads the tables and headers of an image of so many components.
    ///
    /// # Errors
    /// `Unsupported` for other processes than baseline; `Malformed` where tables are missing.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        components: usize,
    ) -> Result<Self, CodecError> {
        match structure.number(from, PROCESS)?.unwrap_or(BASELINE) {
            BASELINE => {}
            other => return Err(unsupported(format!("old-style JPEG of process {other}"))),
        }
        if let Some(offset) = structure.number(from, INTERCHANGE)?.filter(|offset| *offset != 0) {
            let left = structure.len_bytes().saturating_sub(offset);
            let len = structure.number(from, INTERCHANGE_BYTES)?.unwrap_or(left).min(left);
            let head = structure.bytes_at(offset, len.min(HEADER_BYTES_MAX))?;
            if let Some(found) = Self::of_stream(&head, offset, len) {
                return Ok(found);
            }
        }
        Self::of_tables(structure, from, components)
    }

    /// Of a stream that has a frame header at least.
    fn of_stream(head: &[u8], offset: u64, len: u64) -> Option<Self> {
        let mut found = Self::default();
        let (segments, scans) = split(head)?;
        for Segment { marker, whole, body } in segments {
            match marker {
                DHT | DQT | DRI => found.tables.extend_from_slice(whole),
                SOF0 => found.frame = body.get(6..)?.to_vec(),
                _ => {}
            }
        }
        if let Some((scan, data)) = first_segment(scans).filter(|(scan, _)| scan.marker == SOS) {
            let components = usize::from(*scan.body.first()?);
            found.scan = scan.body.get(1..1 + 2 * components)?.to_vec();
            let skipped = u64_of(head.len() - data.len());
            let offset_bytes = offset + skipped;
            found.data = Some(Extent { offset_bytes, len_bytes: len.checked_sub(skipped)? });
        }
        (!found.frame.is_empty() && !found.scan.is_empty()).then_some(found)
    }

    fn of_tables(
        structure: &mut Structure,
        from: &Directory,
        components: usize,
    ) -> Result<Self, CodecError> {
        let mut found = Self::default();
        for (tag, class) in [(Q_TABLES, None), (DC_TABLES, Some(0)), (AC_TABLES, Some(0x10))] {
            let offsets = structure.numbers(from, tag, u64_of(components))?.unwrap_or_default();
            if offsets.len() != components {
                return Err(malformed(format!("tag {} lacks JPEG tables", tag.to_u16())));
            }
            for (number, offset) in (0_u8..).zip(&offsets) {
                found.add_table(structure, class, number, *offset)?;
            }
        }
        let restart = structure.number(from, RESTART_INTERVAL)?.unwrap_or(0);
        if let Some(interval) = u16::try_from(restart).ok().filter(|interval| *interval != 0) {
            found.add_segment(DRI, &interval.to_be_bytes());
        }
        let subsampling = structure.numbers(from, Tag::ChromaSubsampling, 2)?;
        let sampling = match subsampling.as_deref() {
            _ if components != 3 => 0x11,
            None => 0x22,
            Some(&[across @ (1 | 2 | 4), down @ (1 | 2 | 4)]) => {
                u8::try_from(across << 4 | down).unwrap_or(0x11)
            }
            Some(_) => return Err(malformed("YCbCrSubSampling is none of 1, 2, 4")),
        };
        for number in (0_u8..).take(components) {
            let sampling = if number == 0 { sampling } else { 0x11 };
            found.frame.extend([number, sampling, number]);
            found.scan.extend([number, number << 4 | number]);
        }
        Ok(found)
    }

    /// Adds a quantization table (no `class`), 64 numbers, or a Huffman table: how many codes have each
    /// length, then their values.
    fn add_table(
        &mut self,
        structure: &Structure,
        class: Option<u8>,
        number: u8,
        offset: u64,
    ) -> Result<(), CodecError> {
        let Some(class) = class else {
            let numbers = structure.bytes_at(offset, 64)?;
            self.add_segment(DQT, &[&[number][..], &numbers].concat());
            return Ok(());
        };
        let counts = structure.bytes_at(offset, 16)?;
        let values: u64 = counts.iter().map(|count| u64::from(*count)).sum();
        let values = structure.bytes_at(offset + 16, values)?;
        self.add_segment(DHT, &[&[class | number][..], &counts, &values].concat());
        Ok(())
    }

    fn add_segment(&mut self, marker: u8, body: &[u8]) {
        self.tables.extend(segment_head(marker, body.len()));
        self.tables.extend(body);
    }

    /// Where the data is of an image of one block, where a stream tells it better than the block's own
    /// offset, which some writers set wrong.
    pub(super) const fn data(&self) -> Option<Extent> {
        self.data
    }

    /// A whole stream of `size` pixels with this data.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn stream(&self, size: Size, data: &[u8]) -> Result<Vec<u8>, CodecError> {
        let mut stream = reserved(data.len() + self.tables.len() + 256)?;
        if !data.starts_with(&SOI) {
            let side = |px: u32| u16::try_from(px).unwrap_or(0).to_be_bytes();
            let count = |len: usize| u8::try_from(len).unwrap_or(0);
            stream.extend(SOI);
            stream.extend(&self.tables);
            stream.extend(segment_head(SOF0, 6 + self.frame.len()));
            stream.push(8);
            stream.extend(side(size.height()));
            stream.extend(side(size.width()));
            stream.push(count(self.frame.len() / 3));
            stream.extend(&self.frame);
            stream.extend(segment_head(SOS, 4 + self.scan.len()));
            stream.push(count(self.scan.len() / 2));
            stream.extend(&self.scan);
            // All coefficients at once, at full precision.
            stream.extend([0, 63, 0]);
        }
        stream.extend(data);
        if !data.ends_with(&EOI) {
            stream.extend(EOI);
        }
        Ok(stream)
    }
}

/// A marker and the length of its segment.
fn segment_head(marker: u8, body_len: usize) -> [u8; 4] {
    let [high, low] = u16::try_from(body_len + 2).unwrap_or(u16::MAX).to_be_bytes();
    [0xff, marker, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_in_one_piece_tells_its_headers_and_where_its_data_begins() {
        let frame = b"\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x05\x11\x00";
        let scan = b"\xff\xda\0\x08\x01\x05\x00\0\0\0";
        let table = b"\xff\xdb\0\x03t";
        let head = [&SOI[..], table, frame, scan, b"data"].concat();
        let found = OldJpeg::of_stream(&head, 100, u64_of(head.len())).unwrap();
        assert_eq!(
            (&*found.tables, &*found.frame, &*found.scan),
            (&table[..], &b"\x05\x11\0"[..], &b"\x05\0"[..])
        );
        let offset_bytes = 100 + u64_of(head.len()) - 4;
        assert_eq!(found.data(), Some(Extent { offset_bytes, len_bytes: 4 }));
        let stream = found.stream(Size::new(8, 8).unwrap(), b"data").unwrap();
        let scan = b"\xff\xda\0\x08\x01\x05\x00\0\x3f\0";
        assert_eq!(stream, [&SOI[..], table, frame, scan, b"data", &EOI].concat());
        assert_eq!(OldJpeg::of_stream(&head[..10], 100, 10), None);
    }
}
