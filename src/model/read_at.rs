//! `ReadAt`: bytes at an offset. No cursor and no lock, so that many tiles of one image are read at once.

use std::fmt::Debug;
use std::io;
use std::os::fd::BorrowedFd;

/// A source of bytes that is read by position. Sources implement it, codecs read through it.
pub trait ReadAt: Debug + Send + Sync {
    /// Length in bytes when the source was opened.
    fn len_bytes(&self) -> u64;

    /// Fills `buffer` from `offset_bytes` on.
    ///
    /// # Errors
    /// `UnexpectedEof` where the source ends first; whatever the system reports otherwise.
    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()>;

    /// The open file that the bytes are those of, for another process to read; nothing where they are no
    /// file's. Its cursor is everybody's: it is read by position, as here.
    fn file(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl ReadAt for Vec<u8> {
    fn len_bytes(&self) -> u64 {
        u64::try_from(self.len()).unwrap_or(u64::MAX)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        let part = usize::try_from(offset_bytes)
            .ok()
            .and_then(|start| Some(start..start.checked_add(buffer.len())?))
            .and_then(|range| self.get(range))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        Ok(())
    }
}
