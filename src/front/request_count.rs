//! `RequestCount`: requests being answered or sent. Bounds what all connections together may ask for at
//! once (HTTP/2 has many requests on each), and tells a draining server when it is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt;

/// How often [`RequestCount::none_left`] looks.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The count. Clones share it.
#[derive(Clone, Debug)]
pub struct RequestCount {
    under_way: Arc<AtomicUsize>,
    max: usize,
}

impl RequestCount {
    /// A count of nothing, up to `max`.
    pub fn new(max: usize) -> Self {
        Self { under_way: Arc::default(), max }
    }

    /// A place for one more request, or nothing where as many as may are under way.
    pub(super) fn take_place(&self) -> Option<Place> {
        let place = Place(Arc::clone(&self.under_way));
        (self.under_way.fetch_add(1, Ordering::Relaxed) < self.max).then_some(place)
    }

    /// Requests under way.
    pub fn count(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Waits until no request is under way.
    pub async fn none_left(&self) {
        while self.count() != 0 {
            rt::time::sleep(LOOK_INTERVAL).await;
        }
    }
}

/// A place among the requests; given back when the last byte of the answer is handed on, or the client
/// has gone.
#[derive(Debug)]
pub(super) struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_run_out_and_come_back() {
        let requests = RequestCount::new(1);
        let place = requests.take_place().unwrap();
        assert!(requests.take_place().is_none());
        drop(place);
        assert!(requests.take_place().is_some());
    }
}
