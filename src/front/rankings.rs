//! `Rankings`: which images are asked for most, and which take most time, of all that there are, in a
//! table of fixed size: an image that is not in it takes the place of the last one, and its weight, so
//! that whoever is truly first is never missed.
//!
//! # Source
//! Metwally, Agrawal, El Abbadi: Efficient Computation of Frequent and Top-k Elements in Data Streams,
//! 2005 ("Space-Saving").

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Images in one table: four times as many as are shown, so that those shown are right.
const IMAGES_MAX: usize = 128;

/// Images shown.
const SHOWN_MAX: usize = 32;

/// One image's place in a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// Its name.
    pub image: String,
    /// Requests, or microseconds; too high by at most `surplus`.
    pub weight: u64,
    /// What it took over with its place.
    pub surplus: u64,
    /// The slowest answer since it has its place, in microseconds.
    pub slowest_us: u64,
}

#[derive(Debug, Default)]
struct Table(HashMap<String, Ranked>);

impl Table {
    fn note(&mut self, image: &str, weight: u64, took_us: u64) {
        if let Some(ranked) = self.0.get_mut(image) {
            ranked.weight = ranked.weight.saturating_add(weight);
            ranked.slowest_us = ranked.slowest_us.max(took_us);
            return;
        }
        let mut surplus = 0;
        if IMAGES_MAX <= self.0.len() {
            let last = self.0.values().min_by_key(|ranked| ranked.weight);
            let last = last.map(|ranked| ranked.image.clone()).unwrap_or_default();
            surplus = self.0.remove(&last).map_or(0, |ranked| ranked.weight);
        }
        let (image, weight) = (image.to_owned(), surplus.saturating_add(weight));
        self.0.insert(image.clone(), Ranked { image, weight, surplus, slowest_us: took_us });
    }

    fn first(&self) -> Vec<Ranked> {
        let mut ranked: Vec<Ranked> = self.0.values().cloned().collect();
        ranked.sort_by(|a, b| b.weight.cmp(&a.weight).then_with(|| a.image.cmp(&b.image)));
        ranked.truncate(SHOWN_MAX);
        ranked
    }
}

#[derive(Debug, Default)]
struct Tables {
    by_requests: Table,
    by_time: Table,
}

/// Both tables. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Rankings(Arc<Mutex<Tables>>);

impl Rankings {
    /// Notes a request. Where another thread is at it just now, this one goes uncounted: a request
    /// waits for no statistics.
    pub(super) fn note(&self, image: &str, took: Duration) {
        let Ok(mut tables) = self.0.try_lock() else { return };
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tables.by_requests.note(image, 1, took_us);
        tables.by_time.note(image, took_us, took_us);
    }

    /// The images that are asked for most, and those that take most time, first ones first.
    pub fn first(&self) -> [Vec<Ranked>; 2] {
        let tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        [tables.by_requests.first(), tables.by_time.first()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_first_is_found_among_more_images_than_there_are_places() {
        let rankings = Rankings::default();
        for number in 0..5000_u64 {
            rankings.note(&format!("once{number}"), Duration::from_micros(10));
            rankings.note("hot", Duration::from_micros(1));
            if number % 100 == 0 {
                rankings.note("slow", Duration::from_millis(5));
            }
        }
        let [by_requests, by_time] = rankings.first();
        assert_eq!(by_requests[0].image, "hot");
        assert_eq!((by_requests[0].weight, by_requests[0].surplus), (5000, 0));
        assert_eq!((by_time[0].image.as_str(), by_time[0].slowest_us), ("slow", 5000));
        assert_eq!(by_requests.len(), SHOWN_MAX);
    }
}
