//! A virtual codestream: one tile in one part and one layer, that shows an area as the real one does, made
//! of the code-blocks that the area needs and of nothing else.
//!
//! It is cut from the tile along lines where code-blocks end in every sub-band, beyond what the wavelet
//! reaches from the area, and moved towards the origin by a distance that keeps these lines and the
//! wavelet's phase. Only the resolutions up to the wanted one are there, as if the image were so small.

use crate::codecs::jpeg2000::coding::{
    CodingStyle, ComponentCoding, PRECINCT_EXPONENT_MAX, QuantizationKind,
};
use crate::codecs::jpeg2000::found::FoundBlock;
use crate::codecs::jpeg2000::grid::{Band, Span, TileComponent, area, bands, zip};
use crate::codecs::jpeg2000::malformed;
use crate::codecs::jpeg2000::markers::{
    CAP, COC, COD, EOC, QCC, QCD, RGN, SIZ, SOC, SOD, SizComponent,
};
use crate::codecs::jpeg2000::packet_header::{WrittenBand, write};
use crate::codecs::jpeg2000::region::{Part, Region};
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::{Rect, Size};

/// Code-blocks of a virtual tile, coded or not: OpenJPEG keeps some 600 bytes for each.
const BLOCKS_MAX: u64 = 1 << 19;

/// `Scod`: precincts are named.
const HAS_PRECINCTS: u8 = 1;
/// `Rsiz` of part 15.
const PART_15: u16 = 0x4000;
/// `SOT` before the length of its tile-part: marker, length, number of the tile.
const PART_START: [u8; 6] = [0xff, 0x90, 0, 10, 0, 0];

/// One component of the virtual image.
#[derive(Debug)]
pub(super) struct VirtualComponent<'a> {
    /// As the file has it, but for its steps, which are those on the virtual grid.
    pub(super) stated: SizComponent,
    pub(super) coding: &'a ComponentCoding,
    pub(super) part: Part<'a>,
    /// Decomposition and code-blocks in the virtual tile.
    style: CodingStyle,
}

impl<'a> VirtualComponent<'a> {
    pub(super) fn new(stated: SizComponent, coding: &'a ComponentCoding, part: Part<'a>) -> Self {
        let levels = u8::try_from(part.needed.len().saturating_sub(1)).unwrap_or(u8::MAX);
        let precincts = (0..=levels).map(|resolution| {
            // As large as can be, unless they are what holds code-blocks down.
            zip(coding.style.block(resolution), coding.style.block, |held, block| {
                let own = held + u8::from(resolution != 0);
                if held < block { own } else { PRECINCT_EXPONENT_MAX }
            })
        });
        let style = CodingStyle { levels, precincts: precincts.collect(), ..coding.style.clone() };
        Self { stated, coding, part, style }
    }

    /// The distance of lines on the virtual grid along which code-blocks of all sub-bands end, as an
    /// exponent, without the component's steps.
    fn line_exponents(&self) -> [u32; 2] {
        let of_each = (0..=self.style.levels).map(|resolution| {
            let depth = if resolution == 0 {
                self.style.levels
            } else {
                self.style.levels + 1 - resolution
            };
            self.style.block(resolution).map(|block| u32::from(block) + u32::from(depth))
        });
        of_each.fold([0, 0], |one, other| zip(one, other, u32::max))
    }
}

/// What a virtual codestream is, and where it is.
#[derive(Debug)]
pub(super) struct VirtualTile<'a> {
    components: Vec<VirtualComponent<'a>>,
    /// Where it is on its own grid.
    spans: [Span; 2],
    /// How far it was moved towards the origin.
    pub(super) shift: [u32; 2],
    /// Whether the first three components were mixed.
    mixed: bool,
    /// The segment of capabilities.
    capabilities: Option<&'a [u8]>,
}

impl<'a> VirtualTile<'a> {
    /// Cuts around what the components need, out of a tile on the virtual grid.
    ///
    /// # Errors
    /// `OverLimit` where it would have too many code-blocks.
    pub(super) fn cut(
        components: Vec<VirtualComponent<'a>>,
        tile: [Span; 2],
        mixed: bool,
        capabilities: Option<&'a [u8]>,
    ) -> Result<Self, CodecError> {
        let around = around(&components);
        let lines = lines(&components);
        let cut = zip(around, lines, |[start, end], line| {
            [start / line * line, end.div_ceil(line).saturating_mul(line)]
        });
        let small = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
        let kept = zip(tile, cut, |tile, [start, end]| {
            tile.intersect(Span::new(small(start), small(end)))
        });
        let shift = zip(kept, lines, |kept, line| small(u64::from(kept.start) / line * line));
        let spans = zip(kept, shift, |kept, shift| Span::new(kept.start - shift, kept.end - shift));
        let tile = Self { components, spans, shift, mixed, capabilities };
        let blocks = tile.block_count();
        if BLOCKS_MAX < blocks {
            let what = "code-blocks around an area of a JPEG 2000 image";
            return Err(CodecError::OverLimit { what, value: blocks, limit: BLOCKS_MAX });
        }
        Ok(tile)
    }

    /// What to decode so that an area of the real tile is among it: where that is in the virtual one. Of
    /// part 15 all, because OpenJPEG leaves such code-blocks out of every smaller area.
    ///
    /// # Errors
    /// `OverLimit` where that is too much.
    pub(super) fn area(&self, area: [Span; 2], limits: &DecodeLimits) -> Result<Rect, CodecError> {
        let is_whole = self.components.iter().any(|part| part.style.is_high_throughput());
        let moved =
            zip(area, self.shift, |span, shift| Span::new(span.start - shift, span.end - shift));
        let [columns, rows] = if is_whole { self.spans } else { moved };
        let size = Size::new(columns.len(), rows.len());
        let rect = size.and_then(|size| Rect::new(columns.start, rows.start, size));
        let rect = rect.ok_or_else(|| malformed("an area without pixels"))?;
        let (value, limit) = (rect.size().area(), limits.tile_px_max);
        if limit < value {
            let what = "pixels around an area of a JPEG 2000 image";
            return Err(CodecError::OverLimit { what, value, limit });
        }
        Ok(rect)
    }

    /// The parts of its components.
    pub(super) fn parts(&self) -> Vec<&Part<'a>> {
        self.components.iter().map(|component| &component.part).collect()
    }

    fn tile_component<'s>(&'s self, component: &'s VirtualComponent<'_>) -> TileComponent<'s> {
        let step = component.stated.step.map(u32::from);
        TileComponent { spans: zip(self.spans, step, Span::every), style: &component.style }
    }

    fn block_count(&self) -> u64 {
        let of_each = self.components.iter().flat_map(|component| {
            let tile = self.tile_component(component);
            (0..=component.style.levels).map(move |resolution| {
                let [width, height] = tile.style.block(resolution).map(u32::from);
                area(tile.resolution(resolution)) >> (width + height)
            })
        });
        of_each.sum()
    }

    /// Writes the codestream.
    ///
    /// # Errors
    /// `Malformed` where it would be too long for its own lengths; `Io` where memory is short.
    pub(super) fn write(&self, region: &Region) -> Result<Vec<u8>, CodecError> {
        let mut to = Vec::with_capacity(region.len() / 2 + 1024);
        put(&mut to, SOC);
        self.write_siz(&mut to);
        if let Some(capabilities) = self.capabilities {
            segment(&mut to, CAP, |to| to.extend_from_slice(capabilities));
        }
        self.write_coding(&mut to);
        let part_at = to.len();
        to.extend(PART_START);
        let length_at = to.len();
        to.extend([0, 0, 0, 0, 0, 1]);
        put(&mut to, SOD);
        self.write_packets(region, &mut to)?;
        let too_long = |_| malformed("more code-blocks than a tile-part takes");
        let part_bytes = u32::try_from(to.len() - part_at).map_err(too_long)?;
        if let Some(length) = to.get_mut(length_at..length_at + 4) {
            length.copy_from_slice(&part_bytes.to_be_bytes());
        }
        put(&mut to, EOC);
        Ok(to)
    }

    fn write_siz(&self, to: &mut Vec<u8>) {
        let [columns, rows] = self.spans;
        segment(to, SIZ, |to| {
            put(to, if self.capabilities.is_some() { PART_15 } else { 0 });
            let numbers =
                [columns.end, rows.end, columns.start, rows.start, columns.end, rows.end, 0, 0];
            to.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
            put(to, u16::try_from(self.components.len()).unwrap_or(u16::MAX));
            for component in &self.components {
                let SizComponent { bits, signed, step: [x, y] } = component.stated;
                to.extend([(bits - 1) | u8::from(signed) << 7, x, y]);
            }
        });
    }

    fn write_coding(&self, to: &mut Vec<u8>) {
        let wide = 256 < self.components.len();
        for (at, component) in (0_u16..).zip(&self.components) {
            let (coding, style) = (component.coding, &component.style);
            if at == 0 {
                // One layer, resolution within layer.
                segment(to, COD, |to| {
                    to.extend([HAS_PRECINCTS, 0, 0, 1, u8::from(self.mixed)]);
                    put_style(to, style);
                });
                segment(to, QCD, |to| put_steps(to, coding, style.levels));
            } else {
                segment(to, COC, |to| {
                    put_index(to, at, wide);
                    to.push(HAS_PRECINCTS);
                    put_style(to, style);
                });
                segment(to, QCC, |to| {
                    put_index(to, at, wide);
                    put_steps(to, coding, style.levels);
                });
            }
            if coding.shift != 0 {
                segment(to, RGN, |to| {
                    put_index(to, at, wide);
                    to.extend([0, coding.shift]);
                });
            }
        }
    }

    fn write_packets(&self, region: &Region, to: &mut Vec<u8>) -> Result<(), CodecError> {
        let top = self.components.iter().map(|component| component.style.levels).max();
        for resolution in 0..=top.unwrap_or(0) {
            for (at, component) in self.components.iter().enumerate() {
                if resolution <= component.style.levels {
                    self.write_resolution((at, component), resolution, region, to)?;
                }
            }
        }
        Ok(())
    }

    fn write_resolution(
        &self,
        (at, component): (usize, &VirtualComponent<'_>),
        resolution: u8,
        region: &Region,
        to: &mut Vec<u8>,
    ) -> Result<(), CodecError> {
        let tile = self.tile_component(component);
        let moved = self.moved_blocks(component, &tile, resolution);
        let [columns, rows] = tile.precincts(resolution);
        for row in rows.start..rows.end {
            for column in columns.start..columns.end {
                let found = bands(resolution).iter().map(|band| {
                    let places = tile.blocks(resolution, *band, [column, row]);
                    (places, found(region, (at, resolution, *band), places, moved))
                });
                write_packet(&found.collect::<Vec<_>>(), region, to)?;
            }
        }
        Ok(())
    }

    /// How many code-blocks the virtual tile was moved by.
    fn moved_blocks(
        &self,
        component: &VirtualComponent<'_>,
        tile: &TileComponent<'_>,
        resolution: u8,
    ) -> [u32; 2] {
        let depth = u32::from(tile.depth(resolution));
        let shift = zip(self.shift, component.stated.step, |shift, step| shift / u32::from(step));
        zip(shift, component.style.block(resolution), |shift, block| {
            shift.checked_shr(depth + u32::from(block)).unwrap_or(0)
        })
    }
}

type FoundBlocks<'r> = Vec<([u32; 2], &'r FoundBlock)>;

/// The code-blocks of a sub-band of a virtual precinct that were read, by their place within it.
fn found(
    region: &Region,
    (part, resolution, band): (usize, u8, Band),
    [columns, rows]: [Span; 2],
    [moved_x, moved_y]: [u32; 2],
) -> FoundBlocks<'_> {
    if columns.is_empty() || rows.is_empty() {
        return Vec::new();
    }
    let at = |row: u32, column: u32| (part, resolution, band.index, row, column);
    let (left, right) = (columns.start + moved_x, columns.end + moved_x);
    let (top, bottom) = (rows.start + moved_y, rows.end + moved_y);
    let in_rows = region.blocks.range(at(top, left)..at(bottom, 0));
    let within = in_rows.filter(|((.., column), _)| left <= *column && *column < right);
    within.map(|((.., row, column), block)| ([column - left, row - top], &**block)).collect()
}

fn write_packet(
    bands: &[([Span; 2], FoundBlocks<'_>)],
    region: &Region,
    to: &mut Vec<u8>,
) -> Result<(), CodecError> {
    let written = bands.iter().map(|(places, blocks)| WrittenBand {
        size: places.map(Span::len),
        blocks: blocks.iter().map(|(place, found)| (*place, &found.block)).collect(),
    });
    to.extend(write(&written.collect::<Vec<_>>())?);
    for (_, found) in bands.iter().flat_map(|(_, blocks)| blocks) {
        for chunk in &found.chunks {
            let bytes = region.chunk(*chunk).ok_or_else(|| malformed("a packet breaks off"))?;
            to.extend_from_slice(bytes);
        }
    }
    Ok(())
}

/// What all components need, on the virtual grid.
fn around(components: &[VirtualComponent<'_>]) -> [[u64; 2]; 2] {
    let of_each = components.iter().flat_map(|component| {
        (0..).zip(&component.part.needed).map(move |(resolution, needed)| {
            let halved = u32::from(component.style.levels + 1 - resolution.max(1));
            zip(needed.of_all(), component.stated.step, |span, step| {
                [span.start, span.end].map(|edge| (u64::from(edge) << halved) * u64::from(step))
            })
        })
    });
    of_each.fold([[u64::MAX, 0]; 2], |one, other| {
        zip(one, other, |[start, end], [other_start, other_end]| {
            [start.min(other_start), end.max(other_end)]
        })
    })
}

/// The distance of lines along which code-blocks of all components end.
fn lines(components: &[VirtualComponent<'_>]) -> [u64; 2] {
    let exponents = components.iter().map(VirtualComponent::line_exponents);
    let exponents = exponents.fold([0, 0], |one, other| zip(one, other, u32::max));
    let steps = components.iter().map(|component| component.stated.step.map(u64::from));
    let steps = steps.fold([1, 1], |one, other| zip(one, other, least_common_multiple));
    zip(steps, exponents, |step, exponent| step.checked_shl(exponent).unwrap_or(u64::MAX))
}

fn least_common_multiple(one: u64, other: u64) -> u64 {
    let (mut divisor, mut rest) = (one, other);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (one / divisor.max(1)).saturating_mul(other)
}

fn put(to: &mut Vec<u8>, number: u16) {
    to.extend(number.to_be_bytes());
}

/// A marker, the length of what `write` writes, and that.
fn segment(to: &mut Vec<u8>, marker: u16, write: impl FnOnce(&mut Vec<u8>)) {
    put(to, marker);
    let start = to.len();
    to.extend([0, 0]);
    write(to);
    let len = u16::try_from(to.len() - start).unwrap_or(u16::MAX);
    if let Some(place) = to.get_mut(start..start + 2) {
        place.copy_from_slice(&len.to_be_bytes());
    }
}

fn put_index(to: &mut Vec<u8>, component: u16, wide: bool) {
    let bytes = component.to_be_bytes();
    to.extend_from_slice(bytes.get(usize::from(!wide)..).unwrap_or_default());
}

fn put_style(to: &mut Vec<u8>, style: &CodingStyle) {
    let [width, height] = style.block.map(|exponent| exponent - 2);
    to.extend([style.levels, width, height, style.style, u8::from(style.reversible)]);
    to.extend(style.precincts.iter().map(|[width, height]| height << 4 | width));
}

fn put_steps(to: &mut Vec<u8>, coding: &ComponentCoding, levels: u8) {
    let quantization = &coding.quantization;
    let (kind, is_short) = match quantization.kind {
        QuantizationKind::None => (0, true),
        QuantizationKind::Derived => (1, false),
        QuantizationKind::Expounded => (2, false),
    };
    to.push(quantization.guard_bits << 5 | kind);
    for step in quantization.steps.iter().take(quantization.steps_needed(levels)) {
        let bytes = step.to_be_bytes();
        to.extend_from_slice(bytes.get(usize::from(is_short)..).unwrap_or_default());
    }
}
