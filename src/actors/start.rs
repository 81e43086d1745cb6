//! Brings the cast on stage: pools first, then shards and registry, then the [`Service`] that holds them.

use std::io;
use std::sync::Arc;

use actix::{Arbiter, ArbiterHandle};
use arc_swap::ArcSwap;

use crate::actors::admission::{Admission, AdmissionLimits};
use crate::actors::cache_shard::Making;
use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::decoder_tools::DecoderTools;
use crate::actors::memcached::Memcached;
use crate::actors::modules::Modules;
use crate::actors::observed::Observed;
use crate::actors::open_image::Opener;
use crate::actors::policy::Policy;
use crate::actors::pool::{Pool, Threads};
use crate::actors::registry::{ImageRegistry, RegistrySettings};
use crate::actors::room::Room;
use crate::actors::service::Service;
use crate::actors::shards::Shards;
use crate::codecs;
use crate::config::{Config, PoolConfig};
use crate::metrics;
use crate::sources::Folder;

/// Cores for each arbiter: actors only pass messages on, so one thread serves many cores' pools.
const CORES_PER_ARBITER: usize = 8;

/// Threads that compare open images with their files: a check is one system call, and the second thread
/// is for the moment when the first one's disk sleeps.
const CHECK_THREADS: usize = 2;

/// Starts everything. Must be called inside an actix system.
///
/// # Errors
/// Where the image folder cannot be opened or a thread cannot be started.
pub fn start(
    config: &Config,
    policy: Policy,
    opener: Opener,
    modules: Modules,
) -> io::Result<Service> {
    let modules = Arc::new(modules);
    let folder = Folder::open(&config.images.root, &config.images.roots_extra)?
        .with_affixes(&config.images.name_prefix, &config.images.name_suffix)
        .with_sequences(&config.images.sequence_pattern, codecs::IMAGE_SUFFIXES);
    let folder = Arc::new(folder);
    let jobs_max = config.pool.jobs_max;
    // One check an image at most is under way.
    let checks_max = config.images.open_max.max(jobs_max);
    let pool =
        |name, cheap, dear| Pool::start(name, Threads { cheap, dear }, jobs_max).map(Arc::new);
    let checks = Threads { cheap: CHECK_THREADS, dear: 0 };
    let check_pool = Arc::new(Pool::start("check", checks, checks_max)?);
    let PoolConfig { decode_threads, dear_threads, watermark_threads, encode_threads, .. } =
        config.pool;
    let decode_pool = pool("decode", decode_threads, dear_threads)?;
    let watermark_pool = pool("watermark", watermark_threads, watermark_threads)?;
    let encode_pool = pool("encode", encode_threads, encode_threads)?;
    let tiles = Arc::new(DecodedTiles::new(config.cache.decoded_bytes_max));
    let admission = Admission::new(AdmissionLimits::of(config));
    let arbiters: Vec<ArbiterHandle> =
        (0..decode_threads.div_ceil(CORES_PER_ARBITER)).map(|_| Arbiter::new().handle()).collect();
    let tools = DecoderTools {
        folder: Arc::clone(&folder),
        modules: Arc::clone(&modules),
        opener,
        check_pool: Arc::clone(&check_pool),
        decode_pool: Arc::clone(&decode_pool),
        watermark_pool: Arc::clone(&watermark_pool),
        encode_pool: Arc::clone(&encode_pool),
        tiles: Arc::clone(&tiles),
        jobs_max: config.images.jobs_per_image_max,
        deadline: config.pool.deadline,
        failure_hold: config.images.failure_hold,
    };
    show_bounds(config);
    let room = Room { admission: admission.clone(), tiles: Arc::clone(&tiles) };
    let memcached = Memcached::start(&config.memcached, &arbiters).map(Arc::new);
    let making = Making { room, memcached: memcached.clone() };
    let settings = RegistrySettings::of(config);
    Ok(Service {
        folder,
        registry: Arc::new(ImageRegistry::new(settings, tools, arbiters.clone())),
        shards: Arc::new(Shards::start(config, &making, &arbiters)),
        policy: Arc::new(ArcSwap::from_pointee(policy)),
        observed: Arc::new(Observed {
            check_pool,
            decode_pool,
            watermark_pool,
            encode_pool,
            admission,
            tiles,
            memcached,
            modules: Arc::clone(&modules),
        }),
        modules,
    })
}

/// Bounds do not change; a dashboard shows what there is of each.
fn show_bounds(config: &Config) {
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    metrics::level("tessera_cache_bytes_max", config.cache.bytes_max);
    metrics::level("tessera_decoded_bytes_max", config.cache.decoded_bytes_max);
    metrics::level("tessera_images_open_max", count(config.images.open_max));
    metrics::level("tessera_pool_jobs_max", count(config.pool.jobs_max));
}
