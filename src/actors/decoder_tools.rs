//! `DecoderTools`: what every Decoder works with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::actors::decoded_tiles::DecodedTiles;
use crate::actors::modules::Modules;
use crate::actors::open_image::{OpenImage, Opener};
use crate::actors::pool::Pool;
use crate::codecs::SpareThreads;
use crate::sources::Folder;

/// Folder, pools, shared tiles and settings.
#[derive(Clone)]
pub struct DecoderTools {
    /// Where files are.
    pub folder: Arc<Folder>,
    /// Who decodes what in processes of their own.
    pub modules: Arc<Modules>,
    /// How all other files are opened.
    pub opener: Opener,
    /// Where open images are compared with their files; apart from decoding, or a hit on an image
    /// whose look is due would wait behind every tile being made, and be refused with them.
    pub check_pool: Arc<Pool>,
    /// Where images are opened and tiles decoded.
    pub decode_pool: Arc<Pool>,
    /// Where exports are marked.
    pub watermark_pool: Arc<Pool>,
    /// Where exports and slow formats are encoded.
    pub encode_pool: Arc<Pool>,
    /// Decoded tiles of all images.
    pub tiles: Arc<DecodedTiles>,
    /// Jobs of one image at once.
    pub jobs_max: usize,
    /// How long a job may wait for its turn.
    pub deadline: Duration,
    /// How long a failure is answered without trying again.
    pub failure_hold: Duration,
}

impl DecoderTools {
    /// Who helps to decode a tile.
    pub(super) fn spare_threads(&self) -> Arc<dyn SpareThreads> {
        let pool: Arc<Pool> = Arc::clone(&self.decode_pool);
        pool
    }

    /// Where tiles of an image are decoded: threads that wait for a module's processes are none of those
    /// that decode all other images.
    pub(super) fn pool_of<'a>(&'a self, image: &'a OpenImage) -> &'a Pool {
        image.module().map_or(&self.decode_pool, |module| module.pool())
    }
}

impl fmt::Debug for DecoderTools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecoderTools").field("folder", &self.folder).finish_non_exhaustive()
    }
}
