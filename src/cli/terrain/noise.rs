//! Gradient noise: at any point with its slope (for the few coarse samples, where quality counts), and
//! row by row on a grid of whole pixels (for the many fine ones, where speed does). Only arithmetic
//! that IEEE 754 fixes to the bit, so that one seed gives one picture everywhere.
//!
//! Source: Perlin, "Improving Noise" (2002); the slopes by differentiating its equation.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "lattice arithmetic: wrapping and rounding are what is wanted"
)]
#![expect(
    clippy::many_single_char_names,
    reason = "a to d are the corners of a cell, x and y its axes, as in the paper"
)]
#![expect(clippy::indexing_slicing, reason = "pixel loops over rows of a fixed length")]

/// Noise at a point: about -1 to 1, and its change per unit of x and y.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slope {
    pub(super) value: f32,
    pub(super) dx: f32,
    pub(super) dy: f32,
}

/// Mixes a lattice point and a seed to 32 even bits.
#[inline]
const fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut bits = (x as u32).wrapping_mul(0x9E37_79B1)
        ^ (y as u32).wrapping_mul(0x85EB_CA77).rotate_left(13)
        ^ seed.wrapping_mul(0xC2B2_AE3D);
    bits = (bits ^ (bits >> 15)).wrapping_mul(0x2C1B_3C6D);
    bits = (bits ^ (bits >> 12)).wrapping_mul(0x297A_2D39);
    bits ^ (bits >> 15)
}

/// The slope of a lattice point: each part -1.5 to 1.5, which brings the noise to about -1 to 1.
#[inline]
fn gradient(x: i32, y: i32, seed: u32) -> [f32; 2] {
    const SCALE: f32 = 1.5 / 32768.0;
    let bits = hash(x, y, seed);
    [(bits & 0xFFFF) as f32 * SCALE - 1.5, (bits >> 16) as f32 * SCALE - 1.5]
}

/// The quintic step from 0 to 1 and its change.
#[inline]
const fn fade(t: f32) -> (f32, f32) {
    (t * t * t * (t * (t * 6.0 - 15.0) + 10.0), 30.0 * t * t * (t * (t - 2.0) + 1.0))
}

#[inline]
fn floor(value: f32) -> i32 {
    // `f32::floor` is a library call without SSE4.1.
    let whole = value as i32;
    whole - i32::from(value < whole as f32)
}

/// Gradient noise on the unit lattice.
pub(super) fn slope(x: f32, y: f32, seed: u32) -> Slope {
    let (column, row) = (floor(x), floor(y));
    let (fx, fy) = (x - column as f32, y - row as f32);
    let (a, b) = (gradient(column, row, seed), gradient(column + 1, row, seed));
    let (c, d) = (gradient(column, row + 1, seed), gradient(column + 1, row + 1, seed));
    let va = a[0] * fx + a[1] * fy;
    let vb = b[0] * (fx - 1.0) + b[1] * fy;
    let vc = c[0] * fx + c[1] * (fy - 1.0);
    let vd = d[0] * (fx - 1.0) + d[1] * (fy - 1.0);
    let ((ux, dux), (uy, duy)) = (fade(fx), fade(fy));
    let twist = va - vb - vc + vd;
    let blend = |axis: usize| {
        a[axis]
            + ux * (b[axis] - a[axis])
            + uy * (c[axis] - a[axis])
            + ux * uy * (a[axis] - b[axis] - c[axis] + d[axis])
    };
    Slope {
        value: va + ux * (vb - va) + uy * (vc - va) + ux * uy * twist,
        dx: blend(0) + dux * (uy * twist + vb - va),
        dy: blend(1) + duy * (ux * twist + vc - va),
    }
}

/// Turns by 36.87 degrees and doubles: no octave's lattice lies on that of another.
pub(super) const fn next_octave(x: f32, y: f32) -> (f32, f32) {
    (1.6 * x - 1.2 * y, 1.2 * x + 1.6 * y)
}

/// The sum of `octaves` octaves, each half as high and twice as fine as the one before.
pub(super) fn fractal(mut x: f32, mut y: f32, seed: u32, octaves: u32) -> f32 {
    let (mut sum, mut amplitude) = (0.0, 1.0);
    for octave in 0..octaves {
        sum += amplitude * slope(x, y, seed.wrapping_add(octave)).value;
        amplitude *= 0.5;
        (x, y) = next_octave(x, y);
    }
    sum
}

/// One row of noise whose lattice cells are `CELL` pixels wide and high: `row[i]` is the noise at pixel
/// (`left + i`, `y`).
pub(super) fn lattice_row<const CELL: usize>(row: &mut [f32], left: i32, y: i32, seed: u32) {
    let cell_px = CELL as i32;
    let (mut column, lattice_row) = (left.div_euclid(cell_px), y.div_euclid(cell_px));
    let fy = (y.rem_euclid(cell_px) as f32 + 0.5) / CELL as f32;
    let uy = fade(fy).0;
    let weights: [(f32, f32); CELL] = std::array::from_fn(|pixel| {
        let fx = (pixel as f32 + 0.5) / CELL as f32;
        (fx, fade(fx).0)
    });
    // At a lattice column, the noise of this row is a straight line through x: value and change.
    let line = |column: i32| {
        let top = gradient(column, lattice_row, seed);
        let bottom = gradient(column, lattice_row + 1, seed);
        let (above, below) = (top[1] * fy, bottom[1] * (fy - 1.0));
        (above + uy * (below - above), top[0] + uy * (bottom[0] - top[0]))
    };
    let mut left_line = line(column);
    let mut fill = |pixels: &mut [f32], weights: &[(f32, f32)]| {
        column += 1;
        let right_line = line(column);
        let at_right = right_line.0 - right_line.1;
        for (pixel, (fx, ux)) in pixels.iter_mut().zip(weights) {
            let from_left = left_line.0 + left_line.1 * fx;
            let from_right = at_right + right_line.1 * fx;
            *pixel = from_left + ux * (from_right - from_left);
        }
        left_line = right_line;
    };
    let begun = left.rem_euclid(cell_px) as usize;
    let (first, rest) = row.split_at_mut((CELL - begun).min(row.len()));
    fill(first, &weights[begun..]);
    rest.chunks_mut(CELL).for_each(|pixels| fill(pixels, &weights));
}

/// What is above the whole number below.
#[inline]
pub(super) fn fraction(value: f32) -> f32 {
    value - floor(value) as f32
}

/// 0 up to `low`, 1 from `high` on, smooth between.
#[inline]
pub(super) fn smoothstep(low: f32, high: f32, value: f32) -> f32 {
    let t = ((value - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_pixels_is_the_noise_at_their_centres() {
        let mut row = [0.0; 32];
        lattice_row::<8>(&mut row, -13, -3, 7);
        for (pixel, value) in (-13_i16..).zip(row) {
            let expected = slope((f32::from(pixel) + 0.5) / 8.0, -2.5 / 8.0, 7).value;
            assert!((value - expected).abs() < 1e-4, "{pixel}: {value} {expected}");
        }
    }

    #[test]
    fn slopes_are_the_change_of_the_value() {
        for step in 0_u8..100 {
            let (x, y) = (f32::from(step) * 0.137 - 3.0, f32::from(step) * 0.071 - 2.0);
            let here = slope(x, y, 3);
            let dx = (slope(x + 1e-2, y, 3).value - slope(x - 1e-2, y, 3).value) / 2e-2;
            let dy = (slope(x, y + 1e-2, 3).value - slope(x, y - 1e-2, 3).value) / 2e-2;
            assert!(
                (here.dx - dx).abs() < 0.02 && (here.dy - dy).abs() < 0.02,
                "{here:?} {dx} {dy}"
            );
        }
    }

    #[test]
    fn noise_stays_in_range_and_is_not_flat() {
        let values: Vec<f32> = (0_u16..5000)
            .map(|step| slope(f32::from(step) * 0.31, f32::from(step) * 0.17, 1).value)
            .collect();
        assert!(values.iter().all(|value| value.abs() < 2.0));
        assert!(
            values.iter().any(|value| *value < -0.4) && values.iter().any(|value| 0.4 < *value)
        );
    }
}
