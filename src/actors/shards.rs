//! `Shards`: which cache shard a key belongs to, the actor of its misses and the map of its hits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Addr, ArbiterHandle, Supervisor};

use crate::actors::cache_shard::{CacheShard, Making, ReplyMap};
use crate::actors::purge::Purge;
use crate::config::Config;
use crate::metrics;
use crate::plan::PlanKey;

/// The cache shards: their addresses, and the maps that everybody reads in place.
#[derive(Debug)]
pub struct Shards {
    shards: Vec<Shard>,
}

#[derive(Debug)]
struct Shard {
    address: Addr<CacheShard>,
    map: Arc<ReplyMap>,
    in_flight: Arc<AtomicUsize>,
}

/// One cache shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardState {
    /// Answers kept.
    pub answers: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Answers being made.
    pub in_flight: usize,
}

impl Shards {
    /// Starts the shards that `config` asks for, on `arbiters` in turn.
    pub(super) fn start(config: &Config, making: &Making, arbiters: &[ArbiterHandle]) -> Self {
        let count = config.cache.shards.max(1);
        let bytes_max = config.cache.bytes_max / u64::try_from(count).unwrap_or(1);
        let jobs_max = config.cache.jobs_per_shard_max;
        let start = |number: usize| {
            let map = Arc::new(ReplyMap::new(number, bytes_max));
            let in_flight = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&in_flight);
            let shard = CacheShard::new(Arc::clone(&map), making.clone(), counted, jobs_max);
            let address = match arbiters.get(number % arbiters.len().max(1)) {
                Some(arbiter) => Supervisor::start_in_arbiter(arbiter, |_| shard),
                None => Supervisor::start(|_| shard),
            };
            Shard { address, map, in_flight }
        };
        Self { shards: (0..count).map(start).collect() }
    }

    /// The shard of a key: its low bits, which a good hash spreads evenly over a power of two.
    fn of(&self, key: PlanKey) -> &Shard {
        let count = u128::try_from(self.shards.len()).unwrap_or(1);
        let index = usize::try_from(key.as_u128() % count).unwrap_or(0);
        #[expect(clippy::indexing_slicing, reason = "a remainder is below the count")]
        &self.shards[index]
    }

    /// The answers of the shard of `key`.
    pub fn map_of(&self, key: PlanKey) -> &ReplyMap {
        &self.of(key).map
    }

    /// The actor of the shard of `key`.
    pub fn address_of(&self, key: PlanKey) -> &Addr<CacheShard> {
        &self.of(key).address
    }

    /// Bytes of answers in all shards.
    pub(super) fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.map.bytes()).sum()
    }

    /// The state of each.
    pub(super) fn states(&self) -> Vec<ShardState> {
        let state = |shard: &Shard| ShardState {
            answers: shard.map.len(),
            bytes: shard.map.bytes(),
            in_flight: shard.in_flight.load(Ordering::Relaxed),
        };
        self.shards.iter().map(state).collect()
    }

    /// Forgets answers; how many.
    pub(super) fn purge(&self, purge: &Purge) -> usize {
        self.shards.iter().map(|shard| shard.map.purge(purge)).sum()
    }

    /// Sets the gauges of every shard.
    pub fn observe(&self) {
        for (number, shard) in self.shards.iter().enumerate() {
            let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
            let set = |name, value| metrics::level_of(name, "shard", number.to_string(), value);
            set("tessera_cache_bytes", shard.map.bytes());
            set("tessera_cache_entries", count(shard.map.len()));
            set("tessera_cache_in_flight", count(shard.in_flight.load(Ordering::Relaxed)));
        }
    }
}
