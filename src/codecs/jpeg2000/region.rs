//! `Region`: the code-blocks that an area of a tile needs, with their bytes, read from the packets of the
//! precincts that hold them and of no others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codecs::jpeg2000::coding::TileStyle;
use crate::codecs::jpeg2000::fetched::Fetched;
use crate::codecs::jpeg2000::found::{BlockPlace, FoundBand, FoundBlock, FoundPrecinct};
use crate::codecs::jpeg2000::grid::{Band, Span, TileComponent, bands, is_empty, zip};
use crate::codecs::jpeg2000::kept::KeptOfTile;
use crate::codecs::jpeg2000::malformed;
use crate::codecs::jpeg2000::packet_header::Precinct;
use crate::codecs::jpeg2000::stretch::Stretch;
use crate::codecs::jpeg2000::tile_index::{Packet, TileIndex};
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::ReadAt;

/// Packets up to this length are read whole, together with their neighbours; of longer ones the header, and
/// then the code-blocks that are needed.
const WHOLE_BYTES_MAX: u32 = 64 << 10;

/// The coefficients that an area needs of the sub-bands of one resolution: along each axis, of those with
/// low and of those with high frequencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) low: [Span; 2],
    pub(super) high: [Span; 2],
}

impl Needed {
    /// Those of one sub-band.
    pub(super) fn of(&self, band: Band) -> [Span; 2] {
        let along = zip(self.low, self.high, |low, high| (low, high));
        zip(along, band.high, |(low, high), is_high| if is_high { high } else { low })
    }

    /// Those around all sub-bands.
    pub(super) fn of_all(&self) -> [Span; 2] {
        zip(self.low, self.high, Span::around)
    }
}

/// What an area needs, for each resolution from the smallest to `top`, where samples depend on others at
/// either side of them up to `reach` away: those of low frequencies on fewer by one (T.800, F.3.8).
pub(super) fn needed(area: [Span; 2], top: u8, reach: u32) -> Vec<Needed> {
    let half = |start: u32, span: Span| Span {
        start: start.saturating_sub(reach) / 2,
        end: span.end.saturating_add(reach) / 2,
    };
    let mut spans = area;
    let mut of_each = Vec::new();
    for _ in 0..top {
        let high = spans.map(|span| half(span.start, span));
        spans = spans.map(|span| half(span.start.saturating_add(2), span));
        of_each.push(Needed { low: spans, high });
    }
    of_each.push(Needed { low: spans, high: spans });
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
    pub(super) needed: Vec<Needed>,
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
        let packets = unread.iter().flat_map(|(_, packets)| packets).map(|packet| packet.place);
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
        (precinct, packets): (Wanted, &[Packet<'_>]),
    ) -> Result<FoundPrecinct, CodecError> {
        let coding = index.coding.components.get(part.component);
        let coding = coding.ok_or_else(|| malformed("there is no such component"))?;
        let precinct = Precinct::new(&part.tile, coding, precinct.resolution, precinct.place)?;
        let mut reading = Reading::of(precinct);
        for (layer, packet) in (0..).zip(packets) {
            let (start, length) = packet.place;
            let mut stretch = match self.packets.range(packet.place) {
                Some(bytes) => Stretch::at_hand(source, start, bytes),
                None => Stretch::new(source, start, start.saturating_add(length.into())),
            };
            let mut apart = packet.header;
            reading.packet(&mut stretch, (index.coding.style, layer), apart.as_mut())?;
        }
        Ok(reading.found())
    }

    /// Takes those code-blocks of a precinct that are needed.
    fn take(&mut self, found: &FoundPrecinct, precinct: Wanted, part: &Part<'_>) {
        let resolution = precinct.resolution;
        let needed = part.needed.get(usize::from(resolution)).copied();
        let exponents = part.tile.style.block(resolution);
        let Some(needed) = needed else { return };
        for ((index, band), own) in found.bands.iter().enumerate().zip(bands(resolution)) {
            let cells = zip(needed.of(*own), exponents, |span, shift| span.cells(shift.into()));
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
    (resolution, needed): (u8, Needed),
    wanted: &mut Vec<Wanted>,
) {
    let Some(precincts) = index.precincts.find(part.component, resolution) else { return };
    let exponents = part.tile.style.band_precinct(resolution);
    let mut held: Option<[Span; 2]> = None;
    for band in bands(resolution) {
        let within = zip(part.tile.band(resolution, *band), needed.of(*band), Span::intersect);
        if is_empty(within) {
            continue;
        }
        let cells = zip(within, exponents, |span, shift| span.cells(shift.into()));
        held = Some(held.map_or(cells, |held| zip(held, cells, Span::around)));
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
        of_tile: (TileStyle, u16),
        apart: Option<&mut &[u8]>,
    ) -> Result<(), CodecError> {
        stretch.packet_header(&mut self.precinct, of_tile, apart)?;
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

    /// Whether a sample depends on a coefficient, by the lengths of the filters (T.800, table F.3 and F.4): of
    /// high frequencies `reach` to either side of it, of low ones less by one.
    fn depends(sample: u32, (place, is_high): (u32, bool), reach: u32) -> bool {
        (2 * place + u32::from(is_high)).abs_diff(sample) < reach + u32::from(is_high)
    }

    #[test]
    fn an_area_needs_all_that_its_samples_depend_on_and_no_more() {
        for (reach, start, len) in [2, 4].into_iter().flat_map(|reach| {
            (0..9).flat_map(move |start| (1..6).map(move |len| (reach, start, len)))
        }) {
            let area = Span::new(start, start + len);
            let [_, found] = needed([area; 2], 1, reach)[..] else { panic!() };
            for (is_high, [span, _]) in [(false, found.low), (true, found.high)] {
                let is_needed = |place: u32| {
                    (area.start..area.end).any(|sample| depends(sample, (place, is_high), reach))
                };
                let places: Vec<u32> = (0..20).filter(|place| is_needed(*place)).collect();
                let expected: Vec<u32> = (span.start..span.end).collect();
                assert_eq!(places, expected, "{area:?}, reach {reach}, high {is_high}");
            }
        }
    }

    #[test]
    fn each_resolution_needs_what_the_low_frequencies_of_the_next_one_do() {
        let area = [Span::new(100, 200), Span::new(0, 7)];
        assert_eq!(needed(area, 0, 4), [Needed { low: area, high: area }]);
        let first = [Span::new(49, 102), Span::new(0, 5)];
        let first_high = [Span::new(48, 102), Span::new(0, 5)];
        let second = [Span::new(23, 53), Span::new(0, 4)];
        let second_high = [Span::new(22, 53), Span::new(0, 4)];
        let expected = [
            Needed { low: second, high: second },
            Needed { low: second, high: second_high },
            Needed { low: first, high: first_high },
        ];
        assert_eq!(needed(area, 2, 4), expected);
    }
}
