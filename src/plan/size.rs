//! A client's size to pixels (IIIF Image API 3.0, section 4.2, and implementation note 4 for the limits):
//! the side that was given is exact, the other rounded half up, at least 1.

use crate::model::geometry::{proportion, side_px};
use crate::model::request::{OverLimit, ScaleTo, SizeForm, Upscale};
use crate::model::{Limits, Size};
use crate::plan::error::PlanError;
use crate::plan::rounding::round_px;

/// The size of an answer that shows a region of `region` pixels, before any turn.
///
/// # Errors
/// Under one pixel, above the region where that is refused, or over the limit where that is.
pub(super) fn size(scale: ScaleTo, region: Size, limits: &Limits) -> Result<Size, PlanError> {
    let upscale = allowed(scale, limits);
    let asked = asked(scale.form, upscale, region, limits)?;
    let fitting = hold_to_region(asked, region, upscale)?;
    hold_to_limit(fitting, scale.over_limit, limits)
}

/// The largest size without upscaling: the region's own, scaled down to the limits.
pub(super) fn max_size(region: Size, limits: &Limits) -> Size {
    limits.fitted(sides(region))
}

/// What the client asked of upscaling, as far as this server goes along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Allowed {
    Yes,
    Clipped,
    NotMarked,
    NotHere,
}

fn allowed(scale: ScaleTo, limits: &Limits) -> Allowed {
    match (scale.upscale, scale.over_limit) {
        (Upscale::Refuse, _) => Allowed::NotMarked,
        (Upscale::Allow, _) if limits.upscaling_allowed => Allowed::Yes,
        // Who takes less than asked at one limit takes it at the other (IIP has no such error).
        (Upscale::Clip, _) | (Upscale::Allow, OverLimit::Clamp) => Allowed::Clipped,
        (Upscale::Allow, OverLimit::Refuse) => Allowed::NotHere,
    }
}

/// Width and height, as long as they may be beyond 32 bits.
type Sides = (u64, u64);

fn sides(size: Size) -> Sides {
    (u64::from(size.width()), u64::from(size.height()))
}

/// What the words mean, with nothing held against it yet.
fn asked(
    form: SizeForm,
    allowed: Allowed,
    region: Size,
    limits: &Limits,
) -> Result<Sides, PlanError> {
    let (full_width, full_height) = sides(region);
    let limit = limits.output_side_px_max;
    let asked = match form {
        SizeForm::Max if allowed == Allowed::Yes || allowed == Allowed::NotHere => {
            sides(limits.largest(region))
        }
        SizeForm::Max => sides(max_size(region, limits)),
        SizeForm::Width(width) => {
            (u64::from(width), proportion(full_height, u64::from(width), full_width))
        }
        SizeForm::Height(height) => {
            (proportion(full_width, u64::from(height), full_height), u64::from(height))
        }
        SizeForm::Percent(percent) => percent_of(region, percent),
        SizeForm::Exact(width, height) => (u64::from(width), u64::from(height)),
        // A box is what the answer may not leave, so the limits only make it smaller.
        SizeForm::Within(width, height) => {
            let boxed = within(region, (u64::from(width.min(limit)), u64::from(height.min(limit))));
            if limits.hold(boxed) { boxed } else { sides(limits.fitted(boxed)) }
        }
    };
    if asked.0 == 0 || asked.1 == 0 { Err(PlanError::SizeEmpty) } else { Ok(asked) }
}

/// Both sides scaled; nothing where not even half a pixel is left of either.
fn percent_of(region: Size, percent: f64) -> Sides {
    let scaled = |side: u32| round_px(f64::from(side) * percent / 100.0);
    let (width, height) = (scaled(region.width()), scaled(region.height()));
    if width == 0 && height == 0 {
        return (0, 0);
    }
    (u64::from(width.max(1)), u64::from(height.max(1)))
}

/// The largest size in the region's proportions that leaves the box on no side.
fn within(region: Size, (width, height): Sides) -> Sides {
    let (full_width, full_height) = sides(region);
    if width == 0 || height == 0 {
        (0, 0)
    } else if width * full_height <= height * full_width {
        (width, proportion(full_height, width, full_width))
    } else {
        (proportion(full_width, height, full_height), height)
    }
}

fn hold_to_region(asked: Sides, region: Size, allowed: Allowed) -> Result<Sides, PlanError> {
    let (width, height) = asked;
    let full = sides(region);
    if allowed == Allowed::Yes || (width <= full.0 && height <= full.1) {
        return Ok(asked);
    }
    match allowed {
        Allowed::Yes | Allowed::Clipped => Ok(full),
        Allowed::NotMarked => Err(PlanError::Upscaled { region, width, height }),
        Allowed::NotHere => Err(PlanError::UpscalingOff { region, width, height }),
    }
}

fn hold_to_limit(asked: Sides, over: OverLimit, limits: &Limits) -> Result<Size, PlanError> {
    let (width, height) = asked;
    if limits.hold(asked) {
        return Ok(Size::at_least_one(side_px(width), side_px(height)));
    }
    let limit_px = limits.output_side_px_max;
    match over {
        OverLimit::Clamp => Ok(limits.fitted(asked)),
        OverLimit::Refuse if u64::from(limit_px) < width.max(height) => {
            Err(PlanError::OutputOverLimit { width, height, limit_px })
        }
        OverLimit::Refuse => {
            Err(PlanError::AreaOverLimit { width, height, limit_px: limits.output_px_max })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::SizeForm::{Exact, Height, Max, Percent, Width, Within};

    fn check(
        form: SizeForm,
        upscale: Upscale,
        region: (u32, u32),
        limits: &Limits,
    ) -> Result<(u32, u32), PlanError> {
        let region = Size::new(region.0, region.1).unwrap();
        let scale = ScaleTo { form, upscale, over_limit: OverLimit::Refuse };
        size(scale, region, limits).map(|size| (size.width(), size.height()))
    }

    fn limited(output_side_px_max: u32) -> Limits {
        Limits { output_side_px_max, ..Limits::default() }
    }

    #[test]
    fn sizes_are_those_of_the_specification() {
        use Upscale::{Allow, Clip, Refuse};
        let image = (300, 200);
        let small = (64, 56);
        for (form, upscale, region, expected) in [
            (Max, Refuse, image, (300, 200)),
            (Width(150), Refuse, image, (150, 100)),
            (Height(150), Refuse, image, (225, 150)),
            (Percent(50.0), Refuse, image, (150, 100)),
            (Exact(225, 100), Refuse, image, (225, 100)),
            (Within(225, 100), Refuse, image, (150, 100)),
            (Width(360), Allow, image, (360, 240)),
            (Within(360, 360), Allow, image, (360, 240)),
            (Exact(360, 360), Allow, image, (360, 360)),
            (Width(50), Refuse, small, (50, 44)),
            (Height(50), Refuse, small, (57, 50)),
            (Within(30, 30), Refuse, small, (30, 26)),
            (Width(100), Allow, small, (100, 88)),
            (Height(100), Allow, small, (114, 100)),
            (Max, Allow, image, (5000, 3333)),
            (Percent(200.0), Allow, image, (600, 400)),
            // Thin regions keep a pixel.
            (Width(100), Refuse, (1000, 3), (100, 1)),
            (Width(104), Refuse, (1000, 100), (104, 10)),
            (Height(104), Refuse, (50, 700), (7, 104)),
            (Percent(10.0), Refuse, (1000, 3), (100, 1)),
            (Within(9000, 9000), Clip, image, (300, 200)),
            (Percent(200.0), Clip, image, (300, 200)),
            (Within(9000, 9000), Allow, image, (5000, 3333)),
        ] {
            let got = check(form, upscale, region, &Limits::default());
            assert_eq!(got, Ok(expected), "{form:?} {upscale:?} of {region:?}");
        }
    }

    #[test]
    fn the_largest_size_is_the_region_within_the_limit() {
        for (region, limit, expected) in [
            ((300, 200), 200, (200, 133)),
            ((200, 300), 200, (133, 200)),
            ((300, 300), 200, (200, 200)),
            ((30_000, 1), 200, (200, 1)),
        ] {
            assert_eq!(check(Max, Upscale::Refuse, region, &limited(limit)), Ok(expected));
            assert_eq!(check(Max, Upscale::Allow, region, &limited(limit)), Ok(expected));
        }
        let got = check(Within(900, 900), Upscale::Clip, (300, 200), &limited(200));
        assert_eq!(got, Ok((200, 133)));
    }

    #[test]
    fn sizes_that_are_refused_say_why() {
        let off = Limits { upscaling_allowed: false, ..Limits::default() };
        for (form, upscale, limits, status) in [
            (Width(301), Upscale::Refuse, &limited(5000), 400),
            (Height(201), Upscale::Refuse, &limited(5000), 400),
            (Exact(10, 201), Upscale::Refuse, &limited(5000), 400),
            (Within(400, 400), Upscale::Refuse, &limited(5000), 400),
            (Percent(100.5), Upscale::Refuse, &limited(5000), 400),
            (Width(301), Upscale::Allow, &off, 501),
            (Max, Upscale::Allow, &off, 501),
            (Width(0), Upscale::Allow, &limited(5000), 400),
            (Percent(0.0), Upscale::Allow, &limited(5000), 400),
            (Percent(0.1), Upscale::Allow, &limited(5000), 400),
            (Percent(f64::NAN), Upscale::Allow, &limited(5000), 400),
            (Percent(1e300), Upscale::Allow, &limited(5000), 400),
            (Within(0, 5), Upscale::Allow, &limited(5000), 400),
            (Exact(201, 10), Upscale::Refuse, &limited(200), 400),
            (Width(u32::MAX), Upscale::Allow, &limited(5000), 400),
        ] {
            let error = check(form, upscale, (300, 200), limits).unwrap_err();
            assert_eq!(error.fault().kind.status(), status, "{form:?} {upscale:?}: {error}");
        }
        assert_eq!(check(Max, Upscale::Allow, (9000, 9000), &off), Ok((5000, 5000)));
    }

    #[test]
    fn iip_gets_the_nearest_that_can_be_had() {
        let region = Size::new(300, 200).unwrap();
        let clamped = |form, limits: &Limits| {
            let scale = ScaleTo { form, upscale: Upscale::Allow, over_limit: OverLimit::Clamp };
            let size = size(scale, region, limits).unwrap();
            (size.width(), size.height())
        };
        assert_eq!(clamped(Width(9000), &limited(5000)), (5000, 3333));
        assert_eq!(clamped(Exact(9000, 500), &limited(5000)), (5000, 278));
        assert_eq!(clamped(Height(u32::MAX), &limited(5000)), (5000, 3333));
        let off = Limits { upscaling_allowed: false, ..Limits::default() };
        assert_eq!(clamped(Width(9000), &off), (300, 200));
    }
}
