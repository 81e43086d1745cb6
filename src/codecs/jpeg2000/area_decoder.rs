//! An area of a tile, decoded of what was read for it by our own entropy decoders and wavelets: all of parts
//! 1 and 15, in this process, because nothing here can do more than give wrong samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::codecs::jpeg2000::codestream_decoder::Plane;
use crate::codecs::jpeg2000::coding::ComponentCoding;
use crate::codecs::jpeg2000::entropy::{
    CodeBlock, Orientation, PLANES_MAX, decode, high_throughput,
};
use crate::codecs::jpeg2000::found::{BlockPlace, FoundBlock};
use crate::codecs::jpeg2000::grid::{Band, Span, area, bands, is_empty, zip};
use crate::codecs::jpeg2000::kept::{Coefficients, KeptOfTile};
use crate::codecs::jpeg2000::markers::SizComponent;
use crate::codecs::jpeg2000::packet_header::Block;
use crate::codecs::jpeg2000::region::{Needed, Part, Region};
use crate::codecs::jpeg2000::synthesis::{
    Bands, Irreversible, Reversible, Values, Wavelet, Window, join, samples, take_apart,
};
use crate::codecs::jpeg2000::tile_index::TileIndex;
use crate::codecs::jpeg2000::{malformed, unsupported};
use crate::codecs::number::{reserved, usize_of};
use crate::codecs::spare_threads::each_part;
use crate::codecs::{CodecError, DecodeLimits, SpareThreads};
use crate::model::ReadAt;

/// Code-blocks for which it is worth while to start a thread: a millisecond or two.
const BLOCKS_A_THREAD: usize = 16;

/// A component of an area.
#[derive(Debug)]
pub(super) struct AreaComponent<'a> {
    pub(super) part: Part<'a>,
    pub(super) stated: SizComponent,
    pub(super) coding: &'a ComponentCoding,
    /// The samples that are wanted, on the grid of the resolution.
    pub(super) wanted: [Span; 2],
}

/// An area of a tile of an image.
#[derive(Debug)]
pub(super) struct Area<'a> {
    pub(super) components: Vec<AreaComponent<'a>>,
    /// Whether the first three components were mixed.
    pub(super) mixed: bool,
    /// What is kept of the tile.
    pub(super) kept: KeptOfTile<'a>,
    /// Who helps.
    pub(super) spare: &'a Arc<dyn SpareThreads>,
}

impl Area<'_> {
    /// Decodes all components.
    ///
    /// # Errors
    /// `Malformed` where what was read cannot be; `OverLimit`; `Io` where memory is short.
    pub(super) fn decode(
        &self,
        source: &dyn ReadAt,
        index: &TileIndex,
        layers: u16,
        limits: &DecodeLimits,
    ) -> Result<Vec<Plane>, CodecError> {
        let largest = self.components.iter().map(|component| area(component.wanted)).max();
        let (value, limit) = (largest.unwrap_or(0), limits.tile_px_max);
        if limit < value {
            let what = "pixels of an area of a JPEG 2000 image";
            return Err(CodecError::OverLimit { what, value, limit });
        }
        let parts: Vec<&Part<'_>> =
            self.components.iter().map(|component| &component.part).collect();
        let mut region = Region::find(source, index, &parts, layers, (self.kept, limits))?;
        let held =
            region.blocks.keys().filter_map(|place| Some((*place, self.kept.block(*place)?)));
        let mut held: Held = held.collect();
        region.read(source, |place| !held.contains_key(place), limits)?;
        held.extend(self.decode_blocks(&region, &held)?);
        let of_each = self.components.iter().enumerate().map(|(at, component)| {
            let blocks = Blocks { held: &held, at, component };
            if component.coding.style.reversible {
                blocks.joined::<Reversible>().map(|window| Values::Whole(window.values))
            } else {
                blocks.joined::<Irreversible>().map(|window| Values::Real(window.values))
            }
        });
        let mut values = of_each.collect::<Result<Vec<_>, _>>()?;
        if self.mixed {
            take_apart(&mut values)?;
        }
        let planes = values.into_iter().zip(&self.components);
        Ok(planes.map(|(values, component)| component.plane(values)).collect())
    }

    /// Decodes and keeps the code-blocks that are not held.
    fn decode_blocks(
        &self,
        region: &Region,
        held: &Held,
    ) -> Result<Vec<(BlockPlace, Arc<Coefficients>)>, CodecError> {
        let missing = region.blocks.iter().filter(|(place, _)| !held.contains_key(place));
        let missing: Vec<(&BlockPlace, &Arc<FoundBlock>)> = missing.collect();
        each_part(self.spare, &missing, BLOCKS_A_THREAD, |(place, found)| {
            let component = self.components.get(place.0);
            let component = component.ok_or_else(|| malformed("there is no such component"))?;
            let decoded = Arc::new(component.decode_block(region, **place, found)?);
            self.kept.keep_block(**place, Arc::clone(&decoded));
            Ok((**place, decoded))
        })
    }
}

impl AreaComponent<'_> {
    /// Decodes a code-block of what was read of it.
    fn decode_block(
        &self,
        region: &Region,
        (_, resolution, index, row, column): BlockPlace,
        found: &FoundBlock,
    ) -> Result<Coefficients, CodecError> {
        let band = bands(resolution).get(index).copied();
        let band = band.ok_or_else(|| malformed("there is no such sub-band"))?;
        let mut bytes = reserved(found.chunks.iter().map(|(_, len)| usize_of(*len)).sum())?;
        for chunk in &found.chunks {
            let chunk = region.chunk(*chunk).ok_or_else(|| malformed("a packet breaks off"))?;
            bytes.extend_from_slice(chunk);
        }
        let spans = self.part.tile.block_spans(resolution, band, [column, row]);
        let size = spans.map(|span| usize_of(span.len()));
        let planes = self.coding.planes(resolution, index);
        if self.coding.style.is_high_throughput() {
            self.decode_high_throughput((size, planes), &found.block, &bytes)
        } else {
            self.decode_of_part_1((size, planes), band, &found.block, &bytes)
        }
    }

    /// Decodes a code-block of part 1, whose sub-band can have so many planes of bits.
    fn decode_of_part_1(
        &self,
        (size, planes): ([usize; 2], u32),
        band: Band,
        block: &Block,
        bytes: &[u8],
    ) -> Result<Coefficients, CodecError> {
        let planes = planes.saturating_sub(block.zero_planes);
        if PLANES_MAX < planes {
            return Err(unsupported(format!("code-blocks with {planes} planes of bits")));
        }
        let (orientation, style) = (Orientation::of(band.high), self.coding.style.style);
        let decoded =
            decode(CodeBlock { size, orientation, planes, style }, block.segments(), bytes)?;
        let shift = u32::from(self.coding.shift);
        if shift == 0 {
            return Coefficients::new(size, planes + 1, decoded.rows());
        }
        let rows = decoded.rows().map(|row| row.map(|half| unshifted(half, shift)));
        Coefficients::new(size, planes + 1, rows)
    }

    /// Decodes a code-block of part 15.
    fn decode_high_throughput(
        &self,
        (size, planes): ([usize; 2], u32),
        block: &Block,
        bytes: &[u8],
    ) -> Result<Coefficients, CodecError> {
        if self.coding.shift != 0 {
            return Err(unsupported("regions of interest in HT code-blocks"));
        }
        let (planes_above, is_causal) = (block.zero_planes, self.coding.style.is_causal());
        let coded = high_throughput::CodeBlock { size, planes, planes_above, is_causal };
        let decoded = high_throughput::decode(coded, block.segments(), bytes)?;
        Coefficients::new(size, planes + 1, decoded.rows())
    }

    fn plane(&self, values: Values) -> Plane {
        let [columns, rows] = self.wanted;
        Plane {
            left: columns.start,
            top: rows.start,
            width: columns.len(),
            height: rows.len(),
            samples: samples(values, self.stated),
        }
    }
}

/// Code-blocks that are decoded.
type Held = BTreeMap<BlockPlace, Arc<Coefficients>>;

/// The code-blocks of one component of an area.
struct Blocks<'a> {
    held: &'a Held,
    /// The component's number among those that are decoded.
    at: usize,
    component: &'a AreaComponent<'a>,
}

impl Blocks<'_> {
    /// The samples that are wanted.
    fn joined<W: Wavelet>(&self) -> Result<Window<W::Value>, CodecError> {
        let Part { tile, needed, .. } = &self.component.part;
        let [lowest, others @ ..] = &needed[..] else {
            return Err(malformed("a component without resolutions"));
        };
        let [only] = bands(0) else { return Err(malformed("no lowest resolution")) };
        let mut low = self.band::<W>(0, *only, lowest)?;
        for (resolution, needed_here) in (1..).zip(others) {
            let [across, down, diagonal] = bands(resolution) else { break };
            let band = |band: &Band| self.band::<W>(resolution, *band, needed_here);
            let high = [band(across)?, band(down)?, band(diagonal)?];
            let covered = tile.resolution(resolution);
            let next = others.get(usize::from(resolution)).copied();
            let wanted = next.map_or(self.component.wanted, |next| next.low);
            let wanted = zip(wanted, covered, Span::intersect);
            low = join::<W>(&Bands { low, high }, wanted, covered)?;
        }
        low.cropped(self.component.wanted)
    }

    /// The coefficients of a sub-band that are needed.
    fn band<W: Wavelet>(
        &self,
        resolution: u8,
        band: Band,
        needed: &Needed,
    ) -> Result<Window<W::Value>, CodecError> {
        let part = &self.component.part;
        let covered = part.tile.band(resolution, band);
        let mut window = Window::<W::Value>::new(zip(covered, needed.of(band), Span::intersect))?;
        if is_empty(window.spans) {
            return Ok(window);
        }
        let step = self.component.coding.quantization.step(
            resolution,
            band.index,
            self.component.stated.bits,
        );
        let (first, last) = ((0, 0), (u32::MAX, u32::MAX));
        let at = |(row, column)| (self.at, resolution, band.index, row, column);
        for ((.., row, column), coefficients) in self.held.range(at(first)..=at(last)) {
            let spans = part.tile.block_spans(resolution, band, [*column, *row]);
            let own = zip(spans, window.spans, Span::intersect);
            if is_empty(own) {
                continue;
            }
            let [columns, rows] = own;
            let [first_column, first_row] = spans.map(|span| span.start);
            for row in rows.start..rows.end {
                let from = (row - first_row, columns.start - first_column);
                coefficients
                    .write_row(from, window.row_mut(row, columns), |half| W::value(half, step));
            }
        }
        Ok(window)
    }
}

/// A coefficient of a region of interest as it was before it was raised above all others (T.800, H.1), in
/// halves.
fn unshifted(half: i32, shift: u32) -> i32 {
    if i64::from(half).abs() < 1_i64.checked_shl(shift + 1).unwrap_or(i64::MAX) {
        return half;
    }
    half.signum() * half.abs().checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_raised_comes_down_and_the_rest_stays() {
        for (half, shift, expected) in
            [(5, 3, 5), (-15, 3, -15), (16, 3, 2), (-40, 3, -5), (i32::MAX, 30, i32::MAX)]
        {
            assert_eq!(unshifted(half, shift), expected, "{half} by {shift}");
        }
    }
}
