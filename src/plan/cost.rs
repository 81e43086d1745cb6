//! `Cost`: what a plan will take, known before any of it is done, for limits and admission.

use crate::imaging::Shrink;
use crate::model::{ImageInfo, Limits};
use crate::plan::error::PlanError;
use crate::plan::reading::Source;
use crate::plan::view::View;

/// What a plan will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Stored tiles that are read.
    pub tiles: u64,
    /// Pixels of these tiles.
    pub source_px: u64,
    /// Pixels of the answer.
    pub output_px: u64,
    /// The most memory that holds pixels at one time, tiles decoded one after the other; an estimate
    /// from above, in bytes.
    pub bytes_in_decode: u64,
}

impl Cost {
    /// Holds the cost against the limits.
    ///
    /// # Errors
    /// Over the limit of decoded pixels.
    pub(super) fn check(&self, limits: &Limits) -> Result<(), PlanError> {
        if self.source_px <= limits.source_px_max {
            return Ok(());
        }
        let limit_px = limits.source_px_max;
        Err(PlanError::SourceOverLimit { source_px: self.source_px, limit_px })
    }
}

/// The cost of reading `source` for `view`.
pub(super) fn cost(source: &Source, view: &View, info: &ImageInfo) -> Cost {
    let level = info.stored.get(source.stored);
    let covered = level.and_then(|level| source.cover.area(level));
    let source_px = covered.map_or(0, |area| area.size().area());
    let tile_px = level.map_or(0, |level| level.tile.area().min(source_px));
    let assembled_px = source.shrink.size_of(source.area.size()).area();
    let output_px = view.size.area();
    // Block sums are 4 bytes a sample, beside the means made of them; a resizer keeps at most one
    // more copy of its source (times alpha) and a half-way picture. An answer may gain two bands
    // (gray to colour), and exists as samples twice (before and after a turn) and as a file.
    let assembled_copies = if matches!(source.shrink, Shrink::Mean(_)) { 5 } else { 3 };
    let bands = u64::from(info.bands());
    let pixels = tile_px
        .saturating_add(assembled_px.saturating_mul(assembled_copies))
        .saturating_mul(bands)
        .saturating_add(output_px.saturating_mul(3 * bands.max(3)));
    Cost { tiles: source.cover.count(), source_px, output_px, bytes_in_decode: pixels }
}
