//! Samples to numbers: `v = (x - min) / (max - min)` for each band; what is no number is 0. Not held to 0..1.

use crate::imaging::science::planes::{Plane, Planes};
use crate::model::SampleRange;

/// Differences below this are none: a band of one value only becomes 0 or far more than 1.
const LEAST_DIFFERENCE: f32 = 1e-30;

/// The colours by `ranges`, one for each band; bands beyond them by the last.
#[inline(always)]
pub(super) fn normalise(planes: &mut Planes, ranges: &[SampleRange]) {
    let Some(last) = ranges.last() else { return };
    let ranges = ranges.iter().chain(std::iter::repeat(last));
    for (plane, range) in planes.colours.iter_mut().zip(ranges) {
        by(plane, *range);
    }
}

#[inline(always)]
fn by(plane: &mut Plane, SampleRange { black, white }: SampleRange) {
    let difference = white - black;
    // A product, as in iipsrv: its quotient is another in the last bit, and bytes are cut off.
    let scale = if difference.abs() <= LEAST_DIFFERENCE { 1e30 } else { 1.0 / difference };
    for sample in plane {
        let value = (*sample - black) * scale;
        *sample = if value.is_finite() { value } else { 0.0 };
    }
}
