//! `Header`: marker segments of one header, read from a source as far as they are looked at.

use crate::codecs::CodecError;
use crate::codecs::flat::read_error;
use crate::codecs::jpeg2000::{JPEG_2000, malformed};
use crate::codecs::number::{u64_of, usize_of_bytes, zeroed};
use crate::model::ReadAt;

/// Bytes that are read first; most headers of tile-parts end within them.
const FIRST_BYTES: u64 = 512;

/// Bytes of a header: of a main one, nearly all are lengths of tile-parts, of others those of packets; or
/// headers of packets, where those stand apart.
const HEADER_BYTES_MAX: u64 = 16 << 20;

/// A header from some place on.
#[derive(Debug)]
pub(super) struct Header<'a> {
    source: &'a dyn ReadAt,
    /// Where it begins, and before where it ends.
    start: u64,
    end: u64,
    bytes: Vec<u8>,
    position: usize,
}

impl<'a> Header<'a> {
    pub(super) const fn new(source: &'a dyn ReadAt, start: u64, end: u64) -> Self {
        Self { source, start, end, bytes: Vec::new(), position: 0 }
    }

    /// Where the next byte is in the source.
    pub(super) fn offset(&self) -> u64 {
        self.start + u64_of(self.position)
    }

    /// The next marker.
    ///
    /// # Errors
    /// `Malformed` where there is none; `OverLimit`; `Io`.
    pub(super) fn marker(&mut self) -> Result<u16, CodecError> {
        let bytes = self.take(2)?;
        let marker = bytes.iter().fold(0, |number, byte| number << 8 | u16::from(*byte));
        if marker < 0xff01 {
            return Err(malformed(format!("{marker:#06x} where a marker should be")));
        }
        Ok(marker)
    }

    /// The segment behind a marker, without its length.
    ///
    /// # Errors
    /// As [`Header::marker`].
    pub(super) fn segment(&mut self) -> Result<&[u8], CodecError> {
        let len = self.take(2)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        let len = len.checked_sub(2).ok_or_else(|| malformed("a segment without a length"))?;
        self.take(len)
    }

    fn take(&mut self, len: usize) -> Result<&[u8], CodecError> {
        let end = self.position + len;
        if self.bytes.len() < end {
            self.read_to(u64_of(end))?;
        }
        let taken = self.bytes.get(self.position..end);
        self.position = end;
        taken.ok_or_else(|| malformed("a header breaks off"))
    }

    /// Reads so many bytes of the header, and as many again as were read already.
    fn read_to(&mut self, len: u64) -> Result<(), CodecError> {
        if HEADER_BYTES_MAX < len {
            let what = "bytes of a JPEG 2000 header";
            return Err(CodecError::OverLimit { what, value: len, limit: HEADER_BYTES_MAX });
        }
        let known = u64_of(self.bytes.len());
        let there = self.end.min(self.source.len_bytes()).saturating_sub(self.start);
        let wanted = len.max(2 * known).max(FIRST_BYTES).min(there);
        if wanted < len {
            return Err(malformed("a header breaks off"));
        }
        let mut more = zeroed(usize_of_bytes(wanted - known))?;
        self.source
            .read_exact_at(&mut more, self.start + known)
            .map_err(|error| read_error(JPEG_2000, error))?;
        self.bytes.append(&mut more);
        Ok(())
    }
}
