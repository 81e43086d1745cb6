//! `Limits`: what a stranger's request may ask for at most. Protocols advertise them, `plan` holds them.

use crate::model::geometry::{Size, proportion, side_px};

/// Bounds of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Longest side of an answer in pixels (`MAX_CVT`); IIP clamps to it, IIIF refuses above it.
    pub output_side_px_max: u32,
    /// Pixels of an answer; likewise.
    pub output_px_max: u64,
    /// Pixels that one request may have decoded, over all tiles it touches.
    pub source_px_max: u64,
    /// Whether an answer may be larger than the pixels it is made of (`ALLOW_UPSCALING`).
    pub upscaling_allowed: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            output_side_px_max: 5000,
            output_px_max: u64::MAX,
            source_px_max: 400_000_000,
            upscaling_allowed: true,
        }
    }
}

impl Limits {
    /// Pixels of an answer where these bound it more than its sides do.
    pub fn area_px_max(&self) -> Option<u64> {
        let side = u64::from(self.output_side_px_max);
        Some(self.output_px_max).filter(|px| *px < side.saturating_mul(side))
    }

    /// Whether an answer may have these sides.
    pub fn hold(&self, (width, height): (u64, u64)) -> bool {
        width.max(height) <= u64::from(self.output_side_px_max)
            && width.saturating_mul(height) <= self.output_px_max
    }

    /// The same proportions, made smaller where the limits do not hold them (IIIF Image API 3.0,
    /// implementation note 4: the area first, then the sides).
    pub fn fitted(&self, (width, height): (u64, u64)) -> Size {
        let (width, height) = self.with_area(width, height);
        let longer = u64::from(self.output_side_px_max);
        if width.max(height) <= longer {
            return Size::at_least_one(side_px(width), side_px(height));
        }
        self.longest((width, height))
    }

    /// The largest of these proportions.
    pub fn largest(&self, of: Size) -> Size {
        let longest = self.longest((of.width().into(), of.height().into()));
        self.fitted((longest.width().into(), longest.height().into()))
    }

    /// The same proportions with the longer side at its limit.
    fn longest(&self, (width, height): (u64, u64)) -> Size {
        let longer = u64::from(self.output_side_px_max);
        if height <= width {
            let height = side_px(proportion(height, longer, width));
            Size::at_least_one(self.output_side_px_max, height)
        } else {
            let width = side_px(proportion(width, longer, height));
            Size::at_least_one(width, self.output_side_px_max)
        }
    }

    /// Both sides times the root of what there may be of their area, rounded down.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "sides are far below 2^53"
    )]
    fn with_area(&self, width: u64, height: u64) -> (u64, u64) {
        if width.saturating_mul(height) <= self.output_px_max {
            return (width, height);
        }
        let scale = (self.output_px_max as f64 / (width as f64 * height as f64)).sqrt();
        let shrunk = |side: u64| ((side as f64 * scale).floor() as u64).max(1);
        let (width, height) = (shrunk(width), shrunk(height));
        // A side of a thin picture that would be less than a pixel is one; the other gives way.
        (width.min(self.output_px_max / height), height.min(self.output_px_max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_bounds_an_answer_before_its_sides_do() {
        let limits = Limits { output_side_px_max: 200, output_px_max: 5000, ..Limits::default() };
        let size = |width, height| Size::new(width, height).unwrap();
        for (sides, expected) in [
            ((50, 100), size(50, 100)),
            ((300, 200), size(86, 57)),
            ((100, 51), size(99, 50)),
            ((100_000, 1), size(200, 1)),
            ((1, 100_000), size(1, 200)),
        ] {
            let fitted = limits.fitted(sides);
            assert_eq!(fitted, expected, "{sides:?}");
            assert!(limits.hold((fitted.width().into(), fitted.height().into())));
        }
        assert_eq!(limits.largest(size(10, 10)), size(70, 70));
        assert_eq!((limits.area_px_max(), Limits::default().area_px_max()), (Some(5000), None));
    }
}
