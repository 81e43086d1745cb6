//! `DecodeLimits`: checked before anything is allocated, because a header can promise anything.

use crate::model::LayersRule;

/// Bounds of what one image may make a decoder allocate or do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Longest side of an image in pixels.
    pub side_px_max: u32,
    /// Pixels of one stored tile.
    pub tile_px_max: u64,
    /// Compressed bytes of one stored tile.
    pub tile_bytes_max: u64,
    /// Directories (IFDs, SubIFDs) that are followed in one file.
    pub directories_max: usize,
    /// Tiles of one level: their offsets and lengths are kept in memory, 16 bytes each.
    pub tiles_max: u64,
    /// Bytes of an embedded ICC profile; a larger one is left out.
    pub icc_bytes_max: u64,
    /// Bytes that are remembered of where packets of one tile of JPEG 2000 are, 12 for each packet; of
    /// one image, twice as many.
    pub index_bytes_max: u64,
    /// Quality layers of a JPEG 2000 image that are decoded.
    pub layers: LayersRule,
    /// Bytes of one block or text of metadata; a larger one is left out.
    pub metadata_bytes_max: u64,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            side_px_max: 10_000_000,
            tile_px_max: 64 << 20,
            tile_bytes_max: 256 << 20,
            directories_max: 1024,
            tiles_max: 16 << 20,
            icc_bytes_max: 4 << 20,
            index_bytes_max: 64 << 20,
            layers: LayersRule::All,
            metadata_bytes_max: 1 << 20,
        }
    }
}
