//! `Sample`: the three types that decoded samples have, and how each is summed up to a mean.

use std::fmt::Debug;
use std::ops::AddAssign;

use crate::imaging::pixels::Pixels;
use crate::imaging::raster::Raster;
use crate::model::SampleType;

/// `u8`, `u16` or `f32`: see [`SampleType`].
pub trait Sample: Copy + Debug + Default + PartialEq + Into<f32> + Send + Sync + 'static {
    /// Holds the sum of a block of 256 x 256 samples, each times its alpha.
    type Sum: Copy + Debug + Default + AddAssign;

    /// This type's name at run time.
    const TYPE: SampleType;

    /// The sample as a sum of one.
    fn widen(self) -> Self::Sum;

    /// The sample times an alpha of its own type.
    fn weigh(self, alpha: Self) -> Self::Sum;

    /// Means of sums of `count` samples each, rounded half up.
    fn means(means: &mut [Self], sums: &[Self::Sum], count: u32);

    /// The mean of a sum of samples times alpha, given the sum of these; 0 where that is 0: the
    /// invisible has no colour.
    fn weighted_mean(sum: Self::Sum, alphas: Self::Sum) -> Self;

    /// A raster of this type as pixels of any.
    fn wrap(raster: Raster<Self>) -> Pixels;

    /// Pixels of any type as a raster of this one, where they are.
    fn unwrap(pixels: &Pixels) -> Option<&Raster<Self>>;
}

impl Sample for u8 {
    type Sum = u32;

    const TYPE: SampleType = SampleType::U8;

    fn widen(self) -> u32 {
        self.into()
    }

    fn weigh(self, alpha: Self) -> u32 {
        u32::from(self) * u32::from(alpha)
    }

    fn means(means: &mut [Self], sums: &[u32], count: u32) {
        if count.is_power_of_two() {
            // Nearly all blocks: a shift is a tenth of a division.
            let shift = count.trailing_zeros();
            for (mean, sum) in means.iter_mut().zip(sums) {
                *mean = byte((sum + count / 2) >> shift);
            }
        } else {
            for (mean, sum) in means.iter_mut().zip(sums) {
                *mean = byte((sum + count / 2) / count);
            }
        }
    }

    fn weighted_mean(sum: u32, alphas: u32) -> Self {
        byte(u32::try_from(half_up(sum.into(), alphas.into())).unwrap_or(u32::MAX))
    }

    fn wrap(raster: Raster<Self>) -> Pixels {
        Pixels::U8(raster)
    }

    fn unwrap(pixels: &Pixels) -> Option<&Raster<Self>> {
        if let Pixels::U8(raster) = pixels { Some(raster) } else { None }
    }
}

impl Sample for u16 {
    type Sum = u64;

    const TYPE: SampleType = SampleType::U16;

    fn widen(self) -> u64 {
        self.into()
    }

    fn weigh(self, alpha: Self) -> u64 {
        u64::from(self) * u64::from(alpha)
    }

    fn means(means: &mut [Self], sums: &[u64], count: u32) {
        let count = u64::from(count);
        for (mean, sum) in means.iter_mut().zip(sums) {
            *mean = word(half_up(*sum, count));
        }
    }

    fn weighted_mean(sum: u64, alphas: u64) -> Self {
        word(half_up(sum, alphas))
    }

    fn wrap(raster: Raster<Self>) -> Pixels {
        Pixels::U16(raster)
    }

    fn unwrap(pixels: &Pixels) -> Option<&Raster<Self>> {
        if let Pixels::U16(raster) = pixels { Some(raster) } else { None }
    }
}

/// A sum of numbers, and how many they are: what is NaN is no number and counts nowhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownSum {
    sum: f64,
    count: f64,
}

impl AddAssign for KnownSum {
    fn add_assign(&mut self, other: Self) {
        self.sum += other.sum;
        self.count += other.count;
    }
}

impl Sample for f32 {
    type Sum = KnownSum;

    const TYPE: SampleType = SampleType::F32;

    fn widen(self) -> KnownSum {
        if self.is_nan() { KnownSum::default() } else { KnownSum { sum: self.into(), count: 1.0 } }
    }

    fn weigh(self, alpha: Self) -> KnownSum {
        (self * alpha).widen()
    }

    fn means(means: &mut [Self], sums: &[KnownSum], _: u32) {
        for (mean, sum) in means.iter_mut().zip(sums) {
            // Of no number at all: NaN, which it stays.
            *mean = narrow(sum.sum / sum.count);
        }
    }

    fn weighted_mean(sum: KnownSum, alphas: KnownSum) -> Self {
        if alphas.sum <= 0.0 { 0.0 } else { narrow(sum.sum / alphas.sum) }
    }

    fn wrap(raster: Raster<Self>) -> Pixels {
        Pixels::F32(raster)
    }

    fn unwrap(pixels: &Pixels) -> Option<&Raster<Self>> {
        if let Pixels::F32(raster) = pixels { Some(raster) } else { None }
    }
}

/// `sum / count` to the nearest, 0 where there is nothing; never overflows.
fn half_up(sum: u64, count: u64) -> u64 {
    match (sum.checked_div(count), sum.checked_rem(count)) {
        (Some(quotient), Some(rest)) => quotient + u64::from(count - rest <= rest),
        _ => 0,
    }
}

/// A mean of samples is a sample.
#[expect(clippy::as_conversions, reason = "at most 255")]
fn byte(mean: u32) -> u8 {
    mean.min(255) as u8
}

/// A mean of samples is a sample.
#[expect(clippy::as_conversions, reason = "at most 65535")]
fn word(mean: u64) -> u16 {
    mean.min(65_535) as u16
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a mean of 32-bit floats, rounded to the nearest"
)]
fn narrow(mean: f64) -> f32 {
    mean as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean<T: Sample>(samples: &[T]) -> T {
        let mut sum = T::Sum::default();
        for sample in samples {
            sum += sample.widen();
        }
        let mut means = [T::default()];
        T::means(&mut means, &[sum], u32::try_from(samples.len()).unwrap());
        means[0]
    }

    #[test]
    fn means_are_rounded_half_up_in_every_type() {
        assert_eq!(mean(&[1_u8, 2]), 2);
        assert_eq!(mean(&[1_u8, 1, 2]), 1);
        assert_eq!(mean(&[65_535_u16; 9]), 65_535);
        assert_eq!(mean(&[1_u16, 2]), 2);
        assert!((mean(&[0.25_f32, -0.75]) + 0.25).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_number_counts_nowhere() {
        assert!((mean(&[f32::NAN, 3.0, f32::NAN, 5.0]) - 4.0).abs() < 1e-9);
        assert!(mean(&[f32::NAN; 4]).is_nan());
    }

    #[test]
    fn the_invisible_weighs_nothing() {
        let mut sum = 200_u16.weigh(65_535);
        sum += 9_u16.weigh(0);
        assert_eq!(u16::weighted_mean(sum, 65_535), 200);
        assert_eq!(u16::weighted_mean(0, 0), 0);
        assert!(f32::weighted_mean(KnownSum::default(), KnownSum::default()).abs() < 1e-9);
    }
}
