//! `Observed`: what a scrape looks at beside the cache shards and the registry.

use std::sync::Arc;

use crate::actors::admission::Admission;
use crate::actors::by_lane::ByLane;
use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::memcached::Memcached;
use crate::actors::modules::Modules;
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
    pub(super) modules: Arc<Modules>,
}

impl Observed {
    fn pools(&self) -> [&Pool; 4] {
        [&self.check_pool, &self.decode_pool, &self.watermark_pool, &self.encode_pool]
    }

    /// Jobs of each pool, by its name.
    pub(super) fn pool_depths(&self) -> Vec<(&'static str, ByLane<usize>)> {
        let depths =
            |pool: &Pool| ByLane { cheap: pool.depth(Lane::Cheap), dear: pool.depth(Lane::Dear) };
        self.pools().map(|pool| (pool.name(), depths(pool))).to_vec()
    }

    /// Sets the gauges; `cache_bytes` is what the cache shards hold.
    pub(super) fn observe(&self, cache_bytes: u64) {
        for (pool, depth) in self.pool_depths() {
            for lane in Lane::ALL {
                metrics::pool_depth(pool, lane.label(), *depth.of(lane));
            }
        }
        let (used, waiting) = (self.admission.bytes_in_use(), self.admission.waiting());
        for lane in Lane::ALL {
            metrics::admitted(lane.label(), *used.of(lane), *waiting.of(lane));
        }
        metrics::level("tessera_bytes_in_decode_max", self.admission.bytes_max());
        metrics::level("tessera_decoded_bytes", self.tiles.bytes());
        metrics::level("tessera_decoded_entries", u64::try_from(self.tiles.len()).unwrap_or(0));
        let in_decode = used.cheap.saturating_add(used.dear);
        let code_blocks = self.modules.code_blocks().bytes();
        metrics::memory([cache_bytes, self.tiles.bytes(), code_blocks, in_decode]);
        if let Some(memcached) = &self.memcached {
            memcached.observe();
        }
    }
}
