//! `CropBox`: a rectangle between pixels, for what falls on no whole pixel once a level is chosen.

use crate::model::{Rect, Size};

/// A rectangle in pixels of one raster, its edges anywhere between them; (0, 0) is the upper left
/// corner of the upper left pixel, whose centre is (0.5, 0.5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CropBox {
    /// Left edge in pixels, at least 0.
    pub left: f64,
    /// Upper edge in pixels, at least 0.
    pub top: f64,
    /// Columns, above 0.
    pub width: f64,
    /// Rows, above 0.
    pub height: f64,
}

impl CropBox {
    /// All of a raster of this size.
    pub fn whole(size: Size) -> Self {
        Self {
            left: 0.0,
            top: 0.0,
            width: f64::from(size.width()),
            height: f64::from(size.height()),
        }
    }

    /// The same rectangle, when its edges all lie on pixel borders.
    pub fn as_rect(&self) -> Option<Rect> {
        let size = Size::new(whole_px(self.width)?, whole_px(self.height)?)?;
        Rect::new(whole_px(self.left)?, whole_px(self.top)?, size)
    }
}

/// The integer that a number is, if it is one that counts pixels.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked against the value that it came from"
)]
fn whole_px(value: f64) -> Option<u32> {
    let whole = value as u32;
    let lossless = f64::from(whole).total_cmp(&value).is_eq();
    lossless.then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_edges_on_pixel_borders_make_a_rectangle() {
        let size = Size::new(4, 3).unwrap();
        assert_eq!(CropBox::whole(size).as_rect(), Some(Rect::whole(size)));
        for (left, width) in [(0.5, 4.0), (0.0, 3.5), (-1.0, 4.0), (0.0, f64::NAN), (0.0, 0.0)] {
            assert_eq!(CropBox { left, top: 0.0, width, height: 3.0 }.as_rect(), None);
        }
    }
}
