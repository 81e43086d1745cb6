//! `DecodedTiles`: decoded tiles that several answers share, bounded by bytes. Whoever needs a tile that
//! somebody is decoding already waits for that one instead of decoding it again.

use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::{Cache, GuardResult};
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use crate::actors::open_image::OpenImage;
use crate::actors::purge::Purge;
use crate::imaging::Pixels;
use crate::metrics;
use crate::model::{ImageId, SourceVersion, TileAddress};

/// Bytes of an average decoded tile, for the cache's own bookkeeping: 256 x 256 RGB.
const TILE_BYTES_TYPICAL: u64 = 196_608;

/// Bytes of one part of the map at least: what is larger than its part is not kept, and the tiles that
/// are most dear to decode anew are the large ones (5000 x 5000 RGB is 75 MB).
const SHARD_BYTES_MIN: u64 = 128 << 20;

/// How long one thread waits for another's decode of the same tile before it does it itself.
const JOIN_TIMEOUT: Duration = Duration::from_secs(5);

/// One tile of one state of one image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TileKey {
    /// The image.
    pub image: ImageId,
    /// The state of its file.
    pub version: SourceVersion,
    /// Which tile.
    pub at: TileAddress,
}

impl TileKey {
    /// The key of a tile of an image as it is open.
    pub fn of(image: &OpenImage, at: TileAddress) -> Self {
        Self { image: image.id().clone(), version: *image.version(), at }
    }
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<TileKey, Arc<Pixels>> for ByBytes {
    fn weight(&self, _: &TileKey, tile: &Arc<Pixels>) -> u64 {
        tile.bytes().max(1)
    }
}

/// Counts an eviction; the last holder frees the tile.
#[derive(Clone, Debug)]
struct Counted;

impl Lifecycle<TileKey, Arc<Pixels>> for Counted {
    type RequestState = ();
    fn on_evict(&self, (): &mut (), _: TileKey, _: Arc<Pixels>) {
        metrics::decoded_evicted();
    }
}

/// The tiles.
#[derive(Debug)]
pub struct DecodedTiles {
    cache: Cache<TileKey, Arc<Pixels>, ByBytes, DefaultHashBuilder, Counted>,
}

impl DecodedTiles {
    /// A cache of at most `bytes_max` bytes of samples; 0 keeps nothing.
    pub fn new(bytes_max: u64) -> Self {
        let items = usize::try_from(bytes_max / TILE_BYTES_TYPICAL).unwrap_or(usize::MAX).max(16);
        let shards = usize::try_from(bytes_max / SHARD_BYTES_MIN).unwrap_or(1).max(1);
        let options = OptionsBuilder::new()
            .shards(1 << shards.ilog2())
            .estimated_items_capacity(items)
            .weight_capacity(bytes_max)
            .build();
        let hasher = DefaultHashBuilder::default();
        let cache = match options {
            Ok(options) => Cache::with_options(options, ByBytes, hasher, Counted),
            Err(_) => Cache::with(items, bytes_max, ByBytes, hasher, Counted),
        };
        Self { cache }
    }

    /// The tile if it is here.
    pub fn find(&self, key: &TileKey) -> Option<Arc<Pixels>> {
        self.cache.get(key)
    }

    /// The tile, decoded by `decode` unless it is here or somebody is at it.
    ///
    /// # Errors
    /// What `decode` reports; nothing is kept then.
    pub fn obtain<E>(
        &self,
        key: &TileKey,
        decode: impl FnOnce() -> Result<Pixels, E>,
    ) -> Result<Arc<Pixels>, E> {
        match self.cache.get_value_or_guard(key, Some(JOIN_TIMEOUT)) {
            GuardResult::Value(tile) => {
                metrics::decoded_lookup(true);
                Ok(tile)
            }
            GuardResult::Guard(guard) => {
                metrics::decoded_lookup(false);
                let tile = Arc::new(decode()?);
                // Refused only where the guard's place was taken away meanwhile (a purge).
                let _purged = guard.insert(Arc::clone(&tile));
                Ok(tile)
            }
            GuardResult::Timeout => decode().map(Arc::new),
        }
    }

    /// Forgets tiles; how many.
    pub(super) fn purge(&self, purge: &Purge) -> usize {
        let before = self.len();
        self.cache.retain(|key, _| !purge.takes(&key.image));
        before.saturating_sub(self.len())
    }

    /// Tiles kept.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Bytes of samples kept.
    pub fn bytes(&self) -> u64 {
        self.cache.weight()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use crate::codecs::CodecError;
    use crate::imaging::Raster;
    use crate::model::Size;
    use crate::model::image_info::ColourModel;

    fn key(column: u32) -> TileKey {
        TileKey {
            image: ImageId::parse("a").unwrap(),
            version: SourceVersion { len_bytes: 1, modified_ns: 1, inode: 1 },
            at: TileAddress { stored: 0, column, row: 0 },
        }
    }

    fn tile() -> Pixels {
        Raster::zeroed(Size::new(100, 100).unwrap(), ColourModel::Gray, false).into()
    }

    #[test]
    fn threads_that_want_one_tile_decode_it_once() {
        let tiles = DecodedTiles::new(1 << 20);
        let decoded = AtomicUsize::new(0);
        let together = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    let decode = || {
                        decoded.fetch_add(1, Ordering::Relaxed);
                        Ok::<_, CodecError>(tile())
                    };
                    tiles.obtain(&key(0), decode).unwrap();
                });
            }
        });
        assert_eq!(decoded.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_tile_of_a_large_part_of_the_bytes_is_kept() {
        let tiles = DecodedTiles::new(SHARD_BYTES_MIN);
        let large = Size::new(10_000, 7_500).unwrap();
        for _ in 0..2 {
            let decode =
                || Ok::<_, CodecError>(Raster::zeroed(large, ColourModel::Gray, false).into());
            tiles.obtain(&key(0), decode).unwrap();
            assert!(tiles.find(&key(0)).is_some(), "not kept");
        }
    }

    #[test]
    fn a_failure_is_not_kept_and_the_bound_holds() {
        let tiles = DecodedTiles::new(50_000);
        tiles.obtain(&key(0), || Err(CodecError::malformed("x", "y"))).unwrap_err();
        assert!(tiles.find(&key(0)).is_none());
        for column in 0..100 {
            tiles.obtain(&key(column), || Ok::<_, CodecError>(tile())).unwrap();
        }
        assert!(tiles.bytes() <= 50_000, "{}", tiles.bytes());
    }
}
