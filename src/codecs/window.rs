//! A cursor over a source that is read by position, with some reading ahead: libraries ask for
//! two bytes at a time.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::codecs::number::{u64_of, usize_of_bytes};
use crate::model::ReadAt;

/// Bytes read ahead: most files keep a directory and its short values within this.
const AHEAD_BYTES: u64 = 16 << 10;

/// Windows begin at multiples of this: values often lie just before their directory.
const ALIGN_BYTES: u64 = 4 << 10;

/// `Read` and `Seek` over a [`ReadAt`].
#[derive(Debug)]
pub(super) struct Window {
    source: Arc<dyn ReadAt>,
    position: u64,
    ahead: Vec<u8>,
    /// Where `ahead` begins in the source.
    ahead_start: u64,
}

impl Window {
    /// A cursor at the start of a source.
    pub(super) fn new(source: Arc<dyn ReadAt>) -> Self {
        Self { source, position: 0, ahead: Vec::new(), ahead_start: 0 }
    }

    /// What is read ahead from the cursor on.
    fn at_hand(&self) -> &[u8] {
        let skipped = self.position.checked_sub(self.ahead_start).map(usize_of_bytes);
        skipped.and_then(|skipped| self.ahead.get(skipped..)).unwrap_or_default()
    }

    fn read_ahead(&mut self) -> io::Result<()> {
        let start = self.position - self.position % ALIGN_BYTES;
        let len = self.source.len_bytes().saturating_sub(start).min(AHEAD_BYTES);
        // Nothing at hand while the read may fail.
        self.ahead.clear();
        let mut ahead = std::mem::take(&mut self.ahead);
        ahead.resize(usize_of_bytes(len), 0);
        self.source.read_exact_at(&mut ahead, start)?;
        (self.ahead, self.ahead_start) = (ahead, start);
        Ok(())
    }
}

impl Read for Window {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let left = usize_of_bytes(self.source.len_bytes().saturating_sub(self.position));
        let wanted = target.len().min(left);
        let Some(target) = target.get_mut(..wanted).filter(|target| !target.is_empty()) else {
            return Ok(0);
        };
        let len = if self.at_hand().is_empty() && AHEAD_BYTES <= u64_of(wanted) {
            self.source.read_exact_at(target, self.position)?;
            wanted
        } else {
            if self.at_hand().is_empty() {
                self.read_ahead()?;
            }
            self.at_hand().read(target)?
        };
        self.position = self.position.saturating_add(u64_of(len));
        Ok(len)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.source.len_bytes().checked_add_signed(offset),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: usize) -> Vec<u8> {
        (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect()
    }

    #[test]
    fn any_mixture_of_seeks_and_reads_gives_the_source() {
        let bytes = numbers(50_000);
        let mut window = Window::new(Arc::new(bytes.clone()));
        for (start, len) in
            [(0, 2), (2, 40_000), (8_190, 5), (49_999, 1), (16_383, 3), (100, 16_384)]
        {
            window.seek(SeekFrom::Start(u64_of(start))).unwrap();
            let mut target = vec![0; len];
            window.read_exact(&mut target).unwrap();
            assert_eq!(target, bytes[start..start + len], "{start}+{len}");
            assert_eq!(window.stream_position().unwrap(), u64_of(start + len));
        }
    }

    #[test]
    fn reading_past_the_end_gives_nothing() {
        let mut window = Window::new(Arc::new(numbers(10)));
        window.seek(SeekFrom::Start(u64::MAX)).unwrap();
        assert_eq!(window.read(&mut [0; 4]).unwrap(), 0);
        window.seek(SeekFrom::End(-3)).unwrap();
        assert_eq!(window.read(&mut [0; 9]).unwrap(), 3);
        window.seek(SeekFrom::Current(i64::MIN)).unwrap_err();
    }
}
