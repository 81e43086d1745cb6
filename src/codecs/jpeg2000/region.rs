//! `Region`: the code-blocks that an area of a tile needs, with their bytes, read from the packets of the
//! precincts that hold them and of no others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codecs::jpeg2000::coding::TileStyle;
use crate::codecs::jpeg2000::fetched::Fetched;
use crate::codecs::jpeg2000::found::{BlockPlace, FoundBand, FoundBlock, FoundPrecinct};
use crate::codecs::jpeg2000::grid::{Span, TileComponent, bands, is_empty, zip};
use crate::codecs::jpeg2000::kept::KeptOfTile;
use crate::codecs::jpeg2000::malformed;
use crate::codecs::jpeg2000::packet_header::Precinct;
use crate::codecs::jpeg2000::stretch::Stretch;
use crate::codecs::jpeg2000::tile_index::TileIndex;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::ReadAt;

/// How far samples of a resolution depend on others at either side of them: the four steps of the longer
/// wavelet (T.800, F.3.8.2) reach one further each.
pub(super) const REACH: u32 = 4;

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

/// What was read for an area.
#[derive(Debug, Default)]
pub(super) struct Region {
    pub(super) blocks: BTreeMap<BlockPlace, Arc<FoundBlock>>,
    /// Packets that were read whole.
    packets: Fetched,
    /// Code-blocks of others.
    rest: Fetched,
}

/// A precinct that is needed.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    part: usize,
    resolution: u8,
    place: [u32; 2],
    /// Its number within the tile.
    number: u64,
}

impl Region {
    /// Finds the code-blocks that the parts need of a tile, in so many of its layers; reads the packets of
    /// precincts of which nothing is kept.
    ///
    /// # Errors
    /// `Malformed` where packets are missing or damaged; `OverLimit`; `Io`.
    pub(super) fn find(
        source: &dyn ReadAt,
        index: &TileIndex,
        parts: &[&Part<'_>],
        layers: u16,
        (kept, limits): (KeptOfTile<'_>, &DecodeLimits),
    ) -> Result<Self, CodecError> {
        let layers = index.coding.style.layers.min(layers);
        let mut wanted = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            for (resolution, needed) in (0..).zip(&part.needed) {
                want(index, (at, part), (resolution, *needed), &mut wanted);
            }
        }
        let mut region = Self::default();
        let mut unread = Vec::new();
        for precinct in wanted {
            let part = parts.get(precinct.part).ok_or_else(|| malformed("no such component"))?;
            match kept.precinct((part.component, precinct.resolution, precinct.place)) {
                Some(found) => region.take(&found, precinct, part),
                None => unread.push((precinct, index.packets(precinct.number, layers)?)),
            }
        }
        let packets = unread.iter().flat_map(|(_, packets)| packets).copied();
        let short = packets.filter(|(_, length)| *length <= WHOLE_BYTES_MAX);
        region.packets = Fetched::read(source, short.collect(), limits)?;
        for (precinct, packets) in unread {
            let part = parts.get(precinct.part).ok_or_else(|| malformed("no such component"))?;
            let found =
                Arc::new(region.read_precinct(source, index, part, (precinct, &packets))?);
            region.take(&found, precinct, part);
            kept.keep_precinct((part.component, precinct.resolution, precinct.place), found);
        }
        Ok(region)
    }

    /// Reads the bytes of those code-blocks that are needed, as far as they are not there.
    ///
    /// # Errors
    /// As [`Region::find`].
    pub(super) fn read(
        &mut self,
        source: &dyn ReadAt,
        is_needed: impl Fn(&BlockPlace) -> bool,
        limits: &DecodeLimits,
    ) -> Result<(), CodecError> {
        let needed = self.blocks.iter().filter(|(place, _)| is_needed(place));
        let chunks = needed.flat_map(|(_, found)| &found.chunks).copied();
        let ranges = chunks.filter(|chunk| self.packets.range(*chunk).is_none()).collect();
        self.rest = Fetched::read(source, ranges, limits)?;
        Ok(())
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
        &self,
        source: &dyn ReadAt,
        index: &TileIndex,
        part: &Part<'_>,
        (precinct, packets): (Wanted, &[(u64, u32)]),
    ) -> Result<FoundPrecinct, CodecError> {
        let coding = index.coding.components.get(part.component);
        let coding = coding.ok_or_else(|| malformed("there is no such component"))?;
        let precinct = Precinct::new(&part.tile, coding, precinct.resolution, precinct.place)?;
        let mut reading = Reading::of(precinct);
        for (layer, (start, length)) in (0..).zip(packets) {
            let mut stretch = match self.packets.range((*start, *length)) {
                Some(bytes) => Stretch::at_hand(source, *start, bytes),
                None => Stretch::new(source, *start, start.saturating_add((*length).into())),
            };
            reading.packet(&mut stretch, index.coding.style, layer)?;
        }
        Ok(reading.found())
    }

    /// Takes those code-blocks of a precinct that are needed.
    fn take(&mut self, found: &FoundPrecinct, precinct: Wanted, part: &Part<'_>) {
        let resolution = precinct.resolution;
        let needed = part.needed.get(usize::from(resolution)).copied();
        let exponents = part.tile.style.block(resolution);
        let cells =
            needed.map(|needed| zip(needed, exponents, |span, shift| span.cells(shift.into())));
        let Some(cells) = cells else { return };
        for (index, band) in found.bands.iter().enumerate() {
            let [columns, rows] = zip(cells, band.places, Span::intersect);
            for row in rows.start..rows.end {
                for column in columns.start..columns.end {
                    if let Some(block) = band.block(column, row) {
                        let place = (precinct.part, resolution, index, row, column);
                        self.blocks.insert(place, Arc::clone(block));
                    }
                }
            }
        }
    }
}

/// Adds the precincts of a resolution that hold what is needed.
fn want(
    index: &TileIndex,
    (at, part): (usize, &Part<'_>),
    (resolution, needed): (u8, [Span; 2]),
    wanted: &mut Vec<Wanted>,
) {
    let Some(precincts) = index.precincts.find(part.component, resolution) else { return };
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
    let Some([columns, rows]) = held else { return };
    for row in rows.start..rows.end {
        for column in columns.start..columns.end {
            let place = [column, row];
            if let Some(number) = precincts.number(place) {
                wanted.push(Wanted { part: at, resolution, place, number });
            }
        }
    }
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

    /// What its packets said.
    fn found(self) -> FoundPrecinct {
        let bands = self.precinct.bands.into_iter().zip(self.chunks).map(|(band, chunks)| {
            let blocks = band.blocks.into_iter().zip(chunks).map(|(block, chunks)| {
                block.is_coded().then(|| Arc::new(FoundBlock { block, chunks }))
            });
            FoundBand { places: band.places, blocks: blocks.collect() }
        });
        FoundPrecinct { bands: bands.collect() }
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
