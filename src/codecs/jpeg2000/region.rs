//! `Region`: the code-blocks that an area of a tile needs, with their bytes, read from the packets of the
//! precincts that hold them and of no others.

use std::collections::BTreeMap;

use crate::codecs::flat::read_error;
use crate::codecs::jpeg2000::coding::TileCoding;
use crate::codecs::jpeg2000::grid::{Span, TileComponent, bands, is_empty, zip};
use crate::codecs::jpeg2000::packet_header::{Block, Precinct};
use crate::codecs::jpeg2000::tile_index::{
    END_OF_PACKET_HEADER, START_OF_PACKET, START_OF_PACKET_BYTES, TileIndex,
};
use crate::codecs::jpeg2000::{JPEG_2000, malformed};
use crate::codecs::number::{u64_of, usize_of, usize_of_bytes, zeroed};
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::ReadAt;

/// How far samples of a resolution depend on others at either side of them: the four steps of the longer
/// wavelet (T.800, F.3.8.2) reach one further each.
const REACH: u32 = 4;

/// Bytes between two packets that are rather read than left out.
const GAP_BYTES: u64 = 4096;

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

/// A code-block, and where its bytes are in [`Region::bytes`].
#[derive(Debug)]
pub(super) struct FoundBlock {
    pub(super) block: Block,
    pub(super) chunks: Vec<(usize, usize)>,
}

/// Where a code-block is: its part, its resolution, the number of its sub-band, its row and column.
pub(super) type BlockPlace = (usize, u8, usize, u32, u32);

/// What was read for an area.
#[derive(Debug, Default)]
pub(super) struct Region {
    pub(super) blocks: BTreeMap<BlockPlace, FoundBlock>,
    pub(super) bytes: Vec<u8>,
}

/// A packet that is needed.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    part: usize,
    resolution: u8,
    place: [u32; 2],
    layer: u16,
    start: u64,
    length: u32,
}

impl Region {
    /// Reads what the parts need of a tile, in its first `layers` layers.
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
        let layers = layers.min(index.coding.style.layers);
        let mut wanted = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            for (resolution, needed) in (0..).zip(&part.needed) {
                want(index, (at, part), (resolution, *needed), layers, &mut wanted)?;
            }
        }
        let (bytes, places) = fetch(source, &wanted, limits)?;
        let mut region = Self { blocks: BTreeMap::new(), bytes };
        let mut packets = wanted.iter().zip(places).peekable();
        while let Some((first, place)) = packets.next() {
            let part = parts.get(first.part).ok_or_else(|| malformed("no such component"))?;
            let coding = index.coding.components.get(part.component);
            let coding = coding.ok_or_else(|| malformed("no such component"))?;
            let precinct = Precinct::new(&part.tile, coding, first.resolution, first.place)?;
            let mut reading = Reading::of(precinct);
            reading.packet(&region.bytes, (place, first.length), first.layer, &index.coding)?;
            while let Some((next, place)) = packets.next_if(|(next, _)| next.layer != 0) {
                reading.packet(&region.bytes, (place, next.length), next.layer, &index.coding)?;
            }
            region.keep(reading, first, part);
        }
        Ok(region)
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
                let (start, length) = index.packet(number, layer)?;
                wanted.push(Wanted { part: at, resolution, place, layer, start, length });
            }
        }
    }
    Ok(())
}

/// Reads packets, and says where each begins among the bytes.
fn fetch(
    source: &dyn ReadAt,
    wanted: &[Wanted],
    limits: &DecodeLimits,
) -> Result<(Vec<u8>, Vec<usize>), CodecError> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|at| wanted.get(*at).map(|packet| packet.start));
    // Runs of the file: where each begins and before where it ends, and where it begins among the bytes.
    let (mut runs, mut total): (Vec<(u64, u64, u64)>, u64) = (Vec::new(), 0);
    let mut places = vec![0; wanted.len()];
    for at in order {
        let Some(packet) = wanted.get(at) else { continue };
        let end = packet.start.saturating_add(packet.length.into());
        let run = match runs.last_mut() {
            Some(run) if packet.start <= run.1.saturating_add(GAP_BYTES) => run,
            _ => {
                runs.push((packet.start, packet.start, total));
                let Some(run) = runs.last_mut() else { continue };
                run
            }
        };
        run.1 = run.1.max(end);
        total = run.2.saturating_add(run.1 - run.0);
        if let Some(place) = places.get_mut(at) {
            *place = usize_of_bytes(run.2.saturating_add(packet.start - run.0));
        }
    }
    let (value, limit) = (total, limits.tile_bytes_max);
    if limit < value {
        let what = "compressed bytes of an area of a JPEG 2000 image";
        return Err(CodecError::OverLimit { what, value, limit });
    }
    if runs.iter().any(|run| source.len_bytes() < run.1) {
        return Err(malformed("the file ends early"));
    }
    let mut bytes = zeroed(usize_of_bytes(total))?;
    for (start, end, place) in runs {
        let place = usize_of_bytes(place);
        let to = bytes.get_mut(place..place + usize_of_bytes(end - start)).unwrap_or_default();
        source.read_exact_at(to, start).map_err(|error| read_error(JPEG_2000, error))?;
    }
    Ok((bytes, places))
}

/// A precinct whose packets are being read.
struct Reading {
    precinct: Precinct,
    /// By sub-band and code-block: where its bytes are, and how many.
    chunks: Vec<Vec<Vec<(usize, usize)>>>,
}

impl Reading {
    fn of(precinct: Precinct) -> Self {
        let chunks =
            precinct.bands.iter().map(|band| vec![Vec::new(); band.blocks.len()]).collect();
        Self { precinct, chunks }
    }

    /// Reads the packet at some place of the bytes.
    fn packet(
        &mut self,
        bytes: &[u8],
        (place, length): (usize, u32),
        layer: u16,
        coding: &TileCoding,
    ) -> Result<(), CodecError> {
        let packet = bytes.get(place..).and_then(|rest| rest.get(..usize_of(length)));
        let mut rest = packet.ok_or_else(|| malformed("a packet breaks off"))?;
        if coding.style.starts_marked && rest.starts_with(&START_OF_PACKET) {
            rest = rest.get(START_OF_PACKET_BYTES..).unwrap_or_default();
        }
        let body_bytes = self.precinct.read(&mut rest, layer)?;
        if coding.style.ends_marked {
            rest = rest.strip_prefix(&END_OF_PACKET_HEADER[..]).unwrap_or(rest);
        }
        if u64_of(rest.len()) < body_bytes {
            return Err(malformed("a packet is longer than its length"));
        }
        let mut start = place + usize_of(length) - rest.len();
        for (band, chunks) in self.precinct.bands.iter().zip(&mut self.chunks) {
            for (block, chunks) in band.blocks.iter().zip(chunks) {
                if 0 < block.added {
                    let added = usize_of(block.added);
                    chunks.push((start, added));
                    start += added;
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
