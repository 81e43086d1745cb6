//! Light on a surface whose normals are the colours: `n = -2 (c - 1/2)`, `out = max(0, l . n / 2)`, one band.
//! A pixel whose three samples are 0 has no normal, and is black.
//!
//! # Source
//! iipsrv's `SHD`: `l = (sin a, cos a, -sin e)`, made as long as 1, with azimuth a and elevation e.
#![expect(clippy::indexing_slicing, reason = "pixel loops: indices are those of equal arrays")]

use crate::imaging::science::planes::{BLOCK, Planes};
use crate::model::processing::Light;

/// The unit vector towards the light: right, up, and out of the picture.
fn vector(light: Light) -> [f32; 3] {
    let (azimuth, elevation) = (light.azimuth_deg.to_radians(), light.elevation_deg.to_radians());
    let towards = [azimuth.sin(), azimuth.cos(), -elevation.sin()];
    let length = towards.iter().map(|part| part * part).sum::<f32>().sqrt();
    towards.map(|part| part / length)
}

/// The first three colours, normalised, as one band of light; fewer are left alone.
#[inline(always)]
pub(super) fn hillshade(planes: &mut Planes, light: Light) {
    let [right, up, out] = vector(light);
    let [x, y, z, ..] = planes.colours.as_mut_slice() else { return };
    for at in 0..BLOCK {
        let sum = right * (0.5 - x[at]) + up * (0.5 - y[at]) + out * (0.5 - z[at]);
        let is_void = x[at] == 0.0 && y[at] == 0.0 && z[at] == 0.0;
        x[at] = if is_void { 0.0 } else { sum.clamp(0.0, 1.0) };
    }
    planes.colours.truncate(1);
}
