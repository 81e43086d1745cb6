//! Numbers between pixels to numbers of pixels, and sides in proportion.

/// The nearest integer, halves up; 0 below 0 and for what is no number, `u32::MAX` above it.
pub(super) fn round_px(value: f64) -> u32 {
    whole(value + 0.5)
}

/// The integer below.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, which is what is wanted"
)]
pub(super) fn whole(value: f64) -> u32 {
    value.floor() as u32
}

/// The integer above.
pub(super) fn whole_up(value: f64) -> u32 {
    whole(value.ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_up_and_nonsense_saturates() {
        for (value, expected) in
            [(0.49, 0), (0.5, 1), (124.8, 125), (-3.0, 0), (f64::NAN, 0), (1e30, u32::MAX)]
        {
            assert_eq!(round_px(value), expected, "{value}");
        }
        assert_eq!((whole(2.9), whole_up(2.1), whole_up(2.0)), (2, 3, 2));
    }
}
