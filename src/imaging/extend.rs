//! A raster that is a pixel short, made whole: its last column and row again.

use crate::imaging::raster::{Raster, usize_of};
use crate::imaging::sample::Sample;
use crate::model::{Rect, Size};

/// The raster in the upper left of `to`, its last column and its last row repeated as far as that goes;
/// what lies beyond `to` is dropped.
pub fn extend<T: Sample>(raster: Raster<T>, to: Size) -> Raster<T> {
    let from = raster.size();
    if from == to {
        return raster;
    }
    let mut extended = Raster::zeroed(to, raster.colour(), raster.alpha());
    extended.paste(&raster, Rect::whole(from), 0, 0);
    let (bands, row_len) = (raster.bands(), extended.row_len());
    let filled = usize_of(from.width().min(to.width())) * bands;
    let rows_filled = usize_of(from.height().min(to.height()));
    let samples = extended.samples_mut();
    if filled < row_len {
        for row in samples.chunks_exact_mut(row_len).take(rows_filled) {
            let (inside, beyond) = row.split_at_mut(filled);
            let Some(last) = inside.rchunks_exact(bands).next() else { continue };
            beyond.chunks_exact_mut(bands).for_each(|pixel| pixel.copy_from_slice(last));
        }
    }
    let (inside, below) = samples.split_at_mut(rows_filled * row_len);
    if let Some(last) = inside.rchunks_exact(row_len).next() {
        below.chunks_exact_mut(row_len).for_each(|row| row.copy_from_slice(last));
    }
    extended
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ColourModel;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    #[test]
    fn the_last_column_and_row_are_repeated() {
        let samples = vec![1_u8, 10, 2, 20, 3, 30, 4, 40];
        let raster = Raster::new(size(2, 2), ColourModel::Gray, true, samples).unwrap();
        let wider = extend(raster.clone(), size(3, 2));
        assert_eq!(wider.samples(), [1, 10, 2, 20, 2, 20, 3, 30, 4, 40, 4, 40]);
        let taller = extend(raster.clone(), size(2, 3));
        assert_eq!(taller.samples(), [1, 10, 2, 20, 3, 30, 4, 40, 3, 30, 4, 40]);
        let both = extend(raster.clone(), size(3, 3));
        assert_eq!(both.samples()[10..], [4, 40, 3, 30, 4, 40, 4, 40]);
        assert_eq!(extend(raster.clone(), size(2, 2)), raster);
    }

    #[test]
    fn of_a_raster_that_is_longer_one_way_the_rest_is_dropped() {
        let raster = Raster::new(size(1, 3), ColourModel::Gray, false, vec![7_u16, 8, 9]).unwrap();
        assert_eq!(extend(raster, size(2, 2)).samples(), [7, 7, 8, 8]);
    }
}
