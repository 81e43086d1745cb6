//! Mirrors left to right: `out(x, y) = in(width - 1 - x, y)`.

use crate::imaging::raster::Raster;
use crate::imaging::sample::Sample;

/// The raster with every row reversed, in place.
pub fn mirror<T: Sample>(mut raster: Raster<T>) -> Raster<T> {
    let row_len = raster.row_len();
    let bands = raster.bands();
    for row in raster.samples_mut().chunks_exact_mut(row_len) {
        match bands {
            1 => row.reverse(),
            2 => reverse::<T, 2>(row),
            3 => reverse::<T, 3>(row),
            4 => reverse::<T, 4>(row),
            _ => reverse::<T, 5>(row),
        }
    }
    raster
}

fn reverse<T, const BANDS: usize>(row: &mut [T]) {
    let (pixels, _) = row.as_chunks_mut::<BANDS>();
    pixels.reverse();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn rows_are_reversed_pixel_by_pixel() {
        let size = Size::new(2, 2).unwrap();
        let rgb = vec![1_u8, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let mirrored = mirror(Raster::new(size, ColourModel::Rgb, false, rgb).unwrap());
        assert_eq!(mirrored.samples(), [4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9]);
        let gray = Raster::new(size, ColourModel::Gray, false, vec![1_u8, 2, 3, 4]).unwrap();
        assert_eq!(mirror(gray).samples(), [2, 1, 4, 3]);
    }
}
