//! What the cast is doing, for those who administer it.

use std::sync::Arc;

use crate::actors::by_lane::ByLane;
use crate::actors::interest::Asker;
use crate::actors::open_image::OpenImage;
use crate::actors::service::{Service, ServiceError};
use crate::actors::shards::ShardState;
use crate::model::{Request, Want};
use crate::plan::{self, Plan};

/// All of it.
#[derive(Clone, Debug)]
pub struct CastState {
    /// Images known: open, or being opened.
    pub images_open: usize,
    /// In their order.
    pub shards: Vec<ShardState>,
    /// Decoded tiles kept.
    pub decoded_tiles: usize,
    /// Their bytes.
    pub decoded_bytes: u64,
    /// Jobs waiting or at work, by the pool's name.
    pub pools: Vec<(&'static str, ByLane<usize>)>,
    /// Bytes of pixels admitted.
    pub bytes_in_decode: ByLane<u64>,
    /// Bytes of pixels that may be.
    pub bytes_in_decode_max: u64,
    /// Requests that wait for room.
    pub waiting: ByLane<usize>,
}

/// How a request would be answered.
#[derive(Debug)]
pub struct Explained {
    /// The image.
    pub image: Arc<OpenImage>,
    /// What would be done; nothing where it asks for no picture.
    pub plan: Option<Plan>,
    /// Whether the answer is kept.
    pub is_cached: bool,
}

impl Service {
    /// What goes on just now.
    pub fn state(&self) -> CastState {
        let observed = &self.observed;
        CastState {
            images_open: self.registry.len(),
            shards: self.shards.states(),
            decoded_tiles: observed.tiles.len(),
            decoded_bytes: observed.tiles.bytes(),
            pools: observed.pool_depths(),
            bytes_in_decode: observed.admission.bytes_in_use(),
            bytes_in_decode_max: observed.admission.bytes_max(),
            waiting: observed.admission.waiting(),
        }
    }

    /// Open images, the one used last first; so many at most.
    pub fn open_images(&self, count_max: usize) -> Vec<Arc<OpenImage>> {
        let mut open = self.registry.open_images();
        open.sort_by_key(|image| image.unused());
        open.truncate(count_max);
        open
    }

    /// How a request would be answered. The image is opened if it is not.
    ///
    /// # Errors
    /// As [`Service::answer`].
    pub async fn explain(&self, request: &Request) -> Result<Explained, ServiceError> {
        let policy = self.policy.load_full();
        let image = self.lookup(&request.image).await?.image;
        let Want::Picture(picture) = &request.want else {
            return Ok(Explained { image, plan: None, is_cached: false });
        };
        let picture = &self.with_preset(picture, &image, (&Asker::new(), &policy)).await?;
        let plan = plan::plan(picture, image.id(), image.version(), image.info(), &policy.rules)?;
        let is_cached = self.shards.map_of(plan.key).has(plan.key);
        Ok(Explained { image, plan: Some(plan), is_cached })
    }
}
