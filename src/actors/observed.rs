//! `Observed`: what a scrape looks at beside the cache shards and the registry.

use std::sync::Arc;

use crate::actors::admission::Admission;
use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::memcached::Memcached;
use crate::actors::pool::Pool;
use crate::metrics;
use crate::plan::Lane;

/// Pools, admission and decoded tiles, as gauges show them.
#[derive(Debug)]
pub struct Observed {
    pub(super) check_pool: Arc<Pool>,
    pub(super) decode_pool: Arc<Pool>,
    pub(super) watermark_pool: Arc<Pool>,
    pub(super) encode_pool: Arc<Pool>,
    pub(super) admission: Admission,
    pub(super) tiles: Arc<DecodedTiles>,
    pub(super) memcached: Option<Arc<Memcached>>,
}

impl Observed {
    /// Sets the gauges; `cache_bytes` is what the cache shards hold.
    pub(super) fn observe(&self, cache_bytes: u64) {
        let pools = [&self.check_pool, &self.decode_pool, &self.watermark_pool, &self.encode_pool];
        for pool in pools {
            for lane in Lane::ALL {
                metrics::pool_depth(pool.name(), lane.label(), pool.depth(lane));
            }
        }
        let (used, waiting) = (self.admission.bytes_in_use(), self.admission.waiting());
        for lane in Lane::ALL {
            metrics::admitted(lane.label(), *used.of(lane), *waiting.of(lane));
        }
        metrics::level("tessera_bytes_in_decode_max", self.admission.bytes_max());
        metrics::level("tessera_decoded_bytes", self.tiles.bytes());
        if let Some(memcached) = &self.memcached {
            memcached.observe();
        }
        metrics::level("tessera_decoded_entries", u64::try_from(self.tiles.len()).unwrap_or(0));
        metrics::memory([cache_bytes, self.tiles.bytes(), used.cheap.saturating_add(used.dear)]);
    }
}
