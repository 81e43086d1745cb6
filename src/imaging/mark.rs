//! `Watermark`: a mark and how it is put on answers. `Mark`: its picture, held ready for blending.

use std::fmt;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use crate::imaging::colour::to_colour;
use crate::imaging::raster::{Raster, usize_of};
use crate::model::{Blend, Position, Size};

/// A mark, and how it is put on answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Watermark {
    /// Its pixels.
    pub mark: Arc<Mark>,
    /// What they make of the answer's.
    pub blend: Blend,
    /// Where they lie.
    pub position: Position,
    /// The share of blocks that have a mark, 0 to 1.
    pub probability: f64,
    /// How much of the mark's alpha counts, 0 to 1.
    pub opacity: f64,
}

/// Pixels of red, green, blue and alpha (unassociated), top row first.
#[derive(Clone, PartialEq, Eq)]
pub struct Mark {
    size: Size,
    pixels: Vec<[u8; 4]>,
    digest: u128,
}

impl Mark {
    /// The mark that a gray or RGB raster is; without alpha all of it is opaque.
    pub fn of(raster: Raster) -> Self {
        let raster = to_colour(raster);
        let pixels: Vec<[u8; 4]> = if raster.alpha() {
            raster.samples().as_chunks::<4>().0.to_vec()
        } else {
            let (pixels, _) = raster.samples().as_chunks::<3>();
            pixels.iter().map(|&[red, green, blue]| [red, green, blue, u8::MAX]).collect()
        };
        let size = raster.size();
        let mut digest = Xxh3::new();
        digest.update(&size.width().to_le_bytes());
        digest.update(pixels.as_flattened());
        Self { size, pixels, digest: digest.digest128() }
    }

    /// Width and height in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// A number for size and pixels: equal for equal marks, wherever they came from.
    pub const fn digest(&self) -> u128 {
        self.digest
    }

    /// Pixels of row `top` from `left` on, `width` of them; fewer where the mark ends first.
    pub(super) fn run(&self, left: u32, top: u32, width: u32) -> &[[u8; 4]] {
        let row_len = usize_of(self.size.width());
        let row = self.pixels.chunks_exact(row_len).nth(usize_of(top)).unwrap_or_default();
        let left = usize_of(left).min(row_len);
        let end = left.saturating_add(usize_of(width)).min(row_len);
        row.get(left..end).unwrap_or_default()
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mark").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ColourModel;

    #[test]
    fn gray_and_opaque_rasters_are_marks_too() {
        let size = Size::new(2, 1).unwrap();
        let mark = |colour, alpha, samples| {
            Mark::of(Raster::new(size, colour, alpha, samples).unwrap()).pixels
        };
        let (gray, rgb) = (ColourModel::Gray, ColourModel::Rgb);
        assert_eq!(mark(gray, false, vec![1, 2]), [[1, 1, 1, 255], [2, 2, 2, 255]]);
        assert_eq!(mark(gray, true, vec![1, 9, 2, 8]), [[1, 1, 1, 9], [2, 2, 2, 8]]);
        assert_eq!(mark(rgb, false, vec![1, 2, 3, 4, 5, 6]), [[1, 2, 3, 255], [4, 5, 6, 255]]);
    }

    #[test]
    fn a_run_ends_with_the_mark() {
        let size = Size::new(2, 2).unwrap();
        let raster = Raster::new(size, ColourModel::Gray, false, vec![1, 2, 3, 4]).unwrap();
        let mark = Mark::of(raster);
        let grays = |left, top, width| {
            mark.run(left, top, width).iter().map(|pixel| pixel[0]).collect::<Vec<u8>>()
        };
        assert_eq!(grays(0, 1, 2), [3, 4]);
        assert_eq!(grays(1, 0, 9), [2]);
        assert!(grays(0, 2, 2).is_empty());
        assert!(grays(5, 0, 2).is_empty());
    }

    #[test]
    fn shape_and_pixels_are_in_the_digest() {
        let gray = |size: (u32, u32), samples| {
            let size = Size::new(size.0, size.1).unwrap();
            Mark::of(Raster::new(size, ColourModel::Gray, false, samples).unwrap()).digest()
        };
        assert_eq!(gray((2, 1), vec![1, 2]), gray((2, 1), vec![1, 2]));
        assert_ne!(gray((2, 1), vec![1, 2]), gray((1, 2), vec![1, 2]));
        assert_ne!(gray((2, 1), vec![1, 2]), gray((2, 1), vec![1, 3]));
    }
}
