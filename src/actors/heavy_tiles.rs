//! One thread at a time for what all answers of a flat image wait for. A viewer asks for twenty tiles
//! at once; the first of them decodes the whole image, and the others would wait for it on as many
//! threads of the pool, while tiles of other images wait for a thread.

use std::time::Instant;

use tokio::sync::SemaphorePermit;
use tokio::time::timeout_at;

use crate::actors::decoded_tiles::{DecodedTiles, TileKey};
use crate::actors::open_image::OpenImage;
use crate::actors::pool::PoolError;
use crate::metrics;
use crate::model::{ImageInfo, TileAddress};
use crate::plan::Plan;

/// Pixels above which one tile is worth waiting for off the pool: some 10 ms of decoding.
const HEAVY_PX: u64 = 1 << 20;

/// The tiles that are whole levels of an image, each made of the next: from the one that is read to the
/// file's own. None where the file's is small, or one of many.
pub(super) struct HeavyTiles(Vec<TileKey>);

impl HeavyTiles {
    /// Those that a plan needs one of.
    pub(super) fn of(image: &OpenImage, plan: &Plan) -> Self {
        let heavy = heavy_tiles(image.info(), plan.source.stored);
        Self(heavy.into_iter().map(|at| TileKey::of(image, at)).collect())
    }

    /// Whether one of them is decoded: the others are made of it in no time.
    pub(super) fn are_there(&self, tiles: &DecodedTiles) -> bool {
        self.0.iter().any(|key| tiles.find(key).is_some())
    }
}

/// Waits until nobody else of its lane decodes what this plan needs; nothing where it needs nothing heavy,
/// or that is there. What the permit stands for ends with it.
///
/// # Errors
/// `Expired` where it takes longer than until `deadline`.
pub(super) async fn turn<'a>(
    image: &'a OpenImage,
    plan: &Plan,
    tiles: &DecodedTiles,
    deadline: Instant,
) -> Result<Option<SemaphorePermit<'a>>, PoolError> {
    let heavy = HeavyTiles::of(image, plan);
    if heavy.0.is_empty() || heavy.are_there(tiles) {
        return Ok(None);
    }
    let since = Instant::now();
    let permit = timeout_at(deadline.into(), image.turns().of(plan.lane()).acquire()).await;
    let expired = |_elapsed| {
        metrics::shed(plan.lane().label(), "deadline");
        PoolError::Expired { pool: "decode", waited: since.elapsed() }
    };
    let permit = permit.map_err(expired)?;
    let permit = permit.map_err(|_closed| PoolError::Stopped { pool: "decode" })?;
    Ok((!heavy.are_there(tiles)).then_some(permit))
}

/// Empty where the tile that the file gives is small to decode, or one of many. A level that a codec
/// scales takes a pass over the whole file.
fn heavy_tiles(info: &ImageInfo, stored: usize) -> Vec<TileAddress> {
    let mut heavy = Vec::new();
    let mut at = Some(stored);
    while let Some((index, level)) = at.and_then(|index| Some((index, info.stored.get(index)?))) {
        if level.size.fits(level.tile) {
            heavy.push(TileAddress { stored: index, column: 0, row: 0 });
        }
        let decoded_px = if level.scaled { info.size.area() } else { level.size.area() };
        let is_heavy = level.size.fits(level.tile) && HEAVY_PX < decoded_px;
        if level.made_from.is_none() && !is_heavy {
            return Vec::new();
        }
        at = level.made_from;
    }
    heavy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size, StoredLevel, TileEncoding};

    fn flat(side_px: u32, tile_px: u32) -> ImageInfo {
        let (full, tile) = (Size::at_least_one(side_px, side_px), Size::at_least_one(256, 256));
        let stored_tile = Size::at_least_one(tile_px, tile_px);
        let level = StoredLevel::in_file(full, full, stored_tile, TileEncoding::Other);
        ImageInfo::new("PNG", ImageInfo::halved_to(vec![level], tile), tile, ColourModel::Rgb)
    }

    #[test]
    fn whole_levels_down_to_a_large_one_of_the_file_are_heavy() {
        let levels = |info: &ImageInfo, stored| {
            heavy_tiles(info, stored).iter().map(|at| at.stored).collect::<Vec<_>>()
        };
        let large = flat(2000, 2000);
        assert_eq!(levels(&large, 0), [0]);
        assert_eq!(levels(&large, 2), [2, 1, 0]);
        assert!(levels(&flat(1000, 1000), 1).is_empty(), "small");
        assert!(levels(&flat(2000, 256), 2).is_empty(), "many tiles");
        let scaled = StoredLevel::scaled(large.size, 3, 250);
        let stored = vec![large.stored[0], scaled];
        let jpeg = ImageInfo::new("JPEG", stored, large.tile, ColourModel::Rgb);
        assert_eq!(levels(&jpeg, 1), [1], "small, and dear to decode");
    }
}
