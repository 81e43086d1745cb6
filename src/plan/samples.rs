//! What is read for stored values: pixels of an offered level, as they are.

use crate::imaging::Shrink;
use crate::model::samples::{Place, SamplesRequest};
use crate::model::{ImageInfo, Limits, Rect, Size};
use crate::plan::cost::check_source_px;
use crate::plan::cover::TileCover;
use crate::plan::error::PlanError;
use crate::plan::reading::Source;
use crate::plan::tiles;

/// The source of a request's values. Of a level that is offered and not stored, each value is the mean of the
/// pixels that it stands for.
///
/// # Errors
/// A level, tile or pixel that there is not; over the limit of decoded pixels.
pub fn samples(
    request: SamplesRequest,
    info: &ImageInfo,
    limits: &Limits,
) -> Result<Source, PlanError> {
    let (halvings, size) = tiles::level(request.resolution, info)?;
    let area = area(request.place, size, info)?;
    let source = source(area, size, halvings, info).ok_or(PlanError::NoLevel)?;
    let read = info.stored.get(source.stored).and_then(|level| source.cover.area(level));
    check_source_px(read.map_or(0, |area| area.size().area()), limits)?;
    Ok(source)
}

fn area(place: Place, size: Size, info: &ImageInfo) -> Result<Rect, PlanError> {
    let beyond = PlanError::PixelsBeyond { size };
    match place {
        Place::Area { left, top, width, height } => {
            let area = Size::new(width, height).and_then(|size| Rect::new(left, top, size));
            let inside =
                |area: &Rect| area.right() <= size.width() && area.bottom() <= size.height();
            area.filter(inside).ok_or(beyond)
        }
        Place::InTile { index, x, y } => {
            let (columns, rows) = size.grid(info.tile);
            let index_last = u64::from(columns) * u64::from(rows) - 1;
            let tile = Rect::tile(size, info.tile, index % columns, index / columns)
                .ok_or(PlanError::IndexBeyond { index, index_last })?;
            let beyond = PlanError::PixelsBeyond { size: tile.size() };
            if tile.width() <= x || tile.height() <= y {
                return Err(beyond);
            }
            Rect::new(tile.left() + x, tile.top() + y, Size::ONE).ok_or(beyond)
        }
    }
}

/// The level itself where it is stored or made, else blocks of the full image.
fn source(area: Rect, size: Size, halvings: u32, info: &ImageInfo) -> Option<Source> {
    let stored = info.stored.iter().position(|level| level.size == size);
    let (stored, area, shrink) = if let Some(stored) = stored {
        (stored, area, Shrink::None)
    } else {
        let factor = 1_u32.checked_shl(halvings).filter(|it| *it <= Shrink::FACTOR_MAX)?;
        let scaled = |px: u32| px.saturating_mul(factor);
        let (left, top) = (scaled(area.left()), scaled(area.top()));
        let block = Size::new(scaled(area.width()), scaled(area.height()))?;
        let area = Rect::new(left, top, block)?.intersect(Rect::whole(info.size))?;
        (0, area, Shrink::Mean(factor))
    };
    let level = info.stored.get(stored)?;
    Some(Source { stored, cover: TileCover::of(area, level.tile), area, shrink })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures::{pyramid, stored};

    fn of(resolution: u32, place: Place, info: &ImageInfo) -> Result<Source, PlanError> {
        samples(SamplesRequest { resolution, place }, info, &Limits::default())
    }

    #[test]
    fn values_come_from_the_level_that_was_named() {
        let info = pyramid((1001, 701), 256);
        let line = Place::Area { left: 3, top: 4, width: 5, height: 1 };
        let source = of(1, line, &info).unwrap();
        assert_eq!((source.stored, source.area.width(), source.shrink), (1, 5, Shrink::None));
        let in_tile = of(2, Place::InTile { index: 5, x: 7, y: 9 }, &info).unwrap();
        assert_eq!((in_tile.area.left(), in_tile.area.top()), (263, 265));
        let gap = stored(&[(1000, 800), (250, 200)], 256);
        let source = of(1, line, &gap).unwrap();
        assert_eq!((source.area.left(), source.shrink), (6, Shrink::Mean(2)));
    }

    #[test]
    fn what_is_not_there_is_told() {
        let info = pyramid((1001, 701), 256);
        let area = |left, width| Place::Area { left, top: 0, width, height: 1 };
        let tile = |index, x| Place::InTile { index, x, y: 0 };
        for (resolution, place, expected) in [
            (3, area(0, 1), PlanError::LevelBeyond { level: 3, level_last: 2 }),
            (0, area(250, 1), PlanError::PixelsBeyond { size: Size::new(250, 175).unwrap() }),
            (0, area(u32::MAX, 2), PlanError::PixelsBeyond { size: Size::new(250, 175).unwrap() }),
            (0, tile(1, 0), PlanError::IndexBeyond { index: 1, index_last: 0 }),
            (0, tile(0, 250), PlanError::PixelsBeyond { size: Size::new(250, 175).unwrap() }),
        ] {
            assert_eq!(of(resolution, place, &info).unwrap_err(), expected);
        }
    }
}
