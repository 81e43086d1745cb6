//! A code-block: its passes from the highest plane of bits to the last that is there, over its codeword
//! segments.
//!
//! # Source
//! T.800, annex D.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::coding::{BYPASS, CAUSAL};
use crate::codecs::jpeg2000::entropy::arithmetic::{ArithmeticDecoder, Contexts, UNIFORM};
use crate::codecs::jpeg2000::entropy::contexts::{Orientation, significance};
use crate::codecs::jpeg2000::entropy::passes::{
    Coded, Plane, Symbols, clean_up, propagate, refine,
};
use crate::codecs::jpeg2000::entropy::raw_bits::RawBits;
use crate::codecs::jpeg2000::entropy::stripes::Stripes;
use crate::codecs::jpeg2000::packet_header::Segment;

/// Planes of bits that fit, with a bit below them and one for the sign.
pub(in crate::codecs::jpeg2000) const PLANES_MAX: u32 = 30;

/// More flags of a code-block's style (table A.19).
const RESET: u8 = 2;
const SEGMENTATION_SYMBOLS: u8 = 32;
/// Passes before the first that may leave the coder out.
const CODED_PASSES: u32 = 10;

/// What a code-block is.
#[derive(Clone, Copy, Debug)]
pub(in crate::codecs::jpeg2000) struct CodeBlock {
    /// Columns and rows of coefficients.
    pub(in crate::codecs::jpeg2000) size: [usize; 2],
    pub(in crate::codecs::jpeg2000) orientation: Orientation,
    /// Planes of bits from the first that is coded, at most [`PLANES_MAX`].
    pub(in crate::codecs::jpeg2000) planes: u32,
    /// Flags, as stored.
    pub(in crate::codecs::jpeg2000) style: u8,
}

/// Decodes a code-block of its segments, whose bytes are all in `bytes`. Coefficients come row by row, in
/// halves: where later passes are missing, the middle of what they could say.
///
/// # Errors
/// `Io` where memory is short.
pub(in crate::codecs::jpeg2000) fn decode(
    block: CodeBlock,
    segments: impl Iterator<Item = Segment>,
    mut bytes: &[u8],
) -> Result<Stripes, CodecError> {
    let mut stripes = Stripes::new(block.size)?;
    let mut contexts = Contexts::new();
    let mut pass = 0;
    for segment in segments {
        let len = usize::try_from(segment.bytes).unwrap_or(usize::MAX).min(bytes.len());
        let (own, rest) = bytes.split_at(len);
        bytes = rest;
        let passes = pass..pass + segment.passes;
        pass = passes.end;
        if block.is_raw(passes.start) {
            let mut bits = RawBits::new(own);
            for pass in passes {
                bits = block.decode_raw_pass(pass, &mut stripes, bits);
            }
        } else {
            let decoder = ArithmeticDecoder::new(own);
            let mut coded = Coded { decoder, contexts: &mut contexts };
            for pass in passes {
                coded = block.decode_pass(pass, &mut stripes, coded);
            }
        }
    }
    Ok(stripes)
}

/// What a pass does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CleanUp,
    Propagate,
    Refine,
}

impl Kind {
    /// The first plane has a cleanup alone.
    const fn of(pass: u32) -> Self {
        match pass % 3 {
            0 => Self::CleanUp,
            1 => Self::Propagate,
            _ => Self::Refine,
        }
    }
}

impl CodeBlock {
    const fn has(self, flag: u8) -> bool {
        self.style & flag != 0
    }

    /// Whether a pass leaves the coder out.
    fn is_raw(self, pass: u32) -> bool {
        self.has(BYPASS) && CODED_PASSES <= pass && Kind::of(pass) != Kind::CleanUp
    }

    /// The plane of a pass; nothing below the last.
    fn plane(self, pass: u32) -> Option<Plane> {
        let below = self.planes.checked_sub(1 + pass.div_ceil(3))?;
        Some(Plane {
            half: 1 << below.min(PLANES_MAX),
            significance: significance(self.orientation),
            is_causal: self.has(CAUSAL),
        })
    }

    fn decode_pass<'a, 'c>(
        self,
        pass: u32,
        stripes: &mut Stripes,
        mut coded: Coded<'a, 'c>,
    ) -> Coded<'a, 'c> {
        let Some(plane) = self.plane(pass) else { return coded };
        coded = match Kind::of(pass) {
            Kind::CleanUp => clean_up(stripes, coded, plane),
            Kind::Propagate => propagate(stripes, coded, plane),
            Kind::Refine => refine(stripes, coded, plane),
        };
        if Kind::of(pass) == Kind::CleanUp && self.has(SEGMENTATION_SYMBOLS) {
            (0..4).for_each(|_| {
                coded.symbol(UNIFORM);
            });
        }
        if self.has(RESET) {
            *coded.contexts = Contexts::new();
        }
        coded
    }

    fn decode_raw_pass<'a>(
        self,
        pass: u32,
        stripes: &mut Stripes,
        bits: RawBits<'a>,
    ) -> RawBits<'a> {
        let Some(plane) = self.plane(pass) else { return bits };
        match Kind::of(pass) {
            Kind::CleanUp => bits,
            Kind::Propagate => propagate(stripes, bits, plane),
            Kind::Refine => refine(stripes, bits, plane),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::jpeg2000::entropy::noise::Noise;

    #[test]
    fn whatever_the_bytes_are_there_are_as_many_coefficients_as_there_should_be() {
        let mut noise = Noise(1);
        for _ in 0..3000 {
            let size = [1 + noise.below(40), 1 + noise.below(40)]
                .map(|side| usize::try_from(side).unwrap());
            let planes = noise.below(PLANES_MAX + 1);
            let style = u8::try_from(noise.below(64)).unwrap();
            let orientations = [Orientation::Upright, Orientation::Across, Orientation::Diagonal];
            let orientation = orientations[usize::try_from(noise.below(3)).unwrap()];
            let bytes: Vec<u8> = (0..noise.below(400)).map(|_| noise.byte()).collect();
            let segment = |noise: &mut Noise| Segment {
                passes: 1 + noise.below(30),
                bytes: noise.below(200),
            };
            let segments: Vec<Segment> = (0..noise.below(5)).map(|_| segment(&mut noise)).collect();
            let block = CodeBlock { size, orientation, planes, style };
            let stripes = decode(block, segments.into_iter(), &bytes).unwrap();
            let rows: Vec<Vec<i32>> = stripes.rows().map(Iterator::collect).collect();
            assert_eq!((rows[0].len(), rows.len()), size.into());
            let most = rows.iter().flatten().map(|half| half.unsigned_abs()).max().unwrap();
            assert!(u64::from(most) < 2 << planes, "{most} in {planes} planes");
        }
    }

    #[test]
    fn what_has_no_passes_is_zero() {
        let block =
            CodeBlock { size: [5, 6], orientation: Orientation::Across, planes: 9, style: 0 };
        let stripes = decode(block, std::iter::empty(), &[1, 2, 3]).unwrap();
        assert!(stripes.rows().flatten().all(|half| half == 0));
    }
}
