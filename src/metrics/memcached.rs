//! What the cache that instances share did.

use std::time::Duration;

use metrics::{counter, histogram};

/// Counts a look for an answer in memcached, and its time.
pub fn memcached_asked(outcome: &'static str, took: Duration) {
    counter!("tessera_memcached_asked_total", "outcome" => outcome).increment(1);
    histogram!("tessera_memcached_seconds").record(took);
}

/// Counts an answer that memcached took.
pub fn memcached_stored() {
    counter!("tessera_memcached_stored_total").increment(1);
}

/// Counts what a memcached server did not do.
pub fn memcached_error(reason: &'static str) {
    counter!("tessera_memcached_errors_total", "reason" => reason).increment(1);
}

/// Counts an answer not sent to memcached.
pub fn memcached_dropped(reason: &'static str) {
    counter!("tessera_memcached_dropped_total", "reason" => reason).increment(1);
}
