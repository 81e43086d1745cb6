//! `Rotation`: turns that move pixels and change none.

use crate::model::geometry::Size;

/// Quarter turns, clockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// Upright.
    #[default]
    None,
    /// 90 degrees.
    Quarter,
    /// 180 degrees.
    Half,
    /// 270 degrees.
    ThreeQuarters,
}

impl Rotation {
    /// Whether width and height change places.
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Self::Quarter | Self::ThreeQuarters)
    }

    /// The size of a picture once it is turned.
    pub const fn size_of(self, size: Size) -> Size {
        if self.swaps_sides() { size.turned() } else { size }
    }
}
