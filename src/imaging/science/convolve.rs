//! Each colour as the weighted sum of its neighbours, divided by the sum of the weights where that is above
//! 0. Beyond the picture's edge its last pixels go on; alpha is left alone.
#![expect(clippy::indexing_slicing, reason = "pixel loops: indices are held to the picture")]

use crate::imaging::raster::{Raster, usize_of};
use crate::model::processing::Kernel;

/// The raster, every colour convolved.
pub(super) fn convolve(raster: &Raster<f32>, kernel: &Kernel) -> Raster<f32> {
    let mut convolved = raster.clone();
    let weights = scaled(kernel);
    let (bands, colours) = (raster.bands(), usize::from(raster.colour().bands()));
    let (row_len, height) = (raster.row_len(), usize_of(raster.size().height()));
    let radius = usize_of(kernel.radius_px());
    let side = 2 * radius + 1;
    let samples = raster.samples();
    // The rows under the kernel, each in a place of its own until it is passed.
    let mut padded = vec![vec![0.0; row_len + 2 * radius * bands]; side];
    let enter = |padded: &mut Vec<Vec<f32>>, y: usize| {
        if let Some(row) = samples.get(y * row_len..(y + 1) * row_len) {
            pad(&mut padded[y % side], row, bands, radius);
        }
    };
    (0..radius).for_each(|y| enter(&mut padded, y));
    for (y, target) in convolved.samples_mut().chunks_exact_mut(row_len).enumerate() {
        enter(&mut padded, y + radius);
        clear(target, bands, colours);
        for down in 0..side {
            let row = &padded[(y + down).saturating_sub(radius).min(height - 1) % side];
            for (across, weight) in weights[down * side..(down + 1) * side].iter().enumerate() {
                if *weight != 0.0 {
                    add(target, &row[across * bands..], *weight, (bands, colours));
                }
            }
        }
    }
    convolved
}

fn scaled(kernel: &Kernel) -> Vec<f32> {
    let total: f32 = kernel.weights().iter().sum();
    let scale = if total > 0.0 { 1.0 / total } else { 1.0 };
    kernel.weights().iter().map(|weight| weight * scale).collect()
}

fn clear(row: &mut [f32], bands: usize, colours: usize) {
    for pixel in row.chunks_exact_mut(bands) {
        pixel[..colours].fill(0.0);
    }
}

/// The row with its first and last pixel repeated.
fn pad(padded: &mut [f32], row: &[f32], bands: usize, radius: usize) {
    let margin = radius * bands;
    padded[margin..margin + row.len()].copy_from_slice(row);
    let end = margin + row.len();
    for at in 0..margin {
        padded[at] = row[at % bands];
        padded[end + at] = row[row.len() - bands + at % bands];
    }
}

fn add(target: &mut [f32], row: &[f32], weight: f32, (bands, colours): (usize, usize)) {
    if bands == colours {
        for (target, sample) in target.iter_mut().zip(row) {
            *target += weight * sample;
        }
        return;
    }
    for (target, pixel) in target.chunks_exact_mut(bands).zip(row.chunks_exact(bands)) {
        for (target, sample) in target.iter_mut().zip(pixel).take(colours) {
            *target += weight * sample;
        }
    }
}
