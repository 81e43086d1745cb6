//! `Region`: the code-blocks that an area of a tile needs, with their bytes, read from the packets of the
//! precincts that hold them and of no others.

use std::collections::BTreeMap;

use crate::codecs::jpeg2000::coding::TileStyle;
use crate::codecs::jpeg2000::fetched::Fetched;
use crate::codecs::jpeg2000::grid::{Span, TileComponent, bands, is_empty, zip};
use crate::codecs::jpeg2000::malformed;
use crate::codecs::jpeg2000::packet_header::{Block, Precinct};
use crate::codecs::jpeg2000::stretch::Stretch;
use crate::codecs::jpeg2000::tile_index::TileIndex;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::ReadAt;

/// How far samples of a resolution depend on others at either side of them: the four steps of the longer
/// wavelet (T.800, F.3.8.2) reach one further each.
const REACH: u32 = 4;

/// Packets up to this length are read whole, together with their neighbours; of longer ones the header, and
/// then the code-blocks that are needed.
const WHOLE_BYTES_MAX: u32 = 64 << 10;

/// The coefficients that an area needs, for each resolution from the smallest to `top`: along each axis,
/// on the grid of the sub-bands of that resolution.
pub(super) fn needed(area: [Span; 2], top: u8) -> Vec<[Span; 2]> {
    let half = |span: Span| Span {
        start: span.start.saturating_sub(REACH) / 2,
        end: span.end.saturating_add(REACH).div_ceil(2),
    };
    let mut spans = area;
    let mut of_each = Vec::new();
    for _ in 0..top {
        spans = spans.map(half);
        of_each.push(spans);
    }
    // The smallest resolution has as many coefficients as each sub-band that the next one adds.
    of_each.push(spans);
    of_each.reverse();
    of_each
}

/// A component of which an area is needed.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) tile: TileComponent<'a>,
    /// Its number in the file.
    pub(super) component: usize,
    /// What [`needed`] says.
    pub(super) needed: Vec<[Span; 2]>,
}

/// A code-block, and where its bytes are in the file, and how many.
#[derive(Debug)]
pub(super) struct FoundBlock {
    pub(super) block: Block,
    pub(super) chunks: Vec<(u64, u32)>,
}

/// Where a code-block is: its part, its resolution, the number of its sub-band, its row and column.
pub(super) type BlockPlace = (usize, u8, usize, u32, u32);

/// What was read for an area.
#[derive(Debug, Default)]
pub(super) struct Region {
    pub(super) blocks: BTreeMap<BlockPlace, FoundBlock>,
    /// Packets that were read whole.
    packets: Fetched,
    /// Code-blocks of others.
    rest: Fetched,
}

/// A packet that is needed.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    part: usize,
    resolution: u8,
    place: [u32; 2],
    layer: u16,
    /// Where it begins in the file, and its bytes.
    range: (u64, u32),
}

impl Region {
    /// Reads what the parts need of a tile, in so many of its layers.
    ///
    /// # Errors
    /// `Malformed` where packets are missing or damaged; `OverLimit`; `Io`.
    pub(super) fn read(
        source: &dyn ReadAt,
        index: &TileIndex,
        parts: &[&Part<'_>],
        layers: u16,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        let layers = index.coding.style.layers.min(layers);
        let mut wanted = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            for (resolution, needed) in (0..).zip(&part.needed) {
                want(index, (at, part), (resolution, *needed), layers, &mut wanted)?;
            }
        }
        let short = wanted.iter().filter(|packet| packet.range.1 <= WHOLE_BYTES_MAX);
        let ranges = short.map(|packet| packet.range).collect();
        let packets = Fetched::read(source, ranges, limits)?;
        let mut region = Self { packets, ..Self::default() };
        for of_precinct in wanted.chunk_by(|_, next| next.layer != 0) {
            region.read_precinct(source, index, parts, of_precinct)?;
        }
        let chunks = region.blocks.values().flat_map(|found| &found.chunks).copied();
        let ranges = chunks.filter(|chunk| region.packets.range(*chunk).is_none()).collect();
        region.rest = Fetched::read(source, ranges, limits)?;
        Ok(region)
    }

    /// Bytes of a code-block.
    pub(super) fn chunk(&self, chunk: (u64, u32)) -> Option<&[u8]> {
        self.packets.range(chunk).or_else(|| self.rest.range(chunk))
    }

    /// Bytes that were read of code-blocks, and some between them.
    pub(super) const fn len(&self) -> usize {
        self.packets.len() + self.rest.len()
    }

    /// Reads the headers of the packets of one precinct.
    fn read_precinct(
        &mut self,
        source: &dyn ReadAt,
        index: &TileIndex,
        parts: &[&Part<'_>],
        packets: &[Wanted],
    ) -> Result<(), CodecError> {
        let Some(first) = packets.first() else { return Ok(()) };
        let part = parts.get(first.part).copied();
        let coding = part.and_then(|part| index.coding.components.get(part.component));
        let found = part.zip(coding).ok_or_else(|| malformed("there is no such component"));
        let (part, coding) = found?;
        let precinct = Precinct::new(&part.tile, coding, first.resolution, first.place)?;
        let mut reading = Reading::of(precinct);
        for packet in packets {
            let (start, length) = packet.range;
            let mut stretch = match self.packets.range(packet.range) {
                Some(bytes) => Stretch::at_hand(source, start, bytes),
                None => Stretch::new(source, start, start.saturating_add(length.into())),
            };
            reading.packet(&mut stretch, index.coding.style, packet.layer)?;
        }
        self.keep(reading, first, part);
        Ok(())
    }

    /// Keeps those code-blocks of a precinct that are needed.
    fn keep(&mut self, reading: Reading, first: &Wanted, part: &Part<'_>) {
        let resolution = first.resolution;
        let needed = part.needed.get(usize::from(resolution)).copied();
        let exponents = part.tile.style.block(resolution);
        let cells =
            needed.map(|needed| zip(needed, exponents, |span, shift| span.cells(shift.into())));
        let Some([columns, rows]) = cells else { return };
        let is_within = |span: Span, at: u32| span.start <= at && at < span.end;
        for ((index, band), chunks) in
            reading.precinct.bands.into_iter().enumerate().zip(reading.chunks)
        {
            let width = band.places[0].len().max(1);
            for ((at, block), chunks) in (0..).zip(band.blocks).zip(chunks) {
                let (column, row) =
                    (band.places[0].start + at % width, band.places[1].start + at / width);
                if block.is_coded() && is_within(columns, column) && is_within(rows, row) {
                    let place = (first.part, resolution, index, row, column);
                    self.blocks.insert(place, FoundBlock { block, chunks });
                }
            }
        }
    }
}

/// Adds the packets of the precincts of a resolution that hold what is needed, precinct by precinct.
fn want(
    index: &TileIndex,
    (at, part): (usize, &Part<'_>),
    (resolution, needed): (u8, [Span; 2]),
    layers: u16,
    wanted: &mut Vec<Wanted>,
) -> Result<(), CodecError> {
    let Some(precincts) = index.precincts.find(part.component, resolution) else { return Ok(()) };
    let exponents = part.tile.style.band_precinct(resolution);
    let mut held: Option<[Span; 2]> = None;
    for band in bands(resolution) {
        let within = zip(part.tile.band(resolution, *band), needed, Span::intersect);
        if is_empty(within) {
            continue;
        }
        let cells = zip(within, exponents, |span, shift| span.cells(shift.into()));
        let join =
            |one: Span, other: Span| Span::new(one.start.min(other.start), one.end.max(other.end));
        held = Some(held.map_or(cells, |held| zip(held, cells, join)));
    }
    let Some([columns, rows]) = held else { return Ok(()) };
    for row in rows.start..rows.end {
        for column in columns.start..columns.end {
            let place = [column, row];
            let Some(number) = precincts.number(place) else { continue };
            for layer in 0..layers {
                let range = index.packet(number, layer)?;
                wanted.push(Wanted { part: at, resolution, place, layer, range });
            }
        }
    }
    Ok(())
}

/// A precinct whose packets are being read.
struct Reading {
    precinct: Precinct,
    /// By sub-band and code-block: where its bytes are, and how many.
    chunks: Vec<Vec<Vec<(u64, u32)>>>,
}

impl Reading {
    fn of(precinct: Precinct) -> Self {
        let chunks =
            precinct.bands.iter().map(|band| vec![Vec::new(); band.blocks.len()]).collect();
        Self { precinct, chunks }
    }

    /// Reads a packet's header, and takes down where its code-blocks are.
    fn packet(
        &mut self,
        stretch: &mut Stretch<'_>,
        style: TileStyle,
        layer: u16,
    ) -> Result<(), CodecError> {
        stretch.packet_header(&mut self.precinct, style, layer)?;
        let mut start = stretch.position();
        for (band, chunks) in self.precinct.bands.iter().zip(&mut self.chunks) {
            for (block, chunks) in band.blocks.iter().zip(chunks) {
                if 0 < block.added {
                    chunks.push((start, block.added));
                    start += u64::from(block.added);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_resolution_needs_half_of_the_next_and_what_the_wavelet_reaches() {
        let area = [Span::new(100, 200), Span::new(0, 7)];
        assert_eq!(needed(area, 0), [area]);
        let first = [Span::new(48, 102), Span::new(0, 6)];
        assert_eq!(needed(area, 1), [first, first]);
        let second = [Span::new(22, 53), Span::new(0, 5)];
        assert_eq!(needed(area, 2), [second, second, first]);
    }
}
