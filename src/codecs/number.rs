//! Numbers between types, where the compiler cannot see that they fit.

use crate::codecs::CodecError;

/// A pixel count as an index; 32 bits always fit on the 64-bit targets that this server runs on.
pub(crate) fn usize_of(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or(usize::MAX)
}

/// A byte count as an index; one that does not fit is past every allocation.
pub(crate) fn usize_of_bytes(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// A length in memory as a byte count.
pub(crate) fn u64_of(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// A buffer of `len` zeros, or an error instead of an abort where memory is short.
///
/// # Errors
/// `Io` with [`std::io::ErrorKind::OutOfMemory`].
pub(crate) fn zeroed(len: usize) -> Result<Vec<u8>, CodecError> {
    filled(len, 0)
}

/// A buffer of `count` times one value, or an error instead of an abort where memory is short.
///
/// # Errors
/// `Io` with [`std::io::ErrorKind::OutOfMemory`].
pub(crate) fn filled<T: Clone>(count: usize, value: T) -> Result<Vec<T>, CodecError> {
    let mut buffer = reserved_for(count)?;
    buffer.resize(count, value);
    Ok(buffer)
}

/// An empty buffer with room for `len` bytes, or an error instead of an abort.
///
/// # Errors
/// `Io` with [`std::io::ErrorKind::OutOfMemory`].
pub(crate) fn reserved(len: usize) -> Result<Vec<u8>, CodecError> {
    reserved_for(len)
}

/// An empty buffer with room for `count` values of any type, or an error instead of an abort.
///
/// # Errors
/// `Io` with [`std::io::ErrorKind::OutOfMemory`].
pub(crate) fn reserved_for<T>(count: usize) -> Result<Vec<T>, CodecError> {
    let mut buffer = Vec::new();
    buffer
        .try_reserve_exact(count)
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::OutOfMemory, error))?;
    Ok(buffer)
}
