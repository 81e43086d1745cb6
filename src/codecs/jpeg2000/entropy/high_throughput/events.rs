//! Whether quads without a neighbour have anything: runs of noes, whose lengths adapt (MEL).
//!
//! # Source
//! T.814, 7.1.3 and 7.3.3.

/// Bits of a run's length, by how long the runs before were.
const LENGTH_BITS: [u32; 13] = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5];

/// Bits of the longest codeword of a run.
const CODEWORD_BITS: u32 = 6;

/// Events of a stream of bytes.
#[derive(Debug)]
pub(super) struct Events<I> {
    bytes: I,
    /// The next bits, the first one highest.
    word: u64,
    /// How many of them there are.
    left: u32,
    /// Whether the last byte that was read is all ones.
    is_after_ones: bool,
    /// Which of [`LENGTH_BITS`].
    state: usize,
    /// Twice the noes that come before a yes, and one; or, where no yes comes behind them, twice their
    /// count less two. Below zero it is over.
    run: i32,
}

impl<I: Iterator<Item = u8>> Events<I> {
    /// Those of a stream; bytes of ones follow the last.
    pub(super) fn new(bytes: I) -> Self {
        let mut events = Self { bytes, word: 0, left: 0, is_after_ones: false, state: 0, run: 0 };
        events.read_run();
        events
    }

    /// The next event.
    #[inline]
    pub(super) fn next(&mut self) -> bool {
        self.run -= 2;
        let is_yes = self.run == -1;
        if self.run < 0 {
            self.read_run();
        }
        is_yes
    }

    /// Reads a run: a whole one, without a yes, or one that ends before.
    fn read_run(&mut self) {
        if self.left < CODEWORD_BITS {
            self.fill();
        }
        let bits = LENGTH_BITS.get(self.state).copied().unwrap_or_default();
        let is_whole = self.word >> 63 == 1;
        let noes = i32::try_from((self.word << 1 >> 1) >> (63 - bits)).unwrap_or(0);
        let len = if is_whole { 1 } else { 1 + bits };
        self.run = if is_whole { (2 << bits) - 2 } else { 2 * noes + 1 };
        let longer = (self.state + 1).min(LENGTH_BITS.len() - 1);
        self.state = if is_whole { longer } else { self.state.saturating_sub(1) };
        self.word <<= len;
        self.left -= len;
    }

    /// Reads bytes as long as there is room: after one of ones comes one of seven bits.
    fn fill(&mut self) {
        while self.left <= u64::BITS - 8 {
            let byte = self.bytes.next().unwrap_or(0xff);
            let count = 8 - u32::from(self.is_after_ones);
            let own = u64::from(byte) & ((1 << count) - 1);
            self.word |= own << (u64::BITS - count) >> self.left;
            self.left += count;
            self.is_after_ones = byte == 0xff;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_grow_with_each_that_is_whole_and_shrink_with_each_that_is_not() {
        // Whole runs of 1, 1, 1, 2; one that ends at once; a whole one of 2; one that ends after a no; one
        // that ends at once.
        let mut events = Events::new([0b1111_0010, 0b1000_0000].into_iter());
        let found: String = (0..11).map(|_| if events.next() { 'y' } else { 'n' }).collect();
        assert_eq!(found, "nnnnnynnnyy");
    }

    #[test]
    fn behind_the_last_byte_there_are_noes_alone() {
        let mut events = Events::new(std::iter::empty());
        assert!((0..10_000).all(|_| !events.next()));
    }

    #[test]
    fn after_a_byte_of_ones_comes_one_of_seven_bits() {
        // Whole runs of 1, 1, 1, 2, 2, 2, 4, 4; behind the stuffed bit one more of 4; one that ends at once.
        let mut events = Events::new([0xff, 0x40].into_iter());
        assert_eq!((0..30).position(|_| events.next()), Some(21));
    }
}
