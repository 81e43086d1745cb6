//! `ArithmeticDecoder`: the MQ decoder. Its only branch is where bytes are read: whether the interval stays
//! large is as good as random, and a wrong guess costs more than all that might be left out.
//!
//! # Source
//! T.800, annex C.
#![expect(
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::inline_always,
    reason = "indices are masked to the size of their arrays, numbers are smaller than\
              their types, and what calls this keeps its state in registers"
)]

use std::hint::select_unpredictable;

use crate::codecs::jpeg2000::entropy::eight_bytes::has_zero;

/// How far an interval may shrink before it is doubled: 0.75 in the standard's terms.
const HALF: i64 = 0x8000 << SCALE;
/// Bits below the 16 that are compared: those that were read ahead.
const SCALE: u32 = 32;
/// There is room for another byte as long as no more bits than this were read ahead.
const AHEAD_MAX: i32 = 24;
/// Read ahead in the standard's terms: the first byte stands 15 bits above the others.
const AHEAD_FIRST: i32 = -15;

/// A context in one word: the probability of the less probable symbol, where intervals have it, and below
/// it twice the number of its state in [`STATES`], and one more where the more probable symbol is a one.
#[derive(Clone, Copy, Debug)]
struct Context(i64);

impl Context {
    const fn of(state: u8) -> Self {
        let (less_probable, ..) = STATES[state as usize >> 1 & 63];
        Self((less_probable as i64) << SCALE | state as i64)
    }

    #[inline(always)]
    const fn less_probable(self) -> i64 {
        self.0 & 0xffff << SCALE
    }

    #[inline(always)]
    const fn more_probable_symbol(self) -> u64 {
        self.0.cast_unsigned() & 1
    }
}

/// As many as a byte can name, so that no name is out of their range.
const CONTEXTS: usize = 256;
/// The context of runs of zeros.
pub(super) const RUN: u8 = 17;
/// The context of symbols that are as probable as others.
pub(super) const UNIFORM: u8 = 18;

/// The states of all contexts.
#[derive(Debug)]
pub(super) struct Contexts([Context; CONTEXTS]);

impl Contexts {
    /// As they are at the start of a code-block (table D.7).
    pub(super) const fn new() -> Self {
        let mut contexts = [Context::of(0); CONTEXTS];
        contexts[0] = Context::of(4 << 1);
        contexts[RUN as usize] = Context::of(3 << 1);
        contexts[UNIFORM as usize] = Context::of(46 << 1);
        Self(contexts)
    }
}

/// A codeword segment that is being decoded.
#[derive(Clone, Copy, Debug)]
pub(super) struct ArithmeticDecoder<'a> {
    input: Input<'a>,
    interval: i64,
    /// Of damaged data it may be more than the interval, and run over.
    code: i64,
    /// Bits that were read ahead.
    ahead: i32,
}

impl<'a> ArithmeticDecoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let Ahead { code, bits: ahead, input } = Input { bytes, last: 0 }.read(AHEAD_FIRST);
        Self { input, interval: HALF, code, ahead }
    }

    /// The next symbol.
    #[inline(always)]
    pub(super) fn decode(&mut self, contexts: &mut Contexts, context: u8) -> u64 {
        let context = &mut contexts.0[usize::from(context)];
        let less_probable = context.less_probable();
        let rest = self.interval - less_probable;
        let code = self.code.wrapping_sub(less_probable);
        // All ones where the code is in the lower part.
        let below = code >> (i64::BITS - 1);
        let small = (rest - less_probable) >> (i64::BITS - 1);
        let is_less_probable = (below ^ small) & 1;
        let symbol = context.more_probable_symbol() ^ is_less_probable.cast_unsigned();
        let interval = rest + ((less_probable - rest) & below);
        let shift = interval.leading_zeros() - HALF.leading_zeros();
        let next = NEXT[context.0 as usize % NEXT.len()][is_less_probable as usize];
        *context = select_unpredictable(shift == 0, *context, next);
        let mut more = 0;
        if self.ahead < shift.cast_signed() {
            let Ahead { code, bits, input } = self.input.read(self.ahead);
            (more, self.ahead, self.input) = (code, bits, input);
        }
        self.ahead -= shift.cast_signed();
        self.interval = interval << shift;
        self.code = code.wrapping_add(less_probable & below).wrapping_add(more) << shift;
        symbol
    }
}

/// Bytes that are still to come, and the one before them.
#[derive(Clone, Copy, Debug)]
struct Input<'a> {
    bytes: &'a [u8],
    last: u8,
}

/// What was read ahead.
struct Ahead<'a> {
    /// What it adds to the code.
    code: i64,
    /// Bits that are ahead now.
    bits: i32,
    /// What comes after it.
    input: Input<'a>,
}

impl<'a> Input<'a> {
    /// Reads as much as there is room for behind so many bits; ones follow the last byte. By value, so that
    /// who calls it keeps all else in registers.
    #[inline(never)]
    fn read(self, bits: i32) -> Ahead<'a> {
        self.read_plain(bits).unwrap_or_else(|| self.read_each(bits))
    }

    /// The same where eight bytes are left, and none of them is all ones.
    fn read_plain(self, bits: i32) -> Option<Ahead<'a>> {
        let word = u64::from_be_bytes(*self.bytes.first_chunk()?);
        if self.last == 0xff || has_zero(!word) {
            return None;
        }
        let own_bits = (AHEAD_MAX + 8 - bits) & !7;
        let own = word >> (u64::BITS.cast_signed() - own_bits);
        let bits = bits + own_bits;
        let input = Self { bytes: self.bytes.get(own_bits as usize / 8..)?, last: 0 };
        Some(Ahead { code: own.cast_signed() << (AHEAD_MAX + 8 - bits), bits, input })
    }

    /// The same byte by byte.
    fn read_each(self, mut bits: i32) -> Ahead<'a> {
        let Self { mut bytes, mut last } = self;
        let mut code = 0;
        while bits <= AHEAD_MAX {
            let (next, rest) =
                bytes.split_first().map_or((0xff, bytes), |(next, rest)| (*next, rest));
            if last == 0xff && 0x8f < next {
                code += 0xff << (AHEAD_MAX - bits);
                bits += 8;
                continue;
            }
            // After a byte of ones comes one of seven bits, whose highest is carried.
            let own_bits = 8 - i32::from(last == 0xff);
            code += i64::from(next) << (AHEAD_MAX + 8 - own_bits - bits);
            bits += own_bits;
            (last, bytes) = (next, rest);
        }
        Ahead { code, bits, input: Self { bytes, last } }
    }
}

/// The context after the more and after the less probable symbol.
static NEXT: [[Context; 2]; 128] = next();

const fn next() -> [[Context; 2]; 128] {
    let mut next = [[Context(0); 2]; 128];
    let mut at = 0;
    while at < next.len() {
        let (_, after_more, after_less) = STATES[at >> 1];
        let more_probable = (at & 1) as u8;
        next[at] =
            [Context::of(after_more | more_probable), Context::of(after_less ^ more_probable)];
        at += 1;
    }
    next
}

/// Table C.2: the probability of the less probable symbol, the state after the more probable one, twice,
/// and the state after the less probable one, twice, one more where the symbols change places.
const STATES: [(u16, u8, u8); 64] = states();

const fn states() -> [(u16, u8, u8); 64] {
    const TABLE: [(u16, u8, u8, u8); 47] = [
        (0x5601, 1, 1, 1),
        (0x3401, 2, 6, 0),
        (0x1801, 3, 9, 0),
        (0x0ac1, 4, 12, 0),
        (0x0521, 5, 29, 0),
        (0x0221, 38, 33, 0),
        (0x5601, 7, 6, 1),
        (0x5401, 8, 14, 0),
        (0x4801, 9, 14, 0),
        (0x3801, 10, 14, 0),
        (0x3001, 11, 17, 0),
        (0x2401, 12, 18, 0),
        (0x1c01, 13, 20, 0),
        (0x1601, 29, 21, 0),
        (0x5601, 15, 14, 1),
        (0x5401, 16, 14, 0),
        (0x5101, 17, 15, 0),
        (0x4801, 18, 16, 0),
        (0x3801, 19, 17, 0),
        (0x3401, 20, 18, 0),
        (0x3001, 21, 19, 0),
        (0x2801, 22, 19, 0),
        (0x2401, 23, 20, 0),
        (0x2201, 24, 21, 0),
        (0x1c01, 25, 22, 0),
        (0x1801, 26, 23, 0),
        (0x1601, 27, 24, 0),
        (0x1401, 28, 25, 0),
        (0x1201, 29, 26, 0),
        (0x1101, 30, 27, 0),
        (0x0ac1, 31, 28, 0),
        (0x09c1, 32, 29, 0),
        (0x08a1, 33, 30, 0),
        (0x0521, 34, 31, 0),
        (0x0441, 35, 32, 0),
        (0x02a1, 36, 33, 0),
        (0x0221, 37, 34, 0),
        (0x0141, 38, 35, 0),
        (0x0111, 39, 36, 0),
        (0x0085, 40, 37, 0),
        (0x0049, 41, 38, 0),
        (0x0025, 42, 39, 0),
        (0x0015, 43, 40, 0),
        (0x0009, 44, 41, 0),
        (0x0005, 45, 42, 0),
        (0x0001, 45, 43, 0),
        (0x5601, 46, 46, 0),
    ];
    let mut states = [(0x5601, 0, 0); 64];
    let mut at = 0;
    while at < TABLE.len() {
        let (less_probable, after_more, after_less, changes) = TABLE[at];
        states[at] = (less_probable, after_more << 1, after_less << 1 | changes);
        at += 1;
    }
    states
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The test sequence of T.88, H.2: coded bytes and what they say, of one context.
    #[test]
    fn the_standards_own_sequence_is_decoded() {
        const CODED: [u8; 30] = [
            0x84, 0xc7, 0x3b, 0xfc, 0xe1, 0xa1, 0x43, 0x04, 0x02, 0x20, 0x00, 0x00, 0x41, 0x0d,
            0xbb, 0x86, 0xf4, 0x31, 0x7f, 0xff, 0x88, 0xff, 0x37, 0x47, 0x1a, 0xdb, 0x6a, 0xdf,
            0xff, 0xac,
        ];
        const DECODED: [u8; 32] = [
            0x00, 0x02, 0x00, 0x51, 0x00, 0x00, 0x00, 0xc0, 0x03, 0x52, 0x87, 0x2a, 0xaa, 0xaa,
            0xaa, 0xaa, 0x82, 0xc0, 0x20, 0x00, 0xfc, 0xd7, 0x9e, 0xf6, 0xbf, 0x7f, 0xed, 0x90,
            0x4f, 0x46, 0xa3, 0xbf,
        ];
        let mut decoder = ArithmeticDecoder::new(&CODED);
        let mut contexts = Contexts::new();
        for (at, expected) in DECODED.into_iter().enumerate() {
            let byte = (0..8).fold(0, |byte, _| byte << 1 | decoder.decode(&mut contexts, 1));
            assert_eq!(byte, u64::from(expected), "byte {at}");
        }
    }
}
