//! A matrix over the bands: `out_k = sum_j M[k][j] * in_j`. Columns beyond the bands are left out, missing ones
//! are 0; a second or fourth row makes alpha.

use crate::imaging::science::planes::{BLOCK, Plane, Planes};
use crate::model::processing::Twist;

/// The colours (and alpha, as the band after them) by the matrix.
#[inline(always)]
pub(super) fn twist(planes: &mut Planes, matrix: &Twist) {
    let rows = matrix.rows();
    let (old, mut made) = planes.taken(rows.len());
    for (target, row) in made.iter_mut().zip(rows) {
        // Nearly all matrices: three bands at once, which is half as much to read and to write.
        if let ([red, green, blue], &[of_red, of_green, of_blue]) = (old.as_slice(), row.as_slice())
        {
            mix(target, [red, green, blue], [of_red, of_green, of_blue]);
            continue;
        }
        *target = [0.0; BLOCK];
        let bands = old.iter().chain(planes.alpha.as_deref());
        for (band, factor) in bands.zip(row).filter(|(_, factor)| **factor != 0.0) {
            add(target, band, *factor);
        }
    }
    if rows.len().is_multiple_of(2) {
        planes.alpha = made.pop().map(Box::new);
    }
    planes.replace(old, made);
}

#[inline(always)]
fn mix(target: &mut Plane, [x, y, z]: [&Plane; 3], [of_x, of_y, of_z]: [f32; 3]) {
    for (target, ((x, y), z)) in target.iter_mut().zip(x.iter().zip(y).zip(z)) {
        *target = of_x * x + of_y * y + of_z * z;
    }
}

#[inline(always)]
fn add(target: &mut Plane, band: &Plane, factor: f32) {
    for (target, sample) in target.iter_mut().zip(band) {
        *target += factor * sample;
    }
}
