//! Which level a view is read from, and what of it: the smallest stored level that has enough pixels, by
//! whole pixels where the view lies on the level's grid, by a filter elsewhere.

use crate::imaging::{Shrink, Step};
use crate::model::{Filter, ImageInfo, Rect, Size, StoredLevel, TileAddress};
use crate::plan::aligned::aligned;
use crate::plan::cover::TileCover;
use crate::plan::filtered::filtered;
use crate::plan::view::View;

/// The pixels that are read.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Index into [`ImageInfo::stored`].
    pub stored: usize,
    /// The tiles that `area` touches.
    pub cover: TileCover,
    /// What of the level is assembled, margins for a filter included.
    pub area: Rect,
    /// How it is reduced while tiles arrive.
    pub shrink: Shrink,
}

impl Source {
    /// The addresses of the tiles, row by row.
    pub fn tiles(&self) -> impl Iterator<Item = TileAddress> + use<> {
        self.cover.tiles(self.stored)
    }

    /// The one stored tile whose pixels, all of them and no others, the assembled raster would be:
    /// with it nothing needs to be assembled.
    pub fn single_tile(&self, info: &ImageInfo) -> Option<TileAddress> {
        let mut tiles = self.tiles();
        let tile = tiles.next()?;
        let alone = tiles.next().is_none() && self.shrink == Shrink::None;
        (alone && info.tile_rect(tile) == Some(self.area)).then_some(tile)
    }
}

/// A source, and what makes it the view's size.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) source: Source,
    /// What of the assembled raster the resize, or the view where there is none, is about; none: all.
    pub(super) crop: Option<Step>,
    pub(super) resize: Option<Step>,
}

impl Reading {
    /// The same with so many assembled pixels more on each side, as far as the level goes, which are
    /// cropped after whatever looks at neighbours; nothing only for an image without levels.
    pub(super) fn with_margin(self, margin_px: u32, info: &ImageInfo) -> Option<Self> {
        if margin_px == 0 {
            return Some(self);
        }
        let level = info.stored.get(self.source.stored)?;
        let (area, factor) = (self.source.area, self.source.shrink.factor());
        let margin = margin_px.saturating_mul(factor);
        let grown = area.grown(margin, level.size);
        // Blocks stay where they were.
        let left = grown.left() + (area.left() - grown.left()) % factor;
        let top = grown.top() + (area.top() - grown.top()) % factor;
        let (right, bottom) = (grown.right(), grown.bottom());
        let size = Size::new(right.checked_sub(left)?, bottom.checked_sub(top)?)?;
        let kept = Rect::new(
            (area.left() - left) / factor,
            (area.top() - top) / factor,
            self.source.shrink.size_of(area.size()),
        )?;
        let area = Rect::new(left, top, size)?;
        let cover = TileCover::of(area, level.tile);
        let source = Source { cover, area, ..self.source };
        Some(Self { source, crop: Some(Step::Crop(kept)), ..self })
    }
}

/// What is read for a view; nothing only for an image without levels.
pub(super) fn reading(view: &View, info: &ImageInfo, filter: Filter) -> Option<Reading> {
    let levels = info.stored.iter().enumerate().rev();
    let dense = levels.filter(|(_, level)| is_dense(view, level, info.size));
    // The full level is the answer of last resort: it is the one to be enlarged.
    let full = info.stored.iter().enumerate().take(1);
    dense.chain(full).find_map(|(stored, level)| {
        let assembly = aligned(view, level, filter).or_else(|| filtered(view, level, filter))?;
        let cover = TileCover::of(assembly.area, level.tile);
        let source = Source { stored, cover, area: assembly.area, shrink: assembly.shrink };
        Some(Reading { source, crop: None, resize: assembly.resize })
    })
}

/// Whether a level has at least the pixels that the view wants, to the nearest pixel, at the right place.
fn is_dense(view: &View, level: &StoredLevel, image: Size) -> bool {
    let (region, size) = (view.region, view.size);
    let axis = |start: u32, length: u32, out: u32, image_px: u32, level_px: u32| {
        // A level whose size is not the image's over its factor shows something else, or was
        // scaled by different factors in x and y.
        let covers =
            (f64::from(level_px) * level.factor - f64::from(image_px)).abs() < level.factor;
        // The last pixels of the image may be missing in a level that was rounded down.
        let holds_start = f64::from(start) < f64::from(level_px) * level.factor;
        let enough = view.halvings.map_or_else(
            || f64::from(out) <= f64::from(length) / level.factor + 0.5,
            |halvings| level.factor <= f64::from(halvings).exp2() + 1e-9,
        );
        covers && holds_start && enough && is_complete(view, level, (start, length), out, level_px)
    };
    axis(region.left(), region.width(), size.width(), image.width(), level.size.width())
        && axis(region.top(), region.height(), size.height(), image.height(), level.size.height())
}

/// Sides of a view in pixels from which on one of them more or less at the image's edge is not seen.
const LARGE_PX: u32 = 64;

/// Whether a level holds what a small view shows along one axis, up to a quarter of its last pixel. A level
/// that was rounded down again and again may lack half of a narrow image.
fn is_complete(
    view: &View,
    level: &StoredLevel,
    (start, length): (u32, u32),
    out: u32,
    level_px: u32,
) -> bool {
    let held = f64::from(level_px) * level.factor;
    let lacked = f64::from(start) + f64::from(length) - held;
    // Rounded down as the level is, it is the level that is asked for.
    let is_own = view.halvings.is_some_and(|halvings| {
        let same = (level.factor - f64::from(halvings).exp2()).abs() < 1e-9;
        same && f64::from(start) + f64::from(out) * level.factor <= held
    });
    LARGE_PX <= out || is_own || 4.0 * lacked * f64::from(out) < f64::from(length)
}
