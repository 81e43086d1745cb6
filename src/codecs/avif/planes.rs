//! Interleaved samples to the planes that AV1 codes: luma, and colour differences of full range, by BT.601
//! as JPEG has them.
//!
//! # Source
//! ITU-T T.871, section 7; ITU-T H.273, table 4, matrix 6.

use rav1e::prelude::{CastFromPrimitive, Pixel};

use crate::codecs::CodecError;
use crate::codecs::number::{reserved_for, usize_of};
use crate::imaging::{Raster, Sample};

/// Shares of red, green and blue in luma.
const RED: f32 = 0.299;
const GREEN: f32 = 0.587;
const BLUE: f32 = 0.114;

/// A sample that can be coded.
pub(super) trait Coded: Sample {
    /// The coded sample's type.
    type Coded: Pixel;
    /// Bits of a coded sample.
    const BITS: u8;
    /// What a sample is multiplied by to be coded.
    const SCALE: f32;

    /// The sample as a number.
    fn number(self) -> f32;
}

impl Coded for u8 {
    type Coded = Self;
    const BITS: Self = 8;
    const SCALE: f32 = 1.0;

    fn number(self) -> f32 {
        self.into()
    }
}

/// Coded with 10 bits: 12 are in no profile that browsers read.
impl Coded for u16 {
    type Coded = Self;
    const BITS: u8 = 10;
    const SCALE: f32 = 1023.0 / 65_535.0;

    fn number(self) -> f32 {
        self.into()
    }
}

/// One plane, row by row.
#[derive(Debug)]
pub(super) struct Samples<T> {
    /// Samples of a row.
    pub(super) width: usize,
    /// All rows.
    pub(super) samples: Vec<T>,
}

/// One band as it is.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn band<S: Coded>(
    raster: &Raster<S>,
    band: usize,
) -> Result<Samples<S::Coded>, CodecError> {
    let mut samples = reserved_for(raster.samples().len() / raster.bands())?;
    let pixels = raster.samples().chunks_exact(raster.bands());
    samples.extend(pixels.map(|pixel| {
        let sample = pixel.get(band).copied().unwrap_or_default();
        coded::<S>(sample.number() * S::SCALE)
    }));
    Ok(Samples { width: usize_of(raster.size().width()), samples })
}

/// Luma of RGB, and the two colour differences: each of `block` by `block` pixels, 1 or 2.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn luma_and_colours<S: Coded>(
    raster: &Raster<S>,
    block: usize,
) -> Result<[Samples<S::Coded>; 3], CodecError> {
    let (width, bands) = (usize_of(raster.size().width()), raster.bands());
    let mut luma = reserved_for(raster.samples().len() / bands)?;
    luma.extend(
        raster
            .samples()
            .chunks_exact(bands)
            .map(|pixel| coded::<S>(luma_of(rgb(pixel)) * S::SCALE)),
    );
    let columns = width.div_ceil(block);
    let rows = usize_of(raster.size().height()).div_ceil(block);
    let [mut blues, mut reds] = [reserved_for(columns * rows)?, reserved_for(columns * rows)?];
    let middle = f32::from(1_u16 << (S::BITS - 1));
    for row in raster.samples().chunks(width * bands * block) {
        for column in 0..columns {
            let mean = mean::<S>(row, (width * bands, bands), column * block, block);
            let [red, _, blue] = mean;
            let luma = luma_of(mean);
            let difference = |sample: f32, share: f32| {
                coded::<S>((sample - luma) * S::SCALE * 0.5 / (1.0 - share) + middle)
            };
            blues.push(difference(blue, BLUE));
            reds.push(difference(red, RED));
        }
    }
    let plane = |samples| Samples { width: columns, samples };
    Ok([Samples { width, samples: luma }, plane(blues), plane(reds)])
}

/// The mean of a block that begins at `column` of `rows`, as far as there are pixels.
fn mean<S: Coded>(
    rows: &[S],
    (row_len, bands): (usize, usize),
    column: usize,
    block: usize,
) -> [f32; 3] {
    let (mut sum, mut count) = ([0.0; 3], 0.0);
    for row in rows.chunks_exact(row_len) {
        for pixel in row.chunks_exact(bands).skip(column).take(block) {
            for (sum, sample) in sum.iter_mut().zip(rgb(pixel)) {
                *sum += sample;
            }
            count += 1.0;
        }
    }
    sum.map(|sum: f32| sum / count)
}

fn rgb<S: Coded>(pixel: &[S]) -> [f32; 3] {
    match pixel {
        [red, green, blue, ..] => [red.number(), green.number(), blue.number()],
        _ => [0.0; 3],
    }
}

fn luma_of([red, green, blue]: [f32; 3]) -> f32 {
    RED * red + GREEN * green + BLUE * blue
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rounded and held within the coded sample's range"
)]
fn coded<S: Coded>(value: f32) -> S::Coded {
    let largest = f32::from((1_u16 << S::BITS) - 1);
    S::Coded::cast_from(value.round().clamp(0.0, largest) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn gray_has_no_colour_and_edges_of_odd_sides_are_means_of_what_is_there() {
        let size = Size::new(3, 1).unwrap();
        let samples = vec![9_u8, 9, 9, 200, 200, 200, 255, 0, 0];
        let raster = Raster::new(size, ColourModel::Rgb, false, samples).unwrap();
        let [luma, blues, reds] = luma_and_colours(&raster, 2).unwrap();
        assert_eq!((luma.samples, luma.width), (vec![9, 200, 76], 3));
        assert_eq!((blues.samples, blues.width), (vec![128, 85], 2));
        assert_eq!(reds.samples, [128, 255]);
    }

    #[test]
    fn sixteen_bits_become_ten() {
        let size = Size::new(3, 1).unwrap();
        let samples = vec![0_u16, 32_768, 65_535];
        let raster = Raster::new(size, ColourModel::Gray, false, samples).unwrap();
        assert_eq!(band(&raster, 0).unwrap().samples, [0, 512, 1023]);
    }
}
