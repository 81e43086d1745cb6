//! Views on the grid of a power of two. Pixel j of a level at factor f is the mean of the pixels
//! f*j .. f*j + f of the full image, whether the level's size was rounded down or up: so the place of a
//! pixel is `x / f` exactly, never the ratio of two rounded sizes, and a view on that grid is whole
//! pixels of the level or means of whole blocks of a finer one. Nothing is resampled.

use crate::imaging::{Shrink, Step};
use crate::model::{Filter, Rect, Size, StoredLevel};
use crate::plan::view::View;

/// How often the full image is halved until `region`, on whole pixels there, is `size`. Where the region
/// ends with the image its last pixel may be cut: either rounding counts.
pub(super) fn halvings(region: Rect, size: Size, image: Size) -> Option<u32> {
    (0..u32::BITS).find(|&halvings| {
        axis(region.left(), region.width(), image.width(), size.width(), halvings)
            && axis(region.top(), region.height(), image.height(), size.height(), halvings)
    })
}

fn axis(start: u32, length: u32, side: u32, out: u32, halvings: u32) -> bool {
    let block = 1u64 << halvings;
    let (down, up) = (u64::from(length) >> halvings, u64::from(length).div_ceil(block));
    let ends_image = u64::from(start) + u64::from(length) == u64::from(side);
    let out = u64::from(out);
    u64::from(start).is_multiple_of(block)
        && (out == up || out == down.max(1))
        && (down == up || ends_image)
}

/// What is read of a level, and how it becomes the view.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assembly {
    /// Pixels of the level.
    pub(super) area: Rect,
    /// How they are reduced while they arrive.
    pub(super) shrink: Shrink,
    /// What then makes them the view's size.
    pub(super) resize: Option<Step>,
}

/// The power of two that the level's factor is.
fn level_halvings(level: &StoredLevel) -> Option<u32> {
    (0..u32::BITS).find(|steps| (f64::from(*steps).exp2() - level.factor).abs() < 1e-9)
}

/// The view from a level on the same grid; nothing where the level is on another.
///
/// Where the level was rounded down and the view is rounded up, the level is a pixel short at the far
/// edge: the last one is there twice, so that all others stay the level's own.
pub(super) fn aligned(view: &View, level: &StoredLevel, filter: Filter) -> Option<Assembly> {
    let level_halvings = level_halvings(level)?;
    let factor = 1u32.checked_shl(view.halvings?.checked_sub(level_halvings)?)?;
    let shrink = match filter {
        _ if factor == 1 => Shrink::None,
        _ if Shrink::FACTOR_MAX < factor => return None,
        Filter::Nearest => Shrink::Pick(factor),
        Filter::Bilinear | Filter::CatmullRom | Filter::Lanczos3 => Shrink::Mean(factor),
    };
    let (left, top) = (view.region.left() >> level_halvings, view.region.top() >> level_halvings);
    let length = |start: u32, out: u32, side: u32| {
        side.saturating_sub(start).min(out.saturating_mul(factor))
    };
    let size = Size::new(
        length(left, view.size.width(), level.size.width()),
        length(top, view.size.height(), level.size.height()),
    )?;
    let assembled = shrink.size_of(size);
    let resize = (assembled != view.size).then_some(Step::Extend(view.size));
    Some(Assembly { area: Rect::new(left, top, size)?, shrink, resize })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(region: (u32, u32, u32, u32), size: (u32, u32)) -> Option<u32> {
        let image = Size::new(1001, 701).unwrap();
        let (left, top, width, height) = region;
        let region = Rect::new(left, top, Size::new(width, height).unwrap()).unwrap();
        halvings(region, Size::new(size.0, size.1).unwrap(), image)
    }

    #[test]
    fn views_on_a_grid_are_known_by_their_numbers() {
        for (region, size, expected) in [
            ((0, 0, 1001, 701), (1001, 701), Some(0)),
            ((3, 5, 7, 9), (7, 9), Some(0)),
            ((0, 0, 1001, 701), (500, 350), Some(1)),
            ((0, 0, 1001, 701), (501, 351), Some(1)),
            ((0, 0, 1001, 701), (251, 176), Some(2)),
            ((512, 0, 489, 512), (245, 256), Some(1)),
            ((512, 0, 489, 512), (244, 256), Some(1)),
            ((512, 0, 489, 512), (245, 257), None),
            ((0, 0, 512, 512), (256, 256), Some(1)),
            ((0, 0, 511, 512), (256, 256), None),
            ((1, 0, 512, 512), (256, 256), None),
            ((0, 0, 512, 512), (256, 128), None),
            ((0, 0, 512, 512), (1024, 1024), None),
        ] {
            assert_eq!(check(region, size), expected, "{region:?} at {size:?}");
        }
    }
}
