//! `Observed`: what a scrape looks at beside the cache shards and the registry.

use std::sync::Arc;

use crate::actors::admission::Admission;
use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::memcached::Memcached;
use crate::actors::pool::Pool;
use crate::metrics;

/// Pools, admission and decoded tiles, as gauges show them.
#[derive(Debug)]
pub struct Observed {
    pub(super) check_pool: Arc<Pool>,
    pub(super) decode_pool: Arc<Pool>,
    pub(super) watermark_pool: Arc<Pool>,
    pub(super) encode_pool: Arc<Pool>,
    pub(super) admission: Arc<Admission>,
    pub(super) tiles: Arc<DecodedTiles>,
    pub(super) memcached: Option<Arc<Memcached>>,
}

impl Observed {
    /// Sets the gauges.
    pub(super) fn observe(&self) {
        let pools = [&self.check_pool, &self.decode_pool, &self.watermark_pool, &self.encode_pool];
        for pool in pools {
            let depth = u64::try_from(pool.depth()).unwrap_or(u64::MAX);
            metrics::level_of("tessera_pool_depth", "pool", pool.name().to_owned(), depth);
        }
        metrics::level("tessera_bytes_in_decode", self.admission.bytes_in_use());
        metrics::level("tessera_decoded_bytes", self.tiles.bytes());
        if let Some(memcached) = &self.memcached {
            memcached.observe();
        }
    }
}
