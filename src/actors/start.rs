//! Brings the cast on stage: pools first, then shards and registry, then the [`Service`] that holds them.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix::{Addr, Arbiter, ArbiterHandle, Supervisor};

use crate::actors::admission::Admission;
use crate::actors::cache_shard::{CacheShard, ReplyMap};
use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::decoder::DecoderTools;
use crate::actors::open_image::Opener;
use crate::actors::pool::Pool;
use crate::actors::registry::{ImageRegistry, RegistrySettings};
use crate::actors::service::Service;
use crate::config::Config;
use crate::metrics;
use crate::plan::{PassThrough, PlanKey, Rules};
use crate::sources::Folder;

/// Cores for each arbiter: actors only pass messages on, so one thread serves many cores' pools.
const CORES_PER_ARBITER: usize = 8;

/// Threads that compare open images with their files: a check is one system call, and the second thread
/// is for the moment when the first one's disk sleeps.
const CHECK_THREADS: usize = 2;

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

impl Shards {
    fn start(config: &Config, admission: &Arc<Admission>, arbiters: &[ArbiterHandle]) -> Self {
        let count = config.cache.shards.max(1);
        let bytes_max = config.cache.bytes_max / u64::try_from(count).unwrap_or(1);
        let jobs_max = config.cache.jobs_per_shard_max;
        let start = |number: usize| {
            let map = Arc::new(ReplyMap::new(bytes_max));
            let in_flight = Arc::new(AtomicUsize::new(0));
            let shard = CacheShard::new(
                Arc::clone(&map),
                Arc::clone(admission),
                Arc::clone(&in_flight),
                jobs_max,
            );
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

/// What metrics look at beside the shards and the registry.
#[derive(Debug)]
pub struct Observed {
    check_pool: Arc<Pool>,
    pub(super) decode_pool: Arc<Pool>,
    encode_pool: Arc<Pool>,
    admission: Arc<Admission>,
    tiles: Arc<DecodedTiles>,
}

impl Observed {
    pub(super) fn observe(&self) {
        for pool in [&self.check_pool, &self.decode_pool, &self.encode_pool] {
            let depth = u64::try_from(pool.depth()).unwrap_or(u64::MAX);
            metrics::level_of("tessera_pool_depth", "pool", pool.name().to_owned(), depth);
        }
        metrics::level("tessera_bytes_in_decode", self.admission.bytes_in_use());
        metrics::level("tessera_decoded_bytes", self.tiles.bytes());
    }
}

/// Starts everything. Must be called inside an actix system.
///
/// # Errors
/// Where the image folder cannot be opened or a thread cannot be started.
pub fn start(config: &Config, rules: Rules, opener: Opener) -> io::Result<Service> {
    let folder = Folder::open(&config.images.root, &config.images.roots_extra)?
        .with_affixes(&config.images.name_prefix, &config.images.name_suffix);
    let folder = Arc::new(folder);
    let jobs_max = config.pool.jobs_max;
    // One check an image at most is under way.
    let checks_max = config.images.open_max.max(jobs_max);
    let check_pool = Arc::new(Pool::start("check", CHECK_THREADS, checks_max)?);
    let decode_pool = Arc::new(Pool::start("decode", config.pool.decode_threads, jobs_max)?);
    let encode_pool = Arc::new(Pool::start("encode", config.pool.encode_threads, jobs_max)?);
    let tiles = Arc::new(DecodedTiles::new(config.cache.decoded_bytes_max));
    let admission = Arc::new(Admission::new(config.pool.bytes_in_decode_max));
    let arbiters: Vec<ArbiterHandle> = (0..config.pool.decode_threads.div_ceil(CORES_PER_ARBITER))
        .map(|_| Arbiter::new().handle())
        .collect();
    let tools = DecoderTools {
        folder: Arc::clone(&folder),
        opener,
        check_pool: Arc::clone(&check_pool),
        decode_pool: Arc::clone(&decode_pool),
        encode_pool: Arc::clone(&encode_pool),
        tiles: Arc::clone(&tiles),
        jobs_max: config.images.jobs_per_image_max,
        deadline: config.pool.deadline,
        failure_hold: config.images.failure_hold,
        pass_through_bytes_max: match rules.pass_through {
            PassThrough::On { bytes_max } => bytes_max,
            PassThrough::Off => None,
        },
    };
    let settings = RegistrySettings {
        open_max: config.images.open_max,
        idle: config.images.idle,
        recheck: config.images.recheck,
    };
    Ok(Service {
        folder,
        registry: Arc::new(ImageRegistry::new(settings, tools, arbiters.clone())),
        shards: Arc::new(Shards::start(config, &admission, &arbiters)),
        rules: Arc::new(rules),
        deadline: config.pool.deadline,
        observed: Arc::new(Observed { check_pool, decode_pool, encode_pool, admission, tiles }),
    })
}
