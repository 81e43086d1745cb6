//! `ReplyMap`: one shard's encoded answers, bounded by bytes. Eviction resists scans: what was asked for
//! once makes room before what was asked for again (`quick_cache`, Clock-PRO), so that a crawler's
//! sweep does not flush what viewers look at.

use std::time::Instant;

use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, OptionsBuilder, Weighter};

use crate::actors::order::Rendered;
use crate::actors::purge::Purge;
use crate::metrics::ShardCounters;
use crate::model::ImageId;
use crate::plan::PlanKey;

/// Bytes of an average answer, for the cache's own bookkeeping: a 256-pixel JPEG tile.
const ANSWER_BYTES_TYPICAL: u64 = 12_288;

/// Bytes that an entry costs beside its answer: key, handles and the cache's own.
const ENTRY_BYTES: u64 = 160;

/// An answer, which image it shows, and when it was put here.
#[derive(Clone, Debug)]
struct Kept {
    rendered: Rendered,
    image: ImageId,
    since: Instant,
}

#[derive(Clone, Debug)]
struct ByBytes;

impl Weighter<PlanKey, Kept> for ByBytes {
    fn weight(&self, _: &PlanKey, kept: &Kept) -> u64 {
        u64::try_from(kept.rendered.bytes.len()).unwrap_or(u64::MAX).saturating_add(ENTRY_BYTES)
    }
}

#[derive(Clone, Debug)]
struct Counted(ShardCounters);

impl Lifecycle<PlanKey, Kept> for Counted {
    type RequestState = ();
    fn on_evict(&self, (): &mut (), _: PlanKey, kept: Kept) {
        self.0.evicted(kept.since.elapsed());
    }
}

/// The answers of one shard.
#[derive(Debug)]
pub struct ReplyMap {
    cache: Cache<PlanKey, Kept, ByBytes, DefaultHashBuilder, Counted>,
    counters: ShardCounters,
}

impl ReplyMap {
    /// The map of the shard of this number, of at most `bytes_max` bytes; 0 keeps nothing.
    pub fn new(shard: usize, bytes_max: u64) -> Self {
        let items = usize::try_from(bytes_max / ANSWER_BYTES_TYPICAL).unwrap_or(usize::MAX).max(16);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(bytes_max)
            // The shards are ours, one actor each.
            .shards(1)
            .build();
        let counters = ShardCounters::of(shard);
        let (hasher, counted) = (DefaultHashBuilder::default(), Counted(counters.clone()));
        let cache = match options {
            Ok(options) => Cache::with_options(options, ByBytes, hasher, counted),
            Err(_) => Cache::with(items, bytes_max, ByBytes, hasher, counted),
        };
        Self { cache, counters }
    }

    /// The answer if it is here; counted as a look.
    pub fn find(&self, key: PlanKey) -> Option<Rendered> {
        let found = self.peek(key);
        self.counters.looked_up(found.is_some());
        found
    }

    /// The same, of one whose look was counted already.
    pub(super) fn peek(&self, key: PlanKey) -> Option<Rendered> {
        self.cache.get(&key).map(|kept| kept.rendered)
    }

    /// Whether the answer is here.
    pub fn has(&self, key: PlanKey) -> bool {
        self.cache.contains_key(&key)
    }

    /// Keeps an answer.
    pub fn put(&self, key: PlanKey, image: ImageId, rendered: Rendered) {
        self.cache.insert(key, Kept { rendered, image, since: Instant::now() });
    }

    /// Bytes kept.
    pub fn bytes(&self) -> u64 {
        self.cache.weight()
    }

    /// Answers kept.
    pub fn len(&self) -> usize {
        self.cache.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.cache.is_empty()
    }

    /// Forgets answers; how many.
    pub fn purge(&self, purge: &Purge) -> usize {
        let before = self.len();
        self.cache.retain(|_, kept| !purge.takes(&kept.image));
        before.saturating_sub(self.len())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::actors::stopwatch::Spent;
    use crate::model::Format;

    fn answer(bytes: usize) -> Rendered {
        Rendered {
            bytes: Bytes::from(vec![0; bytes]),
            format: Format::Jpeg,
            passed: false,
            spent: Spent::default(),
        }
    }

    fn image() -> ImageId {
        ImageId::parse("a").unwrap()
    }

    #[test]
    fn the_byte_budget_holds_and_an_answer_larger_than_it_is_not_kept() {
        let map = ReplyMap::new(0, 100_000);
        for key in 0..1000 {
            map.put(PlanKey::from_u128(key), image(), answer(1000));
        }
        assert!(map.bytes() <= 100_000, "{}", map.bytes());
        assert!(50 < map.len(), "{}", map.len());
        map.put(PlanKey::from_u128(5000), image(), answer(200_000));
        assert!(map.find(PlanKey::from_u128(5000)).is_none());
        map.purge(&Purge::All);
        assert_eq!((map.bytes(), map.len()), (0, 0));
    }

    /// A trace: viewers ask for a hot set again and again; then a crawler sweeps through ten times
    /// what the cache holds, each answer once, while viewers go on at a tenth of its pace.
    #[test]
    fn a_crawlers_sweep_does_not_flush_what_viewers_look_at() {
        const HOT: u128 = 60;
        let map = ReplyMap::new(0, 100 * (1000 + ENTRY_BYTES));
        let ask = |key: u128| {
            let hit = map.find(PlanKey::from_u128(key)).is_some();
            if !hit {
                map.put(PlanKey::from_u128(key), image(), answer(1000));
            }
            hit
        };
        for _ in 0..3 {
            for key in 0..HOT {
                ask(key);
            }
        }
        let mut hits = 0_u32;
        for sweep in 0..1000_u128 {
            ask(1_000_000 + sweep);
            if sweep % 10 == 0 {
                hits += u32::from(ask((sweep / 10) % HOT));
            }
        }
        assert!(95 <= hits, "{hits} of 100 requests of viewers were still answered from the cache");
    }
}
