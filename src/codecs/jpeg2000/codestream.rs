//! `Codestream`: the main header, and where the parts of each tile are. Both are read once, when the image
//! is opened.
//!
//! # Source
//! T.800, annex A.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::bytes::Bytes;
use crate::codecs::jpeg2000::coding::{Parameters, TileCoding};
use crate::codecs::jpeg2000::header::Header;
use crate::codecs::jpeg2000::markers::{CAP, EOC, PLT, PPM, PPT, SIZ, SOC, SOD, SOT, Siz, TLM};
use crate::codecs::jpeg2000::packed_headers::PackedHeaders;
use crate::codecs::jpeg2000::segments::Segments;
use crate::codecs::jpeg2000::{malformed, unsupported};
use crate::codecs::number::u64_of;
use crate::model::ReadAt;

/// Components of an image: more are no picture for people.
const COMPONENTS_MAX: u16 = 1024;
/// Tiles that an index can name.
const TILES_MAX: u32 = 65_535;
/// Parts of all tiles, 24 bytes each.
const PARTS_MAX: usize = 1 << 20;
/// Bytes of headers of packets that stand apart, of one tile: as many as one header has room for.
const HEADERS_BYTES_MAX: u64 = 16 << 20;
/// The least that a part can be: two markers, and the segment of the first.
const PART_BYTES_MIN: u64 = 14;
/// Part 15 says in `CAP` how its code-blocks are made.
const CAP_PART_15: u32 = 1 << 17;

/// A codestream within a file.
#[derive(Debug)]
pub(super) struct Codestream {
    pub(super) source: Arc<dyn ReadAt>,
    pub(super) siz: Siz,
    /// The segment of capabilities, where there is one.
    pub(super) capabilities: Option<Vec<u8>>,
    pub(super) parameters: Parameters,
    /// Where all headers of packets are in the main one.
    packed: Option<PackedHeaders>,
    /// Where the first part begins, and before where the last one ends.
    parts_start: u64,
    end: u64,
    parts: Box<[TilePart]>,
    /// Whether the parts are those that `TLM` names, which may be wrong.
    is_told: bool,
    /// The parts as they stand in the file, where `TLM` was found to be wrong.
    walked: OnceLock<Box<[TilePart]>>,
}

/// A part of a tile, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TilePart {
    tile: u32,
    start: u64,
    len: u64,
    /// Its place among all parts of the file.
    number: u32,
}

/// A tile's own headers.
#[derive(Debug)]
pub(super) struct TileHeader {
    pub(super) coding: TileCoding,
    pub(super) bodies: Vec<Body>,
    /// Headers of packets that stand apart.
    pub(super) headers: Vec<u8>,
    /// Which packets those are of.
    pub(super) apart: Apart,
}

/// Where a tile's headers of packets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Apart {
    /// With their packets.
    Not,
    /// Apart (`PPM`), those of each tile-part for its own packets.
    ByPart,
    /// Apart (`PPT`), one after the other for all packets of the tile.
    AllInTurn,
}

/// The packets of a tile-part.
#[derive(Debug, Default)]
pub(super) struct Body {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Bytes of each packet, where `PLT` says so.
    pub(super) packets: Vec<u32>,
    /// Where the headers are, among those of the tile that stand apart, that this tile-part brings.
    pub(super) own_headers: Range<usize>,
}

impl Codestream {
    /// Reads the main header of a codestream between two places of a source.
    ///
    /// # Errors
    /// `Malformed`, `Unsupported`, `OverLimit` or `Io`.
    pub(super) fn open(source: Arc<dyn ReadAt>, start: u64, end: u64) -> Result<Self, CodecError> {
        let mut header = Header::new(&*source, start, end);
        if header.marker()? != SOC || header.marker()? != SIZ {
            return Err(malformed("the codestream does not begin with SOC and SIZ"));
        }
        let siz = Siz::read(Bytes::of("SIZ", header.segment()?))?;
        check_counts(&siz)?;
        let components = u16::try_from(siz.components.len()).unwrap_or(u16::MAX);
        let mut parameters = Parameters::default();
        let mut capabilities = None;
        let (mut lengths, mut packed) = (Segments::default(), Segments::default());
        let parts_start = loop {
            let offset = header.offset();
            match header.marker()? {
                SOT => break offset,
                SOD | EOC => return Err(malformed("a main header without a tile")),
                CAP => capabilities = Some(capability(header.segment()?)?),
                TLM => lengths.add(header.segment()?),
                PPM => packed.add(header.segment()?),
                marker => parameters.take(marker, header.segment()?, components)?,
            }
        };
        // What every tile says for itself need not be said here, and still is, by all writers.
        TileCoding::of(&parameters, &Parameters::default(), components)?;
        let packed = (!packed.is_empty()).then(|| PackedHeaders::read(packed, PARTS_MAX));
        let packed = packed.transpose()?;
        let mut codestream = Self {
            packed,
            siz,
            capabilities,
            parameters,
            parts_start,
            end: end.min(source.len_bytes()),
            parts: Box::default(),
            is_told: false,
            walked: OnceLock::new(),
            source,
        };
        match codestream.told_parts(lengths)? {
            Some(parts) => (codestream.parts, codestream.is_told) = (parts, true),
            None => codestream.parts = codestream.walk_parts()?,
        }
        Ok(codestream)
    }

    /// How many tiles there are.
    pub(super) fn tile_count(&self) -> u32 {
        let [columns, rows] = self.siz.tile_grid();
        columns * rows
    }

    fn component_count(&self) -> u16 {
        u16::try_from(self.siz.components.len()).unwrap_or(u16::MAX)
    }

    /// The parts as `TLM` has them (A.7.1): nothing where they do not fill the codestream.
    fn told_parts(&self, segments: Segments) -> Result<Option<Box<[TilePart]>>, CodecError> {
        let (mut parts, mut start, mut next) = (Vec::new(), self.parts_start, 0);
        for segment in &segments.sorted() {
            let mut from = Bytes::of("TLM", segment);
            from.u8()?;
            let sizes = from.u8()?;
            while !from.is_empty() {
                let tile = match sizes >> 4 & 3 {
                    0 => next,
                    width => u32::from(from.u8_or_u16(width == 2)?),
                };
                let is_long = sizes & 0x40 != 0;
                let len = if is_long { from.u32()? } else { from.u16()?.into() };
                let len = u64::from(len);
                if len < PART_BYTES_MIN || self.tile_count() <= tile || PARTS_MAX <= parts.len() {
                    return Ok(None);
                }
                parts.push(TilePart { tile, start, len, number: number_of(&parts) });
                (start, next) = (start.saturating_add(len), tile + 1);
            }
        }
        let fills = start == self.end || start.checked_add(2) == Some(self.end);
        parts.sort_by_key(|part| part.tile);
        Ok(Some(parts.into_boxed_slice()).filter(|parts| fills && !parts.is_empty()))
    }

    /// The parts as they follow each other, up to the first thing that is none.
    fn walk_parts(&self) -> Result<Box<[TilePart]>, CodecError> {
        let (mut parts, mut start) = (Vec::new(), self.parts_start);
        while start.saturating_add(PART_BYTES_MIN) <= self.end {
            let part = match self.part_at(start, number_of(&parts)) {
                Ok(part) => part,
                Err(CodecError::Malformed { .. }) if !parts.is_empty() => break,
                Err(error) => return Err(error),
            };
            parts.push(part);
            if PARTS_MAX < parts.len() {
                let what = "tile-parts of a JPEG 2000 image";
                let (value, limit) = (u64_of(parts.len()), u64_of(PARTS_MAX));
                return Err(CodecError::OverLimit { what, value, limit });
            }
            start = start.saturating_add(part.len);
        }
        if parts.is_empty() {
            return Err(malformed("the codestream has no tile"));
        }
        parts.sort_by_key(|part| part.tile);
        Ok(parts.into_boxed_slice())
    }

    /// The part that begins at `start`, which is the one of this number.
    fn part_at(&self, start: u64, number: u32) -> Result<TilePart, CodecError> {
        let mut header = Header::new(&*self.source, start, start.saturating_add(PART_BYTES_MIN));
        if header.marker()? != SOT {
            return Err(malformed("a tile-part does not begin with SOT"));
        }
        let mut from = Bytes::of("SOT", header.segment()?);
        let tile = u32::from(from.u16()?);
        let len = match from.u32()? {
            // Of the last part only.
            0 => self.end.saturating_sub(start),
            len => len.into(),
        };
        if len < PART_BYTES_MIN || self.tile_count() <= tile {
            return Err(malformed(format!("SOT: tile {tile}, {len} bytes")));
        }
        Ok(TilePart { tile, start, len, number })
    }

    /// The headers of a tile.
    ///
    /// # Errors
    /// `Malformed` where the file lacks the tile too.
    pub(super) fn tile_header(&self, tile: u32) -> Result<TileHeader, CodecError> {
        let read = self.read_tile(&self.parts, tile);
        match read {
            Err(CodecError::Malformed { .. }) if self.is_told => {
                let walked = self.walked.get_or_init(|| self.walk_parts().unwrap_or_default());
                self.read_tile(walked, tile)
            }
            read => read,
        }
    }

    fn read_tile(&self, parts: &[TilePart], tile: u32) -> Result<TileHeader, CodecError> {
        let begin = parts.partition_point(|part| part.tile < tile);
        let own = parts.get(begin..).unwrap_or_default();
        let own = own.iter().take_while(|part| part.tile == tile);
        let (mut parameters, mut bodies) = (Parameters::default(), Vec::new());
        let mut headers = Vec::new();
        for part in own {
            if self.part_at(part.start, part.number)? != *part {
                return Err(malformed("TLM names other tile-parts than there are"));
            }
            bodies.push(self.read_part(*part, &mut parameters, &mut headers)?);
        }
        if bodies.is_empty() {
            return Err(malformed(format!("tile {tile} is missing")));
        }
        let coding = TileCoding::of(&self.parameters, &parameters, self.component_count())?;
        let apart = match &self.packed {
            Some(_) => Apart::ByPart,
            None if headers.is_empty() => Apart::Not,
            None => Apart::AllInTurn,
        };
        Ok(TileHeader { coding, bodies, headers, apart })
    }

    /// Reads the header of a part, and adds headers of its packets that stand apart.
    fn read_part(
        &self,
        part: TilePart,
        into: &mut Parameters,
        headers: &mut Vec<u8>,
    ) -> Result<Body, CodecError> {
        let end = part.start.saturating_add(part.len);
        let mut header = Header::new(&*self.source, part.start, end);
        header.marker()?;
        header.segment()?;
        let (mut lengths, mut packed) = (Segments::default(), Segments::default());
        loop {
            match header.marker()? {
                SOD => break,
                SOT | SOC | SIZ | EOC => return Err(malformed("a tile-part without SOD")),
                PLT => lengths.add(header.segment()?),
                PPT => packed.add(header.segment()?),
                marker => into.take(marker, header.segment()?, self.component_count())?,
            }
        }
        let headers_start = headers.len();
        match &self.packed {
            Some(all) => headers.extend_from_slice(all.of_part(part.number)),
            None => headers.append(&mut packed.joined("PPT")?),
        }
        check_headers(headers)?;
        let own_headers = headers_start..headers.len();
        let packets = packet_lengths(&lengths.sorted());
        Ok(Body { start: header.offset(), end, packets, own_headers })
    }
}

/// The number of the part that comes after these; there are no more than [`PARTS_MAX`].
fn number_of(parts: &[TilePart]) -> u32 {
    u32::try_from(parts.len()).unwrap_or(u32::MAX)
}

/// The bytes of each packet (A.7.3): nothing where they are not whole numbers.
fn packet_lengths(segments: &[Vec<u8>]) -> Vec<u32> {
    let mut lengths = Vec::new();
    for segment in segments {
        let mut length = 0_u32;
        let mut is_open = false;
        for byte in segment.iter().skip(1) {
            let Some(shifted) = length.checked_mul(1 << 7) else { return Vec::new() };
            length = shifted | u32::from(byte & 0x7f);
            is_open = byte & 0x80 != 0;
            if !is_open {
                lengths.push(std::mem::take(&mut length));
            }
        }
        if is_open {
            return Vec::new();
        }
    }
    lengths
}

/// Refuses more headers of a tile's packets than are kept.
fn check_headers(headers: &[u8]) -> Result<(), CodecError> {
    let (value, limit) = (u64_of(headers.len()), HEADERS_BYTES_MAX);
    if limit < value {
        let what = "bytes of packed packet headers of a JPEG 2000 tile";
        return Err(CodecError::OverLimit { what, value, limit });
    }
    Ok(())
}

/// Holds what `SIZ` promises against our limits.
fn check_counts(siz: &Siz) -> Result<(), CodecError> {
    let (value, limit) = (u64_of(siz.components.len()), u64::from(COMPONENTS_MAX));
    if limit < value {
        let what = "components of a JPEG 2000 image";
        return Err(CodecError::OverLimit { what, value, limit });
    }
    let [columns, rows] = siz.tile_grid();
    match columns.checked_mul(rows) {
        Some(tiles) if tiles <= TILES_MAX => Ok(()),
        _ => Err(malformed(format!("SIZ: {columns}x{rows} tiles"))),
    }
}

/// The segment of capabilities, where it is of part 15 alone.
fn capability(segment: &[u8]) -> Result<Vec<u8>, CodecError> {
    let parts = Bytes::of("CAP", segment).u32()?;
    if parts & !CAP_PART_15 == 0 {
        Ok(segment.to_vec())
    } else {
        Err(unsupported(format!("capabilities {parts:#010x} (CAP)")))
    }
}

/// The number of a tile that covers a place of the tile grid.
pub(super) fn tile_number(siz: &Siz, [column, row]: [u32; 2]) -> u32 {
    let [columns, _] = siz.tile_grid();
    row * columns + column
}
