//! Changes of sample values, on any sample type, as 32-bit floats: the whole list, and the one pass that
//! carries it out, run by run of a few hundred pixels.
#![expect(
    clippy::inline_always,
    reason = "what is called in a pass is compiled for this processor's vectors only where it is inlined"
)]

mod colour_map;
mod contrast;
mod convolve;
mod float_math;
mod hillshade;
mod invert;
mod normalise;
mod planes;
mod table;
#[cfg(test)]
mod tests;
mod tone;
mod twist;

use pulp::{Arch, Simd, WithSimd};

use crate::imaging::pixels::Pixels;
use crate::imaging::raster::Raster;
use crate::imaging::sample::Sample;
use crate::imaging::science::planes::{BLOCK, Planes};
use crate::model::processing::{ColourMap, Kernel, Light, Twist};
use crate::model::{ColourModel, SampleRange};

/// One operation, in the order in which [`crate::plan`] lists them: that of iipsrv.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Samples to numbers, black 0 and white 1; a range for each band.
    Normalise(Vec<SampleRange>),
    /// Three bands of normals to one of light.
    Light(Light),
    /// Bands to other bands.
    Twist(Twist),
    /// Colours to a power.
    Power(f32),
    /// The logarithm of colours.
    Log,
    /// White becomes black.
    Invert,
    /// The first band as colours.
    ColourMap(ColourMap),
    /// A sum over neighbours.
    Convolve(Kernel),
}

/// What a raster's bands are after the operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Bands {
    colours: usize,
    alpha: bool,
}

impl Operation {
    /// Whether samples afterwards are of other colours than the image's.
    pub const fn makes_new_colours(&self) -> bool {
        matches!(self, Self::Light(_) | Self::Twist(_) | Self::ColourMap(_))
    }
}

/// The colours and alpha of pixels that the operations leave.
pub fn shape_after(
    operations: &[Operation],
    (colour, alpha): (ColourModel, bool),
) -> (ColourModel, bool) {
    let bands = Bands { colours: colour.bands().into(), alpha };
    let bands = operations.iter().fold(bands, Bands::after);
    (bands.shown(), bands.alpha)
}

impl Bands {
    fn after(self, operation: &Operation) -> Self {
        match operation {
            Operation::Normalise(_)
            | Operation::Power(_)
            | Operation::Log
            | Operation::Invert
            | Operation::Convolve(_) => self,
            Operation::Light(_) if self.colours < 3 => self,
            Operation::Light(_) => Self { colours: 1, ..self },
            Operation::Twist(matrix) => {
                let rows = matrix.rows().len();
                let alpha = rows.is_multiple_of(2);
                let colours = if alpha { rows - 1 } else { rows };
                Self { colours, alpha: alpha || self.alpha }
            }
            Operation::ColourMap(_) => Self { colours: 3, ..self },
        }
    }

    /// What a screen takes them for; bands of no meaning: the first.
    const fn shown(self) -> ColourModel {
        if self.colours == 3 { ColourModel::Rgb } else { ColourModel::Gray }
    }
}

/// The operations in order, then contrast (a factor over all colours), and bytes.
pub fn process(pixels: &Pixels, operations: &[Operation], contrast: f32) -> Raster {
    match pixels {
        Pixels::U8(raster) => match table::ramp(raster, operations) {
            Some(ramp) => table::look_up(raster, &process_of(&ramp, operations, contrast)),
            None => process_of(raster, operations, contrast),
        },
        Pixels::U16(raster) => process_of(raster, operations, contrast),
        Pixels::F32(raster) => process_of(raster, operations, contrast),
    }
}

/// The operations with the first and last of these grays (of 0 to 255, as the ranges have them) made black
/// and white.
pub fn stretched(operations: &[Operation], (darkest, brightest): (u8, u8)) -> Vec<Operation> {
    let mut operations = operations.to_vec();
    for operation in &mut operations {
        if let Operation::Normalise(ranges) = operation {
            for range in ranges {
                let SampleRange { black, white } = *range;
                let at = |gray: u8| black + (white - black) * (f32::from(gray) / 255.0);
                *range = SampleRange { black: at(darkest), white: at(brightest) };
            }
        }
    }
    operations
}

fn process_of<T: Sample>(raster: &Raster<T>, operations: &[Operation], contrast: f32) -> Raster {
    let split = operations.iter().position(|each| matches!(each, Operation::Convolve(_)));
    let Some((before, [Operation::Convolve(kernel), after @ ..])) =
        split.map(|at| operations.split_at(at))
    else {
        return to_bytes(raster, operations, contrast);
    };
    let numbers = to_numbers(raster, before);
    process_of(&convolve::convolve(&numbers, kernel), after, contrast)
}

fn bands_after<T: Sample>(raster: &Raster<T>, operations: &[Operation]) -> Bands {
    let bands = Bands { colours: raster.colour().bands().into(), alpha: raster.alpha() };
    operations.iter().fold(bands, Bands::after)
}

fn to_bytes<T: Sample>(raster: &Raster<T>, operations: &[Operation], contrast: f32) -> Raster {
    let bands = bands_after(raster, operations);
    let mut shown = Raster::zeroed(raster.size(), bands.shown(), bands.alpha);
    let targets = shown.samples_mut();
    Arch::new().dispatch(Pass { raster, operations, bands, contrast, targets });
    shown
}

fn to_numbers<T: Sample>(raster: &Raster<T>, operations: &[Operation]) -> Raster<f32> {
    let bands = bands_after(raster, operations);
    let mut numbers = Raster::zeroed(raster.size(), bands.shown(), bands.alpha);
    let targets = numbers.samples_mut();
    Arch::new().dispatch(Pass { raster, operations, bands, contrast: 1.0, targets });
    numbers
}

/// What a run's planes become.
trait Target: Sized {
    /// Writes the run, colours times `contrast` where they become bytes.
    fn store(planes: &Planes, contrast: f32, run: &mut [Self]);
}

impl Target for u8 {
    #[inline(always)]
    fn store(planes: &Planes, contrast: f32, run: &mut [Self]) {
        contrast::store_bytes(planes, contrast, run);
    }
}

impl Target for f32 {
    #[inline(always)]
    fn store(planes: &Planes, _: f32, run: &mut [Self]) {
        planes.store(run);
    }
}

/// The operations over all runs. All that is called here is inlined, so that it is compiled for the vectors that
/// this processor has, and not only for those that all have.
struct Pass<'a, T: Sample, U> {
    raster: &'a Raster<T>,
    operations: &'a [Operation],
    /// What a target's bands are.
    bands: Bands,
    contrast: f32,
    targets: &'a mut [U],
}

impl<T: Sample, U: Target> WithSimd for Pass<'_, T, U> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { raster, operations, bands, contrast, targets } = self;
        let mut planes = Planes::new();
        let shown = usize::from(bands.shown().bands());
        let target_len = BLOCK * (shown + usize::from(bands.alpha));
        let runs = raster.samples().chunks(BLOCK * raster.bands());
        for (run, target) in runs.zip(targets.chunks_mut(target_len)) {
            planes.load(run, raster.colour().bands().into(), raster.alpha());
            for operation in operations {
                operate(&mut planes, operation);
            }
            planes.colours.truncate(shown);
            U::store(&planes, contrast, target);
        }
    }
}

#[inline(always)]
fn operate(planes: &mut Planes, operation: &Operation) {
    match operation {
        Operation::Normalise(ranges) => normalise::normalise(planes, ranges),
        Operation::Light(light) => hillshade::hillshade(planes, *light),
        Operation::Twist(matrix) => twist::twist(planes, matrix),
        Operation::Power(exponent) => tone::power(planes, *exponent),
        Operation::Log => tone::log(planes),
        Operation::Invert => invert::invert(planes),
        Operation::ColourMap(map) => colour_map::colour_map(planes, map),
        // Needs whole rows: done between two passes.
        Operation::Convolve(_) => {}
    }
}
