//! Colours for the values of the first band, 0 to 1; beyond, those of the ends.
//!
//! # Source
//! iipsrv's `CMP` for hot, cold, jet, red, green and blue, to the digit; d3-scale-chromatic for viridis, magma,
//! inferno (S. van der Walt and N. Smith) and turbo (A. Mikhailov).
#![expect(clippy::indexing_slicing, reason = "pixel loops: indices are those of equal arrays")]

use std::sync::LazyLock;

use colorous::{Color, Gradient};

use crate::imaging::science::planes::{BLOCK, Planes};
use crate::model::processing::ColourMap;

/// The first band as red, green and blue.
#[inline(always)]
pub(super) fn colour_map(planes: &mut Planes, map: &ColourMap) {
    let (old, mut made) = planes.taken(3);
    if let ([values, ..], [red, green, blue]) = (old.as_slice(), made.as_mut_slice()) {
        for at in 0..BLOCK {
            [red[at], green[at], blue[at]] = colour(map, values[at]);
        }
    }
    planes.replace(old, made);
}

fn colour(map: &ColourMap, value: f32) -> [f32; 3] {
    let held = value.clamp(0.0, 1.0);
    match map {
        ColourMap::Hot => heat(value),
        ColourMap::Cold => {
            let [red, green, blue] = heat(value);
            [blue, green, red]
        }
        ColourMap::Jet => jet(value),
        ColourMap::Red => [value, 0.0, 0.0],
        ColourMap::Green => [0.0, value, 0.0],
        ColourMap::Blue => [0.0, 0.0, value],
        ColourMap::Gray => [value; 3],
        ColourMap::Viridis => nearest(&VIRIDIS, held),
        ColourMap::Magma => nearest(&MAGMA, held),
        ColourMap::Inferno => nearest(&INFERNO, held),
        ColourMap::Turbo => nearest(&TURBO, held),
        ColourMap::Custom(stops) => between(stops, held),
    }
}

fn heat(value: f32) -> [f32; 3] {
    match value {
        v if v <= 0.0 => [0.0; 3],
        v if v < 1.0 / 3.0 => [3.0 * v, 0.0, 0.0],
        v if v < 2.0 / 3.0 => [1.0, 3.0 * v - 1.0, 0.0],
        v if v < 1.0 => [1.0, 1.0, 3.0 * v - 2.0],
        _ => [1.0; 3],
    }
}

fn jet(value: f32) -> [f32; 3] {
    match value {
        v if v < 0.0 => [0.0; 3],
        v if v < 0.125 => [0.0, 0.0, 4.0 * v + 0.5],
        v if v < 0.375 => [0.0, 4.0 * v - 0.5, 1.0],
        v if v < 0.625 => [4.0 * v - 1.5, 1.0, 2.5 - 4.0 * v],
        v if v < 0.875 => [1.0, 3.5 - 4.0 * v, 0.0],
        v if v < 1.0 => [4.5 - 4.0 * v, 0.0, 0.0],
        _ => [0.5, 0.0, 0.0],
    }
}

/// The colours of a map at 0, 1/255 and so on to 1.
type Colours = LazyLock<Box<[[f32; 3]; 256]>>;

static VIRIDIS: Colours = LazyLock::new(|| colours(colorous::VIRIDIS));
static MAGMA: Colours = LazyLock::new(|| colours(colorous::MAGMA));
static INFERNO: Colours = LazyLock::new(|| colours(colorous::INFERNO));
static TURBO: Colours = LazyLock::new(|| colours(colorous::TURBO));

fn colours(gradient: Gradient) -> Box<[[f32; 3]; 256]> {
    let mut colours = Box::new([[0.0; 3]; 256]);
    for (at, colour) in colours.iter_mut().enumerate() {
        let Color { r, g, b } = gradient.eval_rational(at, 256);
        *colour = [r, g, b].map(share);
    }
    colours
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to 0..1 before it is multiplied"
)]
fn nearest(colours: &[[f32; 3]; 256], held: f32) -> [f32; 3] {
    colours[usize::from((held * 255.0 + 0.5) as u8)]
}

/// A byte as a share of white that comes back as that byte, whose fraction is cut off.
fn share(byte: u8) -> f32 {
    f32::from(byte) / 255.0
}

/// Between two of the evenly spaced colours.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an index among a few colours"
)]
fn between(stops: &[[u8; 3]], value: f32) -> [f32; 3] {
    let place = value * stops.len().saturating_sub(1) as f32;
    let below = place as usize;
    let (Some(from), Some(last)) = (stops.get(below), stops.last()) else { return [0.0; 3] };
    let to = stops.get(below + 1).unwrap_or(last);
    let weight = place - below as f32;
    let mut mixed = [0.0; 3];
    for band in 0..3 {
        mixed[band] = share(from[band]) * (1.0 - weight) + share(to[band]) * weight;
    }
    mixed
}
