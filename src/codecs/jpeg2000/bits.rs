//! Bits of packet headers, the highest of a byte first. After a byte of ones comes a bit that is zero, so
//! that no marker occurs (T.800, B.10.1).

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::malformed;

/// Bytes one after the other, wherever they are.
pub(super) trait ByteSource {
    /// The next byte.
    ///
    /// # Errors
    /// `Malformed` at the end; `Io`.
    fn next_byte(&mut self) -> Result<u8, CodecError>;
}

/// Bytes in memory.
impl ByteSource for &[u8] {
    fn next_byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) =
            self.split_first().ok_or_else(|| malformed("a packet's header breaks off"))?;
        *self = rest;
        Ok(*first)
    }
}

/// Bits of one packet's header.
#[derive(Debug)]
pub(super) struct BitReader<'a, S> {
    source: &'a mut S,
    byte: u8,
    /// Bits of `byte` that are still to come.
    left: u8,
}

impl<'a, S: ByteSource> BitReader<'a, S> {
    pub(super) const fn new(source: &'a mut S) -> Self {
        Self { source, byte: 0, left: 0 }
    }

    pub(super) fn bit(&mut self) -> Result<bool, CodecError> {
        if self.left == 0 {
            self.left = if self.byte == 0xff { 7 } else { 8 };
            self.byte = self.source.next_byte()?;
        }
        self.left -= 1;
        Ok(self.byte >> self.left & 1 == 1)
    }

    /// A number of `count` bits, at most 32.
    pub(super) fn number(&mut self, count: u32) -> Result<u32, CodecError> {
        let mut number = 0;
        for _ in 0..count {
            number = number << 1 | u32::from(self.bit()?);
        }
        Ok(number)
    }

    /// Ones before the next zero.
    pub(super) fn ones(&mut self, count_max: u32) -> Result<u32, CodecError> {
        let mut count = 0;
        while self.bit()? {
            count += 1;
            if count_max < count {
                return Err(malformed("a packet's header counts too far"));
            }
        }
        Ok(count)
    }

    /// Goes on to where the header ends.
    pub(super) fn finish(self) -> Result<(), CodecError> {
        if self.byte == 0xff { self.source.next_byte().map(drop) } else { Ok(()) }
    }
}

/// The same the other way round.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    byte: u8,
    /// Bits of `byte` that are taken, the bit after a byte of ones among them.
    taken: u8,
}

impl BitWriter {
    pub(super) fn bit(&mut self, bit: bool) {
        self.byte = self.byte << 1 | u8::from(bit);
        self.taken += 1;
        if self.taken == 8 {
            self.bytes.push(self.byte);
            self.taken = u8::from(self.byte == 0xff);
            self.byte = 0;
        }
    }

    /// The lowest `count` bits of a number.
    pub(super) fn number(&mut self, number: u32, count: u32) {
        for at in (0..count).rev() {
            self.bit(number.checked_shr(at).unwrap_or(0) & 1 == 1);
        }
    }

    /// So many ones, and a zero.
    pub(super) fn ones(&mut self, count: u32) {
        for _ in 0..count {
            self.bit(true);
        }
        self.bit(false);
    }

    /// All bytes, the last one filled with zeros, never one of ones.
    pub(super) fn finish(mut self) -> Vec<u8> {
        while self.taken != 0 {
            self.bit(false);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_read_as_they_were_written_and_no_marker_occurs() {
        let mut writer = BitWriter::default();
        let numbers = [(0x1ff, 9), (0, 3), (0xffff_ffff, 32), (5, 7), (0xff, 8), (1, 1)];
        for (number, count) in numbers {
            writer.number(number, count);
            writer.ones(3);
        }
        let bytes = writer.finish();
        assert!(!bytes.windows(2).any(|pair| pair[0] == 0xff && 0x8f < pair[1]), "{bytes:x?}");
        let mut source = &bytes[..];
        let mut reader = BitReader::new(&mut source);
        for (number, count) in numbers {
            assert_eq!(reader.number(count).unwrap(), number);
            assert_eq!(reader.ones(3).unwrap(), 3);
        }
        reader.finish().unwrap();
        assert!(source.is_empty());
    }

    #[test]
    fn a_header_that_ends_with_ones_has_one_more_byte() {
        let mut writer = BitWriter::default();
        writer.number(0xff, 8);
        assert_eq!(writer.finish(), [0xff, 0]);
        let mut source = &[0xff, 0, 9][..];
        let mut reader = BitReader::new(&mut source);
        assert_eq!(reader.number(8).unwrap(), 0xff);
        reader.finish().unwrap();
        assert_eq!(source, [9]);
    }

    #[test]
    fn what_breaks_off_or_counts_without_end_is_malformed() {
        let mut source = &[0xff][..];
        let mut reader = BitReader::new(&mut source);
        reader.ones(100).unwrap_err();
        let mut source = &[0xff, 0x7f, 0xff, 0x7f][..];
        BitReader::new(&mut source).ones(10).unwrap_err();
    }
}
