//! What caches found, and what they had to forget.

use std::sync::LazyLock;
use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use crate::metrics::labels::{FOUND, PURGES};

static COALESCED: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_cache_coalesced_total"));
static EVICTED_AGE: LazyLock<Histogram> =
    LazyLock::new(|| histogram!("tessera_cache_evicted_age_seconds"));
static DECODED_LOOKUPS: LazyLock<[Counter; 2]> = LazyLock::new(|| {
    FOUND.map(|found| counter!("tessera_decoded_lookups_total", "found" => found))
});
static DECODED_EVICTIONS: LazyLock<Counter> =
    LazyLock::new(|| counter!("tessera_decoded_evictions_total"));

/// The counters of one cache shard.
#[derive(Clone, Debug)]
pub struct ShardCounters {
    lookups: [Counter; 2],
    evictions: Counter,
}

impl ShardCounters {
    /// Those of the shard of this number.
    pub fn of(shard: usize) -> Self {
        let shard = shard.to_string();
        let lookups = FOUND.map(|found| {
            counter!("tessera_cache_lookups_total", "shard" => shard.clone(), "found" => found)
        });
        for counter in &lookups {
            counter.increment(0);
        }
        let evictions = counter!("tessera_cache_evictions_total", "shard" => shard);
        evictions.increment(0);
        Self { lookups, evictions }
    }

    /// Counts a look for an answer.
    pub fn looked_up(&self, found: bool) {
        count(&self.lookups, found);
    }

    /// Counts an answer that made room, `age` after it was put there.
    pub fn evicted(&self, age: Duration) {
        self.evictions.increment(1);
        EVICTED_AGE.record(age);
    }
}

/// Counts a look for a decoded tile.
pub fn decoded_lookup(found: bool) {
    count(&DECODED_LOOKUPS, found);
}

/// Counts a decoded tile that made room.
pub fn decoded_evicted() {
    DECODED_EVICTIONS.increment(1);
}

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

/// Counts a purge, by where it was asked for.
pub fn purge(purged: &'static str) {
    counter!("tessera_purges_total", "purged" => purged).increment(1);
}

/// Counts a request that waited for an answer already being made.
pub fn coalesced() {
    COALESCED.increment(1);
}

fn count(lookups: &[Counter; 2], found: bool) {
    let [misses, hits] = lookups;
    if found { hits.increment(1) } else { misses.increment(1) }
}

/// Puts what may never happen at 0.
pub(super) fn register() {
    COALESCED.increment(0);
    LazyLock::force(&EVICTED_AGE);
    for counter in &*DECODED_LOOKUPS {
        counter.increment(0);
    }
    DECODED_EVICTIONS.increment(0);
    for purged in PURGES {
        counter!("tessera_purges_total", "purged" => purged).increment(0);
    }
}
