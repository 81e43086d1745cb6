//! What changes of sample values cost: least CPU time for a 256 x 256 tile, of many runs. Run by
//! `cargo bench --bench science`; figures for comparison stand in `load-tests/README.md`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at a terminal")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use tessera::actors::allocator;
use tessera::imaging::{Operation, Pixels, Raster, Scratch, Step, Tools, apply};
use tessera::model::processing::{ColourMap, Kernel, Light, Twist};
use tessera::model::{ColourModel, SampleRange, Size};

const SIDE_PX: u32 = 256;
const RUNS: usize = 200;

fn tile(colour: ColourModel) -> Pixels {
    let size = Size::new(SIDE_PX, SIDE_PX).unwrap();
    let count = SIDE_PX * SIDE_PX * u32::from(colour.bands());
    // A generator of its own: noise hides no cost behind equal pixels.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u8::try_from(state >> 24).unwrap()
    };
    let samples = (0..count).map(|_| noise()).collect();
    Raster::new(size, colour, false, samples).unwrap().into()
}

fn least(operations: &[Operation], contrast: f32, tile: &Pixels) -> Duration {
    let range = SampleRange { black: 0.0, white: 255.0 };
    let mut all = vec![Operation::Normalise(vec![range; 3])];
    all.extend_from_slice(operations);
    let steps = [Step::Process { operations: all, contrast, stretch: false }];
    let mut scratch = Scratch::new();
    let mut tools = Tools { scratch: &mut scratch, histogram: None };
    let mut once = || {
        let tile = tile.clone();
        let started = Instant::now();
        black_box(apply(&steps, tile, &mut tools).unwrap());
        started.elapsed()
    };
    (0..RUNS).map(|_| once()).min().unwrap()
}

fn main() {
    allocator::keep_small_buffers();
    let (gray, rgb) = (tile(ColourModel::Gray), tile(ColourModel::Rgb));
    let rows = vec![vec![0.8, 0.1, 0.1], vec![0.1, 0.8, 0.1], vec![0.1, 0.1, 0.8]];
    let twist = Operation::Twist(Twist::new(rows).unwrap());
    let light = Operation::Light(Light { azimuth_deg: 45.0, elevation_deg: 30.0 });
    let kernel = Operation::Convolve(Kernel::of_name("sharpen").unwrap());
    let power = || Operation::Power(1.4);
    for (name, operations, contrast, tile) in [
        ("contrast", vec![], 1.2, &rgb),
        ("gamma", vec![power()], 1.0, &rgb),
        ("contrast, gamma, colour twist", vec![twist, power()], 1.2, &rgb),
        ("logarithm", vec![Operation::Log], 1.0, &rgb),
        ("hillshade", vec![light], 1.0, &rgb),
        ("invert", vec![Operation::Invert], 1.0, &rgb),
        ("colour map jet", vec![Operation::ColourMap(ColourMap::Jet)], 1.0, &gray),
        ("colour map viridis", vec![Operation::ColourMap(ColourMap::Viridis)], 1.0, &gray),
        ("convolution 3 x 3", vec![kernel], 1.0, &rgb),
    ] {
        let least = least(&operations, contrast, tile);
        println!("{name:32} {:.3} ms", 1e3 * least.as_secs_f64());
    }
}
