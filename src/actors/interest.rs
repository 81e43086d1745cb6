//! Who still waits. A client that goes drops its [`Asker`]; work asks its [`Interest`] before it starts
//! and between tiles.

use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Held by one who waits, for as long as he waits.
#[derive(Debug)]
pub struct Asker(Arc<()>);

impl Asker {
    /// Somebody who waits.
    #[expect(clippy::new_without_default, reason = "an asker is somebody, not a default")]
    pub fn new() -> Self {
        Self(Arc::new(()))
    }
}

/// Everybody who waits for one piece of work. Clones share it.
#[derive(Clone, Debug)]
pub struct Interest(Arc<Mutex<Vec<Weak<()>>>>);

impl Interest {
    /// The interest of one.
    pub fn of(asker: &Asker) -> Self {
        Self(Arc::new(Mutex::new(vec![Arc::downgrade(&asker.0)])))
    }

    /// One more waits; `false` where everybody before had gone, so that the work may be given up by now.
    pub fn join(&self, other: &Self) -> bool {
        let joining = other.lock().clone();
        let mut waiting = self.lock();
        let was_alive = waiting.iter().any(|asker| asker.strong_count() != 0);
        if was_alive {
            waiting.retain(|asker| asker.strong_count() != 0);
            waiting.extend(joining);
        }
        was_alive
    }

    /// Whether nobody waits any more.
    pub fn is_gone(&self) -> bool {
        !self.lock().iter().any(|asker| asker.strong_count() != 0)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Weak<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_wanted_while_one_of_its_askers_waits() {
        let (first, second) = (Asker::new(), Asker::new());
        let interest = Interest::of(&first);
        assert!(interest.join(&Interest::of(&second)));
        drop(first);
        assert!(!interest.is_gone());
        drop(second);
        assert!(interest.is_gone());
    }

    #[test]
    fn nobody_joins_work_that_was_given_up() {
        let interest = Interest::of(&Asker::new());
        let late = Asker::new();
        assert!(!interest.join(&Interest::of(&late)));
        assert!(interest.is_gone());
    }
}
