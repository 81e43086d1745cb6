//! Samples of any type to bytes: `out = round(255 * (in - black) / (white - black))`, held to 0..255.
//! What is no number is black. Alpha goes by the whole range of its type.

use crate::imaging::pixels::Pixels;
use crate::imaging::raster::Raster;
use crate::imaging::sample::Sample;
use crate::model::SampleRange;

/// The pixels with samples of 0 to 255; `ranges` has one for each band before alpha, bands beyond it
/// are taken by the whole range of their type.
pub fn to_bytes(pixels: Pixels, ranges: &[SampleRange]) -> Raster {
    match pixels {
        Pixels::U8(raster) if is_whole::<u8>(ranges) => raster,
        Pixels::U16(raster) if is_whole::<u16>(ranges) => by(&raster, |run, target| {
            for (target, sample) in target.iter_mut().zip(run) {
                *target = high_byte(*sample);
            }
        }),
        Pixels::U8(raster) => stretched(&raster, ranges, f32::from),
        Pixels::U16(raster) => stretched(&raster, ranges, f32::from),
        Pixels::F32(raster) => stretched(&raster, ranges, |sample| sample),
    }
}

/// Whether nothing but the type's own range is asked for.
fn is_whole<T: Sample>(ranges: &[SampleRange]) -> bool {
    ranges.iter().all(|range| *range == T::TYPE.full_range())
}

/// 16 bit to 8, rounded: `sample / 257`.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "at most 255 after the division"
)]
fn high_byte(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}

fn by<T: Sample>(raster: &Raster<T>, convert: impl Fn(&[T], &mut [u8])) -> Raster {
    let mut bytes = Raster::zeroed(raster.size(), raster.colour(), raster.alpha());
    convert(raster.samples(), bytes.samples_mut());
    bytes
}

fn stretched<T: Sample>(
    raster: &Raster<T>,
    ranges: &[SampleRange],
    number: impl Fn(T) -> f32,
) -> Raster {
    let bands = raster.bands();
    let colours = usize::from(raster.colour().bands());
    // Black and steps a unit, for each band.
    let scales: Vec<(f32, f32)> = (0..bands)
        .map(|band| {
            let whole = T::TYPE.full_range();
            let range = if band < colours { ranges.get(band).copied() } else { None };
            let SampleRange { black, white } = range.unwrap_or(whole);
            (black, if black < white { 255.0 / (white - black) } else { 0.0 })
        })
        .collect();
    by(raster, |run, target| {
        let pixels = run.chunks_exact(bands).zip(target.chunks_exact_mut(bands));
        for (pixel, target) in pixels {
            for ((sample, target), (black, scale)) in pixel.iter().zip(target).zip(&scales) {
                *target = byte((number(*sample) - black) * scale);
            }
        }
    })
}

/// The nearest byte; NaN is 0, as casts have it.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates"
)]
pub(super) fn byte(value: f32) -> u8 {
    (value + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    fn gray<T: Sample>(samples: Vec<T>) -> Pixels {
        let size = Size::new(u32::try_from(samples.len()).unwrap(), 1).unwrap();
        T::wrap(Raster::new(size, ColourModel::Gray, false, samples).unwrap())
    }

    fn bytes(pixels: Pixels, black: f32, white: f32) -> Vec<u8> {
        to_bytes(pixels, &[SampleRange { black, white }]).into_samples()
    }

    #[test]
    fn sixteen_bits_become_eight_to_the_nearest() {
        let all = gray((0..=u16::MAX).collect());
        for (sample, byte) in (0..=u16::MAX).zip(to_bytes(all, &[]).samples()) {
            let exact = f64::from(sample) / 257.0;
            assert!((f64::from(*byte) - exact).abs() <= 0.5, "{sample} became {byte}");
        }
    }

    #[test]
    fn a_range_is_stretched_and_what_lies_outside_is_held() {
        let floats = gray(vec![-1.0_f32, 0.0, 0.5, 1.0, 2.0, f32::NAN, f32::INFINITY]);
        assert_eq!(bytes(floats, 0.0, 1.0), [0, 0, 128, 255, 255, 0, 255]);
        assert_eq!(bytes(gray(vec![-50.0_f32, 0.0, 50.0]), -50.0, 50.0), [0, 128, 255]);
        assert_eq!(bytes(gray(vec![1000_u16, 1500, 2000]), 1000.0, 2000.0), [0, 128, 255]);
        assert_eq!(bytes(gray(vec![10_u8, 20]), 10.0, 20.0), [0, 255]);
        assert_eq!(bytes(gray(vec![7.0_f32, 8.0]), 7.0, 7.0), [0, 0]);
    }

    #[test]
    fn alpha_goes_by_its_types_whole_range() {
        let size = Size::new(1, 1).unwrap();
        let raster = Raster::new(size, ColourModel::Gray, true, vec![1500_u16, 65_535]).unwrap();
        let range = SampleRange { black: 1000.0, white: 2000.0 };
        assert_eq!(to_bytes(Pixels::U16(raster), &[range]).samples(), [128, 255]);
    }
}
