//! Numbers to bytes: `255 c v`, held to 0..255, the fraction cut off (as iipsrv does it, so that tiles of both
//! look alike). Alpha is rounded.

use crate::imaging::science::planes::{BLOCK, Plane, Planes};

/// Writes a run of pixels, colours then alpha.
pub(super) fn store_bytes(planes: &Planes, factor: f32, run: &mut [u8]) {
    let mut bytes = [[0; BLOCK]; 5];
    let colours = planes.colours.len();
    for (bytes, plane) in bytes.iter_mut().zip(&planes.colours) {
        cut_off(bytes, plane, 255.0 * factor, 0.0);
    }
    if let (Some(bytes), Some(alpha)) = (bytes.get_mut(colours), planes.alpha.as_deref()) {
        cut_off(bytes, alpha, 255.0, 0.5);
    }
    let [first, second, third, fourth, _] = &bytes;
    match colours + usize::from(planes.alpha.is_some()) {
        1 => run.iter_mut().zip(first).for_each(|(to, from)| *to = *from),
        2 => interleave(run, [first, second]),
        3 => interleave(run, [first, second, third]),
        _ => interleave(run, [first, second, third, fourth]),
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to 0..255 before it is cast"
)]
fn cut_off(bytes: &mut [u8; BLOCK], plane: &Plane, scale: f32, more: f32) {
    for (byte, value) in bytes.iter_mut().zip(plane) {
        *byte = (value * scale + more).clamp(0.0, 255.0) as i32 as u8;
    }
}

fn interleave<const BANDS: usize>(run: &mut [u8], bands: [&[u8; BLOCK]; BANDS]) {
    let (pixels, _) = run.as_chunks_mut::<BANDS>();
    for (at, pixel) in pixels.iter_mut().enumerate() {
        for (target, band) in pixel.iter_mut().zip(bands) {
            *target = band.get(at).copied().unwrap_or(0);
        }
    }
}
