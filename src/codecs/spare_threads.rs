//! `SpareThreads`: threads that have nothing else to do, for what can be decoded in parts.

use std::fmt::Debug;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use crate::codecs::CodecError;

/// Says how many threads may help. Who takes some gives them back.
pub trait SpareThreads: Debug + Send + Sync {
    /// Takes at most so many.
    fn take(&self, most: usize) -> usize;

    /// Gives so many back.
    fn give_back(&self, count: usize);
}

/// There are none.
#[derive(Clone, Copy, Debug)]
pub struct NoneSpare;

impl SpareThreads for NoneSpare {
    fn take(&self, _: usize) -> usize {
        0
    }

    fn give_back(&self, _: usize) {}
}

/// Threads that were taken.
struct Taken {
    spare: Arc<dyn SpareThreads>,
    count: usize,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.spare.give_back(self.count);
    }
}

/// Does each part, those that are at hand one after the other; with as many threads as are spare, and have
/// `parts_a_thread` to do at least. Results come in any order.
///
/// # Errors
/// Those of `work`.
///
/// # Panics
/// Where `work` does, here or in a helper.
pub(crate) fn each_part<P: Sync, R: Send>(
    spare: &Arc<dyn SpareThreads>,
    parts: &[P],
    parts_a_thread: usize,
    work: impl Fn(&P) -> Result<R, CodecError> + Sync,
) -> Result<Vec<R>, CodecError> {
    let most = (parts.len() / parts_a_thread.max(1)).saturating_sub(1);
    // What has but one thread's worth of work must not ask.
    let count = if most == 0 { 0 } else { spare.take(most) };
    let taken = Taken { spare: Arc::clone(spare), count };
    let next = AtomicUsize::new(0);
    let share = || {
        let part = || parts.get(next.fetch_add(1, Ordering::Relaxed));
        std::iter::from_fn(part).map(&work).collect::<Result<Vec<_>, _>>()
    };
    thread::scope(|scope| {
        let helper =
            |_| thread::Builder::new().name("helper".to_owned()).spawn_scoped(scope, share);
        // Where no thread can be started, this one does it all.
        let helpers: Vec<_> = (0..taken.count).map_while(|at| helper(at).ok()).collect();
        let own = share();
        // All of them, or the scope panics for those that did.
        let others: Vec<_> = helpers.into_iter().map(ScopedJoinHandle::join).collect();
        let mut done = own?;
        for other in others {
            // Whoever catches panics of this thread catches those of its helpers.
            done.extend(other.unwrap_or_else(|payload| resume_unwind(payload))?);
        }
        Ok(done)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Barrier;

    use super::*;

    /// So many, and those that are taken.
    #[derive(Debug)]
    struct Counted {
        count: usize,
        taken: AtomicUsize,
    }

    impl SpareThreads for Counted {
        fn take(&self, most: usize) -> usize {
            let count = self.count.min(most);
            self.taken.fetch_add(count, Ordering::Relaxed);
            count
        }

        fn give_back(&self, count: usize) {
            self.taken.fetch_sub(count, Ordering::Relaxed);
        }
    }

    fn some(count: usize) -> (Arc<Counted>, Arc<dyn SpareThreads>) {
        let some = Arc::new(Counted { count, taken: AtomicUsize::new(0) });
        (Arc::clone(&some), some)
    }

    #[test]
    fn every_part_is_done_once_by_as_many_threads_as_were_spare() {
        for (count, parts, expected) in [(0, 8, 1), (2, 8, 3), (2, 4, 2), (9, 8, 4), (9, 1, 1)] {
            let (threads, spare) = some(count);
            let parts: Vec<usize> = (0..parts).collect();
            // Each thread waits for all others at its first part.
            let barrier = Barrier::new(expected);
            let seen = std::sync::Mutex::new(BTreeSet::new());
            let done = each_part(&spare, &parts, 2, |part| {
                let is_first = seen.lock().unwrap().insert(format!("{:?}", thread::current().id()));
                if is_first {
                    barrier.wait();
                }
                Ok(*part)
            });
            let mut done = done.unwrap();
            done.sort_unstable();
            assert_eq!(done, parts);
            assert_eq!(seen.into_inner().unwrap().len(), expected, "{count} for {}", parts.len());
            assert_eq!(threads.taken.load(Ordering::Relaxed), 0);
        }
    }

    #[test]
    fn a_failure_anywhere_is_the_result_and_gives_the_threads_back() {
        let (threads, spare) = some(3);
        let parts: Vec<usize> = (0..64).collect();
        let failed = each_part(&spare, &parts, 1, |part| match part {
            40 => Err(CodecError::malformed("test", "part 40")),
            part => Ok(*part),
        });
        assert!(failed.unwrap_err().to_string().contains("part 40"));
        // All four meet at their first part, so that three are helpers.
        let barrier = Barrier::new(4);
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            each_part(&spare, &parts[..4], 1, |part| {
                barrier.wait();
                assert_ne!(thread::current().name(), Some("helper"));
                Ok(*part)
            })
        }));
        panicked.unwrap_err();
        assert_eq!(threads.taken.load(Ordering::Relaxed), 0);
    }
}
