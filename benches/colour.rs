//! What converting the colours of one 256 x 256 tile costs, in microseconds: the least of many runs, since
//! all that disturbs a run only makes it longer. `cargo bench --bench colour`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at a terminal")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tessera::imaging::{Pixels, Raster, Sample, Scratch, Step, Tools, apply, read_profile};
use tessera::model::{ColourModel, Size};

const RUNS: u32 = 200;
const SIDE_PX: u16 = 256;

const PROPHOTO: &[u8] = include_bytes!("../tests/golden/profiles/prophoto.icc");
const CMYK: &[u8] = include_bytes!("../tests/golden/profiles/cmyk.icc");

/// A tile in which each band changes smoothly from 0 to 1, as bands of pictures do.
fn tile<T: Sample>(colour: ColourModel, mut sample: impl FnMut(f32, u8) -> T) -> Pixels {
    let size = Size::at_least_one(SIDE_PX.into(), SIDE_PX.into());
    let places = (0..SIDE_PX).flat_map(|y| (0..SIDE_PX).map(move |x| (f32::from(x), f32::from(y))));
    let samples = places.flat_map(|(x, y)| {
        let slopes = [x + y, 2.0 * x, 2.0 * y, 511.0 - x - y];
        let bands = (0..colour.bands()).zip(slopes);
        bands.map(|(band, slope)| sample(slope / 511.0, band)).collect::<Vec<T>>()
    });
    T::wrap(Raster::new(size, colour, false, samples.collect()).unwrap())
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 0 to 1"
)]
fn bytes(colour: ColourModel) -> Pixels {
    tile(colour, |share, _| (share * 255.0) as u8)
}

/// Bytes without any order (the multiplier is of Knuth's MMIX): no two pixels are alike.
fn noise(colour: ColourModel) -> Pixels {
    let mut state = 1_u64;
    tile(colour, |_, _| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    })
}

fn lab() -> Pixels {
    tile(
        ColourModel::Lab,
        |share, band| {
            if band == 0 { share * 100.0 } else { share * 160.0 - 80.0 }
        },
    )
}

fn least(step: Step, tile: &Pixels) -> Duration {
    let (steps, mut scratch) = ([step], Scratch::new());
    let mut tools = Tools { scratch: &mut scratch, histogram: None };
    let mut once = |_| {
        let tile = tile.clone();
        let started = Instant::now();
        black_box(apply(&steps, tile, &mut tools).unwrap());
        started.elapsed()
    };
    (0..RUNS).map(&mut once).min().unwrap()
}

fn main() {
    let to_srgb = |bytes: &[u8]| Step::ToSrgb { profile: read_profile(Arc::from(bytes)) };
    for (name, step, tile) in [
        ("RGB by its profile", to_srgb(PROPHOTO), bytes(ColourModel::Rgb)),
        ("RGB, noise", to_srgb(PROPHOTO), noise(ColourModel::Rgb)),
        ("CMYK by its profile", to_srgb(CMYK), bytes(ColourModel::Cmyk)),
        ("CMYK, noise", to_srgb(CMYK), noise(ColourModel::Cmyk)),
        ("CMYK without one", Step::CmykToRgb, bytes(ColourModel::Cmyk)),
        ("CIELAB", Step::LabToRgb, lab()),
    ] {
        println!("{name:<20} {:>5} us", least(step, &tile).as_micros());
    }
    for (name, profile) in [("RGB", PROPHOTO), ("CMYK", CMYK)] {
        let started = Instant::now();
        black_box(read_profile(Arc::from(profile)));
        println!("{name} profile, opened {:>5} us", started.elapsed().as_micros());
    }
}
