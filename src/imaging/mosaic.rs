//! `Mosaic`: an area of one level put together from its tiles, reduced by a power of two while they
//! arrive, so that an area of any extent needs no more memory than its reduced picture.

use crate::imaging::block_sums::BlockSums;
use crate::imaging::error::ImagingError;
use crate::imaging::raster::{Raster, usize_of};
use crate::imaging::sample::Sample;
use crate::model::{ColourModel, Rect, Size};

/// How an area is reduced while its tiles arrive. Blocks are counted from the area's upper left
/// corner; those that its far edges cut are smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shrink {
    /// Not at all.
    None,
    /// Each block of so many pixels squared becomes its mean: 2 to [`Shrink::FACTOR_MAX`].
    Mean(u32),
    /// Each block becomes the pixel right and below of its centre: 2 to [`Shrink::FACTOR_MAX`].
    Pick(u32),
}

impl Shrink {
    /// The largest factor: a block's sum of bytes times alpha, `256^2 * 255^2`, just fits 32 bits.
    pub const FACTOR_MAX: u32 = 256;

    /// Pixels of a block's side, at least 1.
    pub const fn factor(self) -> u32 {
        match self {
            Self::None => 1,
            Self::Mean(factor) | Self::Pick(factor) => factor,
        }
    }

    /// What becomes of an area of this size.
    pub fn size_of(self, area: Size) -> Size {
        let factor = self.factor();
        Size::at_least_one(area.width().div_ceil(factor), area.height().div_ceil(factor))
    }
}

/// An area under construction.
#[derive(Debug)]
pub struct Mosaic<T: Sample = u8> {
    area: Rect,
    bands: usize,
    canvas: Canvas<T>,
    filled_px: u64,
}

#[derive(Debug)]
enum Canvas<T: Sample> {
    Whole(Raster<T>),
    Means(BlockSums<T>),
    Picked(Raster<T>, u32),
}

impl<T: Sample> Mosaic<T> {
    /// An empty mosaic of `area`, in pixels of the level that its tiles come from.
    ///
    /// # Panics
    /// Where the factor of `shrink` is not in its range.
    pub fn new(area: Rect, shrink: Shrink, colour: ColourModel, alpha: bool) -> Self {
        let factor = shrink.factor();
        assert!(0 < factor && factor <= Shrink::FACTOR_MAX, "a shrink by {factor} is out of range");
        let raster = || Raster::zeroed(shrink.size_of(area.size()), colour, alpha);
        let canvas = match shrink {
            Shrink::None => Canvas::Whole(raster()),
            Shrink::Mean(factor) => {
                Canvas::Means(BlockSums::new(area.size(), factor, colour, alpha))
            }
            Shrink::Pick(factor) => Canvas::Picked(raster(), factor),
        };
        let bands = usize::from(colour.bands()) + usize::from(alpha);
        Self { area, bands, canvas, filled_px: 0 }
    }

    /// Adds one tile, whose pixels are those of `rect` in its level; what lies outside of the area is
    /// left out. Tiles may come in any order, each once.
    ///
    /// # Errors
    /// Where the tile has not the size of `rect` or not the image's bands, or comes twice.
    pub fn add(&mut self, tile: &Raster<T>, rect: Rect) -> Result<(), ImagingError> {
        if tile.size() != rect.size() || tile.bands() != self.bands {
            return Err(ImagingError::TileShape {
                expected: rect.size(),
                found: tile.size(),
                bands: self.bands,
                found_bands: tile.bands(),
            });
        }
        let Some(shared) = self.area.intersect(rect) else { return Ok(()) };
        self.filled_px += shared.size().area();
        if self.area.size().area() < self.filled_px {
            return Err(self.cover_error());
        }
        // Below: the shared part as the tile sees it, and where it begins as the area sees it.
        let within =
            Rect::new(shared.left() - rect.left(), shared.top() - rect.top(), shared.size());
        let Some(part) = within else { return Ok(()) };
        let (left, top) = (shared.left() - self.area.left(), shared.top() - self.area.top());
        match &mut self.canvas {
            Canvas::Whole(raster) => raster.paste(tile, part, left, top),
            Canvas::Means(sums) => sums.add(tile, part, left, top),
            Canvas::Picked(raster, factor) => {
                let pick = Pick { area: self.area.size(), factor: *factor };
                pick.copy(raster, tile, part, (left, top));
            }
        }
        Ok(())
    }

    /// The finished raster, of [`Shrink::size_of`] the area.
    ///
    /// # Errors
    /// Where tiles are missing: a gap is never passed off as black pixels.
    pub fn finish(self) -> Result<Raster<T>, ImagingError> {
        if self.filled_px != self.area.size().area() {
            return Err(self.cover_error());
        }
        Ok(match self.canvas {
            Canvas::Whole(raster) | Canvas::Picked(raster, _) => raster,
            Canvas::Means(sums) => sums.means(),
        })
    }

    fn cover_error(&self) -> ImagingError {
        ImagingError::Cover { filled_px: self.filled_px, area_px: self.area.size().area() }
    }
}

/// The pixels that stand for their blocks.
struct Pick {
    area: Size,
    factor: u32,
}

impl Pick {
    /// Copies those of `part` of `tile`, which begins at `origin` in the area.
    fn copy<T: Sample>(
        &self,
        to: &mut Raster<T>,
        tile: &Raster<T>,
        part: Rect,
        origin: (u32, u32),
    ) {
        let (left, top) = origin;
        let bands = tile.bands();
        let (row_len, tile_row_len) = (to.row_len(), tile.row_len());
        for (row, y) in self.picked(top, part.height(), self.area.height()) {
            let tile_row = usize_of(y - top + part.top()) * tile_row_len;
            let Some(target) = to.samples_mut().get_mut(row * row_len..(row + 1) * row_len) else {
                return;
            };
            for (column, x) in self.picked(left, part.width(), self.area.width()) {
                let from = tile_row + usize_of(x - left + part.left()) * bands;
                if let (Some(target), Some(source)) = (
                    target.get_mut(column * bands..(column + 1) * bands),
                    tile.samples().get(from..from + bands),
                ) {
                    target.copy_from_slice(source);
                }
            }
        }
    }

    /// Block index and picked pixel along one axis, for those within `length` from `start` on.
    fn picked(&self, start: u32, length: u32, end: u32) -> impl Iterator<Item = (usize, u32)> {
        let factor = self.factor;
        let end_of_part = start + length;
        (start / factor..end_of_part.div_ceil(factor)).filter_map(move |block| {
            let at = (block * factor + factor / 2).min(end - 1);
            (start <= at && at < end_of_part).then(|| (usize_of(block), at))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::crop_box::CropBox;
    use crate::imaging::resize::resize;
    use crate::imaging::scratch::Scratch;
    use crate::model::Filter;

    const SHAPES: [(ColourModel, bool); 4] = [
        (ColourModel::Gray, false),
        (ColourModel::Gray, true),
        (ColourModel::Rgb, false),
        (ColourModel::Rgb, true),
    ];

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn rect(left: u32, top: u32, width: u32, height: u32) -> Rect {
        Rect::new(left, top, size(width, height)).unwrap()
    }

    fn noise(size: Size, colour: ColourModel, alpha: bool) -> Raster {
        let count = u32::try_from(Raster::<u8>::samples_len(size, colour, alpha)).unwrap();
        let hash = |i: u32| i.wrapping_mul(2_654_435_761).rotate_left(11).to_le_bytes()[0];
        Raster::new(size, colour, alpha, (0..count).map(hash).collect()).unwrap()
    }

    fn part(of: &Raster, rect: Rect) -> Raster {
        let mut raster = Raster::zeroed(rect.size(), of.colour(), of.alpha());
        raster.paste(of, rect, 0, 0);
        raster
    }

    /// The mosaic of `area` of a picture cut into tiles.
    fn mosaic(picture: &Raster, tile: Size, area: Rect, shrink: Shrink) -> Raster {
        let mut mosaic = Mosaic::new(area, shrink, picture.colour(), picture.alpha());
        let (columns, rows) = picture.size().grid(tile);
        for (column, row) in (0..rows).flat_map(|row| (0..columns).map(move |c| (c, row))) {
            let at = Rect::tile(picture.size(), tile, column, row).unwrap();
            mosaic.add(&part(picture, at), at).unwrap();
        }
        mosaic.finish().unwrap()
    }

    #[test]
    fn tiles_join_without_a_seam_however_they_are_cut_and_reduced() {
        let mut cases = 0;
        for (colour, alpha) in SHAPES {
            let picture = noise(size(61, 47), colour, alpha);
            for shrink in [Shrink::None, Shrink::Mean(2), Shrink::Mean(8), Shrink::Pick(4)] {
                for area in [Rect::whole(picture.size()), rect(3, 5, 50, 31), rect(60, 46, 1, 1)] {
                    let whole = mosaic(&picture, picture.size(), area, shrink);
                    for tile in [size(16, 16), size(7, 5), size(1, 47)] {
                        assert_eq!(mosaic(&picture, tile, area, shrink), whole, "{shrink:?}");
                        cases += 1;
                    }
                }
            }
        }
        assert_eq!(cases, 4 * 4 * 3 * 3);
    }

    #[test]
    fn a_resized_mosaic_is_the_resized_whole() {
        let picture = noise(size(61, 47), ColourModel::Rgb, false);
        let assembled = mosaic(&picture, size(16, 16), Rect::whole(size(61, 47)), Shrink::None);
        let crop = CropBox { left: 2.25, top: 3.5, width: 40.5, height: 30.0 };
        let resized = |raster: &Raster| {
            resize(raster, crop, size(29, 21), Filter::CatmullRom, &mut Scratch::new()).unwrap()
        };
        assert_eq!(resized(&assembled), resized(&picture));
    }

    #[test]
    fn a_block_becomes_its_mean_and_cut_blocks_that_of_what_is_there() {
        let samples = vec![10, 20, 7, 30, 41, 8, 100, 102, 9];
        let picture = Raster::new(size(3, 3), ColourModel::Gray, false, samples).unwrap();
        let means = mosaic(&picture, size(2, 2), Rect::whole(size(3, 3)), Shrink::Mean(2));
        // 101 / 4 = 25.25, 15 / 2 = 7.5, 202 / 2, 9.
        assert_eq!((means.size(), means.samples()), (size(2, 2), &[25, 8, 101, 9][..]));
    }

    #[test]
    fn a_mean_weighs_colours_by_their_alpha() {
        let samples = vec![0, 255, 255, 0, 0, 255, 255, 0];
        let picture = Raster::new(size(2, 2), ColourModel::Gray, true, samples).unwrap();
        let means = mosaic(&picture, size(2, 2), Rect::whole(size(2, 2)), Shrink::Mean(2));
        assert_eq!(means.samples(), [0, 128]);
    }

    #[test]
    fn the_largest_block_of_the_brightest_pixels_does_not_overflow() {
        let side = Shrink::FACTOR_MAX;
        let white = vec![255; usize_of(side * side * 2)];
        let picture = Raster::new(size(side, side), ColourModel::Gray, true, white).unwrap();
        let area = Rect::whole(picture.size());
        let means = mosaic(&picture, size(100, 100), area, Shrink::Mean(side));
        assert_eq!(means.samples(), [255, 255]);
    }

    #[test]
    fn picked_pixels_are_pixels_of_the_picture() {
        let samples = (0..25).collect();
        let picture = Raster::new(size(5, 5), ColourModel::Gray, false, samples).unwrap();
        let picked = mosaic(&picture, size(2, 3), Rect::whole(size(5, 5)), Shrink::Pick(2));
        assert_eq!(picked.samples(), [6, 8, 9, 16, 18, 19, 21, 23, 24]);
    }

    #[test]
    fn a_gap_or_a_tile_of_the_wrong_shape_is_an_error() {
        let tile = Raster::<u8>::zeroed(size(2, 2), ColourModel::Gray, false);
        let start = || Mosaic::new(rect(0, 0, 4, 2), Shrink::None, ColourModel::Gray, false);
        let mut gap = start();
        gap.add(&tile, rect(0, 0, 2, 2)).unwrap();
        let error = gap.finish().unwrap_err();
        assert_eq!(error, ImagingError::Cover { filled_px: 4, area_px: 8 });
        let mut wrong = start();
        let error = wrong.add(&tile, rect(0, 0, 3, 2)).unwrap_err();
        assert!(matches!(error, ImagingError::TileShape { .. }), "{error}");
        let rgb = Raster::zeroed(size(2, 2), ColourModel::Rgb, false);
        let error = wrong.add(&rgb, rect(0, 0, 2, 2)).unwrap_err();
        assert!(matches!(error, ImagingError::TileShape { .. }), "{error}");
    }
}
