//! White becomes black: `1 - v`. Alpha is left alone.

use crate::imaging::science::planes::Planes;

/// Each colour from the other end.
#[inline(always)]
pub(super) fn invert(planes: &mut Planes) {
    for sample in planes.colours.as_flattened_mut() {
        *sample = 1.0 - *sample;
    }
}
