//! Quarter turns, clockwise, without resampling. By 90 degrees `out(height - 1 - y, x) = in(x, y)`, by
//! 270 `out(y, width - 1 - x) = in(x, y)`.
#![expect(clippy::indexing_slicing, reason = "runs within rows, whose lengths the size gives")]

use crate::imaging::raster::{Raster, usize_of};
use crate::imaging::sample::Sample;
use crate::model::request::Rotation;

/// Source rows that are turned together: one cache line of each (64 bytes) stays in the first-level
/// cache (32 KiB) until all pixels of the line are written.
const STRIP_ROWS: usize = 64;

/// The raster turned clockwise; width and height change places at odd quarters.
pub fn turn<T: Sample>(raster: Raster<T>, rotation: Rotation) -> Raster<T> {
    match rotation {
        Rotation::None => raster,
        Rotation::Half => half(raster),
        Rotation::Quarter => quarter(&raster, true),
        Rotation::ThreeQuarters => quarter(&raster, false),
    }
}

fn half<T: Sample>(mut raster: Raster<T>) -> Raster<T> {
    let bands = raster.bands();
    let samples = raster.samples_mut();
    match bands {
        1 => samples.reverse(),
        2 => samples.as_chunks_mut::<2>().0.reverse(),
        3 => samples.as_chunks_mut::<3>().0.reverse(),
        4 => samples.as_chunks_mut::<4>().0.reverse(),
        _ => samples.as_chunks_mut::<5>().0.reverse(),
    }
    raster
}

fn quarter<T: Sample>(raster: &Raster<T>, clockwise: bool) -> Raster<T> {
    match raster.bands() {
        1 => quarter_of::<T, 1>(raster, clockwise),
        2 => quarter_of::<T, 2>(raster, clockwise),
        3 => quarter_of::<T, 3>(raster, clockwise),
        4 => quarter_of::<T, 4>(raster, clockwise),
        _ => quarter_of::<T, 5>(raster, clockwise),
    }
}

fn quarter_of<T: Sample, const BANDS: usize>(raster: &Raster<T>, clockwise: bool) -> Raster<T> {
    let mut turned = Raster::<T>::zeroed(raster.size().turned(), raster.colour(), raster.alpha());
    let (width, height) = (usize_of(raster.size().width()), usize_of(raster.size().height()));
    let (row_len, turned_row_len) = (raster.row_len(), turned.row_len());
    for (index, strip) in raster.samples().chunks(STRIP_ROWS * row_len).enumerate() {
        let first_row = index * STRIP_ROWS;
        let rows = strip.len() / row_len;
        let column = if clockwise { height - first_row - rows } else { first_row };
        for (y, row) in turned.samples_mut().chunks_exact_mut(turned_row_len).enumerate() {
            let x = if clockwise { y } else { width - 1 - y };
            let run = &mut row[column * BANDS..][..rows * BANDS];
            // Each chunk begins with one pixel of source column `x`.
            let pixels = strip[x * BANDS..].chunks(row_len);
            if clockwise {
                copy_heads::<T, BANDS>(run, pixels.rev());
            } else {
                copy_heads::<T, BANDS>(run, pixels);
            }
        }
    }
    turned
}

fn copy_heads<'a, T: Sample, const BANDS: usize>(
    run: &mut [T],
    from: impl Iterator<Item = &'a [T]>,
) {
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
            let count = Raster::<u8>::samples_len(size, colour, alpha);
            let samples: Vec<u8> = (0..count).map(|i| u8::try_from(i % 251).unwrap()).collect();
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
