//! The geometry of the test pyramids: both images have the same levels and tiles, and every level
//! is exactly half the one before, so that all protocols name the same pixels and round nothing.

/// Columns of the full image, 157 * 128.
pub(crate) const WIDTH_PX: u32 = 20_096;
/// Rows of the full image, 118 * 128.
pub(crate) const HEIGHT_PX: u32 = 15_104;
/// Side of a tile.
pub(crate) const TILE_PX: u32 = 256;
/// Levels from the full image (level 0) down to 157 x 118, the first that fits one tile.
pub(crate) const LEVEL_COUNT: u32 = 8;

/// Which of the two pyramids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Image {
    /// Tiles stored as JPEG, quality 85: a server may pass them through.
    Jpeg,
    /// Tiles stored as Deflate: a server must decode and encode.
    Deflate,
}

impl Image {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Jpeg, Self::Deflate];

    /// The file's name below the image root, and so its identifier.
    pub(crate) const fn file_name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg.tif",
            Self::Deflate => "deflate.tif",
        }
    }
}

/// One tile of one pyramid; level 0 is the full image, column and row count from the upper left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    pub(crate) image: Image,
    pub(crate) level: u32,
    pub(crate) column: u32,
    pub(crate) row: u32,
}

impl Tile {
    /// Width and height in pixels of the level: less than a whole tile at the right and lower edge.
    pub(crate) fn size_px(self) -> (u32, u32) {
        let (width, height) = level_size_px(self.level);
        (
            TILE_PX.min(width.saturating_sub(self.column * TILE_PX)),
            TILE_PX.min(height.saturating_sub(self.row * TILE_PX)),
        )
    }

    /// Whether the tile is cut by the image's edge.
    pub(crate) fn is_edge(self) -> bool {
        self.size_px() != (TILE_PX, TILE_PX)
    }
}

/// Width and height of a level in pixels.
pub(crate) const fn level_size_px(level: u32) -> (u32, u32) {
    (WIDTH_PX >> level, HEIGHT_PX >> level)
}

/// Columns and rows of tiles in a level.
pub(crate) const fn grid(level: u32) -> (u32, u32) {
    let (width, height) = level_size_px(level);
    (width.div_ceil(TILE_PX), height.div_ceil(TILE_PX))
}

/// Every tile of an image, full level first, row by row.
pub(crate) fn tiles(image: Image) -> impl Iterator<Item = Tile> {
    (0..LEVEL_COUNT).flat_map(move |level| {
        let (columns, rows) = grid(level);
        (0..rows)
            .flat_map(move |row| (0..columns).map(move |column| Tile { image, level, column, row }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_is_exactly_half_and_only_the_last_fits_a_tile() {
        for level in 1..LEVEL_COUNT {
            let (width, height) = level_size_px(level);
            let above = level_size_px(level - 1);
            assert_eq!((width * 2, height * 2), above, "level {level}");
            assert_eq!(width.max(height) <= TILE_PX, level == LEVEL_COUNT - 1, "level {level}");
        }
    }

    #[test]
    fn the_tiles_cover_every_level_once() {
        let pixels: u64 = tiles(Image::Jpeg)
            .map(Tile::size_px)
            .map(|(width, height)| u64::from(width) * u64::from(height))
            .sum();
        let levels: u64 = (0..LEVEL_COUNT)
            .map(level_size_px)
            .map(|(width, height)| u64::from(width) * u64::from(height))
            .sum();
        assert_eq!(pixels, levels);
        assert_eq!(tiles(Image::Jpeg).count(), 6270);
    }

    #[test]
    fn edge_tiles_are_the_cut_ones() {
        let tile = |column, row| Tile { image: Image::Jpeg, level: 0, column, row };
        assert!(!tile(0, 0).is_edge());
        assert_eq!(tile(78, 0).size_px(), (128, 256));
        assert!(tile(78, 0).is_edge());
        assert!(!tile(0, 58).is_edge(), "59 rows of tiles fit exactly");
    }
}
