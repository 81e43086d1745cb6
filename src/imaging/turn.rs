//! Quarter turns, clockwise, without resampling. By 90 degrees `out(height - 1 - y, x) = in(x, y)`, by
//! 270 `out(y, width - 1 - x) = in(x, y)`.
#![expect(clippy::indexing_slicing, reason = "runs within rows, whose lengths the size gives")]

use crate::imaging::raster::{Raster, usize_of};
use crate::model::request::Rotation;

/// Source rows that are turned together: one cache line of each (64 bytes) stays in the first-level
/// cache (32 KiB) until all pixels of the line are written.
const STRIP_ROWS: usize = 64;

/// The raster turned clockwise; width and height change places at odd quarters.
pub fn turn(raster: Raster, rotation: Rotation) -> Raster {
    match rotation {
        Rotation::None => raster,
        Rotation::Half => half(raster),
        Rotation::Quarter => quarter(&raster, true),
        Rotation::ThreeQuarters => quarter(&raster, false),
    }
}

fn half(mut raster: Raster) -> Raster {
    let bands = raster.bands();
    let samples = raster.samples_mut();
    match bands {
        1 => samples.reverse(),
        2 => samples.as_chunks_mut::<2>().0.reverse(),
        3 => samples.as_chunks_mut::<3>().0.reverse(),
        _ => samples.as_chunks_mut::<4>().0.reverse(),
    }
    raster
}

fn quarter(raster: &Raster, clockwise: bool) -> Raster {
    match raster.bands() {
        1 => quarter_of::<1>(raster, clockwise),
        2 => quarter_of::<2>(raster, clockwise),
        3 => quarter_of::<3>(raster, clockwise),
        _ => quarter_of::<4>(raster, clockwise),
    }
}

fn quarter_of<const BANDS: usize>(raster: &Raster, clockwise: bool) -> Raster {
    let mut turned = Raster::zeroed(raster.size().turned(), raster.colour(), raster.alpha());
    let (width, height) = (usize_of(raster.size().width()), usize_of(raster.size().height()));
    let (row_bytes, turned_row_bytes) = (raster.row_bytes(), turned.row_bytes());
    for (index, strip) in raster.samples().chunks(STRIP_ROWS * row_bytes).enumerate() {
        let first_row = index * STRIP_ROWS;
        let rows = strip.len() / row_bytes;
        let column = if clockwise { height - first_row - rows } else { first_row };
        for (y, row) in turned.samples_mut().chunks_exact_mut(turned_row_bytes).enumerate() {
            let x = if clockwise { y } else { width - 1 - y };
            let run = &mut row[column * BANDS..][..rows * BANDS];
            // Each chunk begins with one pixel of source column `x`.
            let pixels = strip[x * BANDS..].chunks(row_bytes);
            if clockwise {
                copy_heads::<BANDS>(run, pixels.rev());
            } else {
                copy_heads::<BANDS>(run, pixels);
            }
        }
    }
    turned
}

fn copy_heads<'a, const BANDS: usize>(run: &mut [u8], from: impl Iterator<Item = &'a [u8]>) {
    for (pixel, source) in run.as_chunks_mut::<BANDS>().0.iter_mut().zip(from) {
        pixel.copy_from_slice(&source[..BANDS]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    fn turned(rotation: Rotation) -> (Size, Vec<u8>) {
        // 1 2 3
        // 4 5 6
        let size = Size::new(3, 2).unwrap();
        let raster = Raster::new(size, ColourModel::Gray, false, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let turned = turn(raster, rotation);
        (turned.size(), turned.into_samples())
    }

    #[test]
    fn turns_are_clockwise() {
        let (wide, tall) = (Size::new(3, 2).unwrap(), Size::new(2, 3).unwrap());
        assert_eq!(turned(Rotation::None), (wide, vec![1, 2, 3, 4, 5, 6]));
        assert_eq!(turned(Rotation::Quarter), (tall, vec![4, 1, 5, 2, 6, 3]));
        assert_eq!(turned(Rotation::Half), (wide, vec![6, 5, 4, 3, 2, 1]));
        assert_eq!(turned(Rotation::ThreeQuarters), (tall, vec![3, 6, 2, 5, 1, 4]));
    }

    #[test]
    fn four_quarters_of_more_rows_than_a_strip_bring_every_shape_back() {
        for (colour, alpha) in [
            (ColourModel::Gray, false),
            (ColourModel::Gray, true),
            (ColourModel::Rgb, false),
            (ColourModel::Rgb, true),
        ] {
            let size = Size::new(67, 131).unwrap();
            let count = Raster::samples_len(size, colour, alpha);
            let samples = (0..count).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let raster = Raster::new(size, colour, alpha, samples).unwrap();
            let quarter = turn(raster.clone(), Rotation::Quarter);
            let half = turn(quarter.clone(), Rotation::Quarter);
            assert_eq!(half, turn(raster.clone(), Rotation::Half));
            assert_eq!(
                turn(half, Rotation::Quarter),
                turn(raster.clone(), Rotation::ThreeQuarters)
            );
            assert_eq!(turn(quarter, Rotation::ThreeQuarters), raster);
        }
    }
}
