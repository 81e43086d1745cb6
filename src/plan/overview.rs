//! `Overview`: the small picture of the whole image that its grays are counted in.

use crate::imaging::{Shrink, Step};
use crate::model::{ColourRule, ImageInfo, Limits, Rect};
use crate::plan::cost::check_source_px;
use crate::plan::cover::TileCover;
use crate::plan::error::PlanError;
use crate::plan::reading::Source;
use crate::plan::steps::shown;

/// Pixels a side that are counted at most: more would not change what is found.
const SIDE_PX_MAX: u32 = 1024;

/// What is read, and how it becomes bytes of gray or RGB.
#[derive(Clone, Debug, PartialEq)]
pub struct Overview {
    /// The whole smallest level.
    pub source: Source,
    /// To bytes.
    pub steps: Vec<Step>,
}

impl Overview {
    /// The overview of an image, where one of the steps goes by it.
    ///
    /// # Errors
    /// An image that has no small level, and is over the limit of decoded pixels.
    pub(super) fn of(
        info: &ImageInfo,
        steps: &[Step],
        limits: &Limits,
    ) -> Result<Option<Self>, PlanError> {
        if !steps.iter().any(Step::needs_histogram) {
            return Ok(None);
        }
        let smallest = info.stored.iter().enumerate().next_back();
        let (stored, level) = smallest.ok_or(PlanError::NoLevel)?;
        check_source_px(level.size.area(), limits)?;
        let factor = level.size.longer().div_ceil(SIDE_PX_MAX).next_power_of_two();
        let factor = factor.min(Shrink::FACTOR_MAX);
        let area = Rect::whole(level.size);
        let source = Source {
            stored,
            cover: TileCover::of(area, level.tile),
            area,
            shrink: if factor == 1 { Shrink::None } else { Shrink::Mean(factor) },
        };
        // As it is stored: what a profile changes is no matter of what is dark and bright.
        Ok(Some(Self { source, steps: shown(info, ColourRule::Embed) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixtures::stored;

    #[test]
    fn a_large_smallest_level_is_read_smaller() {
        let steps = [Step::Equalise];
        let limits = Limits::default();
        let of = |info: &ImageInfo| Overview::of(info, &steps, &limits).unwrap().unwrap();
        let small = of(&stored(&[(1001, 701), (500, 350)], 256));
        assert_eq!((small.source.stored, small.source.shrink), (1, Shrink::None));
        let large = of(&stored(&[(5000, 100)], 256));
        assert_eq!(large.source.shrink, Shrink::Mean(8));
        let none = Overview::of(&stored(&[(10, 10)], 256), &[Step::Mirror], &limits).unwrap();
        assert_eq!(none, None);
    }
}
