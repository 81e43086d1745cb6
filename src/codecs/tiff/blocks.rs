//! The blocks that a TIFF answer is written in: one strip where the picture is small, else tiles, so that
//! readers of a large one need not read it whole.
#![expect(clippy::indexing_slicing, reason = "rows and pixels are held to the raster")]

use crate::codecs::CodecError;
use crate::codecs::number::{reserved_for, usize_of};
use crate::codecs::tiff::malformed;
use crate::imaging::{Raster, Sample};
use crate::model::Size;

/// Sides of a tile in pixels: a multiple of 16, as section 15 of TIFF 6.0 wants it.
const TILE_PX: u32 = 256;

/// How a picture is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Blocks {
    size: Size,
    /// Pixels of each block; those at the far edges are padded.
    pub(super) block: Size,
}

impl Blocks {
    pub(super) fn of(size: Size) -> Self {
        let tile = Size::at_least_one(TILE_PX, TILE_PX);
        Self { size, block: if size.fits(tile) { size } else { tile } }
    }

    /// Whether the picture is one strip.
    pub(super) fn is_strip(self) -> bool {
        self.block == self.size
    }

    /// The left upper corners, row by row.
    pub(super) fn corners(self) -> impl Iterator<Item = (u32, u32)> {
        let (columns, rows) = self.size.grid(self.block);
        let Self { block, .. } = self;
        (0..rows).flat_map(move |row| {
            (0..columns).map(move |column| (column * block.width(), row * block.height()))
        })
    }

    /// The block at a corner; beyond the picture its last pixels go on.
    ///
    /// # Errors
    /// Memory is short.
    pub(super) fn cut<T: Sample>(
        self,
        raster: &Raster<T>,
        (left, top): (u32, u32),
    ) -> Result<Raster<T>, CodecError> {
        let (bands, row_len) = (raster.bands(), raster.row_len());
        let width = usize_of(self.block.width().min(self.size.width() - left));
        let missing = usize_of(self.block.width()) - width;
        let mut samples =
            reserved_for(usize_of(self.block.width()) * usize_of(self.block.height()) * bands)?;
        for y in 0..self.block.height() {
            let from = usize_of((top + y).min(self.size.height() - 1)) * row_len;
            let row = &raster.samples()[from + usize_of(left) * bands..][..width * bands];
            samples.extend_from_slice(row);
            for _ in 0..missing {
                samples.extend_from_slice(&row[row.len() - bands..]);
            }
        }
        Raster::new(self.block, raster.colour(), raster.alpha(), samples)
            .map_err(|error| malformed(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ColourModel;

    #[test]
    fn small_pictures_are_a_strip_and_tiles_of_others_are_padded() {
        let size = |width, height| Size::new(width, height).unwrap();
        let small = Blocks::of(size(256, 100));
        assert!(small.is_strip() && small.corners().eq([(0, 0)]));
        let blocks = Blocks::of(size(257, 300));
        assert!(!blocks.is_strip());
        let corners: Vec<_> = blocks.corners().collect();
        assert_eq!(corners, [(0, 0), (256, 0), (0, 256), (256, 256)]);
        let samples = (0..257 * 300_u32).map(|at| u16::try_from(at % 60_000).unwrap()).collect();
        let raster = Raster::new(size(257, 300), ColourModel::Gray, false, samples).unwrap();
        let last = blocks.cut(&raster, (256, 256)).unwrap();
        assert_eq!(last.size(), size(256, 256));
        let corner = u16::try_from((299 * 257 + 256) % 60_000).unwrap();
        assert_eq!(last.samples()[256 * 255 + 255], corner);
        assert_eq!(last.samples()[0], u16::try_from((256 * 257 + 256) % 60_000).unwrap());
    }
}
