//! From the coarse grid to single pixels: the uniform cubic B-spline, smooth in its second derivative,
//! so that hill shading shows no facets.
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "pixel loops over rows of a fixed length"
)]

/// Pixels from one coarse sample to the next.
pub(super) const SPACING_PX: usize = 8;

/// The shares of four neighbouring samples at a pixel `phase` pixels past the second of them.
const fn shares(phase: usize) -> [f32; 4] {
    let t = phase as f32 / SPACING_PX as f32;
    let (square, cube) = (t * t, t * t * t);
    [
        (1.0 - 3.0 * t + 3.0 * square - cube) / 6.0,
        (4.0 - 6.0 * square + 3.0 * cube) / 6.0,
        (1.0 + 3.0 * t + 3.0 * square - 3.0 * cube) / 6.0,
        cube / 6.0,
    ]
}

const SHARES: [[f32; 4]; SPACING_PX] = {
    let mut table = [[0.0; 4]; SPACING_PX];
    let mut phase = 0;
    while phase < SPACING_PX {
        table[phase] = shares(phase);
        phase += 1;
    }
    table
};

/// Joins four rows of samples to the one that lies `phase` pixels past the second of them.
pub(super) fn join_rows(rows: [&[f32]; 4], phase: usize, joined: &mut [f32]) {
    let [a, b, c, d] = SHARES[phase];
    for (index, value) in joined.iter_mut().enumerate() {
        *value = a * rows[0][index] + b * rows[1][index] + c * rows[2][index] + d * rows[3][index];
    }
}

/// Spreads samples over pixels: `pixels[0]` lies on `samples[1]`. `samples` holds three more than
/// `pixels.len() / SPACING_PX`.
pub(super) fn spread(samples: &[f32], pixels: &mut [f32]) {
    assert_eq!(samples.len(), pixels.len() / SPACING_PX + 3, "a sample before and two after");
    for (four, run) in samples.windows(4).zip(pixels.chunks_exact_mut(SPACING_PX)) {
        for (share, pixel) in SHARES.iter().zip(run) {
            *pixel =
                share[0] * four[0] + share[1] * four[1] + share[2] * four[2] + share[3] * four[3];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_slope_stays_one() {
        let samples: Vec<f32> = (0_u8..7).map(|index| f32::from(index) * 8.0).collect();
        let mut pixels = [0.0; 32];
        spread(&samples, &mut pixels);
        for (index, pixel) in (0_u8..).zip(pixels) {
            assert!((pixel - 8.0 - f32::from(index)).abs() < 1e-4, "{index}: {pixel}");
        }
    }

    #[test]
    fn rows_are_joined_by_the_same_shares() {
        let mut joined = [0.0; 1];
        join_rows([&[0.0], &[8.0], &[16.0], &[24.0]], 3, &mut joined);
        assert!((joined[0] - 11.0).abs() < 1e-4);
    }
}
