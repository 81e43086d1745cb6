//! `Tilt`: what an angle has beyond its quarter turns. Those are exact; only the rest needs resampling.

use crate::model::geometry::Size;
use crate::model::rotation::Rotation;

/// Clockwise, at least 0 and below 90 degrees, after any mirror and quarter turn. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tilt {
    microdegrees: u32,
}

/// Millionths of a quarter turn's degrees.
const QUARTER: u32 = 90_000_000;

impl Tilt {
    /// An angle of any size and sign as quarter turns and what is left; nothing for what is no number.
    /// Angles are told apart to a millionth of a degree, less than a pixel of any image.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 360 million fits 32 bits"
    )]
    pub fn split(degrees: f64) -> Option<(Rotation, Self)> {
        if !degrees.is_finite() {
            return None;
        }
        let whole = (degrees.rem_euclid(360.0) * 1e6).round() as u32 % (4 * QUARTER);
        let rotation = match whole / QUARTER {
            0 => Rotation::None,
            1 => Rotation::Quarter,
            2 => Rotation::Half,
            _ => Rotation::ThreeQuarters,
        };
        Some((rotation, Self { microdegrees: whole % QUARTER }))
    }

    /// Whether there is nothing left to turn.
    pub const fn is_none(self) -> bool {
        self.microdegrees == 0
    }

    /// Millionths of a degree.
    pub const fn microdegrees(self) -> u32 {
        self.microdegrees
    }

    /// The angle in radians.
    pub fn radians(self) -> f64 {
        (f64::from(self.microdegrees) / 1e6).to_radians()
    }

    /// The smallest box that holds a picture of this size once it is tilted (IIIF Image API 3.0, section
    /// 4.3): `w |cos| + h |sin|` by `h |cos| + w |sin|`, rounded up.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, which is what is wanted"
    )]
    pub fn size_of(self, size: Size) -> Size {
        if self.is_none() {
            return size;
        }
        let (sin, cos) = self.radians().sin_cos();
        let (width, height) = (f64::from(size.width()), f64::from(size.height()));
        // What is above a whole number by rounding alone is none more.
        let side = |length: f64| (length - 1e-6).ceil() as u32;
        Size::at_least_one(side(width * cos + height * sin), side(height * cos + width * sin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_angle_is_quarter_turns_and_the_rest() {
        for (degrees, rotation, microdegrees) in [
            (0.0, Rotation::None, 0),
            (22.5, Rotation::None, 22_500_000),
            (90.0, Rotation::Quarter, 0),
            (359.5, Rotation::ThreeQuarters, 89_500_000),
            (360.0, Rotation::None, 0),
            (359.999_999_9, Rotation::None, 0),
            (-45.0, Rotation::ThreeQuarters, 45_000_000),
            (540.25, Rotation::Half, 250_000),
        ] {
            assert_eq!(Tilt::split(degrees), Some((rotation, Tilt { microdegrees })), "{degrees}");
        }
        assert_eq!(Tilt::split(f64::NAN), None);
    }

    #[test]
    fn the_box_is_tight() {
        let size = |width, height| Size::new(width, height).unwrap();
        let box_of = |degrees, of| Tilt::split(degrees).unwrap().1.size_of(of);
        assert_eq!(box_of(45.0, size(100, 100)), size(142, 142));
        assert_eq!(box_of(30.0, size(200, 100)), size(224, 187));
        assert_eq!(box_of(0.0, size(200, 100)), size(200, 100));
        assert_eq!(box_of(1e-6, size(1, 1)), size(1, 1));
    }
}
