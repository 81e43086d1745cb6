//! Predictors: 2 (TIFF 6.0, section 14), each sample stored as the difference from the pixel to its left,
//! and 3 (Adobe Photoshop TIFF Technical Note 3), the same of the bytes of floats, sorted by significance.

use crate::codecs::CodecError;
use crate::codecs::number::filled;

/// What was done to the samples of a row before it was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    /// Nothing.
    None,
    /// Differences of samples.
    Differences,
    /// Differences of bytes, the most significant bytes of all samples first.
    FloatingPoint,
}

/// A number that differences are added up in, modulo its size.
pub(super) trait Accumulate: Copy + Default {
    /// The sum, without carry.
    fn plus(self, other: Self) -> Self;
}

impl Accumulate for u8 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Accumulate for u16 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Accumulate for u32 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

impl Accumulate for u64 {
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

/// Adds the differences up, in rows of `row_len` numbers of pixels of `per_pixel`.
pub(super) fn accumulate<T: Accumulate>(rows: &mut [T], row_len: usize, per_pixel: usize) {
    for row in rows.chunks_exact_mut(row_len.max(1)) {
        match per_pixel {
            1 => accumulate_row::<T, 1>(row),
            2 => accumulate_row::<T, 2>(row),
            3 => accumulate_row::<T, 3>(row),
            4 => accumulate_row::<T, 4>(row),
            _ => accumulate_row_any(row, per_pixel),
        }
    }
}

/// With the number of samples known the compiler keeps the previous pixel in registers.
fn accumulate_row<T: Accumulate, const SAMPLES: usize>(row: &mut [T]) {
    let mut left = [T::default(); SAMPLES];
    let (pixels, _) = row.as_chunks_mut::<SAMPLES>();
    for pixel in pixels {
        for (sample, left) in pixel.iter_mut().zip(&mut left) {
            *left = left.plus(*sample);
            *sample = *left;
        }
    }
}

fn accumulate_row_any<T: Accumulate>(row: &mut [T], samples: usize) {
    let mut left = vec![T::default(); samples];
    for pixel in row.chunks_exact_mut(samples.max(1)) {
        for (sample, left) in pixel.iter_mut().zip(&mut left) {
            *left = left.plus(*sample);
            *sample = *left;
        }
    }
}

/// Undoes predictor 3 in rows of `row_bytes`, of numbers of `number_bytes`: the most significant byte of
/// each then comes first.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn undo_float(
    mut rows: Vec<u8>,
    row_bytes: usize,
    per_pixel: usize,
    number_bytes: usize,
) -> Result<Vec<u8>, CodecError> {
    accumulate(&mut rows, row_bytes, per_pixel);
    let mut sorted: Vec<u8> = filled(rows.len(), 0)?;
    let row_len = row_bytes / number_bytes.max(1);
    let pairs = rows.chunks_exact(row_bytes.max(1)).zip(sorted.chunks_exact_mut(row_bytes.max(1)));
    for (row, target) in pairs {
        for (at, plane) in row.chunks_exact(row_len.max(1)).enumerate() {
            for (byte, number) in plane.iter().zip(target.chunks_exact_mut(number_bytes.max(1))) {
                if let Some(place) = number.get_mut(at) {
                    *place = *byte;
                }
            }
        }
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_add_up_within_each_row() {
        for samples in 1..=6 {
            let row_len = samples * 5;
            let plain: Vec<u16> =
                (0..row_len * 3).map(|i| u16::try_from(i * 28_901 % 65_536).unwrap()).collect();
            let mut rows = plain.clone();
            for row in rows.chunks_exact_mut(row_len) {
                for at in (samples..row_len).rev() {
                    row[at] = row[at].wrapping_sub(row[at - samples]);
                }
            }
            accumulate(&mut rows, row_len, samples);
            assert_eq!(rows, plain, "{samples} samples");
        }
    }

    #[test]
    fn bytes_of_floats_come_back_most_significant_first() {
        // Two numbers of 2 bytes, 0x0102 and 0x0304: planes 01 03, 02 04, as differences.
        assert_eq!(undo_float(vec![1, 2, 255, 2], 4, 1, 2).unwrap(), [1, 2, 3, 4]);
        assert!(undo_float(Vec::new(), 4, 1, 2).unwrap().is_empty());
    }
}
