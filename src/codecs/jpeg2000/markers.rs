//! Marker segments to what they say: sizes, coding, quantization, order of packets.
//!
//! # Source
//! T.800, annex A; T.814, annex A, for part 15.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::bytes::Bytes;
use crate::codecs::jpeg2000::coding::{
    CodingStyle, PRECINCT_EXPONENT_MAX, Parameters, Progression, ProgressionChange, Quantization,
    QuantizationKind, TileStyle,
};
use crate::codecs::jpeg2000::{malformed, unsupported};

pub(super) const SOC: u16 = 0xff4f;
pub(super) const CAP: u16 = 0xff50;
pub(super) const SIZ: u16 = 0xff51;
pub(super) const COD: u16 = 0xff52;
pub(super) const COC: u16 = 0xff53;
pub(super) const TLM: u16 = 0xff55;
pub(super) const PLT: u16 = 0xff58;
pub(super) const QCD: u16 = 0xff5c;
pub(super) const QCC: u16 = 0xff5d;
pub(super) const RGN: u16 = 0xff5e;
pub(super) const POC: u16 = 0xff5f;
pub(super) const PPM: u16 = 0xff60;
pub(super) const PPT: u16 = 0xff61;
pub(super) const SOT: u16 = 0xff90;
pub(super) const SOD: u16 = 0xff93;
pub(super) const EOC: u16 = 0xffd9;
/// Transforms over components and others of part 2: CBD, MCT, MCC, MCO.
const PART_2: [u16; 4] = [0xff78, 0xff74, 0xff75, 0xff77];

/// Flags of `Scod`.
const HAS_PRECINCTS: u8 = 1;
const STARTS_MARKED: u8 = 2;
const ENDS_MARKED: u8 = 4;
/// A flag of a code-block's style: some are of part 1, some of part 15.
const MIXED_THROUGHPUT: u8 = 128;

/// `SIZ`: the reference grid, its tiles and components. Each pair is horizontal, then vertical.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Siz {
    /// One past the last column and row.
    pub(super) end: [u32; 2],
    /// The first column and row.
    pub(super) start: [u32; 2],
    /// A whole tile.
    pub(super) tile: [u32; 2],
    /// Where the first tile begins.
    pub(super) tile_start: [u32; 2],
    pub(super) components: Vec<SizComponent>,
}

/// A component as `SIZ` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SizComponent {
    /// 1 to 38.
    pub(super) bits: u8,
    pub(super) signed: bool,
    /// Grid points from sample to sample, 1 to 255.
    pub(super) step: [u8; 2],
}

impl Siz {
    /// Reads the segment without its length.
    ///
    /// # Errors
    /// `Malformed` where it breaks a rule of A.5.1.
    pub(super) fn read(mut from: Bytes<'_>) -> Result<Self, CodecError> {
        from.u16()?;
        let end = [from.u32()?, from.u32()?];
        let start = [from.u32()?, from.u32()?];
        let tile = [from.u32()?, from.u32()?];
        let tile_start = [from.u32()?, from.u32()?];
        let count = from.u16()?;
        let components =
            (0..count).map(|_| SizComponent::read(&mut from)).collect::<Result<Vec<_>, _>>()?;
        let siz = Self { end, start, tile, tile_start, components };
        let axes = (0..2).all(|axis| siz.is_sound(axis));
        if axes && !siz.components.is_empty() {
            Ok(siz)
        } else {
            Err(malformed(format!(
                "SIZ: a grid from {start:?} to {end:?} in tiles of {tile:?} from {tile_start:?}, \
                 {count} components"
            )))
        }
    }

    /// Whether an axis has pixels, and its first tile some of them.
    fn is_sound(&self, axis: usize) -> bool {
        let along = |pair: [u32; 2]| pair.get(axis).copied().map_or(0, u64::from);
        let (start, tile_start) = (along(self.start), along(self.tile_start));
        start < along(self.end) && tile_start <= start && start < tile_start + along(self.tile)
    }

    /// Columns and rows of tiles.
    pub(super) fn tile_grid(&self) -> [u32; 2] {
        let tiles = |end: u32, tile_start: u32, tile: u32| {
            if tile == 0 { 0 } else { end.saturating_sub(tile_start).div_ceil(tile) }
        };
        let ([end_x, end_y], [start_x, start_y]) = (self.end, self.tile_start);
        let [width, height] = self.tile;
        [tiles(end_x, start_x, width), tiles(end_y, start_y, height)]
    }
}

impl SizComponent {
    fn read(from: &mut Bytes<'_>) -> Result<Self, CodecError> {
        let depth = from.u8()?;
        let step = [from.u8()?, from.u8()?];
        let (bits, signed) = ((depth & 0x7f) + 1, depth & 0x80 != 0);
        if step.contains(&0) || 38 < bits {
            return Err(malformed(format!("SIZ: a component of {bits} bits, steps of {step:?}")));
        }
        Ok(Self { bits, signed, step })
    }
}

impl Parameters {
    /// Takes what a segment says, without its marker and length; other segments say nothing here.
    ///
    /// # Errors
    /// `Malformed`, or `Unsupported` for what only other parts of the standard have.
    pub(super) fn take(
        &mut self,
        marker: u16,
        segment: &[u8],
        components: u16,
    ) -> Result<(), CodecError> {
        let wide = 256 < components;
        match marker {
            COD => self.style = Some(cod(Bytes::of("COD", segment))?),
            COC => {
                let mut from = Bytes::of("COC", segment);
                let component = from.u8_or_u16(wide)?;
                let has_precincts = from.u8()? & HAS_PRECINCTS != 0;
                self.component_styles.insert(component, coding_style(&mut from, has_precincts)?);
            }
            QCD => self.quantization = Some(quantization(Bytes::of("QCD", segment))?),
            QCC => {
                let mut from = Bytes::of("QCC", segment);
                let component = from.u8_or_u16(wide)?;
                self.component_quantizations.insert(component, quantization(from)?);
            }
            RGN => {
                let mut from = Bytes::of("RGN", segment);
                let component = from.u8_or_u16(wide)?;
                if from.u8()? != 0 {
                    return Err(unsupported("a region of interest that is no implicit one (RGN)"));
                }
                self.shifts.insert(component, shift(from.u8()?)?);
            }
            POC => {
                let mut from = Bytes::of("POC", segment);
                while !from.is_empty() {
                    self.changes.push(progression_change(&mut from, wide)?);
                }
            }
            PPM | PPT => return Err(malformed("packed packet headers in the wrong header")),
            other if PART_2.contains(&other) => {
                return Err(unsupported(format!("part 2: marker {other:#06x}")));
            }
            _ => {}
        }
        Ok(())
    }
}

/// How far a region was shifted: more than there are bits is no region.
fn shift(shift: u8) -> Result<u8, CodecError> {
    if 37 < shift { Err(malformed(format!("RGN: a shift of {shift}"))) } else { Ok(shift) }
}

fn cod(mut from: Bytes<'_>) -> Result<(TileStyle, CodingStyle), CodecError> {
    let flags = from.u8()?;
    let progression = progression(from.u8()?)?;
    let layers = from.u16()?;
    let mixed = match from.u8()? {
        0 => false,
        1 => true,
        other => return Err(unsupported(format!("multiple component transformation {other}"))),
    };
    if layers == 0 {
        return Err(malformed("COD: no layers"));
    }
    let style = TileStyle {
        progression,
        layers,
        mixed,
        starts_marked: flags & STARTS_MARKED != 0,
        ends_marked: flags & ENDS_MARKED != 0,
    };
    Ok((style, coding_style(&mut from, flags & HAS_PRECINCTS != 0)?))
}

fn progression(code: u8) -> Result<Progression, CodecError> {
    Ok(match code {
        0 => Progression::Lrcp,
        1 => Progression::Rlcp,
        2 => Progression::Rpcl,
        3 => Progression::Pcrl,
        4 => Progression::Cprl,
        other => return Err(malformed(format!("progression order {other}"))),
    })
}

fn coding_style(from: &mut Bytes<'_>, has_precincts: bool) -> Result<CodingStyle, CodecError> {
    let levels = from.u8()?;
    let block = [from.u8()?.saturating_add(2), from.u8()?.saturating_add(2)];
    let style = from.u8()?;
    let reversible = match from.u8()? {
        0 => false,
        1 => true,
        other => return Err(unsupported(format!("wavelet transformation {other}"))),
    };
    let [width, height] = block;
    if 32 < levels || 10 < width || 10 < height || 12 < width + height {
        let what = format!("COD: {levels} levels, code-blocks of 2^{width} x 2^{height}");
        return Err(malformed(what));
    }
    if style & MIXED_THROUGHPUT != 0 {
        return Err(unsupported("code-blocks of parts 1 and 15 in one component (MIXED)"));
    }
    let precincts = (0..=levels).map(|resolution| {
        if !has_precincts {
            return Ok([PRECINCT_EXPONENT_MAX; 2]);
        }
        let exponents = from.u8()?;
        let precinct = [exponents & 0x0f, exponents >> 4];
        if resolution != 0 && precinct.contains(&0) {
            return Err(malformed("COD: a precinct that holds no code-block"));
        }
        Ok(precinct)
    });
    let precincts = precincts.collect::<Result<_, _>>()?;
    Ok(CodingStyle { levels, block, style, reversible, precincts })
}

fn quantization(mut from: Bytes<'_>) -> Result<Quantization, CodecError> {
    let style = from.u8()?;
    let kind = match style & 0x1f {
        0 => QuantizationKind::None,
        1 => QuantizationKind::Derived,
        2 => QuantizationKind::Expounded,
        other => return Err(unsupported(format!("quantization style {other}"))),
    };
    let mut steps = Vec::new();
    while !from.is_empty() {
        steps.push(from.u8_or_u16(kind != QuantizationKind::None)?);
    }
    Ok(Quantization { kind, guard_bits: style >> 5, steps })
}

fn progression_change(from: &mut Bytes<'_>, wide: bool) -> Result<ProgressionChange, CodecError> {
    let resolution_start = from.u8()?;
    let component_start = from.u8_or_u16(wide)?;
    let layer_end = from.u16()?;
    let resolution_end = from.u8()?;
    let component_end = match from.u8_or_u16(wide)? {
        // A byte has no room for 256.
        0 => u16::MAX,
        end => end,
    };
    let progression = progression(from.u8()?)?;
    Ok(ProgressionChange {
        resolution_start,
        component_start,
        layer_end,
        resolution_end,
        component_end,
        progression,
    })
}
