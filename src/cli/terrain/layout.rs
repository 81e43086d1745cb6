//! How the image is cut: tiles of 256 pixels, and square blocks of many tiles that are made in one go
//! and never made twice.

use crate::codecs::tiff::writer::{TileSpan, WrittenLevel};
use crate::model::Size;

/// Side of a tile in pixels, at every level.
pub(super) const TILE_PX: u32 = 256;

/// Side in pixels of what a block hands on to the levels above its own: half a tile.
pub(super) const REST_PX: u32 = TILE_PX / 2;

/// Smallest and largest side of a terrain in pixels.
pub(super) const SIDE_PX_MIN: u32 = TILE_PX;
pub(super) const SIDE_PX_MAX: u32 = 131_072;

/// Largest side of a block in pixels: some 1 MB of tiles, and a tenth of a second of work on one core.
const BLOCK_PX_MAX: u32 = 2048;

/// A square image whose side is a power of two, so that no tile is cropped and every level is half the
/// one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    side_px: u32,
}

impl Layout {
    /// A layout, or nothing where the side is not one that is made.
    pub(super) fn new(side_px: u32) -> Option<Self> {
        let known = side_px.is_power_of_two() && (SIDE_PX_MIN..=SIDE_PX_MAX).contains(&side_px);
        known.then_some(Self { side_px })
    }

    /// Side of a block in pixels: at least 16 blocks an image, where they are not smaller than a tile.
    pub(super) fn block_px(self) -> u32 {
        (self.side_px / 4).clamp(TILE_PX, BLOCK_PX_MAX)
    }

    /// Blocks of a row, and of a column.
    pub(super) fn blocks_per_side(self) -> u32 {
        self.side_px / self.block_px()
    }

    /// Blocks in all.
    pub(super) fn blocks(self) -> u32 {
        self.blocks_per_side() * self.blocks_per_side()
    }

    /// Left and top of a block in pixels; blocks are counted row by row.
    pub(super) fn block_at(self, index: u32) -> (u32, u32) {
        let per_side = self.blocks_per_side();
        (index % per_side * self.block_px(), index / per_side * self.block_px())
    }

    /// Tiles along the side of a block, for each of the levels that it makes: full level first, down to
    /// its single tile.
    pub(super) fn block_levels(self) -> impl Iterator<Item = u32> {
        let full = self.block_px() / TILE_PX;
        (0..=full.ilog2()).map(move |step| full >> step)
    }

    /// Tiles that a block makes, over all its levels.
    pub(super) fn block_tiles(self) -> u32 {
        self.block_levels().map(|per_side| per_side * per_side).sum()
    }

    /// Levels of the blocks put together. `tiles(block)` are the tiles of a block, level by level and
    /// row by row, as [`Layout::block_levels`] has them.
    pub(super) fn lower_levels<'a>(
        self,
        tiles: impl Fn(u32) -> &'a [TileSpan],
    ) -> Option<Vec<WrittenLevel>> {
        let mut first = 0;
        let mut levels = Vec::new();
        for (step, per_block) in (0..).zip(self.block_levels()) {
            let per_side = per_block * self.blocks_per_side();
            let mut all = Vec::new();
            for (row, column) in grid(per_side) {
                let block = row / per_block * self.blocks_per_side() + column / per_block;
                let within = first + row % per_block * per_block + column % per_block;
                all.push(*tiles(block).get(usize::try_from(within).ok()?)?);
            }
            let side_px = self.side_px >> step;
            levels.push(WrittenLevel { size: Size::new(side_px, side_px)?, tiles: all });
            first += per_block * per_block;
        }
        Some(levels)
    }
}

/// Row and column of every cell of a square grid, row by row.
pub(super) fn grid(per_side: u32) -> impl Iterator<Item = (u32, u32)> {
    (0..per_side).flat_map(move |row| (0..per_side).map(move |column| (row, column)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_powers_of_two_within_bounds() {
        for (side_px, known) in [
            (0, false),
            (128, false),
            (256, true),
            (1000, false),
            (131_072, true),
            (262_144, false),
        ] {
            assert_eq!(Layout::new(side_px).is_some(), known, "{side_px}");
        }
    }

    #[test]
    fn blocks_cover_the_image() {
        for (side_px, block_px, blocks, tiles) in
            [(256, 256, 1, 1), (1024, 256, 16, 1), (4096, 1024, 16, 21), (32_768, 2048, 256, 85)]
        {
            let layout = Layout::new(side_px).unwrap();
            let found = (layout.block_px(), layout.blocks(), layout.block_tiles());
            assert_eq!(found, (block_px, blocks, tiles), "{side_px}");
            let last = layout.block_at(blocks - 1);
            assert_eq!(last, (side_px - block_px, side_px - block_px));
        }
    }

    #[test]
    fn every_tile_comes_to_its_place_once() {
        let layout = Layout::new(4096).unwrap();
        let span = |block: u32, tile: u32| TileSpan {
            offset_bytes: u64::from(block * 100 + tile),
            len_bytes: 1,
        };
        let blocks: Vec<Vec<TileSpan>> = (0..16)
            .map(|block| (0..layout.block_tiles()).map(|tile| span(block, tile)).collect())
            .collect();
        let levels = layout.lower_levels(|block| &blocks[usize::try_from(block).unwrap()]).unwrap();
        let sides: Vec<u32> = levels.iter().map(|level| level.size.width()).collect();
        assert_eq!(sides, [4096, 2048, 1024]);
        assert_eq!(
            levels[0].tiles[0..5],
            [span(0, 0), span(0, 1), span(0, 2), span(0, 3), span(1, 0)]
        );
        assert_eq!(levels[0].tiles[16], span(0, 4));
        assert_eq!(levels[1].tiles[8 + 2], span(1, 18));
        assert_eq!(levels[2].tiles[15], span(15, 20));
        let mut all: Vec<u64> =
            levels.iter().flat_map(|level| &level.tiles).map(|tile| tile.offset_bytes).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 16 * 21);
    }
}
