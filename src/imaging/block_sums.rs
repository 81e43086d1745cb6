//! Sums of blocks of pixels, gathered tile by tile: exact means, whatever tile a pixel of a block
//! came in. `mean = sum / count`, rounded; with alpha, colours are summed times their alpha and
//! `colour = sum(c * a) / sum(a)`.
#![expect(clippy::indexing_slicing, reason = "runs within rows, whose lengths the sizes give")]

use std::iter;

use crate::imaging::raster::{Raster, usize_of};
use crate::imaging::sample::Sample;
use crate::model::{ColourModel, Rect, Size};

/// Blocks of `factor` pixels squared, counted from the upper left corner of an area.
#[derive(Debug)]
pub(super) struct BlockSums<T: Sample> {
    area: Size,
    factor: u32,
    colour: ColourModel,
    alpha: bool,
    /// `sums[(row * columns + column) * bands + band]`.
    sums: Vec<T::Sum>,
    /// Sums of up to `factor` rows of one tile, `bands` values a pixel.
    rows: Vec<T::Sum>,
}

impl<T: Sample> BlockSums<T> {
    /// All sums 0.
    pub(super) fn new(area: Size, factor: u32, colour: ColourModel, alpha: bool) -> Self {
        let blocks =
            Size::at_least_one(area.width().div_ceil(factor), area.height().div_ceil(factor));
        let sums = vec![T::Sum::default(); Raster::<T>::samples_len(blocks, colour, alpha)];
        Self { area, factor, colour, alpha, sums, rows: Vec::new() }
    }

    /// Adds `part` of a tile; its first pixel is (`left`, `top`) of the area.
    pub(super) fn add(&mut self, tile: &Raster<T>, part: Rect, left: u32, top: u32) {
        let bands = tile.bands();
        let run = usize_of(part.width()) * bands;
        let row_len = tile.row_len();
        let start = usize_of(part.top()) * row_len + usize_of(part.left()) * bands;
        let mut done = 0;
        while done < part.height() {
            let at = top + done;
            // Down to the end of this row of blocks, or of the part.
            let height = (self.factor - at % self.factor).min(part.height() - done);
            self.rows.clear();
            self.rows.resize(run, T::Sum::default());
            for row in done..done + height {
                let row = &tile.samples()[start + usize_of(row) * row_len..][..run];
                add_row(&mut self.rows, row, bands, self.alpha);
            }
            match bands {
                1 => self.add_rows::<1>(left, at / self.factor),
                2 => self.add_rows::<2>(left, at / self.factor),
                3 => self.add_rows::<3>(left, at / self.factor),
                4 => self.add_rows::<4>(left, at / self.factor),
                _ => self.add_rows::<5>(left, at / self.factor),
            }
            done += height;
        }
    }

    /// Adds the row sums to the blocks of `block_row`, from pixel column `left` on.
    fn add_rows<const BANDS: usize>(&mut self, left: u32, block_row: u32) {
        let columns = usize_of(self.area.width().div_ceil(self.factor));
        let first = usize_of(block_row) * columns + usize_of(left / self.factor);
        let (blocks, _) = self.sums[first * BANDS..].as_chunks_mut::<BANDS>();
        let (pixels, _) = self.rows.as_chunks::<BANDS>();
        let head_px = usize_of(self.factor - left % self.factor).min(pixels.len());
        let (head, rest) = pixels.split_at(head_px);
        let parts = iter::once(head).chain(rest.chunks(usize_of(self.factor)));
        for (block, part) in blocks.iter_mut().zip(parts) {
            for pixel in part {
                for (sum, value) in block.iter_mut().zip(pixel) {
                    *sum += *value;
                }
            }
        }
    }

    /// The raster of the means.
    pub(super) fn means(self) -> Raster<T> {
        let blocks = Size::at_least_one(
            self.area.width().div_ceil(self.factor),
            self.area.height().div_ceil(self.factor),
        );
        let mut raster = Raster::zeroed(blocks, self.colour, self.alpha);
        let (bands, row_len) = (raster.bands(), raster.row_len());
        let last_width = self.area.width() - (blocks.width() - 1) * self.factor;
        let mut height_left = self.area.height();
        let rows = raster.samples_mut().chunks_exact_mut(row_len);
        for (row, sums) in rows.zip(self.sums.chunks_exact(row_len)) {
            let height = self.factor.min(height_left);
            height_left -= height;
            // The last block of a row may be cut by the area's edge and has a count of its own.
            let split = row_len - bands;
            let (row, last) = row.split_at_mut(split);
            let (sums, last_sums) = sums.split_at(split);
            let whole = (row, sums, self.factor * height);
            for (means, sums, count) in [whole, (last, last_sums, last_width * height)] {
                if self.alpha {
                    divide_weighted(means, sums, count, bands);
                } else {
                    T::means(means, sums, count);
                }
            }
        }
        raster
    }
}

fn add_row<T: Sample>(sums: &mut [T::Sum], row: &[T], bands: usize, alpha: bool) {
    match (alpha, bands) {
        (false, _) => {
            for (sum, sample) in sums.iter_mut().zip(row) {
                *sum += sample.widen();
            }
        }
        (true, 2) => add_weighted::<T, 2>(sums, row),
        (true, 4) => add_weighted::<T, 4>(sums, row),
        (true, _) => add_weighted::<T, 5>(sums, row),
    }
}

/// Adds samples times their alpha, which is the last of a pixel, and that alpha itself.
fn add_weighted<T: Sample, const BANDS: usize>(sums: &mut [T::Sum], row: &[T]) {
    let (sums, _) = sums.as_chunks_mut::<BANDS>();
    let (pixels, _) = row.as_chunks::<BANDS>();
    for (sum, pixel) in sums.iter_mut().zip(pixels) {
        let alpha = pixel[BANDS - 1];
        for band in 0..BANDS - 1 {
            sum[band] += pixel[band].weigh(alpha);
        }
        sum[BANDS - 1] += alpha.widen();
    }
}

fn divide_weighted<T: Sample>(means: &mut [T], sums: &[T::Sum], count: u32, bands: usize) {
    for (mean, sum) in means.chunks_exact_mut(bands).zip(sums.chunks_exact(bands)) {
        let (alpha, colours) = (sum[bands - 1], &sum[..bands - 1]);
        for (mean, sum) in mean.iter_mut().zip(colours) {
            *mean = T::weighted_mean(*sum, alpha);
        }
        T::means(&mut mean[bands - 1..], &sum[bands - 1..], count);
    }
}
