//! Views that lie on no grid of their level: assembled with what the filter needs around them, reduced by
//! whole blocks while that keeps more pixels than the answer has, then resized.

use crate::imaging::{CropBox, Shrink, Step};
use crate::model::{Filter, Rect, Size, StoredLevel};
use crate::plan::aligned::Assembly;
use crate::plan::cover::TileCover;
use crate::plan::rounding::{whole, whole_up};
use crate::plan::view::View;

/// One axis of a view in pixels of a level.
#[derive(Clone, Copy)]
struct Span {
    start: f64,
    end: f64,
}

impl Span {
    /// A span of the full image at a level: `x / factor`, as far as the level goes. One that was
    /// rounded up ends with a pixel that stands for less, which is so cut where the image ends.
    fn at_level(start: u32, end: u32, level_px: u32, factor: f64) -> Self {
        let at_level = |x: u32| near_whole(f64::from(x) / factor).min(f64::from(level_px));
        Self { start: at_level(start), end: at_level(end) }
    }

    fn length(self) -> f64 {
        self.end - self.start
    }

    /// Whole pixels `first..end` that the filter touches, `margin` more on either side as far as
    /// `bounds` go, with `first` on a block's border.
    fn touched(self, margin: u32, bounds: (u32, u32), block: u32) -> (u32, u32) {
        let first = whole(self.start).saturating_sub(margin).max(bounds.0);
        let end = whole_up(self.end).saturating_add(margin).min(bounds.1);
        (first - first % block, end)
    }
}

/// The view from any level.
pub(super) fn filtered(view: &View, level: &StoredLevel, filter: Filter) -> Option<Assembly> {
    let (region, size) = (view.region, level.size);
    let x = Span::at_level(region.left(), region.right(), size.width(), level.factor);
    let y = Span::at_level(region.top(), region.bottom(), size.height(), level.factor);
    let exact = CropBox { left: x.start, top: y.start, width: x.length(), height: y.length() };
    if let Some(area) = exact.as_rect().filter(|area| area.size() == view.size) {
        return Some(Assembly { area, shrink: Shrink::None, resize: None });
    }
    let ratio_x = x.length() / f64::from(view.size.width());
    let ratio_y = y.length() / f64::from(view.size.height());
    let shrink = shrink(ratio_x.min(ratio_y), filter);
    let block = shrink.factor();
    let (bounds_x, bounds_y) = bounds(view, level, x, y)?;
    let (left, right) = x.touched(margin(filter, ratio_x, block), bounds_x, block);
    let (top, bottom) = y.touched(margin(filter, ratio_y, block), bounds_y, block);
    let area_size = Size::new(right.checked_sub(left)?, bottom.checked_sub(top)?)?;
    let (crop_left, width) = within(x, left, block, shrink.size_of(area_size).width());
    let (crop_top, height) = within(y, top, block, shrink.size_of(area_size).height());
    let crop = CropBox { left: crop_left, top: crop_top, width, height };
    Some(Assembly {
        area: Rect::new(left, top, area_size)?,
        shrink,
        resize: Some(Step::Resize { crop, to: view.size, filter }),
    })
}

/// The largest reduction that leaves at least as many pixels as the answer has, and at most four times
/// as many: what a stored pyramid would have had to offer.
fn shrink(ratio: f64, filter: Filter) -> Shrink {
    let ratio = whole(ratio).clamp(1, Shrink::FACTOR_MAX);
    match (1 << ratio.ilog2(), filter) {
        (1, _) => Shrink::None,
        (factor, Filter::Nearest) => Shrink::Pick(factor),
        (factor, Filter::Bilinear | Filter::CatmullRom | Filter::Lanczos3) => Shrink::Mean(factor),
    }
}

/// Pixels of the level beyond the view's edge that weigh in on its last pixel.
fn margin(filter: Filter, ratio: f64, block: u32) -> u32 {
    let reach = (ratio / f64::from(block)).max(1.0) * f64::from(filter.radius_px());
    whole_up(reach).saturating_mul(block)
}

/// How far margins may go. A tile meets its neighbours, so it sees as much of them as the filter wants;
/// any other view makes do with the tiles that it touches anyway, rather than have more decoded.
fn bounds(view: &View, level: &StoredLevel, x: Span, y: Span) -> Option<((u32, u32), (u32, u32))> {
    if view.is_tile {
        return Some(((0, level.size.width()), (0, level.size.height())));
    }
    let (left, top) = (whole(x.start), whole(y.start));
    let size = Size::new(whole_up(x.end).checked_sub(left)?, whole_up(y.end).checked_sub(top)?)?;
    let tiles = TileCover::of(Rect::new(left, top, size)?, level.tile).area(level)?;
    Some(((tiles.left(), tiles.right()), (tiles.top(), tiles.bottom())))
}

/// A span as start and length within an area that begins at `first` and was shrunk to `side` pixels.
fn within(span: Span, first: u32, block: u32, side: u32) -> (f64, f64) {
    let block = f64::from(block);
    let start = (span.start - f64::from(first)) / block;
    (start, (span.length() / block).min(f64::from(side) - start))
}

/// The whole number that a quotient would be but for the last bits.
fn near_whole(value: f64) -> f64 {
    let nearest = value.round();
    if (value - nearest).abs() < 1e-6 { nearest } else { value }
}
