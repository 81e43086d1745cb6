//! Bytes of answers that clients have not taken yet: slow readers hold them in memory, whether the cache
//! has them too or not.

use std::sync::atomic::{AtomicU64, Ordering};

static UNSENT: AtomicU64 = AtomicU64::new(0);

/// What of one answer is still here; nothing of it once this is dropped.
#[derive(Debug)]
pub struct Unsent(u64);

impl Unsent {
    /// An answer of which nothing was sent.
    pub fn of(bytes: u64) -> Self {
        UNSENT.fetch_add(bytes, Ordering::Relaxed);
        Self(bytes)
    }

    /// So much of it was handed on.
    pub fn sent(&mut self, bytes: u64) {
        let sent = bytes.min(self.0);
        UNSENT.fetch_sub(sent, Ordering::Relaxed);
        self.0 -= sent;
    }
}

impl Drop for Unsent {
    fn drop(&mut self) {
        self.sent(u64::MAX);
    }
}

/// All of it.
pub(super) fn bytes() -> u64 {
    UNSENT.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_or_given_up_is_not_here_any_more() {
        // Larger than all that other tests of this process could send meanwhile.
        const MUCH: u64 = 1 << 50;
        let mut answer = Unsent::of(2 * MUCH);
        assert!(2 * MUCH <= bytes());
        answer.sent(MUCH);
        assert!((MUCH..2 * MUCH).contains(&bytes()));
        drop(answer);
        assert!(bytes() < MUCH);
    }
}
