//! `View`: any frame, in whatever protocol's words, as pixels of the full image and a size.

use crate::model::request::{Frame, Quality, ScaleTo, SizeForm};
use crate::model::{ImageInfo, Limits, Rect, Resolved, Size};
use crate::plan::aligned::halvings;
use crate::plan::error::PlanError;
use crate::plan::region::region;
use crate::plan::size::{max_size, size};
use crate::plan::steps::is_default;
use crate::plan::tiles;

/// What is to be seen, and how large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct View {
    /// Pixels of the full image.
    pub(super) region: Rect,
    /// Pixels of the answer before any turn.
    pub(super) size: Size,
    /// Where the region lies on the grid of `2^halvings` pixels and `size` is that many of them.
    pub(super) halvings: Option<u32>,
    /// Whether it is one of many that are put side by side, and so must meet its neighbours.
    pub(super) is_tile: bool,
}

impl View {
    /// The request in numbers.
    pub(super) fn resolved(&self, quality: Quality, info: &ImageInfo, limits: &Limits) -> Resolved {
        Resolved {
            image: info.size,
            region: self.region,
            size: self.size,
            is_max: self.size == max_size(self.region.size(), limits),
            is_default_quality: is_default(quality, info.colour),
        }
    }
}

/// What a frame shows of an image.
///
/// # Errors
/// A region or size that cannot be had, a level or tile that there is not.
pub(super) fn view(frame: Frame, info: &ImageInfo, limits: &Limits) -> Result<View, PlanError> {
    match frame {
        Frame::Region { region: asked, size: scale } => {
            let region = region(asked, info.size)?;
            let size = size(scale, region.size(), limits)?;
            let size = on_grid(scale, region, size, info.size, limits);
            let halvings = halvings(region, size, info.size);
            let is_tile = halvings.is_some_and(|steps| tiles::is_tile(region, size, steps, info));
            Ok(View { region, size, halvings, is_tile })
        }
        Frame::IipTile { resolution, index } => tiles::iip(resolution, index, info),
        Frame::DeepZoomTile { level, column, row, cut } => {
            tiles::deep_zoom(level, (column, row), cut, info)
        }
        Frame::ZoomifyTile { level, column, row } => tiles::zoomify(level, column, row, info),
    }
}

/// Where one side was given and the other, rounded, misses the grid by a pixel, the grid's: an edge tile
/// that is asked for by its width alone has the height that was advertised.
fn on_grid(scale: ScaleTo, region: Rect, size: Size, image: Size, limits: &Limits) -> Size {
    let (width, height) = (size.width(), size.height());
    let other_by = |by: i32| match scale.form {
        SizeForm::Width(_) => Size::new(width, height.checked_add_signed(by)?),
        SizeForm::Height(_) => Size::new(width.checked_add_signed(by)?, height),
        _ => None,
    };
    let candidates = [Some(size), other_by(-1), other_by(1)];
    let fitting = candidates.into_iter().flatten().find(|candidate| {
        limits.hold((candidate.width().into(), candidate.height().into()))
            && candidate.fits(region.size())
            && halvings(region, *candidate, image).is_some()
    });
    fitting.unwrap_or(size)
}
