//! The two wavelets, as steps that add to the coefficients of one kind what their neighbours of the other
//! kind say.
//!
//! # Source
//! T.800, F.3.8.

use std::fmt::Debug;

use crate::codecs::number::usize_of;

/// A wavelet backwards.
pub(in crate::codecs::jpeg2000) trait Wavelet {
    /// Coefficients.
    type Value: Copy + Default + Debug + Send + Sync;

    /// Steps; the even ones change low frequencies, the odd ones high frequencies. Each makes a sample
    /// depend on others one further away.
    const STEPS: u32;

    /// A coefficient of an entropy decoder's halves, whose steps are so far apart.
    fn value(halves: i32, step: f32) -> Self::Value;

    /// Makes coefficients of a sub-band those that the steps take. `high` tells of each axis that has steps
    /// whether the sub-band holds its high frequencies.
    fn scale(values: &mut [Self::Value], high: [Option<bool>; 2]);

    /// Adds to each of `to` what its two neighbours say in a step.
    fn lift(step: u32, to: &mut [Self::Value], one: &[Self::Value], other: &[Self::Value]);

    /// What a single high frequency is, without any low one.
    fn alone(high: Self::Value) -> Self::Value;
}

/// How far to either side of it a sample depends on coefficients: half of the longer filter (T.800, F.3.8).
pub(in crate::codecs::jpeg2000) const fn reach(reversible: bool) -> u32 {
    if reversible { Reversible::STEPS } else { Irreversible::STEPS }
}

/// 5-3, of whole numbers.
#[derive(Clone, Copy, Debug)]
pub(in crate::codecs::jpeg2000) struct Reversible;

impl Wavelet for Reversible {
    type Value = i32;
    const STEPS: u32 = 2;

    fn value(halves: i32, _: f32) -> i32 {
        halves / 2
    }

    fn scale(_: &mut [i32], _: [Option<bool>; 2]) {}

    fn lift(step: u32, to: &mut [i32], one: &[i32], other: &[i32]) {
        if step == 0 {
            each(to, one, other, |to, one, other| {
                to.wrapping_sub(one.wrapping_add(other).wrapping_add(2) >> 2)
            });
        } else {
            each(to, one, other, |to, one, other| to.wrapping_add(one.wrapping_add(other) >> 1));
        }
    }

    fn alone(high: i32) -> i32 {
        high >> 1
    }
}

/// 9-7, of real numbers. High frequencies come half as large as the standard has them, which holds of their
/// steps too.
#[derive(Clone, Copy, Debug)]
pub(in crate::codecs::jpeg2000) struct Irreversible;

/// Table F.4, in the order in which the steps come: delta, gamma, beta, alpha.
const FACTORS: [f32; 4] = [0.443_506_85, 0.882_911_1, -0.052_980_12, -1.586_134_3];
/// K of the same table.
const K: f32 = 1.230_174_1;
/// 2 / K, but for the last digits, which are OpenJPEG's: by the exact ones samples of 16 bits are two off
/// from those that everybody else shows.
const DOUBLED_OVER_K: f32 = 1.625_732_4;

impl Wavelet for Irreversible {
    type Value = f32;
    const STEPS: u32 = 4;

    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "more bits than samples have"
    )]
    fn value(halves: i32, step: f32) -> f32 {
        halves as f32 * (0.5 * step)
    }

    fn scale(values: &mut [f32], high: [Option<bool>; 2]) {
        let of_axis = |high: Option<bool>| match high {
            None => 1.0,
            Some(false) => K,
            Some(true) => DOUBLED_OVER_K,
        };
        let [across, down] = high.map(of_axis);
        let scale: f32 = across * down;
        for value in values {
            *value *= scale;
        }
    }

    fn lift(step: u32, to: &mut [f32], one: &[f32], other: &[f32]) {
        let factor = FACTORS.get(usize_of(step)).copied().unwrap_or_default();
        each(to, one, other, move |to, one, other| to - factor * (one + other));
    }

    fn alone(high: f32) -> f32 {
        high
    }
}

/// Changes each of `to`, as long as there are values of both others. A function of its own: of
/// arguments the compiler knows that they do not overlap, so that it changes many at once.
#[inline(never)]
fn each<T: Copy>(to: &mut [T], one: &[T], other: &[T], change: impl Fn(T, T, T) -> T) {
    for ((to, one), other) in to.iter_mut().zip(one).zip(other) {
        *to = change(*to, *one, *other);
    }
}
