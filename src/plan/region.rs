//! A client's region to pixels of the full image (IIIF Image API 3.0, section 4.1): in integers where it
//! comes in integers, cropped at the far edges.

use crate::model::geometry::side_px;
use crate::model::request::Region;
use crate::model::{Rect, Size};
use crate::plan::error::PlanError;
use crate::plan::rounding::round_px;

/// The pixels of `image` that `region` means.
///
/// # Errors
/// An empty region, or one wholly outside.
pub(super) fn region(region: Region, image: Size) -> Result<Rect, PlanError> {
    match region {
        Region::Full => Ok(Rect::whole(image)),
        Region::Square => square(image),
        Region::Pixels { x, y, width, height } => {
            let x = span(x, width, image.width(), image)?;
            let y = span(y, height, image.height(), image)?;
            rect(x, y)
        }
        Region::Percent { x, y, width, height } => {
            let x = span_of_percent(x, width, image.width(), image)?;
            let y = span_of_percent(y, height, image.height(), image)?;
            rect(x, y)
        }
    }
}

/// Start and length along one axis.
type Span = (u32, u32);

fn rect(x: Span, y: Span) -> Result<Rect, PlanError> {
    let size = Size::new(x.1, y.1).ok_or(PlanError::RegionEmpty)?;
    Rect::new(x.0, y.0, size).ok_or(PlanError::RegionEmpty)
}

/// The largest square in the middle.
fn square(image: Size) -> Result<Rect, PlanError> {
    let side = image.width().min(image.height());
    rect(((image.width() - side) / 2, side), ((image.height() - side) / 2, side))
}

fn span(start: u64, length: u64, side: u32, image: Size) -> Result<Span, PlanError> {
    if length == 0 {
        return Err(PlanError::RegionEmpty);
    }
    if u64::from(side) <= start {
        return Err(PlanError::RegionOutside { image });
    }
    let start = side_px(start);
    Ok((start, side_px(length).min(side - start)))
}

/// Rounds the two edges rather than the length, so that neighbours share their edge.
fn span_of_percent(start: f64, length: f64, side: u32, image: Size) -> Result<Span, PlanError> {
    if length <= 0.0 {
        return Err(PlanError::RegionEmpty);
    }
    if 100.0 <= start {
        return Err(PlanError::RegionOutside { image });
    }
    let pixel = |percent: f64| round_px(f64::from(side) * percent / 100.0);
    let first = pixel(start).min(side - 1);
    let end = pixel(start + length).min(side);
    Ok((first, end.saturating_sub(first).max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: Region, image: (u32, u32)) -> Result<(u32, u32, u32, u32), PlanError> {
        let image = Size::new(image.0, image.1).unwrap();
        region(asked, image).map(|r| (r.left(), r.top(), r.width(), r.height()))
    }

    fn pixels(x: u64, y: u64, width: u64, height: u64) -> Region {
        Region::Pixels { x, y, width, height }
    }

    fn percent(x: f64, y: f64, width: f64, height: f64) -> Region {
        Region::Percent { x, y, width, height }
    }

    #[test]
    fn regions_are_those_of_the_specification() {
        for (asked, image, expected) in [
            (Region::Full, (300, 200), (0, 0, 300, 200)),
            (Region::Square, (300, 200), (50, 0, 200, 200)),
            (Region::Square, (200, 301), (0, 50, 200, 200)),
            (pixels(125, 15, 120, 140), (300, 200), (125, 15, 120, 140)),
            (pixels(125, 15, 200, 200), (300, 200), (125, 15, 175, 185)),
            (percent(41.6, 7.5, 40.0, 70.0), (300, 200), (125, 15, 120, 140)),
            (percent(41.6, 7.5, 66.6, 100.0), (300, 200), (125, 15, 175, 185)),
            (percent(50.0, 50.0, 50.0, 50.0), (64, 56), (32, 28, 32, 28)),
            (pixels(0, 0, 255, 200), (1001, 701), (0, 0, 255, 200)),
            (pixels(299, 199, u64::MAX, u64::MAX), (300, 200), (299, 199, 1, 1)),
            (percent(99.99, 0.0, 0.001, 100.0), (300, 200), (299, 0, 1, 200)),
            (percent(0.0, 0.0, 1e300, 1e300), (300, 200), (0, 0, 300, 200)),
        ] {
            assert_eq!(check(asked, image), Ok(expected), "{asked:?}");
        }
    }

    #[test]
    fn what_shares_no_pixel_with_the_image_is_refused() {
        let image = Size::new(300, 200).unwrap();
        let outside = Err(PlanError::RegionOutside { image });
        for (asked, expected) in [
            (pixels(0, 0, 0, 5), Err(PlanError::RegionEmpty)),
            (pixels(300, 0, 1, 1), outside.clone()),
            (pixels(0, u64::MAX, 1, 1), outside.clone()),
            (percent(0.0, 0.0, 0.0, 5.0), Err(PlanError::RegionEmpty)),
            (percent(100.0, 0.0, 5.0, 5.0), outside),
        ] {
            assert_eq!(check(asked, (300, 200)), expected, "{asked:?}");
        }
    }
}
