//! `ImageRegistry`: which images are open. A plain struct over a `dashmap`: a look-up of an open image
//! that was checked a moment ago sends no message.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Addr, ArbiterHandle, MailboxError, Supervisor};
use arc_swap::{ArcSwap, ArcSwapOption};
use dashmap::DashMap;

use crate::actors::decoder::{Decoder, Lookup, LookupError, Published};
use crate::actors::decoder_tools::DecoderTools;
use crate::actors::mail::Mail;
use crate::actors::open_image::{OpenImage, now_ms};
use crate::actors::pool::PoolError;
use crate::actors::purge::Purge;
use crate::config::Config;
use crate::metrics;
use crate::model::ImageId;

/// How often a look-up that met a decoder just being replaced is tried.
const ATTEMPTS_MAX: usize = 3;

#[derive(Clone, Debug)]
struct Entry {
    decoder: Addr<Decoder>,
    published: Published,
    started_ms: u64,
}

impl Entry {
    /// When somebody last used it; one that is only being opened is as young as its decoder.
    fn used_ms(&self) -> u64 {
        self.published.load().as_ref().map_or(self.started_ms, |image| image.used_ms())
    }
}

/// An open image and its decoder.
#[derive(Clone, Debug)]
pub struct Found {
    /// The image.
    pub image: Arc<OpenImage>,
    /// Its decoder.
    pub decoder: Addr<Decoder>,
}

/// Bounds of the registry.
#[derive(Clone, Copy, Debug)]
pub struct RegistrySettings {
    /// Images open at once.
    pub open_max: usize,
    /// An image unused this long is closed.
    pub idle: Duration,
    /// How long a look at a file is trusted.
    pub recheck: Duration,
}

impl RegistrySettings {
    /// Those of the configuration.
    pub(super) const fn of(config: &Config) -> Self {
        let images = &config.images;
        Self { open_max: images.open_max, idle: images.idle, recheck: images.recheck }
    }
}

/// The open images.
#[derive(Debug)]
pub struct ImageRegistry {
    images: DashMap<ImageId, Entry>,
    settings: ArcSwap<RegistrySettings>,
    tools: DecoderTools,
    arbiters: Vec<ArbiterHandle>,
    next_arbiter: AtomicUsize,
}

impl ImageRegistry {
    /// An empty registry whose decoders live on `arbiters` in turn.
    pub fn new(
        settings: RegistrySettings,
        tools: DecoderTools,
        arbiters: Vec<ArbiterHandle>,
    ) -> Self {
        Self {
            images: DashMap::new(),
            settings: ArcSwap::from_pointee(settings),
            tools,
            arbiters,
            next_arbiter: AtomicUsize::new(0),
        }
    }

    /// The image as its file stands now, give or take [`RegistrySettings::recheck`].
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn lookup(&self, id: &ImageId) -> Result<Found, LookupError> {
        if let Some(found) = self.find_fresh(id) {
            return Ok(found);
        }
        let mut last = Err(MailboxError::Closed);
        for _ in 0..ATTEMPTS_MAX {
            let entry = self.entry(id);
            last = entry.decoder.send(Mail::to("decoder", Lookup)).await;
            match &last {
                Ok(Ok(image)) => {
                    image.touch();
                    self.close_some_above_bound();
                    return Ok(Found { image: Arc::clone(image), decoder: entry.decoder });
                }
                Ok(Err(error)) => {
                    // A name with nothing to remember keeps no actor, or strangers could make them
                    // without end; those with a failure to remember count against the bound.
                    if error.is_lasting() {
                        self.close_some_above_bound();
                    } else {
                        self.remove_unopened(id);
                    }
                    break;
                }
                Err(_) => self.replace(id, &entry),
            }
        }
        match last {
            Ok(result) => {
                let error = result.err();
                Err(error.unwrap_or_else(stopped))
            }
            Err(_) => Err(stopped()),
        }
    }

    /// An open image that needs no check, without a message.
    fn find_fresh(&self, id: &ImageId) -> Option<Found> {
        let entry = self.images.get(id)?;
        let image = entry.published.load_full()?;
        if !image.is_fresh(self.settings.load().recheck) || !entry.decoder.connected() {
            return None;
        }
        image.touch();
        Some(Found { image, decoder: entry.decoder.clone() })
    }

    /// The entry of `id`, with a decoder that has perhaps not opened its image yet. The guard of the
    /// map is given back before anything is awaited.
    fn entry(&self, id: &ImageId) -> Entry {
        let entry = self.images.entry(id.clone()).or_insert_with(|| self.start(id));
        entry.value().clone()
    }

    fn start(&self, id: &ImageId) -> Entry {
        let published: Published = Arc::new(ArcSwapOption::empty());
        let number = self.next_arbiter.fetch_add(1, Ordering::Relaxed);
        let arbiter = self.arbiters.get(number % self.arbiters.len().max(1));
        let decoder = Decoder::new(id.clone(), self.tools.clone(), Arc::clone(&published));
        let decoder = match arbiter {
            Some(arbiter) => Supervisor::start_in_arbiter(arbiter, |_| decoder),
            None => Supervisor::start(|_| decoder),
        };
        Entry { decoder, published, started_ms: now_ms() }
    }

    /// Takes away a decoder that is gone, if nobody has replaced it yet.
    fn replace(&self, id: &ImageId, gone: &Entry) {
        let removed = self.images.remove_if(id, |_, entry| entry.decoder == gone.decoder);
        if removed.is_some() {
            metrics::restart("decoder");
            tracing::warn!(image = %id, "decoder was gone and is replaced");
        }
    }

    fn remove_unopened(&self, id: &ImageId) {
        self.images.remove_if(id, |_, entry| entry.published.load().is_none());
    }

    /// Closes images that nobody used for [`RegistrySettings::idle`]; call every few seconds.
    pub fn close_idle(&self) {
        let idle_ms = u64::try_from(self.settings.load().idle.as_millis()).unwrap_or(u64::MAX);
        let now = now_ms();
        let before = self.images.len();
        self.images.retain(|_, entry| now.saturating_sub(entry.used_ms()) < idle_ms);
        metrics::images_closed("idle", before.saturating_sub(self.images.len()));
    }

    /// Closes the least recently used eighth where more are open than may be.
    fn close_some_above_bound(&self) {
        let open_max = self.settings.load().open_max;
        if self.images.len() <= open_max {
            return;
        }
        let mut used: Vec<(u64, ImageId)> =
            self.images.iter().map(|entry| (entry.used_ms(), entry.key().clone())).collect();
        used.sort_unstable();
        let excess = used.len().saturating_sub(open_max);
        let count = excess + open_max / 8;
        // The one just opened is the youngest and stays.
        let count = count.min(used.len().saturating_sub(1));
        for (_, id) in used.iter().take(count) {
            self.images.remove(id);
        }
        metrics::images_closed("bound", count);
    }

    /// Takes new bounds; they count from the next image on.
    pub(super) fn go_by(&self, settings: RegistrySettings) {
        self.settings.store(Arc::new(settings));
        metrics::level("tessera_images_open_max", u64::try_from(settings.open_max).unwrap_or(0));
    }

    /// Closes images, and forgets failures of those that do not open; how many.
    pub(super) fn purge(&self, purge: &Purge) -> usize {
        let before = self.images.len();
        self.images.retain(|id, _| !purge.takes(id));
        before.saturating_sub(self.images.len())
    }

    /// Those that are open.
    pub(super) fn open_images(&self) -> Vec<Arc<OpenImage>> {
        self.images.iter().filter_map(|entry| entry.published.load_full()).collect()
    }

    /// Images known: open, or being opened.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }
}

fn stopped() -> LookupError {
    LookupError::Pool(PoolError::Stopped { pool: "decode" })
}
