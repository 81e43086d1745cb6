//! `Stretch`: the bytes between two places of a source, one after the other, read ahead in pieces or there
//! already; and the headers of packets off its front.

use std::borrow::Cow;

use crate::codecs::CodecError;
use crate::codecs::flat::read_error;
use crate::codecs::jpeg2000::bits::ByteSource;
use crate::codecs::jpeg2000::coding::TileStyle;
use crate::codecs::jpeg2000::packet_header::Precinct;
use crate::codecs::jpeg2000::{JPEG_2000, malformed};
use crate::codecs::number::{u64_of, usize_of_bytes, zeroed};
use crate::model::ReadAt;

/// Before a packet where its tile says that it may be: marker and length.
const START_OF_PACKET: [u8; 4] = [0xff, 0x91, 0, 4];
/// Bytes of it, a count too.
const START_OF_PACKET_BYTES: u64 = 6;
/// After a packet's header.
const END_OF_PACKET_HEADER: [u8; 2] = [0xff, 0x92];

/// Bytes that are read ahead: the headers of some hundred packets of precincts, or a part of one of a
/// large tile's.
const AHEAD_BYTES: usize = 32 << 10;

/// What is left of a stretch.
#[derive(Debug)]
pub(super) struct Stretch<'a> {
    source: &'a dyn ReadAt,
    position: u64,
    end: u64,
    buffer: Cow<'a, [u8]>,
    buffer_start: u64,
}

impl<'a> Stretch<'a> {
    /// Bytes that are read when they are asked for, as far as the source has them.
    pub(super) fn new(source: &'a dyn ReadAt, start: u64, end: u64) -> Self {
        let end = end.min(source.len_bytes());
        Self { source, position: start, end, buffer: Cow::default(), buffer_start: start }
    }

    /// Bytes that are there already, and begin at `start` of the source.
    pub(super) fn at_hand(source: &'a dyn ReadAt, start: u64, bytes: &'a [u8]) -> Self {
        let end = start.saturating_add(u64_of(bytes.len()));
        Self { source, position: start, end, buffer: Cow::Borrowed(bytes), buffer_start: start }
    }

    /// Where the next byte is in the source.
    pub(super) const fn position(&self) -> u64 {
        self.position
    }

    /// Whether there is no byte left.
    pub(super) const fn is_over(&self) -> bool {
        self.end <= self.position
    }

    /// Reads the header of a precinct's packet with the markers around it, here or where headers stand
    /// apart, and checks that its body is there, which comes next: its bytes.
    ///
    /// # Errors
    /// As [`Precinct::read`].
    pub(super) fn packet_header(
        &mut self,
        precinct: &mut Precinct,
        (style, layer): (TileStyle, u16),
        apart: Option<&mut &[u8]>,
    ) -> Result<u64, CodecError> {
        if style.starts_marked && self.next_are(&START_OF_PACKET)? {
            self.skip(START_OF_PACKET_BYTES)?;
        }
        let body_bytes = if let Some(headers) = apart {
            let body_bytes = precinct.read(headers, layer)?;
            let marked = headers.strip_prefix(&END_OF_PACKET_HEADER);
            *headers = marked.filter(|_| style.ends_marked).unwrap_or(headers);
            body_bytes
        } else {
            let body_bytes = precinct.read(self, layer)?;
            if style.ends_marked && self.next_are(&END_OF_PACKET_HEADER)? {
                self.skip(u64_of(END_OF_PACKET_HEADER.len()))?;
            }
            body_bytes
        };
        if self.end.saturating_sub(self.position) < body_bytes {
            return Err(malformed("a packet breaks off"));
        }
        Ok(body_bytes)
    }

    /// Leaves bytes out.
    ///
    /// # Errors
    /// `Malformed` where there are fewer.
    pub(super) fn skip(&mut self, len: u64) -> Result<(), CodecError> {
        let position = self.position.saturating_add(len);
        if self.end < position {
            return Err(malformed("a packet breaks off"));
        }
        self.position = position;
        Ok(())
    }

    /// Whether these bytes come next.
    fn next_are(&mut self, expected: &[u8]) -> Result<bool, CodecError> {
        let position = self.position;
        let mut are_next = true;
        for byte in expected {
            are_next = are_next && !self.is_over() && self.next_byte()? == *byte;
        }
        self.position = position;
        Ok(are_next)
    }

    fn fill(&mut self) -> Result<(), CodecError> {
        let len = usize_of_bytes(self.end - self.position).min(AHEAD_BYTES);
        let mut buffer = zeroed(len)?;
        self.source
            .read_exact_at(&mut buffer, self.position)
            .map_err(|error| read_error(JPEG_2000, error))?;
        (self.buffer, self.buffer_start) = (Cow::Owned(buffer), self.position);
        Ok(())
    }

    fn buffered(&self) -> Option<u8> {
        let at = self.position.checked_sub(self.buffer_start)?;
        self.buffer.get(usize_of_bytes(at)).copied()
    }
}

impl ByteSource for Stretch<'_> {
    fn next_byte(&mut self) -> Result<u8, CodecError> {
        if self.is_over() {
            return Err(malformed("a packet's header breaks off"));
        }
        if self.buffered().is_none() {
            self.fill()?;
        }
        let byte = self.buffered().ok_or_else(|| malformed("a packet's header breaks off"))?;
        self.position += 1;
        Ok(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_one_after_the_other_wherever_they_are() {
        let source: Vec<u8> =
            (0..AHEAD_BYTES * 2).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let end = u64_of(source.len());
        for mut stretch in
            [Stretch::new(&source, 7, end + 9), Stretch::at_hand(&source, 7, &source[7..])]
        {
            assert_eq!(stretch.next_byte().unwrap(), 7);
            assert!(stretch.next_are(&[8, 9]).unwrap() && !stretch.next_are(&[8, 8]).unwrap());
            stretch.skip(end - 10).unwrap();
            assert!(
                !stretch
                    .next_are(&[source[source.len() - 2], source[source.len() - 1], 1])
                    .unwrap()
            );
            assert_eq!(stretch.position(), end - 2);
            stretch.skip(3).unwrap_err();
            stretch.skip(2).unwrap();
            assert!(stretch.is_over());
            stretch.next_byte().unwrap_err();
        }
    }
}
