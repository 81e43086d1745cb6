//! `Troubles`: images that could not be shown of late, and why. A broken image that a viewer shows fails
//! fifty times a second; the log has it once an hour, with how often it failed since.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Images remembered at once; of more, the one that failed longest ago is forgotten.
const IMAGES_MAX: usize = 256;

/// How long one line in the log stands for all failures of an image.
const QUIET: Duration = Duration::from_hours(1);

/// What became of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Its name.
    pub image: String,
    /// Why it failed last, with all causes.
    pub reason: String,
    /// Failures since it was first remembered.
    pub failures: u64,
    /// When it failed last.
    pub last: Instant,
}

#[derive(Debug)]
struct Entry {
    reason: String,
    failures: u64,
    last: Instant,
    logged: Instant,
    unlogged: u64,
}

/// The images. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Troubles(Arc<Mutex<HashMap<String, Entry>>>);

impl Troubles {
    /// Notes a failure; how many were not logged before it, if it is to be logged.
    pub(super) fn note(&self, image: &str, reason: &str, now: Instant) -> Option<u64> {
        let mut entries = self.lock();
        if let Some(entry) = entries.get_mut(image) {
            entry.failures += 1;
            entry.last = now;
            let is_new = entry.reason != reason;
            if !is_new && now.saturating_duration_since(entry.logged) < QUIET {
                entry.unlogged += 1;
                return None;
            }
            reason.clone_into(&mut entry.reason);
            entry.logged = now;
            return Some(std::mem::take(&mut entry.unlogged));
        }
        if IMAGES_MAX <= entries.len() {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.last);
            let oldest = oldest.map(|(image, _)| image.clone());
            oldest.and_then(|image| entries.remove(&image));
        }
        let reason = reason.to_owned();
        let entry = Entry { reason, failures: 1, last: now, logged: now, unlogged: 0 };
        entries.insert(image.to_owned(), entry);
        Some(0)
    }

    /// Those that failed within the last hour, the last one first.
    pub fn recent(&self, now: Instant) -> Vec<Trouble> {
        let mut entries = self.lock();
        entries.retain(|_, entry| now.saturating_duration_since(entry.last) < QUIET);
        let mut recent: Vec<Trouble> = entries
            .iter()
            .map(|(image, entry)| Trouble {
                image: image.clone(),
                reason: entry.reason.clone(),
                failures: entry.failures,
                last: entry.last,
            })
            .collect();
        recent.sort_by_key(|trouble| std::cmp::Reverse(trouble.last));
        recent
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_logged_once_an_hour_and_again_when_it_fails_otherwise() {
        let (troubles, start) = (Troubles::default(), Instant::now());
        assert_eq!(troubles.note("a", "cut", start), Some(0));
        for _ in 0..9 {
            assert_eq!(troubles.note("a", "cut", start), None);
        }
        assert_eq!(troubles.note("b", "cut", start), Some(0), "another image");
        assert_eq!(troubles.note("a", "gone", start), Some(9), "another reason");
        assert_eq!(troubles.note("a", "gone", start + QUIET), Some(0));
        assert_eq!(troubles.recent(start + QUIET).len(), 1);
        assert_eq!(troubles.recent(start + QUIET)[0].failures, 12);
    }

    #[test]
    fn no_more_images_are_remembered_than_may_be() {
        let (troubles, start) = (Troubles::default(), Instant::now());
        for number in 0..2000_u64 {
            troubles.note(&number.to_string(), "cut", start + Duration::from_millis(number));
        }
        let recent = troubles.recent(start + Duration::from_secs(2));
        assert_eq!(recent.len(), IMAGES_MAX);
        assert_eq!(recent[0].image, "1999");
    }
}
