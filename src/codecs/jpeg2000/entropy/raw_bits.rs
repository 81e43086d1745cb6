//! Bits that passes hold as they are, where the arithmetic coder is left out.
//!
//! # Source
//! T.800, D.6.

/// A codeword segment of bits. After a byte of ones comes one of seven bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawBits<'a> {
    bytes: &'a [u8],
    byte: u8,
    /// Bits of `byte` that are still to come.
    left: u32,
}

impl<'a> RawBits<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, byte: 0, left: 0 }
    }

    /// The next bit; ones follow the last.
    #[inline]
    pub(super) fn bit(&mut self) -> u64 {
        if self.left == 0 {
            let is_after_ones = self.byte == 0xff;
            let (next, rest) =
                self.bytes.split_first().map_or((0xff, self.bytes), |(next, rest)| (*next, rest));
            (self.byte, self.bytes) = (next, rest);
            self.left = 8 - u32::from(is_after_ones);
        }
        self.left -= 1;
        u64::from(self.byte >> self.left & 1)
    }
}
