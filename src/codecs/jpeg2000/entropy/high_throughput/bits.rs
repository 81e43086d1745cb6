//! The bit streams of a code-block, freed of stuffed bits at once: what comes after that looks at the next
//! bits, whatever their count, with a single load.
//!
//! # Source
//! T.814, 7.1.2, 7.1.4 and 7.1.5.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::entropy::eight_bytes::{EACH, has_zero};
use crate::codecs::number::{reserved_for, usize_of};

/// Bits that [`Bits::peek`] gives at least.
pub(super) const PEEKED_BITS: u32 = 57;
const WORD_BYTES: usize = 8;

/// Bits in the order in which they are taken, the first one lowest, and what follows the last.
#[derive(Debug)]
pub(super) struct Bits {
    bytes: Vec<u8>,
    /// Bits that were taken.
    taken: usize,
    after: u64,
}

impl Bits {
    /// A stream that is read from its first byte to its last: after a byte of ones comes one of seven
    /// bits. `after` follows the last, without end.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn forwards(bytes: &[u8], after: u64) -> Result<Self, CodecError> {
        let mut gathered = Gathered::new(bytes.len(), 0)?;
        let (words, rest) = bytes.as_chunks();
        for word in words {
            gathered.word::<Forwards>(u64::from_le_bytes(*word));
        }
        for byte in rest {
            gathered.byte::<Forwards>(*byte);
        }
        Ok(gathered.finish(after))
    }

    /// A stream that is read from its last byte to its first: after a byte above 0x8f, one whose low
    /// bits are all ones has seven bits. `previous` is what stands behind the last; zeros follow the first.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn backwards(bytes: &[u8], previous: u8) -> Result<Self, CodecError> {
        let mut gathered = Gathered::new(bytes.len(), previous)?;
        gathered.backwards(bytes);
        Ok(gathered.finish(0))
    }

    /// The same of a stream that shares its last byte, of which only the high half is its own.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn backwards_from_half(bytes: &[u8]) -> Result<Self, CodecError> {
        let (last, bytes) = bytes.split_last().map_or((0, bytes), |(last, rest)| (*last, rest));
        let mut gathered = Gathered::new(bytes.len(), last | 0x0f)?;
        let half = last >> 4;
        let count = if half & 7 == 7 { 3 } else { 4 };
        gathered.push(u64::from(half & ((1 << count) - 1)), count);
        gathered.backwards(bytes);
        Ok(gathered.finish(0))
    }

    /// The next bits, [`PEEKED_BITS`] of them and sometimes more.
    #[inline]
    pub(super) fn peek(&self) -> u64 {
        let word = self.bytes.get(self.taken / 8..).and_then(<[u8]>::first_chunk);
        word.map_or(self.after, |word| u64::from_le_bytes(*word)) >> (self.taken % 8)
    }

    /// Takes bits that were looked at.
    #[inline]
    pub(super) fn skip(&mut self, count: u32) {
        self.taken += usize_of(count);
    }
}

/// Where bits are stuffed.
trait Stuffing {
    /// Whether a byte has seven bits behind another.
    fn is_short(previous: u8, byte: u8) -> bool;

    /// Whether no byte of eight has: true is certain, false may be wrong.
    fn is_plain(previous: u8, word: u64) -> bool;
}

struct Forwards;

impl Stuffing for Forwards {
    fn is_short(previous: u8, _: u8) -> bool {
        previous == 0xff
    }

    fn is_plain(previous: u8, word: u64) -> bool {
        previous != 0xff && !has_zero(!word)
    }
}

struct Backwards;

impl Stuffing for Backwards {
    fn is_short(previous: u8, byte: u8) -> bool {
        0x8f < previous && byte & 0x7f == 0x7f
    }

    fn is_plain(_: u8, word: u64) -> bool {
        !has_zero(!word & (EACH * 0x7f))
    }
}

/// Bits that are put together.
struct Gathered {
    bytes: Vec<u8>,
    /// The last ones, fewer than a word has.
    bits: u64,
    count: u32,
    /// The byte that was read last.
    previous: u8,
}

impl Gathered {
    fn new(len: usize, previous: u8) -> Result<Self, CodecError> {
        Ok(Self { bytes: reserved_for(len + 3 * WORD_BYTES)?, bits: 0, count: 0, previous })
    }

    /// Adds bits, at most a word of them.
    fn push(&mut self, bits: u64, count: u32) {
        self.bits |= bits << self.count;
        let total = self.count + count;
        if total < u64::BITS {
            self.count = total;
        } else {
            self.bytes.extend_from_slice(&self.bits.to_le_bytes());
            self.bits = bits.checked_shr(u64::BITS - self.count).unwrap_or(0);
            self.count = total - u64::BITS;
        }
    }

    /// Adds a byte behind the one before.
    fn byte<S: Stuffing>(&mut self, byte: u8) {
        if S::is_short(self.previous, byte) {
            self.push(u64::from(byte & 0x7f), 7);
        } else {
            self.push(u64::from(byte), 8);
        }
        self.previous = byte;
    }

    /// Adds eight bytes, the lowest first.
    fn word<S: Stuffing>(&mut self, word: u64) {
        let bytes = word.to_le_bytes();
        if S::is_plain(self.previous, word) {
            self.push(word, u64::BITS);
            [.., self.previous] = bytes;
        } else {
            for byte in bytes {
                self.byte::<S>(byte);
            }
        }
    }

    fn backwards(&mut self, bytes: &[u8]) {
        let (rest, words) = bytes.as_rchunks();
        for word in words.iter().rev() {
            self.word::<Backwards>(u64::from_be_bytes(*word));
        }
        for byte in rest.iter().rev() {
            self.byte::<Backwards>(*byte);
        }
    }

    fn finish(mut self, after: u64) -> Bits {
        // The first word ends what was begun, the second is there to be looked at behind it.
        let room = u64::BITS - self.count;
        self.push(after.checked_shr(self.count).unwrap_or(0), room);
        self.bytes.extend_from_slice(&after.to_le_bytes());
        Bits { bytes: self.bytes, taken: 0, after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes bits one by one.
    fn taken(mut bits: Bits, count: usize) -> String {
        let mut bit = || {
            let bit = bits.peek() & 1;
            bits.skip(1);
            if bit == 1 { '1' } else { '0' }
        };
        (0..count).map(|_| bit()).collect()
    }

    /// Bytes as they are taken: the bit that is taken first stands first.
    fn written(bytes: &[(u8, usize)]) -> String {
        let bits = |(byte, count): &(u8, usize)| {
            (0..*count).map(|at| if byte >> at & 1 == 1 { '1' } else { '0' }).collect::<String>()
        };
        bytes.iter().map(bits).collect()
    }

    #[test]
    fn after_ones_comes_a_byte_of_seven_bits() {
        for (bytes, expected) in [
            (&[0x12, 0x34][..], &[(0x12, 8), (0x34, 8)][..]),
            (&[0xff, 0x7f, 0x80], &[(0xff, 8), (0x7f, 7), (0x80, 8)]),
            (
                &[1, 2, 3, 4, 5, 6, 7, 0xff, 0x55, 9, 10, 11, 12, 13, 14, 15, 0xff, 0x01],
                &[
                    (1, 8),
                    (2, 8),
                    (3, 8),
                    (4, 8),
                    (5, 8),
                    (6, 8),
                    (7, 8),
                    (0xff, 8),
                    (0x55, 7),
                    (9, 8),
                    (10, 8),
                    (11, 8),
                    (12, 8),
                    (13, 8),
                    (14, 8),
                    (15, 8),
                    (0xff, 8),
                    (1, 7),
                ],
            ),
        ] {
            let expected = written(expected);
            for (after, fill) in [(0, "0"), (u64::MAX, "1")] {
                let bits = Bits::forwards(bytes, after).unwrap();
                let expected = format!("{expected}{}", fill.repeat(300));
                assert_eq!(taken(bits, expected.len()), expected, "{bytes:?}");
            }
        }
    }

    #[test]
    fn backwards_a_byte_of_ones_behind_a_high_one_has_seven_bits() {
        for (bytes, previous, expected) in [
            (&[0x34, 0x12][..], 0, &[(0x12, 8), (0x34, 8)][..]),
            (&[0x7f], 0xff, &[(0x7f, 7)]),
            (&[0x7f], 0x8f, &[(0x7f, 8)]),
            (&[0x7f, 0x90, 0x7f], 0, &[(0x7f, 8), (0x90, 8), (0x7f, 7)]),
            (
                &[1, 0x7f, 0xa0, 3, 4, 5, 6, 7, 8],
                0,
                &[(8, 8), (7, 8), (6, 8), (5, 8), (4, 8), (3, 8), (0xa0, 8), (0x7f, 7), (1, 8)],
            ),
        ] {
            let bits = Bits::backwards(bytes, previous).unwrap();
            let expected = format!("{}{}", written(expected), "0".repeat(300));
            assert_eq!(taken(bits, expected.len()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn of_half_a_byte_the_high_bits_are_taken() {
        for (bytes, expected) in [
            (&[0x34, 0x5a][..], &[(5, 4), (0x34, 8)][..]),
            (&[0x7f, 0x9a], &[(9, 4), (0x7f, 7)]),
            (&[0x34, 0x7a], &[(7, 3), (0x34, 8)]),
            (&[0x7f, 0xfa], &[(7, 3), (0x7f, 7)]),
            (&[], &[]),
        ] {
            let bits = Bits::backwards_from_half(bytes).unwrap();
            let expected = format!("{}{}", written(expected), "0".repeat(100));
            assert_eq!(taken(bits, expected.len()), expected, "{bytes:?}");
        }
    }
}
