//! The end of decoding: components that were mixed are taken apart, and samples are brought to their range.
//!
//! # Source
//! T.800, annex G.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::malformed;
use crate::codecs::jpeg2000::markers::SizComponent;

/// What the wavelet made of a component.
#[derive(Debug)]
pub(in crate::codecs::jpeg2000) enum Values {
    /// 5-3.
    Whole(Vec<i32>),
    /// 9-7.
    Real(Vec<f32>),
}

/// The numbers that a component's samples can be, as far as 32 bits hold them.
#[derive(Clone, Copy, Debug)]
struct Range {
    min: i32,
    max: i32,
    /// What zero stands for.
    shift: i32,
}

impl Range {
    fn of(component: SizComponent) -> Self {
        let half = 1_i32 << (component.bits.clamp(1, 31) - 1);
        if component.signed {
            Self { min: -half, max: half - 1, shift: 0 }
        } else {
            Self { min: 0, max: half - 1 + half, shift: half }
        }
    }

    /// A sample of a whole number.
    fn whole(self, value: i32) -> i32 {
        value.saturating_add(self.shift).clamp(self.min, self.max)
    }

    /// Samples of real numbers, the nearest ones, the even one of two.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "numbers are held to the range before, and a real number holds what is small exactly"
    )]
    fn real(self, values: &[f32]) -> Vec<i32> {
        // Added to a small number, this leaves no place for a fraction, and the number in the last bits.
        const WHOLE: f32 = 12_582_912.0;
        const SMALL: i32 = 1 << 22;
        let (lowest, highest) = (self.min - self.shift, self.max - self.shift);
        if lowest < -SMALL || SMALL < highest {
            return values.iter().map(|value| self.whole(value.round_ties_even() as i32)).collect();
        }
        let (lowest, highest) = (lowest as f32, highest as f32);
        let bits = |value: f32| (value + WHOLE).to_bits().cast_signed();
        let shift = self.shift - bits(0.0);
        // One loop without a branch or a cast, which processors do in steps of many.
        values.iter().map(|value| bits(value.max(lowest).min(highest)) + shift).collect()
    }
}

/// Takes the first three components apart where they were mixed (RCT, ICT).
///
/// # Errors
/// `Malformed` where they are not of one kind and size.
pub(in crate::codecs::jpeg2000) fn take_apart(components: &mut [Values]) -> Result<(), CodecError> {
    match components {
        [Values::Whole(luma), Values::Whole(blue), Values::Whole(red), ..]
            if luma.len() == blue.len() && luma.len() == red.len() =>
        {
            for ((first, second), third) in luma.iter_mut().zip(blue).zip(red) {
                let (luma, blue, red) = (*first, *second, *third);
                let green = luma.wrapping_sub(blue.wrapping_add(red) >> 2);
                (*first, *second, *third) =
                    (red.wrapping_add(green), green, blue.wrapping_add(green));
            }
            Ok(())
        }
        [Values::Real(luma), Values::Real(blue), Values::Real(red), ..]
            if luma.len() == blue.len() && luma.len() == red.len() =>
        {
            for ((first, second), third) in luma.iter_mut().zip(blue).zip(red) {
                let (luma, blue, red) = (*first, *second, *third);
                *first = luma + 1.402 * red;
                *second = luma - 0.344_136 * blue - 0.714_136 * red;
                *third = luma + 1.772 * blue;
            }
            Ok(())
        }
        _ => Err(malformed("mixed components that differ in size or in wavelet")),
    }
}

/// A component's samples, in the range that the file states.
pub(in crate::codecs::jpeg2000) fn samples(values: Values, component: SizComponent) -> Vec<i32> {
    let range = Range::of(component);
    match values {
        Values::Whole(mut values) => {
            for value in &mut values {
                *value = range.whole(*value);
            }
            values
        }
        Values::Real(values) => range.real(&values),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_numbers_are_rounded_to_the_nearest_and_halves_to_the_even_one() {
        let values = [0.5, 1.5, -0.5, -1.5, 2.4, -2.6, 1e9, -1e9];
        for (bits, signed, largest, zero) in [
            (16, true, 32_767, 0),
            (16, false, 65_535, 32_768),
            (23, true, (1 << 22) - 1, 0),
            (24, true, (1 << 23) - 1, 0),
            (24, false, (1 << 24) - 1, 1 << 23),
        ] {
            let component = SizComponent { bits, signed, step: [1, 1] };
            let smallest = if signed { -largest - 1 } else { 0 };
            let near = [0, 2, 0, -2, 2, -3].map(|value| value + zero);
            let expected = [&near[..], &[largest, smallest]].concat();
            let found = samples(Values::Real(values.to_vec()), component);
            assert_eq!(found, expected, "{bits} bits");
            let [of_none] = samples(Values::Real(vec![f32::NAN]), component)[..] else { panic!() };
            assert!((smallest..=largest).contains(&of_none), "{of_none} of {bits} bits");
        }
    }

    #[test]
    fn samples_are_held_to_what_their_bits_can_say() {
        for (bits, signed, value, expected) in [
            (8, false, -129, 0),
            (8, false, 0, 128),
            (8, false, 500, 255),
            (8, true, -500, -128),
            (1, false, 0, 1),
            (31, false, i32::MAX, i32::MAX),
            (38, true, i32::MIN, -(1 << 30)),
        ] {
            let component = SizComponent { bits, signed, step: [1, 1] };
            let samples = samples(Values::Whole(vec![value]), component);
            assert_eq!(samples, [expected], "{bits} bits of {value}");
        }
    }

    #[test]
    fn mixed_components_are_taken_apart_and_others_are_refused() {
        // G.2: R = 10, G = 20, B = 40 are Y = (10 + 40 + 40) / 4, U = 20, V = -10.
        let mut whole = [vec![22], vec![20], vec![-10]].map(Values::Whole);
        take_apart(&mut whole).unwrap();
        let [Values::Whole(red), Values::Whole(green), Values::Whole(blue)] = whole else {
            panic!()
        };
        assert_eq!((red, green, blue), (vec![10], vec![20], vec![40]));
        let mut real = [vec![100.0], vec![0.0], vec![10.0]].map(Values::Real);
        take_apart(&mut real).unwrap();
        let [Values::Real(red), Values::Real(green), _] = real else { panic!() };
        assert!((red[0] - 114.02).abs() < 1e-4 && (green[0] - 92.858_64).abs() < 1e-4);
        let mut others = [Values::Whole(vec![1]), Values::Real(vec![1.0]), Values::Whole(vec![1])];
        take_apart(&mut others).unwrap_err();
        take_apart(&mut [vec![1], vec![1, 2], vec![1]].map(Values::Whole)).unwrap_err();
    }
}
