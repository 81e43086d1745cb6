//! Numbers to bytes: `255 c v`, held to 0..255, the fraction cut off (as iipsrv does it, so that tiles of both
//! look alike). Alpha is rounded.
#![expect(
    clippy::indexing_slicing,
    reason = "pixel loops: indices are below the length of a block"
)]

use crate::imaging::science::planes::{BLOCK, Plane, Planes};

/// Writes a run of pixels, colours then alpha.
#[inline(always)]
pub(super) fn store_bytes(planes: &Planes, factor: f32, run: &mut [u8]) {
    let scale = 255.0 * factor;
    let alpha = planes.alpha.as_deref().map(|plane| bytes(plane, 255.0, 0.5));
    match (planes.colours.as_slice(), alpha) {
        ([gray, ..], None) if planes.colours.len() < 3 => {
            join(run.as_chunks_mut().0, [&bytes(gray, scale, 0.0)]);
        }
        ([gray, ..], Some(alpha)) if planes.colours.len() < 3 => {
            join(run.as_chunks_mut().0, [&bytes(gray, scale, 0.0), &alpha]);
        }
        ([red, green, blue, ..], alpha) => {
            let [red, green, blue] = [red, green, blue].map(|plane| bytes(plane, scale, 0.0));
            match alpha {
                None => join_three(run.as_chunks_mut().0, &red, &green, &blue),
                Some(alpha) => join(run.as_chunks_mut().0, [&red, &green, &blue, &alpha]),
            }
        }
        _ => {}
    }
}

/// The bytes of numbers: whole parts between 0 and 255. A cast of a float is a branch; these are sums.
#[inline(always)]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the low bits hold a number of at most 255"
)]
fn bytes(plane: &Plane, scale: f32, more: f32) -> [u8; BLOCK] {
    /// Added to a number of at most 255, it leaves the nearest whole one in the low bits.
    const WHOLE: f32 = 8_388_608.0;
    let mut bytes = [0; BLOCK];
    for (byte, value) in bytes.iter_mut().zip(plane) {
        // What is no number is 0, which `clamp` would leave.
        let held = f32::min((value * scale + more).max(0.0), 255.0);
        let nearest = held + WHOLE;
        let above = u32::from(held < nearest - WHOLE);
        *byte = (nearest.to_bits() - above) as u8;
    }
    bytes
}

/// As [`join`], in the form that compilers make vector instructions of.
#[inline(always)]
fn join_three(
    pixels: &mut [[u8; 3]],
    first: &[u8; BLOCK],
    second: &[u8; BLOCK],
    third: &[u8; BLOCK],
) {
    let bands = first.iter().zip(second).zip(third);
    for (pixel, ((first, second), third)) in pixels.iter_mut().zip(bands) {
        *pixel = [*first, *second, *third];
    }
}

#[inline(always)]
fn join<const BANDS: usize>(pixels: &mut [[u8; BANDS]], bands: [&[u8; BLOCK]; BANDS]) {
    for (at, pixel) in pixels.iter_mut().take(BLOCK).enumerate() {
        for band in 0..BANDS {
            pixel[band] = bands[band][at];
        }
    }
}
