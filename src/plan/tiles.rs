//! The tiles of the protocols as views. Each counts its levels in its own way and rounds their sizes in
//! its own way. IIP cuts them into the offered tile, Deep Zoom and Zoomify into squares; Deep Zoom's may
//! overlap. The limit of an answer's sides is not theirs: a tile is as large as the image or the operator
//! says it is.

use crate::model::request::{Frame, PictureRequest, Rotation, TileRange};
use crate::model::{DeepZoomCut, ImageInfo, Rect, Size};
use crate::plan::error::PlanError;
use crate::plan::view::View;

/// The frame of a request. IIP counts the tiles of a picture that is turned by a half in the turned picture,
/// as iipsrv does; those of quarter turns where they lie.
pub(super) fn turned(request: &PictureRequest, info: &ImageInfo) -> Frame {
    match request.frame {
        Frame::IipTile { resolution, index }
            if request.rotation == Rotation::Half && !request.mirror =>
        {
            let last = level(resolution, info).map(|(_, size)| index_last(size, info));
            let last = last.ok().and_then(|last| u32::try_from(last).ok());
            let index = last.and_then(|last| last.checked_sub(index)).unwrap_or(index);
            Frame::IipTile { resolution, index }
        }
        frame => frame,
    }
}

/// Tiles that one answer holds at most: a screen of 4096 x 4096 pixels.
const TILES_MAX: u64 = 256;

/// The numbers of the tiles in a rectangle between two, column by column as iipsrv sends them. As there, a
/// first corner below the second is none; left and right may change places.
///
/// # Errors
/// A resolution or tile that there is not; more than 256 of them.
pub fn range(asked: &TileRange, info: &ImageInfo) -> Result<Vec<u32>, PlanError> {
    let TileRange { resolution, start, end, .. } = *asked;
    let (_, size) = level(resolution, info)?;
    let (columns, _) = size.grid(info.tile);
    let index_last = index_last(size, info);
    if let Some(index) = [start, end].into_iter().find(|index| index_last < u64::from(*index)) {
        return Err(PlanError::IndexBeyond { index, index_last });
    }
    let (top, bottom) = (start / columns, end / columns);
    if bottom < top {
        return Err(PlanError::RangeUpwards { start, end });
    }
    let (first, last) = (start % columns, end % columns);
    let (left, right) = (first.min(last), first.max(last));
    let tiles = u64::from(right - left + 1) * u64::from(bottom - top + 1);
    if TILES_MAX < tiles {
        return Err(PlanError::TilesOverLimit { tiles, limit: TILES_MAX });
    }
    let column = |x: u32| (top..=bottom).map(move |y| y * columns + x);
    Ok((left..=right).flat_map(column).collect())
}

/// IIP's levels: 0 is the smallest. How often the full image is halved for one, and its size.
///
/// # Errors
/// A level that there is not.
pub(super) fn level(resolution: u32, info: &ImageInfo) -> Result<(u32, Size), PlanError> {
    let count = u32::try_from(info.levels.len()).unwrap_or(u32::MAX);
    let level_last = count.checked_sub(1).ok_or(PlanError::NoLevel)?;
    let beyond = PlanError::LevelBeyond { level: resolution, level_last };
    let halvings = level_last.checked_sub(resolution).ok_or_else(|| beyond.clone())?;
    let level = usize::try_from(halvings).ok().and_then(|at| info.levels.get(at));
    Ok((halvings, level.ok_or(beyond)?.size))
}

/// The number of the last tile of a level, counted row by row.
fn index_last(size: Size, info: &ImageInfo) -> u64 {
    let (columns, rows) = size.grid(info.tile);
    u64::from(columns) * u64::from(rows) - 1
}

/// IIP: resolution 0 is the smallest of the offered levels, tiles are numbered row by row.
pub(super) fn iip(resolution: u32, index: u32, info: &ImageInfo) -> Result<View, PlanError> {
    let (halvings, size) = level(resolution, info)?;
    let (columns, _) = size.grid(info.tile);
    let index_last = index_last(size, info);
    if index_last < u64::from(index) {
        return Err(PlanError::IndexBeyond { index, index_last });
    }
    tile(info, Grid::bare(info.tile), (size, halvings), (index % columns, index / columns))
}

/// Deep Zoom: level 0 is one pixel, the full image is `ceil(log2(longer side))`, sizes are rounded up.
pub(super) fn deep_zoom(
    level: u32,
    at: (u32, u32),
    cut: DeepZoomCut,
    info: &ImageInfo,
) -> Result<View, PlanError> {
    let level_last = u32::BITS - (info.size.longer() - 1).leading_zeros();
    let beyond = PlanError::LevelBeyond { level, level_last };
    let halvings = level_last.checked_sub(level).ok_or(beyond)?;
    let grid = Grid { tile: cut.tile(info), overlap_px: cut.overlap_px };
    tile(info, grid, (info.size.halved_up(halvings), halvings), at)
}

/// Zoomify: level 0 is the largest that fits one tile, sizes are rounded down.
pub(super) fn zoomify(
    level: u32,
    column: u32,
    row: u32,
    info: &ImageInfo,
) -> Result<View, PlanError> {
    let fits = |steps: &u32| info.size.halved_down(*steps).fits(info.square_tile());
    let level_last = (0..u32::BITS).find(fits).unwrap_or(u32::BITS);
    let beyond = PlanError::LevelBeyond { level, level_last };
    let halvings = level_last.checked_sub(level).ok_or(beyond)?;
    let grid = Grid::bare(info.square_tile());
    tile(info, grid, (info.size.halved_down(halvings), halvings), (column, row))
}

/// What a level is cut into.
#[derive(Clone, Copy)]
struct Grid {
    tile: Size,
    /// Pixels of a neighbour that a tile shows too.
    overlap_px: u32,
}

impl Grid {
    /// Tiles without overlap.
    const fn bare(tile: Size) -> Self {
        Self { tile, overlap_px: 0 }
    }
}

/// One tile of a level of `size`, each of whose pixels is `2^halvings` squared of the full image.
fn tile(
    info: &ImageInfo,
    grid: Grid,
    (size, halvings): (Size, u32),
    (column, row): (u32, u32),
) -> Result<View, PlanError> {
    let (columns, rows) = size.grid(grid.tile);
    let beyond = PlanError::TileBeyond { column, row, columns, rows };
    let tile = Rect::tile(size, grid.tile, column, row).ok_or_else(|| beyond.clone())?;
    let tile = tile.grown(grid.overlap_px, size);
    let (left, width) = span(tile.left(), tile.width(), halvings, info.size.width());
    let (top, height) = span(tile.top(), tile.height(), halvings, info.size.height());
    let region = Size::new(width, height).and_then(|size| Rect::new(left, top, size));
    Ok(View {
        region: region.ok_or(beyond)?,
        size: tile.size(),
        halvings: Some(halvings),
        is_tile: true,
    })
}

/// A span of level pixels as start and length in pixels of the full image, cut at its far edge.
fn span(start: u32, length: u32, halvings: u32, side: u32) -> (u32, u32) {
    let first = u64::from(start) << halvings;
    let end = ((u64::from(start) + u64::from(length)) << halvings).min(u64::from(side));
    let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    (narrow(first), narrow(end.saturating_sub(first)))
}

/// Whether a region and its size are one tile of the offered grid, as IIIF clients ask for them.
pub(super) fn is_tile(region: Rect, size: Size, halvings: u32, info: &ImageInfo) -> bool {
    let axis = |start: u32, end: u32, side: u32, tile: u32, out: u32| {
        let step = u64::from(tile) << halvings;
        u64::from(start).is_multiple_of(step) && (out == tile || (end == side && out <= tile))
    };
    let (image, tile) = (info.size, info.tile);
    axis(region.left(), region.right(), image.width(), tile.width(), size.width())
        && axis(region.top(), region.bottom(), image.height(), tile.height(), size.height())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures;

    #[test]
    fn a_range_is_a_rectangle_of_tiles_column_by_column() {
        let info = fixtures::pyramid((1001, 701), 256);
        let tiles = |resolution, start, end| {
            let picture = fixtures::jpeg(Frame::IipTile { resolution, index: 0 });
            range(&TileRange { resolution, start, end, picture }, &info)
        };
        assert_eq!(tiles(2, 1, 6), Ok(vec![1, 5, 2, 6]));
        assert_eq!(tiles(2, 2, 5), Ok(vec![1, 5, 2, 6]));
        assert_eq!(tiles(0, 0, 0), Ok(vec![0]));
        assert_eq!(tiles(2, 6, 1), Err(PlanError::RangeUpwards { start: 6, end: 1 }));
        assert_eq!(tiles(2, 0, 12), Err(PlanError::IndexBeyond { index: 12, index_last: 11 }));
        assert_eq!(tiles(3, 0, 0), Err(PlanError::LevelBeyond { level: 3, level_last: 2 }));
        let huge = fixtures::pyramid((100_000, 100_000), 256);
        let picture = fixtures::jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let all = TileRange { resolution: 9, start: 0, end: 391 * 391 - 1, picture };
        assert!(matches!(range(&all, &huge), Err(PlanError::TilesOverLimit { .. })));
    }

    #[test]
    fn deep_zoom_has_the_levels_and_tiles_that_viewers_count() {
        for (image, level, tiles, size) in [
            ((4993, 3877), 13, (20, 16), (4993, 3877)),
            ((4993, 3877), 12, (10, 8), (2497, 1939)),
            ((4993, 3877), 8, (1, 1), (157, 122)),
            ((4993, 3877), 5, (1, 1), (20, 16)),
            ((4993, 3877), 0, (1, 1), (1, 1)),
            ((1, 1), 0, (1, 1), (1, 1)),
            ((256, 256), 8, (1, 1), (256, 256)),
            ((257, 258), 9, (2, 2), (257, 258)),
            ((512, 512), 9, (2, 2), (512, 512)),
            ((1000, 1000), 10, (4, 4), (1000, 1000)),
        ] {
            let info = fixtures::pyramid(image, 256);
            let (columns, rows) = tiles;
            let own = DeepZoomCut::default();
            let last = deep_zoom(level, (columns - 1, rows - 1), own, &info).unwrap().size;
            let got = ((columns - 1) * 256 + last.width(), (rows - 1) * 256 + last.height());
            assert_eq!(got, size, "{image:?} level {level}");
            for (column, row) in [(columns, 0), (0, rows)] {
                let error = deep_zoom(level, (column, row), own, &info).unwrap_err();
                assert_eq!(error, PlanError::TileBeyond { column, row, columns, rows });
            }
        }
        let info = fixtures::pyramid((4993, 3877), 256);
        let error = deep_zoom(14, (0, 0), DeepZoomCut::default(), &info).unwrap_err();
        assert_eq!(error, PlanError::LevelBeyond { level: 14, level_last: 13 });
        assert_eq!(error.fault().kind.status(), 404);
    }

    #[test]
    fn overlapping_tiles_show_what_lies_beside_them_up_to_the_edge() {
        let info = fixtures::pyramid((4993, 3877), 256);
        let cut = DeepZoomCut { tile_px: 254, overlap_px: 1 };
        for (level, at, area) in [
            (13, (0, 0), (0, 0, 255, 255)),
            (13, (1, 0), (253, 0, 256, 255)),
            (13, (1, 2), (253, 507, 256, 256)),
            (13, (19, 15), (4825, 3809, 168, 68)),
            (12, (9, 7), (2285, 1777, 212, 162)),
            (8, (0, 0), (0, 0, 157, 122)),
        ] {
            let view = deep_zoom(level, at, cut, &info).unwrap();
            let (left, top, width, height) = area;
            let factor = 1 << (13 - level);
            let found = (view.region.left() / factor, view.region.top() / factor, view.size);
            assert_eq!(found, (left, top, Size::new(width, height).unwrap()), "{level} {at:?}");
        }
        let error = deep_zoom(13, (20, 0), cut, &info).unwrap_err();
        let (columns, rows) = (20, 16);
        assert_eq!(error, PlanError::TileBeyond { column: 20, row: 0, columns, rows });
    }

    #[test]
    fn a_tile_that_overlaps_is_no_stored_tile_unless_it_is_all_there_is() {
        let info = fixtures::pyramid((1024, 1024), 256);
        let passed = |level, tile_px, overlap_px| {
            let cut = DeepZoomCut { tile_px, overlap_px };
            let frame = Frame::DeepZoomTile { level, column: 0, row: 0, cut };
            fixtures::planned(frame, &info).unwrap().pass_through.is_some()
        };
        assert!(passed(10, 0, 0) && passed(10, 256, 0) && passed(8, 0, 1));
        assert!(!passed(10, 0, 1) && !passed(10, 254, 1) && !passed(10, 512, 0));
        // The corner and its overlap are a stored tile.
        assert!(passed(10, 255, 1));
        // As large as one, and elsewhere.
        let cut = DeepZoomCut { tile_px: 254, overlap_px: 1 };
        let frame = Frame::DeepZoomTile { level: 10, column: 1, row: 1, cut };
        let plan = fixtures::planned(frame, &info).unwrap();
        assert_eq!((plan.pass_through, plan.cost.tiles), (None, 4));
        assert_eq!(plan.resolved.size, info.tile);
    }

    #[test]
    fn zoomify_has_the_levels_and_tiles_that_viewers_count() {
        for (image, expected) in [
            ((4993, 3877), 429),
            ((1000, 1000), 21),
            ((5120, 2880), 324),
            ((257, 258), 5),
            ((1, 1), 1),
            ((513, 513), 10),
        ] {
            let info = fixtures::pyramid(image, 256);
            let mut count = 0;
            for level in 0.. {
                if zoomify(level, 0, 0, &info).is_err() {
                    break;
                }
                let columns = (0..99).filter(|c| zoomify(level, *c, 0, &info).is_ok()).count();
                let rows = (0..99).filter(|r| zoomify(level, 0, *r, &info).is_ok()).count();
                count += columns * rows;
            }
            assert_eq!(count, expected, "{image:?}");
        }
    }

    #[test]
    fn where_stored_tiles_are_no_squares_deep_zoom_and_zoomify_cut_squares_as_wide() {
        for (tile, side) in [((256, 128), 256), ((128, 256), 128)] {
            let mut info = fixtures::pyramid((1001, 701), 256);
            info.tile = Size::new(tile.0, tile.1).unwrap();
            info.stored.iter_mut().for_each(|level| level.tile = info.tile);
            let square = Size::new(side, side).unwrap();
            let own = DeepZoomCut::default();
            assert_eq!(deep_zoom(10, (1, 1), own, &info).unwrap().size, square);
            let level = (0..32).find(|level| zoomify(level + 1, 0, 0, &info).is_err()).unwrap();
            assert_eq!(level, if side == 256 { 2 } else { 3 });
            let view = zoomify(level, 1, 1, &info).unwrap();
            assert_eq!((view.size, view.region.left(), view.region.top()), (square, side, side));
            assert_eq!(iip(2, 0, &info).unwrap().size, info.tile);
            let frame = fixtures::deep_zoom(10, 1, 1);
            let plan = fixtures::planned(frame, &info).unwrap();
            assert_eq!((plan.pass_through, plan.steps.len()), (None, 0));
            assert_eq!(plan.cost.tiles, if side == 256 { 2 } else { 1 });
        }
    }

    #[test]
    fn a_stored_tile_too_large_to_be_offered_is_read_for_each_of_its_parts() {
        let mut info = fixtures::stored(&[(5000, 4500)], 5000);
        info.tile = Size::new(256, 256).unwrap();
        info.levels = ImageInfo::ladder(&info.stored, info.tile);
        let last = Frame::IipTile { resolution: 5, index: 20 * 18 - 1 };
        for (frame, size) in [
            (Frame::IipTile { resolution: 5, index: 21 }, (256, 256)),
            (last, (136, 148)),
            (fixtures::deep_zoom(12, 1, 1), (256, 256)),
            (Frame::ZoomifyTile { level: 0, column: 0, row: 0 }, (156, 140)),
        ] {
            let plan = fixtures::planned(frame, &info).unwrap();
            let got = plan.resolved.size;
            assert_eq!((got.width(), got.height()), size, "{frame:?}");
            assert_eq!((plan.cost.tiles, plan.source.single_tile(&info)), (1, None));
            assert_eq!((plan.pass_through, plan.steps.len()), (None, 0));
        }
    }

    #[test]
    fn iip_counts_resolutions_from_the_smallest_and_tiles_row_by_row() {
        let info = fixtures::pyramid((1001, 701), 256);
        let view = iip(2, 11, &info).unwrap();
        assert_eq!((view.region.left(), view.region.top()), (768, 512));
        assert_eq!((view.size.width(), view.size.height()), (233, 189));
        let view = iip(1, 1, &info).unwrap();
        assert_eq!((view.region.left(), view.size.width(), view.size.height()), (512, 244, 256));
        assert_eq!(
            iip(2, 12, &info).unwrap_err(),
            PlanError::IndexBeyond { index: 12, index_last: 11 }
        );
        assert_eq!(
            iip(3, 0, &info).unwrap_err(),
            PlanError::LevelBeyond { level: 3, level_last: 2 }
        );
    }
}
