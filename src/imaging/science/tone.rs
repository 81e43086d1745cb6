//! Curves over all colours: `max(v, 0) ^ g`, and `ln(1 + 255 v) / ln(256)`.

use crate::imaging::science::float_math::{exp2, log2};
use crate::imaging::science::planes::Planes;

/// The least number that [`log2`] takes.
const LEAST: f32 = f32::MIN_POSITIVE;

/// Each colour to a power; 0 to the power 0 is 1, so that it makes all white.
#[inline(always)]
pub(super) fn power(planes: &mut Planes, exponent: f32) {
    let of_nothing = if exponent == 0.0 { 1.0 } else { 0.0 };
    for sample in planes.colours.as_flattened_mut() {
        let power = exp2(exponent * log2(sample.max(LEAST)));
        *sample = if *sample < LEAST { of_nothing } else { power };
    }
}

/// Each colour by the logarithm; below 0 is 0.
#[inline(always)]
pub(super) fn log(planes: &mut Planes) {
    for sample in planes.colours.as_flattened_mut() {
        *sample = log2(1.0 + 255.0 * sample.max(0.0)) * (1.0 / 8.0);
    }
}
