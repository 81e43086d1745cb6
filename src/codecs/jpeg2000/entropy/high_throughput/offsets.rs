//! How far the exponents of two quads are above what their neighbours say (U-VLC): prefixes of both, then
//! suffixes of both.
//!
//! # Source
//! T.814, 7.3.6. Its extension is for more planes of bits than are decoded here: without it their
//! exponents are refused all the same, because a suffix that it follows is above every limit.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the table is made by the compiler, which checks each step, its places have six bits, and \
              suffixes five"
)]

/// Which quads of a pair have an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Neither.
    None,
    /// The first alone.
    First,
    /// The second alone.
    Second,
    /// Both.
    Both,
    /// Both, in the first row: one prefix is short where the other is long.
    BothInFirstRow,
    /// Both, in the first row, and both are above two.
    BothAboveTwo,
}

/// Bits of two prefixes.
const PREFIXES_BITS: u32 = 6;

/// What two prefixes say.
#[derive(Clone, Copy)]
struct Prefixes {
    /// Bits of both.
    bits: u8,
    /// Bits of each suffix.
    suffixes: [u8; 2],
    /// What suffixes are added to.
    bases: [u8; 2],
}

const NOTHING: Prefixes = Prefixes { bits: 0, suffixes: [0; 2], bases: [0; 2] };

/// By kind and next bits.
static PREFIXES: [[Prefixes; 1 << PREFIXES_BITS]; 6] = [
    prefixes_of(Kind::None),
    prefixes_of(Kind::First),
    prefixes_of(Kind::Second),
    prefixes_of(Kind::Both),
    prefixes_of(Kind::BothInFirstRow),
    prefixes_of(Kind::BothAboveTwo),
];

const fn prefixes_of(kind: Kind) -> [Prefixes; 1 << PREFIXES_BITS] {
    let mut all = [NOTHING; 1 << PREFIXES_BITS];
    let mut bits = 0;
    while bits < all.len() {
        all[bits] = prefixes(kind, bits);
        bits += 1;
    }
    all
}

const fn prefixes(kind: Kind, bits: usize) -> Prefixes {
    let (len, suffix, base) = prefix(bits);
    match kind {
        Kind::None => NOTHING,
        Kind::First => Prefixes { bits: len, suffixes: [suffix, 0], bases: [base, 0] },
        Kind::Second => Prefixes { bits: len, suffixes: [0, suffix], bases: [0, base] },
        Kind::BothInFirstRow if 2 < base => {
            let other = 1 + (bits >> len & 1) as u8;
            Prefixes { bits: len + 1, suffixes: [suffix, 0], bases: [base, other] }
        }
        Kind::Both | Kind::BothInFirstRow | Kind::BothAboveTwo => {
            let (other_len, other_suffix, other) = prefix(bits >> len);
            let above = if matches!(kind, Kind::BothAboveTwo) { 2 } else { 0 };
            Prefixes {
                bits: len + other_len,
                suffixes: [suffix, other_suffix],
                bases: [base + above, other + above],
            }
        }
    }
}

/// A prefix: its bits, those of its suffix, and what that is added to (table 3).
const fn prefix(bits: usize) -> (u8, u8, u8) {
    match bits.trailing_zeros() {
        0 => (1, 0, 1),
        1 => (2, 0, 2),
        2 => (3, 1, 3),
        _ => (3, 5, 5),
    }
}

/// The offsets of two quads at the head of a stream, and how many bits they took.
#[inline]
pub(super) fn offsets(kind: Kind, bits: u64) -> ([u8; 2], u8) {
    let prefixes = &PREFIXES[kind as usize][(bits & ((1 << PREFIXES_BITS) - 1)) as usize];
    let [first, second] = prefixes.suffixes;
    let suffix = |bits: u64, count: u8| (bits & ((1 << count) - 1)) as u8;
    let bits = bits >> prefixes.bits;
    let suffixes = [suffix(bits, first), suffix(bits >> first, second)];
    let [one, other] = prefixes.bases;
    ([one + suffixes[0], other + suffixes[1]], prefixes.bits + first + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_a_prefix_and_a_suffix_of_each() {
        for (kind, bits, expected, len) in [
            (Kind::None, "111", [0, 0], 0),
            (Kind::First, "1", [1, 0], 1),
            (Kind::First, "01", [2, 0], 2),
            (Kind::First, "0010", [3, 0], 4),
            (Kind::First, "0011", [4, 0], 4),
            (Kind::First, "00000000", [5, 0], 8),
            (Kind::Second, "00011111", [0, 36], 8),
            (Kind::Second, "00010000", [0, 6], 8),
            (Kind::Both, "011", [2, 1], 3),
            // Prefixes of both, then suffixes of both.
            (Kind::Both, "001001101", [4, 3], 8),
            (Kind::Both, "0010001010000", [4, 7], 12),
            (Kind::BothInFirstRow, "0101", [2, 2], 4),
            // One bit is all that the other has.
            (Kind::BothInFirstRow, "00101", [4, 1], 5),
            (Kind::BothInFirstRow, "000110000", [6, 2], 9),
            (Kind::BothAboveTwo, "11", [3, 3], 2),
            (Kind::BothAboveTwo, "0010001", [6, 7], 12),
        ] {
            let number = |text: &str| u64::from_str_radix(text, 2).unwrap();
            let reversed: String = bits.chars().rev().collect();
            let found = offsets(kind, number(&reversed));
            assert_eq!(found, (expected, len), "{kind:?} {bits}");
        }
    }
}
