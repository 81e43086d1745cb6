//! `SharedMemory`: memory that two processes write and read by position, as a file without a name. Its
//! length is sealed, so that neither can take it from under the other. One is made for each request and
//! gone behind it: nothing of one image is left for the next.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileExt as _;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

/// Memory of a fixed length, all 0 until somebody writes it; what nobody writes takes no room.
#[derive(Debug)]
pub struct SharedMemory(File);

impl SharedMemory {
    /// So many bytes.
    ///
    /// # Errors
    /// Where descriptors are short.
    pub fn new(bytes: u64) -> io::Result<Self> {
        let memory = memfd_create("tessera", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        let memory = File::from(memory);
        memory.set_len(bytes)?;
        fcntl_add_seals(&memory, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok(Self(memory))
    }

    /// A copy of these bytes.
    ///
    /// # Errors
    /// Where descriptors or memory are short.
    pub fn holding(bytes: &[u8]) -> io::Result<Self> {
        let memory = Self::new(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        memory.0.write_all_at(bytes, 0)?;
        Ok(memory)
    }

    /// Copies what is written from `offset_bytes` on.
    ///
    /// # Errors
    /// Where it is shorter.
    pub fn read(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        self.0.read_exact_at(buffer, offset_bytes)
    }
}

impl AsFd for SharedMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_length_is_nobodys_to_change() {
        let memory = SharedMemory::holding(b"abcd").unwrap();
        let theirs = File::from(memory.as_fd().try_clone_to_owned().unwrap());
        theirs.set_len(0).unwrap_err();
        theirs.set_len(1 << 30).unwrap_err();
        theirs.write_all_at(b"xy", 4).unwrap_err();
        theirs.write_all_at(b"X", 1).unwrap();
        let mut read = [0; 3];
        memory.read(&mut read, 1).unwrap();
        assert_eq!(read, *b"Xcd");
        memory.read(&mut read, 2).unwrap_err();
    }
}
