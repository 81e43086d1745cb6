//! `Bytes`: big-endian numbers off the front of a slice, as boxes and marker segments hold them.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::malformed;

/// What is left of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
    /// The name of what it is, for errors.
    what: &'static str,
}

impl<'a> Bytes<'a> {
    pub(super) const fn of(what: &'static str, rest: &'a [u8]) -> Self {
        Self { rest, what }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    /// `Malformed` where there are fewer; so it is with the numbers.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], CodecError> {
        let short = || malformed(format!("{} is too short", self.what));
        let (taken, rest) = self.rest.split_at_checked(len).ok_or_else(short)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, CodecError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, CodecError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, CodecError> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CodecError> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number of one byte, or of two where `wide`.
    pub(super) fn u8_or_u16(&mut self, wide: bool) -> Result<u16, CodecError> {
        if wide { self.u16() } else { self.u8().map(u16::from) }
    }
}
