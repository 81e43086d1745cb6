//! `Timeline`: when each stage of one request began and how long it took, over all threads that it passes
//! through. Kept only of requests that somebody wants to see: of the others it costs nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Stages kept of one request: a range of tiles has some for each of its tiles.
const STAGES_MAX: usize = 128;

/// One stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What was done.
    pub name: &'static str,
    /// When it began.
    pub started: Instant,
    /// How long it took.
    pub took: Duration,
}

/// The stages of one request. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Timeline(Option<Arc<Mutex<Vec<Stage>>>>);

impl Timeline {
    /// One that keeps what it is told, or one that does not.
    pub fn new(is_kept: bool) -> Self {
        Self(is_kept.then(Arc::default))
    }

    /// A stage is over.
    pub(super) fn note(&self, name: &'static str, started: Instant) {
        let Some(stages) = &self.0 else { return };
        let took = started.elapsed();
        let mut stages = stages.lock().unwrap_or_else(PoisonError::into_inner);
        if stages.len() < STAGES_MAX {
            stages.push(Stage { name, started, took });
        }
    }

    /// Does something that is a stage.
    pub(super) fn timed<T>(&self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        self.note(name, started);
        done
    }

    /// The stages so far, in the order in which they ended.
    pub fn stages(&self) -> Vec<Stage> {
        let Some(stages) = &self.0 else { return Vec::new() };
        stages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_kept_where_they_are_wanted_and_never_without_end() {
        let (kept, not_kept) = (Timeline::new(true), Timeline::default());
        for _ in 0..2 * STAGES_MAX {
            assert_eq!(kept.timed("plan", || 7), 7);
            not_kept.clone().note("plan", Instant::now());
        }
        assert_eq!((kept.stages().len(), not_kept.stages().len()), (STAGES_MAX, 0));
    }
}
