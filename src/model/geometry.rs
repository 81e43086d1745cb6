//! Sizes and rectangles in whole pixels: origin upper left, x before y, half-open.

/// Width and height in pixels, each at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    /// The size of a single pixel.
    pub const ONE: Self = Self { width: 1, height: 1 };

    /// A size, or nothing where a side is 0.
    pub const fn new(width: u32, height: u32) -> Option<Self> {
        if width == 0 || height == 0 { None } else { Some(Self { width, height }) }
    }

    /// A size whose sides are raised to at least 1 pixel.
    pub const fn at_least_one(width: u32, height: u32) -> Self {
        Self {
            width: if width == 0 { 1 } else { width },
            height: if height == 0 { 1 } else { height },
        }
    }

    /// Columns, at least 1.
    pub const fn width(self) -> u32 {
        self.width
    }

    /// Rows, at least 1.
    pub const fn height(self) -> u32 {
        self.height
    }

    /// Pixels in all.
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The longer side in pixels.
    pub fn longer(self) -> u32 {
        self.width.max(self.height)
    }

    /// Width and height exchanged, as after a quarter turn.
    pub const fn turned(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// Both sides divided by `2^steps`, rounded down, at least 1.
    pub fn halved_down(self, steps: u32) -> Self {
        Self::at_least_one(
            self.width.checked_shr(steps).unwrap_or(0),
            self.height.checked_shr(steps).unwrap_or(0),
        )
    }

    /// Both sides divided by `2^steps`, rounded up.
    pub fn halved_up(self, steps: u32) -> Self {
        let half = |side: u32| {
            if steps < u32::BITS { side.div_ceil(1 << steps) } else { 1 }
        };
        Self::at_least_one(half(self.width), half(self.height))
    }

    /// How many tiles of `tile` cover this size: columns, rows.
    pub fn grid(self, tile: Self) -> (u32, u32) {
        (self.width.div_ceil(tile.width), self.height.div_ceil(tile.height))
    }

    /// Whether `self` fits into `other` in both directions.
    pub fn fits(self, other: Self) -> bool {
        self.width <= other.width && self.height <= other.height
    }
}

/// A half-open rectangle: columns `left..right`, rows `top..bottom`.
///
/// Invariant: `right` and `bottom` do not overflow `u32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rect {
    left: u32,
    top: u32,
    size: Size,
}

impl Rect {
    /// A rectangle, or nothing where its far edge lies beyond `u32`.
    pub const fn new(left: u32, top: u32, size: Size) -> Option<Self> {
        let fits = left.checked_add(size.width).is_some() && top.checked_add(size.height).is_some();
        if fits { Some(Self { left, top, size }) } else { None }
    }

    /// The whole of an image of this size.
    pub const fn whole(size: Size) -> Self {
        Self { left: 0, top: 0, size }
    }

    /// First column.
    pub const fn left(self) -> u32 {
        self.left
    }

    /// First row.
    pub const fn top(self) -> u32 {
        self.top
    }

    /// One past the last column.
    pub const fn right(self) -> u32 {
        self.left + self.size.width
    }

    /// One past the last row.
    pub const fn bottom(self) -> u32 {
        self.top + self.size.height
    }

    /// Its size, at least 1x1.
    pub const fn size(self) -> Size {
        self.size
    }

    /// Columns in it.
    pub const fn width(self) -> u32 {
        self.size.width
    }

    /// Rows in it.
    pub const fn height(self) -> u32 {
        self.size.height
    }

    /// The part that both rectangles share.
    pub fn intersect(self, other: Self) -> Option<Self> {
        let left = self.left.max(other.left);
        let top = self.top.max(other.top);
        let width = self.right().min(other.right()).checked_sub(left)?;
        let height = self.bottom().min(other.bottom()).checked_sub(top)?;
        Some(Self { left, top, size: Size::new(width, height)? })
    }

    /// The same with so many pixels more on each side, as far as an image of `bounds` goes, which it
    /// lies in.
    pub fn grown(self, margin_px: u32, bounds: Size) -> Self {
        let left = self.left.saturating_sub(margin_px);
        let top = self.top.saturating_sub(margin_px);
        let right = self.right().saturating_add(margin_px).min(bounds.width);
        let bottom = self.bottom().saturating_add(margin_px).min(bounds.height);
        let size = Size::at_least_one(right.saturating_sub(left), bottom.saturating_sub(top));
        Self { left, top, size }
    }

    /// Tile (`column`, `row`) of an image of `level` pixels cut into `tile`s, cropped at the edge;
    /// nothing where the grid has no such tile.
    pub fn tile(level: Size, tile: Size, column: u32, row: u32) -> Option<Self> {
        let left = column.checked_mul(tile.width)?;
        let top = row.checked_mul(tile.height)?;
        let width = level.width.checked_sub(left)?.min(tile.width);
        let height = level.height.checked_sub(top)?.min(tile.height);
        Some(Self { left, top, size: Size::new(width, height)? })
    }
}

/// `side * numerator / denominator`, halves up, at least 1 pixel; saturates. `denominator` above 0.
pub fn proportion(side: u64, numerator: u64, denominator: u64) -> u64 {
    let (side, numerator) = (u128::from(side), u128::from(numerator));
    let denominator = u128::from(denominator.max(1));
    let rounded = (2 * side * numerator + denominator) / (2 * denominator);
    u64::try_from(rounded).unwrap_or(u64::MAX).max(1)
}

/// A side as 32 bits; one that needs more is far above every limit.
pub fn side_px(side: u64) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    #[test]
    fn a_size_has_no_empty_side() {
        assert_eq!(Size::new(0, 5), None);
        assert_eq!(Size::new(5, 0), None);
        assert_eq!(Size::at_least_one(0, 5), size(1, 5));
    }

    #[test]
    fn halving_rounds_as_its_name_says() {
        assert_eq!(size(4993, 3877).halved_down(1), size(2496, 1938));
        assert_eq!(size(4993, 3877).halved_up(1), size(2497, 1939));
        assert_eq!(size(3, 1).halved_down(40), Size::ONE);
        assert_eq!(size(3, 1).halved_up(40), Size::ONE);
    }

    #[test]
    fn edge_tiles_are_cropped_and_tiles_beyond_are_none() {
        let level = size(1001, 701);
        let tile = size(256, 256);
        assert_eq!(level.grid(tile), (4, 3));
        let last = Rect::tile(level, tile, 3, 2).unwrap();
        assert_eq!((last.left(), last.top(), last.size()), (768, 512, size(233, 189)));
        assert_eq!(Rect::tile(level, tile, 4, 0), None);
        assert_eq!(Rect::tile(level, tile, u32::MAX, 0), None);
    }

    #[test]
    fn a_rectangle_grows_as_far_as_the_image_goes() {
        let bounds = size(100, 80);
        let inner = Rect::new(10, 20, size(30, 40)).unwrap();
        assert_eq!(inner.grown(0, bounds), inner);
        assert_eq!(inner.grown(3, bounds), Rect::new(7, 17, size(36, 46)).unwrap());
        assert_eq!(inner.grown(15, bounds), Rect::new(0, 5, size(55, 70)).unwrap());
        assert_eq!(inner.grown(u32::MAX, bounds), Rect::whole(bounds));
    }

    #[test]
    fn rectangles_that_only_touch_share_nothing() {
        let a = Rect::new(0, 0, size(10, 10)).unwrap();
        let b = Rect::new(10, 0, size(10, 10)).unwrap();
        assert_eq!(a.intersect(b), None);
        assert_eq!(a.intersect(a), Some(a));
    }

    #[test]
    fn proportions_are_rounded_half_up_and_never_empty() {
        for (side, numerator, denominator, expected) in [
            (56, 50, 64, 44),
            (56, 30, 64, 26),
            (1, 1, 1000, 1),
            (1, 1, 2, 1),
            (3, 1, 2, 2),
            (u64::MAX, u64::from(u32::MAX), 1, u64::MAX),
        ] {
            assert_eq!(proportion(side, numerator, denominator), expected);
        }
    }
}
