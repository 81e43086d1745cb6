//! How a tile was coded: what the marker segments of the main header and of its tile-parts say, and what
//! holds of them for each component.
//!
//! # Source
//! T.800, annex A.6: the segments, and which comes before which.

use std::collections::BTreeMap;

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::malformed;

/// The exponent of precincts that are as large as can be.
pub(super) const PRECINCT_EXPONENT_MAX: u8 = 15;

/// Passes end codewords where this bit of a code-block's style is set.
pub(super) const BYPASS: u8 = 1;
const TERMINATE_ALL: u8 = 4;
/// Stripes know nothing of those below them where this one is.
pub(super) const CAUSAL: u8 = 8;
/// Code-blocks of part 15.
const HIGH_THROUGHPUT: u8 = 64;

/// `SPcod` and `SPcoc`: decomposition and code-blocks of a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CodingStyle {
    /// Levels of decomposition, at most 32.
    pub(super) levels: u8,
    /// Exponents of a code-block's width and height, 2 to 10 each and 12 together.
    pub(super) block: [u8; 2],
    /// Flags of code-blocks, as stored.
    pub(super) style: u8,
    /// Whether the wavelet is the one of whole numbers, 5-3.
    pub(super) reversible: bool,
    /// Exponents of the precincts' widths and heights, smallest resolution first: `levels + 1`.
    pub(super) precincts: Vec<[u8; 2]>,
}

/// How passes are gathered to codeword segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Termination {
    /// One segment for all.
    AtTheEnd,
    /// Ten passes, then two raw ones and one coded in turn.
    Bypass,
    /// One for each pass.
    EveryPass,
    /// Of part 15: the cleanup pass, then at most two of refinement.
    HighThroughput,
}

impl CodingStyle {
    /// Exponents of the precincts of a resolution.
    pub(super) fn precinct(&self, resolution: u8) -> [u8; 2] {
        let stated = self.precincts.get(usize::from(resolution));
        stated.copied().unwrap_or([PRECINCT_EXPONENT_MAX; 2])
    }

    /// Exponents of code-blocks in the sub-bands of a resolution, which precincts hold down (B.7).
    pub(super) fn block(&self, resolution: u8) -> [u8; 2] {
        let [width, height] = self.block;
        let [precinct_width, precinct_height] = self.band_precinct(resolution);
        [width.min(precinct_width), height.min(precinct_height)]
    }

    /// Exponents of the precincts of a resolution on the grid of its sub-bands.
    pub(super) fn band_precinct(&self, resolution: u8) -> [u8; 2] {
        self.precinct(resolution).map(|exponent| exponent.saturating_sub(u8::from(resolution != 0)))
    }

    /// How passes are gathered.
    pub(super) const fn termination(&self) -> Termination {
        if self.is_high_throughput() {
            Termination::HighThroughput
        } else if self.style & TERMINATE_ALL != 0 {
            Termination::EveryPass
        } else if self.style & BYPASS != 0 {
            Termination::Bypass
        } else {
            Termination::AtTheEnd
        }
    }

    /// Whether stripes know nothing of those below them.
    pub(super) const fn is_causal(&self) -> bool {
        self.style & CAUSAL != 0
    }

    /// Whether code-blocks are those of part 15.
    pub(super) const fn is_high_throughput(&self) -> bool {
        self.style & HIGH_THROUGHPUT != 0
    }
}

/// `QCD` and `QCC`: steps between coefficients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantization {
    pub(super) kind: QuantizationKind,
    pub(super) guard_bits: u8,
    /// As stored, the sub-bands of the smallest resolution first.
    pub(super) steps: Vec<u16>,
}

/// What the steps of [`Quantization`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum QuantizationKind {
    /// Exponents alone, a byte each.
    None,
    /// Of the smallest sub-band, from which the others follow.
    Derived,
    /// One for each sub-band.
    Expounded,
}

impl Quantization {
    /// Steps that `levels` of decomposition need.
    pub(super) fn steps_needed(&self, levels: u8) -> usize {
        match self.kind {
            QuantizationKind::Derived => 1,
            QuantizationKind::None | QuantizationKind::Expounded => 3 * usize::from(levels) + 1,
        }
    }

    /// Magnitude bits of a sub-band (E-2): the orientation counts from 0 within its resolution.
    fn magnitude_bits(&self, resolution: u8, orientation: usize) -> u32 {
        let (exponent, _) = self.stated(resolution, orientation);
        (exponent + u32::from(self.guard_bits)).saturating_sub(1)
    }

    /// The step between coefficients of a sub-band whose component has so many bits (E-3), without the
    /// gain of high frequencies, which are taken for half as large.
    pub(super) fn step(&self, resolution: u8, orientation: usize, bits: u8) -> f32 {
        let (exponent, mantissa) = self.stated(resolution, orientation);
        let power = i32::from(bits) - i32::try_from(exponent).unwrap_or(i32::MAX);
        (1.0 + f32::from(mantissa) / 2048.0) * 2.0_f32.powi(power)
    }

    /// Exponent and mantissa of a sub-band's step.
    fn stated(&self, resolution: u8, orientation: usize) -> (u32, u16) {
        let above = usize::from(resolution.saturating_sub(1));
        let at = match (self.kind, resolution) {
            (QuantizationKind::Derived, _) | (_, 0) => 0,
            _ => 3 * above + 1 + orientation,
        };
        let step = self.steps.get(at).copied().unwrap_or(0);
        let (exponent, mantissa) = (u32::from(step >> 11), step & 0x7ff);
        match self.kind {
            QuantizationKind::None => (u32::from(step >> 3), 0),
            QuantizationKind::Expounded => (exponent, mantissa),
            QuantizationKind::Derived => {
                (exponent.saturating_sub(u32::from(resolution.saturating_sub(1))), mantissa)
            }
        }
    }
}

/// In which order packets come (B.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progression {
    /// Layer, resolution, component, position.
    Lrcp,
    /// Resolution, layer, component, position.
    Rlcp,
    /// Resolution, position, component, layer.
    Rpcl,
    /// Position, component, resolution, layer.
    Pcrl,
    /// Component, position, resolution, layer.
    Cprl,
}

/// `COD` without what [`CodingStyle`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TileStyle {
    pub(super) progression: Progression,
    pub(super) layers: u16,
    /// Whether the first three components were mixed.
    pub(super) mixed: bool,
    /// Whether packets may begin with a marker.
    pub(super) starts_marked: bool,
    /// Whether the headers of packets end with a marker.
    pub(super) ends_marked: bool,
}

/// `POC`: packets of these layers, resolutions and components come next, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProgressionChange {
    pub(super) resolution_start: u8,
    pub(super) component_start: u16,
    pub(super) layer_end: u16,
    pub(super) resolution_end: u8,
    pub(super) component_end: u16,
    pub(super) progression: Progression,
}

/// What one header says: the main one, or those of a tile's parts.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters {
    pub(super) style: Option<(TileStyle, CodingStyle)>,
    pub(super) component_styles: BTreeMap<u16, CodingStyle>,
    pub(super) quantization: Option<Quantization>,
    pub(super) component_quantizations: BTreeMap<u16, Quantization>,
    /// How far the coefficients of a region of interest were shifted up.
    pub(super) shifts: BTreeMap<u16, u8>,
    pub(super) changes: Vec<ProgressionChange>,
}

impl Parameters {
    /// Quality layers of tiles that say nothing else.
    pub(super) fn layers(&self) -> u16 {
        self.style.as_ref().map_or(1, |(style, _)| style.layers)
    }
}

/// What holds of one component of one tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ComponentCoding {
    pub(super) style: CodingStyle,
    pub(super) quantization: Quantization,
    pub(super) shift: u8,
}

/// What holds of one tile.
#[derive(Clone, Debug)]
pub(super) struct TileCoding {
    pub(super) style: TileStyle,
    pub(super) changes: Vec<ProgressionChange>,
    pub(super) components: Vec<ComponentCoding>,
}

impl TileCoding {
    /// What holds of a tile whose parts say `tile`.
    ///
    /// # Errors
    /// `Malformed` where a segment is missing or too short.
    pub(super) fn of(
        main: &Parameters,
        tile: &Parameters,
        components: u16,
    ) -> Result<Self, CodecError> {
        let style = tile.style.as_ref().or(main.style.as_ref());
        let (style, _) = style.ok_or_else(|| malformed("COD is missing"))?;
        let changes = if tile.changes.is_empty() { &main.changes } else { &tile.changes };
        let of_each = (0..components).map(|component| ComponentCoding::of(main, tile, component));
        Ok(Self {
            style: *style,
            changes: changes.clone(),
            components: of_each.collect::<Result<_, _>>()?,
        })
    }
}

impl ComponentCoding {
    /// Planes of bits that a sub-band's code-blocks can have, those of a region of interest included (H.1).
    pub(super) fn planes(&self, resolution: u8, orientation: usize) -> u32 {
        self.quantization.magnitude_bits(resolution, orientation) + u32::from(self.shift)
    }

    fn of(main: &Parameters, tile: &Parameters, component: u16) -> Result<Self, CodecError> {
        let default =
            |header: &'_ Parameters| header.style.as_ref().map(|(_, style)| style.clone());
        let own = |header: &'_ Parameters| header.component_styles.get(&component).cloned();
        let style = own(tile).or_else(|| default(tile)).or_else(|| own(main));
        let style = style.or_else(|| default(main)).ok_or_else(|| malformed("COD is missing"))?;
        let own = |header: &'_ Parameters| header.component_quantizations.get(&component).cloned();
        let quantization = own(tile).or_else(|| tile.quantization.clone()).or_else(|| own(main));
        let quantization = quantization
            .or_else(|| main.quantization.clone())
            .ok_or_else(|| malformed("QCD is missing"))?;
        if quantization.steps.len() < quantization.steps_needed(style.levels) {
            return Err(malformed("QCD has fewer steps than there are sub-bands"));
        }
        let shift = tile.shifts.get(&component).or_else(|| main.shifts.get(&component));
        Ok(Self { style, quantization, shift: shift.copied().unwrap_or(0) })
    }
}
