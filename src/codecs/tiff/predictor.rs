//! Predictor 2 (TIFF 6.0, section 14): each sample is stored as the difference from the pixel to its
//! left.

/// Adds the differences up, in rows of `row_bytes` of pixels with `samples` samples of 8 bit.
pub(super) fn undo(rows: &mut [u8], row_bytes: usize, samples: usize) {
    for row in rows.chunks_exact_mut(row_bytes) {
        match samples {
            1 => undo_row::<1>(row),
            2 => undo_row::<2>(row),
            3 => undo_row::<3>(row),
            4 => undo_row::<4>(row),
            _ => undo_row_any(row, samples),
        }
    }
}

/// With the number of samples known the compiler keeps the previous pixel in registers.
fn undo_row<const SAMPLES: usize>(row: &mut [u8]) {
    let mut left = [0_u8; SAMPLES];
    for pixel in row.chunks_exact_mut(SAMPLES) {
        for (sample, left) in pixel.iter_mut().zip(&mut left) {
            *left = left.wrapping_add(*sample);
            *sample = *left;
        }
    }
}

fn undo_row_any(row: &mut [u8], samples: usize) {
    let mut left = vec![0_u8; samples];
    for pixel in row.chunks_exact_mut(samples) {
        for (sample, left) in pixel.iter_mut().zip(&mut left) {
            *left = left.wrapping_add(*sample);
            *sample = *left;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_add_up_within_each_row() {
        for samples in 1..=6 {
            let row_bytes = samples * 5;
            let plain: Vec<u8> =
                (0..row_bytes * 3).map(|i| u8::try_from(i * 89 % 256).unwrap()).collect();
            let mut rows = plain.clone();
            for row in rows.chunks_exact_mut(row_bytes) {
                for at in (samples..row_bytes).rev() {
                    row[at] = row[at].wrapping_sub(row[at - samples]);
                }
            }
            undo(&mut rows, row_bytes, samples);
            assert_eq!(rows, plain, "{samples} samples");
        }
    }
}
