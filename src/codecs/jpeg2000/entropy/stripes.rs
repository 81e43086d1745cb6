//! `Stripes`: the coefficients of a code-block while it is decoded, in stripes of four rows, and of each
//! column of a stripe what its passes ask for, in one word.
//!
//! A word's low half says which coefficients are significant: of six rows, from the one above the stripe
//! to the one below, three bits, from the left. Its high half has three bits a row too: whether the
//! coefficient is negative, whether the pass before visited it, whether it was refined. The bits of the
//! stripe's first row in both halves are those of [`VISITED`] and the like; each row below is
//! [`ROW_BITS`] higher.
//!
//! # Source
//! T.800, D.1.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::inline_always,
    reason = "columns are inside their rows, which have a border, numbers are smaller than\
              their types, and the innermost loops keep their state in registers"
)]

use crate::codecs::CodecError;
use crate::codecs::number::filled;

/// Rows of a stripe.
pub(super) const ROWS: usize = 4;
/// Bits from a row to the next.
pub(super) const ROW_BITS: u32 = 3;

/// Significance of the first row and of its neighbours.
const CENTRE: u64 = 1 << 4;
const LEFT: u64 = CENTRE >> 1;
const RIGHT: u64 = CENTRE << 1;
/// The four coefficients themselves.
pub(super) const CENTRES: u64 = CENTRE | CENTRE << 3 | CENTRE << 6 | CENTRE << 9;
/// All significances.
pub(super) const SIGNIFICANCES: u64 = (1 << 18) - 1;
/// From a centre to whether it was visited.
pub(super) const TO_VISITED: u32 = 32;
/// Whether the first row's coefficient was visited.
pub(super) const VISITED: u64 = CENTRE << TO_VISITED;
/// Whether the first row's coefficient was refined.
pub(super) const REFINED: u64 = VISITED << 1;
/// Whether the first row's coefficient is negative.
const NEGATIVE: u64 = VISITED >> 1;
/// The bit of a coefficient above those of its magnitude.
const SIGN_BIT: u32 = 31;

/// The state of a code-block.
#[derive(Debug)]
pub(in crate::codecs::jpeg2000) struct Stripes {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Words of `width + 2` columns, of a stripe more at either end than there are.
    words: Vec<u64>,
    /// Magnitudes in halves and above them the sign, four rows of a column after the other.
    coefficients: Vec<u32>,
}

/// Words of a stripe, with a border of one column at each side, those of its neighbours, and its
/// coefficients.
pub(super) struct Stripe<'a> {
    above: &'a mut [u64],
    pub(super) words: &'a mut [u64],
    below: &'a mut [u64],
    coefficients: &'a mut [u32],
    /// Centres of rows that there are.
    pub(super) rows: u64,
    /// Whether the stripe above may not know of this one.
    is_causal: bool,
}

impl Stripes {
    /// Coefficients that are all zero.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn new([width, height]: [usize; 2]) -> Result<Self, CodecError> {
        let stripes = height.div_ceil(ROWS);
        let word_count = (width + 2) * (stripes + 2);
        let words = filled(word_count, 0)?;
        let coefficients = filled(width * stripes * ROWS, 0)?;
        Ok(Self { width, height, words, coefficients })
    }

    /// Goes over the stripes from above.
    #[inline(always)]
    pub(super) fn for_each(&mut self, is_causal: bool, mut visit: impl FnMut(Stripe<'_>)) {
        let stride = self.width + 2;
        let mut words = &mut self.words[..];
        let mut row = 0;
        for coefficients in self.coefficients.chunks_exact_mut(self.width * ROWS) {
            let (above, rest) = words.split_at_mut(stride);
            let (own, below) = rest.split_at_mut(stride);
            let missing = (row + ROWS).saturating_sub(self.height);
            let rows = CENTRES & (CENTRES >> (ROW_BITS as usize * missing));
            let below = &mut below[..stride];
            visit(Stripe { above, words: own, below, coefficients, rows, is_causal });
            row += ROWS;
            words = &mut std::mem::take(&mut words)[stride..];
        }
    }

    /// The coefficients of each row: twice their magnitude, and their sign.
    pub(in crate::codecs::jpeg2000) fn rows(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = i32>> {
        (0..self.height).map(move |row| {
            let (stripe, within) = (row / ROWS, row % ROWS);
            let stripe = &self.coefficients[stripe * self.width * ROWS..][..self.width * ROWS];
            stripe.chunks_exact(ROWS).map(move |column| signed(column[within]))
        })
    }
}

/// A number of its magnitude and its sign.
pub(super) const fn signed(coefficient: u32) -> i32 {
    // Without a branch, so that processors do many at once: all ones where it is negative.
    let sign = coefficient.cast_signed() >> SIGN_BIT;
    ((coefficient & !(1 << SIGN_BIT)).cast_signed() ^ sign) - sign
}

impl Stripe<'_> {
    /// Whether all four rows are there.
    pub(super) fn is_whole(&self) -> bool {
        self.rows == CENTRES
    }

    /// The neighbours that a sign's context is made of, of the row so many bits below the first.
    #[inline(always)]
    pub(super) fn signs(&self, column: usize, word: u64, shift: u32) -> usize {
        let significances = word >> shift & 0b1010_1010;
        let above_and_below = word >> TO_VISITED >> shift & 0b100_0001;
        let left = (self.words[column - 1] & NEGATIVE << shift) >> (TO_VISITED + 1) >> shift;
        let right = (self.words[column + 1] & NEGATIVE << shift) << 1 >> TO_VISITED >> shift;
        (significances | above_and_below | left | right) as usize & 0xff
    }

    /// Makes a coefficient significant: `word` is its column's, which the caller keeps.
    #[inline(always)]
    pub(super) fn make_significant(
        &mut self,
        column: usize,
        word: &mut u64,
        shift: u32,
        (is_negative, magnitude): (u64, u32),
    ) {
        let own = CENTRE | (is_negative * NEGATIVE);
        *word |= own << shift;
        self.words[column - 1] |= RIGHT << shift;
        self.words[column + 1] |= LEFT << shift;
        let row = (shift / ROW_BITS) as usize;
        if row == 0 && !self.is_causal {
            // The row below a stripe is five rows under the one above it.
            let down = 4 * ROW_BITS;
            self.above[column - 1] |= RIGHT << down;
            self.above[column] |= own << down;
            self.above[column + 1] |= LEFT << down;
        }
        if row == ROWS - 1 {
            self.below[column - 1] |= RIGHT >> ROW_BITS;
            self.below[column] |= own >> ROW_BITS;
            self.below[column + 1] |= LEFT >> ROW_BITS;
        }
        let sign = (is_negative as u32) << SIGN_BIT;
        self.coefficients[(column - 1) * ROWS + row % ROWS] = magnitude | sign;
    }

    /// Adds a bit to a significant coefficient, below those that it has: `half` is what the bit after it
    /// is worth, in whose middle the rest is taken to be.
    #[inline(always)]
    pub(super) fn refine(&mut self, column: usize, shift: u32, bit: u64, half: u32) {
        let row = (shift / ROW_BITS) as usize;
        let coefficient = &mut self.coefficients[(column - 1) * ROWS + row % ROWS];
        *coefficient = coefficient.wrapping_add(bit as u32 * 2 * half).wrapping_sub(half);
    }
}
