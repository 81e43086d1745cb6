//! The three passes over a plane of bits.
//!
//! # Source
//! T.800, D.3 and D.4.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::inline_always,
    clippy::cast_possible_truncation,
    reason = "columns are inside their rows, other indices and numbers are masked, and loops keep\
              the decoder's state in registers"
)]

use crate::codecs::jpeg2000::entropy::arithmetic::{ArithmeticDecoder, Contexts, RUN, UNIFORM};
use crate::codecs::jpeg2000::entropy::contexts::{Neighbours, REFINEMENT, SIGNS, TURNED};
use crate::codecs::jpeg2000::entropy::raw_bits::RawBits;
use crate::codecs::jpeg2000::entropy::stripes::{
    CENTRES, REFINED, SIGNIFICANCES, Stripe, Stripes, TO_VISITED, VISITED,
};

/// Neighbours of a coefficient without itself.
const NEIGHBOURS: u64 = 0b1_1110_1111;
/// Bits below the centre of the first row.
const TO_CENTRE: u32 = 4;
/// Whether they were visited, of all four rows.
const ALL_VISITED: u64 = CENTRES << TO_VISITED;

/// Where symbols come from.
pub(super) trait Symbols {
    /// The next symbol, 0 or 1, of a context.
    fn symbol(&mut self, context: u8) -> u64;

    /// Whether the next sign is negative, given what [`SIGNS`] says of its neighbours.
    fn sign(&mut self, context: u8) -> u64;
}

/// Symbols that were coded by their contexts.
#[derive(Debug)]
pub(super) struct Coded<'a, 'c> {
    pub(super) decoder: ArithmeticDecoder<'a>,
    pub(super) contexts: &'c mut Contexts,
}

impl Symbols for Coded<'_, '_> {
    #[inline(always)]
    fn symbol(&mut self, context: u8) -> u64 {
        self.decoder.decode(self.contexts, context)
    }

    #[inline(always)]
    fn sign(&mut self, context: u8) -> u64 {
        self.symbol(context & !TURNED) ^ u64::from(context / TURNED)
    }
}

impl Symbols for RawBits<'_> {
    #[inline(always)]
    fn symbol(&mut self, _: u8) -> u64 {
        self.bit()
    }

    #[inline(always)]
    fn sign(&mut self, _: u8) -> u64 {
        self.bit()
    }
}

/// What all passes over a plane know.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane {
    /// What a bit of the next plane is worth, in halves.
    pub(super) half: u32,
    pub(super) significance: &'static Neighbours,
    pub(super) is_causal: bool,
}

impl Plane {
    /// A coefficient of which no more than its highest bit is known.
    const fn magnitude(&self) -> u32 {
        3 * self.half
    }
}

/// Decodes coefficients that are not significant, but have a neighbour that is.
#[inline(always)]
pub(super) fn propagate<S: Symbols>(stripes: &mut Stripes, mut symbols: S, plane: Plane) -> S {
    stripes.for_each(plane.is_causal, |mut stripe| {
        for column in 1..stripe.words.len() - 1 {
            let mut word = stripe.words[column];
            if word & SIGNIFICANCES == 0 {
                continue;
            }
            let mut left = beside_significant(word) & stripe.rows;
            if left == 0 {
                continue;
            }
            while left != 0 {
                let shift = take_first(&mut left);
                word |= VISITED << shift;
                if decide(&mut stripe, &mut symbols, (column, &mut word, shift), plane) {
                    // Rows below have a significant neighbour now.
                    left = beside_significant(word) & stripe.rows & (!0 << (shift + TO_CENTRE + 1));
                }
            }
            stripe.words[column] = word;
        }
    });
    symbols
}

/// Takes the uppermost of the centres that are left: how far below the first row it is.
#[inline(always)]
const fn take_first(left: &mut u64) -> u32 {
    let shift = left.trailing_zeros() - TO_CENTRE;
    *left &= *left - 1;
    shift
}

/// Centres of coefficients that are not significant, but have a neighbour that is.
#[inline(always)]
const fn beside_significant(word: u64) -> u64 {
    // At each centre: whether there is one in its row.
    let in_row = word >> 1 | word | word << 1;
    (in_row >> 3 | in_row | in_row << 3) & !word & CENTRES
}

/// Decodes whether a coefficient becomes significant, and makes it so.
#[inline(always)]
fn decide(
    stripe: &mut Stripe<'_>,
    symbols: &mut impl Symbols,
    (column, word, shift): (usize, &mut u64, u32),
    plane: Plane,
) -> bool {
    let context = plane.significance[(*word >> shift) as usize % 512];
    let is_significant = symbols.symbol(context) != 0;
    if is_significant {
        become_significant(stripe, symbols, (column, word, shift), plane);
    }
    is_significant
}

#[inline(always)]
fn become_significant(
    stripe: &mut Stripe<'_>,
    symbols: &mut impl Symbols,
    (column, word, shift): (usize, &mut u64, u32),
    plane: Plane,
) {
    let sign = symbols.sign(SIGNS[stripe.signs(column, *word, shift) % 256]);
    stripe.make_significant(column, word, shift, (sign, plane.magnitude()));
}

/// Refines coefficients that became significant in earlier planes.
#[inline(always)]
pub(super) fn refine<S: Symbols>(stripes: &mut Stripes, mut symbols: S, plane: Plane) -> S {
    stripes.for_each(plane.is_causal, |mut stripe| {
        for column in 1..stripe.words.len() - 1 {
            let mut word = stripe.words[column];
            let mut left = word & CENTRES & !(word >> TO_VISITED);
            if left == 0 {
                continue;
            }
            while left != 0 {
                let shift = take_first(&mut left);
                let context = if word & REFINED << shift != 0 {
                    REFINEMENT + 2
                } else {
                    REFINEMENT + u8::from(word >> shift & NEIGHBOURS != 0)
                };
                let bit = symbols.symbol(context);
                stripe.refine(column, shift, bit, plane.half);
                word |= REFINED << shift;
            }
            stripe.words[column] = word;
        }
    });
    symbols
}

/// Decodes what the other two left, and forgets what was visited.
#[inline(always)]
pub(super) fn clean_up<S: Symbols>(stripes: &mut Stripes, mut symbols: S, plane: Plane) -> S {
    stripes.for_each(plane.is_causal, |mut stripe| {
        for column in 1..stripe.words.len() - 1 {
            let mut word = stripe.words[column];
            let mut left = !(word | word >> TO_VISITED) & stripe.rows;
            if word & (SIGNIFICANCES | ALL_VISITED) == 0 && stripe.is_whole() {
                if symbols.symbol(RUN) == 0 {
                    continue;
                }
                let run = symbols.symbol(UNIFORM) << 1 | symbols.symbol(UNIFORM);
                let shift = 3 * run as u32;
                become_significant(&mut stripe, &mut symbols, (column, &mut word, shift), plane);
                left &= !0 << (shift + TO_CENTRE + 1);
            }
            while left != 0 {
                let shift = take_first(&mut left);
                decide(&mut stripe, &mut symbols, (column, &mut word, shift), plane);
            }
            stripe.words[column] = word & !ALL_VISITED;
        }
    });
    symbols
}
