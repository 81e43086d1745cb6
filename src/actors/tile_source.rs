//! `TileSource`: the tiles of one open image, whether the file holds them or they are made of a larger
//! level's. What is made, and what answers share, is kept among the decoded tiles.

use std::sync::Arc;
use std::time::Instant;

use crate::actors::decoded_tiles::{DecodedTiles, TileKey};
use crate::actors::interest::Interest;
use crate::actors::open_image::OpenImage;
use crate::actors::order::RenderError;
use crate::actors::pool::PoolError;
use crate::imaging::{self, Pixels, Shrink};
use crate::metrics;
use crate::model::{Rect, TileAddress};
use crate::plan::{Source, TileCover};

/// Tiles of one image, for one answer.
pub(super) struct TileSource<'a> {
    pub(super) image: &'a OpenImage,
    pub(super) tiles: &'a DecodedTiles,
    pub(super) interest: &'a Interest,
}

impl TileSource<'_> {
    /// The pixels of an area of one level, reduced as asked.
    ///
    /// # Errors
    /// What a tile reports; `Cancelled` where nobody waits any more.
    pub(super) fn assemble(&self, source: &Source) -> Result<Pixels, RenderError> {
        if let Some(at) = source.single_tile(self.image.info()) {
            return self.once(at);
        }
        self.mosaic(source.area, source.shrink, source.tiles())
    }

    /// A tile that is the whole answer: taken from the shared ones if it is there, but not put there,
    /// because the answer itself is kept. What other tiles are made of is put there all the same.
    fn once(&self, at: TileAddress) -> Result<Pixels, RenderError> {
        if self.is_flat() {
            return Ok(Pixels::clone(&*self.shared(at)?));
        }
        match self.tiles.find(&TileKey::of(self.image, at)) {
            Some(tile) => Ok(Pixels::clone(&tile)),
            None => self.make(at),
        }
    }

    /// Whether levels that the file lacks stand behind each other: a tile of one is dear.
    fn is_flat(&self) -> bool {
        self.image.info().stored.iter().any(|level| !level.is_in_file())
    }

    fn shared(&self, at: TileAddress) -> Result<Arc<Pixels>, RenderError> {
        self.tiles.obtain(&TileKey::of(self.image, at), || self.make(at))
    }

    fn make(&self, at: TileAddress) -> Result<Pixels, RenderError> {
        let info = self.image.info();
        let level = info.stored.get(at.stored);
        let parent = level.and_then(|level| level.made_from);
        match (parent, info.tile_rect(at)) {
            (Some(parent), Some(rect)) => self.halve(parent, rect),
            _ => self.decode(at),
        }
    }

    fn decode(&self, at: TileAddress) -> Result<Pixels, RenderError> {
        let started = Instant::now();
        let tile = self.image.decode().decode_tile(at)?;
        let codec = &self.image.info().container;
        metrics::decoded(codec, tile.size().area(), started.elapsed());
        Ok(tile)
    }

    /// A rectangle of a level's half, from that level's tiles.
    fn halve(&self, stored: usize, half: Rect) -> Result<Pixels, RenderError> {
        let level = self.image.info().stored.get(stored);
        let doubled = level.and_then(|level| level.doubled(half).map(|area| (level, area)));
        // Only an `ImageInfo` that breaks its own rules leads nowhere.
        let Some((level, area)) = doubled else { return Err(RenderError::Changed) };
        self.mosaic(area, Shrink::Mean(2), TileCover::of(area, level.tile).tiles(stored))
    }

    fn mosaic(
        &self,
        area: Rect,
        shrink: Shrink,
        tiles: impl Iterator<Item = TileAddress>,
    ) -> Result<Pixels, RenderError> {
        imaging::assemble(self.image.info(), (area, shrink), tiles, |at| {
            if self.interest.is_gone() {
                return Err(PoolError::Cancelled.into());
            }
            self.shared(at)
        })
    }
}
