//! `Admission`: how many bytes of pixels may be in work at once, over all requests. What could never
//! fit is told so; what does not fit now waits for its turn, up to a deadline and a number of waiters.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use crate::metrics;

/// The unit of accounting: one permit is so many bytes.
const GRAIN_BYTES: u64 = 4096;

/// Requests that may wait for room at once; more are refused at once.
const WAITERS_MAX: usize = 256;

/// Why a request was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdmissionError {
    /// More than the whole budget.
    #[error("the request needs {bytes} bytes of pixels in work; {bytes_max} are allowed")]
    TooLarge {
        /// What it needs.
        bytes: u64,
        /// What there is in all.
        bytes_max: u64,
    },
    /// No room until the deadline, or too many wait for it.
    #[error("no room for the request now")]
    NoRoom,
}

/// The budget.
#[derive(Debug)]
pub struct Admission {
    room: Arc<Semaphore>,
    grains_max: u32,
    waiters: AtomicUsize,
}

impl Admission {
    /// A budget of so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        let grains_max = u32::try_from(bytes_max / GRAIN_BYTES).unwrap_or(u32::MAX).max(1);
        let grains = usize::try_from(grains_max).unwrap_or(Semaphore::MAX_PERMITS);
        let room = Arc::new(Semaphore::new(grains.min(Semaphore::MAX_PERMITS)));
        Self { room, grains_max, waiters: AtomicUsize::new(0) }
    }

    /// Takes room for `bytes`; given back when the permit is dropped.
    ///
    /// # Errors
    /// Too large for ever, or no room until `deadline`.
    pub async fn admit(
        &self,
        bytes: u64,
        deadline: Instant,
    ) -> Result<OwnedSemaphorePermit, AdmissionError> {
        let grains = u32::try_from(bytes.div_ceil(GRAIN_BYTES)).unwrap_or(u32::MAX);
        if self.grains_max < grains {
            let bytes_max = u64::from(self.grains_max) * GRAIN_BYTES;
            return Err(AdmissionError::TooLarge { bytes, bytes_max });
        }
        let room = Arc::clone(&self.room);
        if let Ok(permit) = Arc::clone(&room).try_acquire_many_owned(grains) {
            return Ok(permit);
        }
        let Some(_waiter) = self.wait() else {
            metrics::shed("admission_waiters");
            return Err(AdmissionError::NoRoom);
        };
        let permit = timeout_at(deadline.into(), room.acquire_many_owned(grains)).await;
        permit.ok().and_then(Result::ok).ok_or_else(|| {
            metrics::shed("admission_deadline");
            AdmissionError::NoRoom
        })
    }

    /// Bytes in work.
    pub fn bytes_in_use(&self) -> u64 {
        let free = u64::try_from(self.room.available_permits()).unwrap_or(u64::MAX);
        u64::from(self.grains_max).saturating_sub(free) * GRAIN_BYTES
    }

    fn wait(&self) -> Option<Waiter<'_>> {
        let waiter = Waiter(&self.waiters);
        (self.waiters.fetch_add(1, Ordering::Relaxed) < WAITERS_MAX).then_some(waiter)
    }
}

struct Waiter<'a>(&'a AtomicUsize);

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[test]
    fn what_never_fits_is_told_so_and_what_fits_later_waits() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let admission = Admission::new(1 << 20);
            let far = Instant::now() + Duration::from_mins(1);
            let error = admission.admit(2 << 20, far).await.unwrap_err();
            assert_eq!(error, AdmissionError::TooLarge { bytes: 2 << 20, bytes_max: 1 << 20 });

            let first = admission.admit(700_000, far).await.unwrap();
            assert!(700_000 <= admission.bytes_in_use());
            let late = admission.admit(700_000, Instant::now()).await;
            assert_eq!(late.unwrap_err(), AdmissionError::NoRoom);
            let waiting = admission.admit(700_000, far);
            tokio::pin!(waiting);
            timeout(Duration::from_millis(5), &mut waiting).await.unwrap_err();
            drop(first);
            drop(waiting.await.unwrap());
            assert_eq!(admission.bytes_in_use(), 0);
        });
    }
}
