//! What the next bits say of a quad: its context and seven bits together are looked up at once.
//!
//! # Source
//! T.814, 7.3.5.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "tables are made by the compiler, which checks each step, and their places have ten bits"
)]

use crate::codecs::jpeg2000::entropy::high_throughput::codewords::{FIRST_ROW, OTHER_ROWS};

/// Bits of the longest codeword.
const CODEWORD_BITS: u32 = 7;
/// Bits of a codeword and its context.
const PLACE_BITS: u32 = CODEWORD_BITS + 3;

/// What a codeword says of a quad, as [`FIRST_ROW`] has it. Coefficients are counted column by column: upper
/// left, lower left, upper right, lower right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code(u16);

impl Code {
    /// Bits of its codeword.
    pub(super) const fn len(self) -> u8 {
        (self.0 & 7) as u8
    }

    /// Whether an offset to what the neighbours' exponents say follows.
    pub(super) const fn has_offset(self) -> bool {
        self.0 & 8 != 0
    }

    /// A bit a coefficient: those that are not zero.
    pub(super) const fn significant(self) -> u8 {
        (self.0 >> 4 & 15) as u8
    }

    /// A bit a coefficient: what the highest bits are that are known.
    pub(super) const fn highest(self) -> u8 {
        (self.0 >> 8 & 15) as u8
    }

    /// A bit a coefficient: those whose highest bit is known.
    pub(super) const fn known(self) -> u8 {
        (self.0 >> 12) as u8
    }
}

/// Codes by context and next bits.
#[derive(Debug)]
pub(super) struct Lookup([Code; 1 << PLACE_BITS]);

/// For the first row of quads.
pub(super) static IN_FIRST_ROW: Lookup = Lookup::of(&FIRST_ROW);
/// For all other rows.
pub(super) static IN_OTHER_ROWS: Lookup = Lookup::of(&OTHER_ROWS);

impl Lookup {
    const fn of(rows: &[u32]) -> Self {
        let mut codes = [Code(0); 1 << PLACE_BITS];
        let mut at = 0;
        while at < rows.len() {
            let code = Code((rows[at] >> PLACE_BITS) as u16);
            let mut place = (rows[at] & ((1 << PLACE_BITS) - 1)) as usize;
            // Whatever follows a codeword that is shorter.
            let step = 1 << code.len();
            let mut left = 1 << (CODEWORD_BITS - code.len() as u32);
            while 0 < left {
                codes[place] = code;
                place += step;
                left -= 1;
            }
            at += 1;
        }
        Self(codes)
    }

    /// The code of a context, of three bits, at the head of a stream.
    #[inline]
    pub(super) fn code(&self, context: u8, bits: u64) -> Code {
        let place = usize::from(context & 7) << CODEWORD_BITS | (bits & 0x7f) as usize;
        self.0[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_bits_are_they_begin_with_one_codeword_of_each_context() {
        for (rows, lookup) in [(&FIRST_ROW[..], &IN_FIRST_ROW), (&OTHER_ROWS, &IN_OTHER_ROWS)] {
            for context in 0..8 {
                for bits in 0..128 {
                    let begins = |row: &&u32| {
                        let mask = (1 << (**row >> PLACE_BITS & 7)) - 1;
                        **row >> CODEWORD_BITS & 7 == context && (**row ^ bits) & mask == 0
                    };
                    let found: Vec<&u32> = rows.iter().filter(begins).collect();
                    assert_eq!(found.len(), 1, "{bits:#b} in {context}");
                    let code = lookup.code(context as u8, bits.into());
                    assert_eq!(u32::from(code.0), found[0] >> PLACE_BITS);
                }
            }
        }
    }

    #[test]
    fn known_bits_are_those_of_coefficients_that_are_there_and_only_where_an_offset_is() {
        for code in IN_FIRST_ROW.0.iter().chain(&IN_OTHER_ROWS.0) {
            assert_eq!(code.known() & !code.significant(), 0, "{code:?}");
            assert_eq!(code.highest() & !code.known(), 0, "{code:?}");
            assert!(code.has_offset() || code.known() == 0, "{code:?}");
            assert!((1..=7).contains(&code.len()), "{code:?}");
        }
    }
}
