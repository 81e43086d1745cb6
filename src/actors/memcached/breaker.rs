//! `Breaker`: whether a server is worth asking. It opens after failures in a row, and whoever it tells so
//! looks after the server until it answers again; no request is spent on finding out.

use std::time::Duration;

/// Failures in a row, without one answer between them, after which a server is left alone: one lost
/// packet or one pause of its machine is not enough.
pub(super) const FAILURES_MAX: u32 = 3;

/// The first pause before a server that is left alone is looked at again.
const PAUSE_MIN: Duration = Duration::from_millis(100);

/// The longest such pause: how late the return of a server may be noticed.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The state of one server, as those who asked it found it.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    is_open: bool,
}

impl Breaker {
    /// Whether the server is left alone.
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// The server failed; whether that opens the breaker, so that somebody has to look after it.
    pub(super) const fn failed(&mut self) -> bool {
        self.failures = self.failures.saturating_add(1);
        let opens = !self.is_open && FAILURES_MAX <= self.failures;
        self.is_open |= opens;
        opens
    }

    /// The server answered somebody who asked it before the breaker opened: one answer does not close it.
    pub(super) const fn answered(&mut self) {
        if !self.is_open {
            self.failures = 0;
        }
    }

    /// The server is well again.
    pub(super) const fn close(&mut self) {
        self.failures = 0;
        self.is_open = false;
    }
}

/// Pauses between looks at a server that is left alone, each twice as long as the one before.
pub(super) fn pauses() -> impl Iterator<Item = Duration> {
    std::iter::successors(Some(PAUSE_MIN), |pause| Some((*pause * 2).min(PAUSE_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_once_after_failures_in_a_row_and_stays_open_until_it_is_closed() {
        let mut breaker = Breaker::default();
        for _ in 0..2 {
            assert!(!breaker.failed());
            assert!(!breaker.failed());
            breaker.answered();
        }
        assert!(!breaker.failed() && !breaker.failed() && !breaker.is_open());
        assert!(breaker.failed() && breaker.is_open());
        assert!(!breaker.failed(), "somebody looks after it already");
        breaker.answered();
        assert!(breaker.is_open());
        breaker.close();
        assert!(!breaker.is_open() && !breaker.failed());
    }

    #[test]
    fn pauses_grow_up_to_a_bound() {
        let first: Vec<u128> = pauses().take(8).map(|pause| pause.as_millis()).collect();
        assert_eq!(first, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    }
}
