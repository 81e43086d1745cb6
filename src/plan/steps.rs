//! The steps of a plan, in the order of IIIF Image API 3.0 section 4: region, size, mirror, rotation,
//! quality, format. Steps that change nothing are left out, so that a plan without steps is known as such.

use crate::imaging::{Step, shape_after};
use crate::model::request::{PictureRequest, Quality, Rotation};
use crate::model::{
    ColourModel, ColourRule, Depth, Format, ImageInfo, Processing, SampleRange, SampleType,
    TiffCompression,
};
use crate::plan::depth;
use crate::plan::science::process;

/// All steps after assembly; `crop` and `resize` make it the view's size. Before the first of the
/// standard's, samples of other types become bytes, and colours what a screen shows.
pub(super) fn steps(
    request: &PictureRequest,
    info: &ImageInfo,
    rule: ColourRule,
    [crop, resize]: [Option<Step>; 2],
) -> Vec<Step> {
    let processing = &request.processing;
    let process = process(processing, info);
    let (colour, alpha) = match &process {
        Some(Step::Process { operations, .. }) => shape_after(operations, processed(info)),
        _ => (info.colour.shown(), info.alpha),
    };
    let mut steps = before_sizing(request, info, rule, process);
    let mirror = request.mirror.then_some(Step::Mirror);
    let turn = (request.rotation != Rotation::None).then_some(Step::Turn(request.rotation));
    let flatten = (alpha && drops_alpha(request)).then_some(Step::Flatten);
    let colours = colours(request.quality, colour);
    let equalise = processing.equalise.then_some(Step::Equalise);
    let widen = depth::widen(request.depth, info.samples);
    let after = [crop, resize, mirror, turn, flatten, colours, equalise, widen];
    steps.extend(after.into_iter().flatten());
    steps
}

/// Bytes, or what is asked of samples before they are, and colours that a screen shows.
fn before_sizing(
    request: &PictureRequest,
    info: &ImageInfo,
    rule: ColourRule,
    process: Option<Step>,
) -> Vec<Step> {
    let to_shown = to_shown(info, rule);
    let is_shown = request.depth == Depth::Eight || info.colour == ColourModel::Lab;
    let to_bytes = || if is_shown { to_bytes(info) } else { None };
    let steps = match process {
        None => [to_bytes(), to_shown, None],
        // Inks and L*a*b* become RGB first; all else is processed as the samples are.
        Some(process) if is_converted(info) => [to_bytes(), to_shown, Some(process)],
        Some(process) => {
            // A profile does not hold for colours that are not the image's.
            let holds = !process.changes_colours();
            [Some(process), to_shown.filter(|_| holds), None]
        }
    };
    steps.into_iter().flatten().collect()
}

/// Whether samples become bytes of RGB before anything is asked of them.
pub(super) const fn is_converted(info: &ImageInfo) -> bool {
    matches!(info.colour, ColourModel::Cmyk | ColourModel::Lab)
}

/// Colours and alpha that operations begin with.
const fn processed(info: &ImageInfo) -> (ColourModel, bool) {
    (if is_converted(info) { ColourModel::Rgb } else { info.colour }, info.alpha)
}

/// What makes bytes of gray or RGB of the image's samples.
pub(super) fn shown(info: &ImageInfo, rule: ColourRule) -> Vec<Step> {
    let first_bands = process(&Processing::default(), info);
    let to_bytes = if first_bands.is_none() { to_bytes(info) } else { first_bands };
    [to_bytes, to_shown(info, rule)].into_iter().flatten().collect()
}

/// Where samples are no bytes, or their black and white not 0 and 255.
fn to_bytes(info: &ImageInfo) -> Option<Step> {
    if info.colour == ColourModel::Lab {
        return Some(Step::LabToRgb);
    }
    let bands = usize::from(info.colour.bands());
    let ranges: Vec<SampleRange> = (0..bands).map(|band| info.range(band)).collect();
    let whole = ranges.iter().all(|range| *range == SampleType::U8.full_range());
    (info.samples != SampleType::U8 || !whole).then_some(Step::ToBytes { ranges })
}

/// By a profile where that is the rule, and always from inks; a profile that is not for the image's colours
/// is none.
fn to_shown(info: &ImageInfo, rule: ColourRule) -> Option<Step> {
    let is_ink = info.colour == ColourModel::Cmyk;
    let by_profile = is_ink || rule == ColourRule::Convert;
    match &info.icc {
        Some(profile) if by_profile && profile.converts(info.colour) => {
            Some(Step::ToSrgb { profile: profile.clone() })
        }
        _ => is_ink.then_some(Step::CmykToRgb),
    }
}

/// JPEG has no alpha, also in TIFF, and bitonal is one component.
fn drops_alpha(request: &PictureRequest) -> bool {
    request.format == Format::Jpeg
        || request.tiff_compression == Some(TiffCompression::Jpeg)
        || matches!(request.quality, Quality::Bitonal | Quality::BitonalByImage)
}

fn colours(quality: Quality, colour: ColourModel) -> Option<Step> {
    let is_gray = colour == ColourModel::Gray;
    match quality {
        Quality::Default => None,
        Quality::Color => is_gray.then_some(Step::Colour),
        Quality::Gray => (!is_gray).then_some(Step::Gray),
        Quality::Bitonal => Some(Step::Bitonal { by_image: false }),
        Quality::BitonalByImage => Some(Step::Bitonal { by_image: true }),
    }
}

/// Whether an answer of this quality is that of [`Quality::Default`].
pub(super) fn is_default(quality: Quality, colour: ColourModel) -> bool {
    colours(quality, colour.shown()).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::Frame;
    use crate::plan::fixtures::{jpeg, profile, pyramid};

    /// Neither cropped nor resized.
    const SIZED: [Option<Step>; 2] = [None, None];

    #[test]
    fn only_steps_that_change_something_are_taken_in_the_order_of_the_standard() {
        let tile = || jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let mut info = pyramid((200, 200), 256);
        assert_eq!(steps(&tile(), &info, ColourRule::Embed, SIZED), []);
        let color = PictureRequest { quality: Quality::Color, ..tile() };
        assert_eq!(steps(&color, &info, ColourRule::Embed, SIZED), []);
        info.alpha = true;
        let all = PictureRequest {
            mirror: true,
            rotation: Rotation::Quarter,
            quality: Quality::Gray,
            ..tile()
        };
        assert_eq!(
            steps(&all, &info, ColourRule::Embed, SIZED),
            [Step::Mirror, Step::Turn(Rotation::Quarter), Step::Flatten, Step::Gray]
        );
        let png = PictureRequest { format: Format::Png, quality: Quality::Gray, ..tile() };
        assert_eq!(steps(&png, &info, ColourRule::Embed, SIZED), [Step::Gray]);
        let bitonal = PictureRequest { quality: Quality::Bitonal, ..png };
        assert_eq!(
            steps(&bitonal, &info, ColourRule::Embed, SIZED),
            [Step::Flatten, Step::Bitonal { by_image: false }]
        );
        info.colour = ColourModel::Gray;
        info.alpha = false;
        let gray = PictureRequest { quality: Quality::Gray, ..tile() };
        assert_eq!(steps(&gray, &info, ColourRule::Embed, SIZED), []);
        let color = PictureRequest { quality: Quality::Color, ..gray };
        assert_eq!(steps(&color, &info, ColourRule::Embed, SIZED), [Step::Colour]);
    }

    #[test]
    fn inks_are_always_converted_and_other_colours_where_that_is_the_rule() {
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let by_profile = |space: ColourModel| Step::ToSrgb { profile: profile(Some(space), false) };
        let (embed, convert) = (ColourRule::Embed, ColourRule::Convert);
        let (gray, rgb) = (ColourModel::Gray, ColourModel::Rgb);
        let (cmyk, lab) = (ColourModel::Cmyk, ColourModel::Lab);
        for (colour, space, rule, expected) in [
            (rgb, Some(rgb), embed, vec![]),
            (rgb, Some(rgb), convert, vec![by_profile(rgb)]),
            (rgb, Some(cmyk), convert, vec![]),
            (rgb, None, convert, vec![]),
            (gray, Some(gray), embed, vec![]),
            (gray, Some(gray), convert, vec![by_profile(gray)]),
            (gray, Some(rgb), convert, vec![]),
            (cmyk, Some(cmyk), embed, vec![by_profile(cmyk)]),
            (cmyk, Some(cmyk), convert, vec![by_profile(cmyk)]),
            (cmyk, Some(rgb), convert, vec![Step::CmykToRgb]),
            (cmyk, None, embed, vec![Step::CmykToRgb]),
            (lab, Some(rgb), convert, vec![Step::LabToRgb]),
            (lab, None, embed, vec![Step::LabToRgb]),
        ] {
            let mut info = pyramid((200, 200), 256);
            info.colour = colour;
            info.icc = Some(profile(space, false));
            let found = steps(&tile, &info, rule, SIZED);
            assert_eq!(found, expected, "{colour:?} {space:?} {rule:?}");
            if space.is_none() {
                info.icc = None;
                assert_eq!(steps(&tile, &info, rule, SIZED), expected, "{colour:?} without one");
            }
        }
    }

    #[test]
    fn what_is_srgb_already_is_left_alone() {
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let mut info = pyramid((200, 200), 256);
        info.icc = Some(profile(Some(ColourModel::Rgb), true));
        assert_eq!(steps(&tile, &info, ColourRule::Convert, SIZED), []);
    }

    #[test]
    fn samples_become_bytes_before_their_colours_change_and_those_before_the_size() {
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let mut info = pyramid((200, 200), 256);
        info.colour = ColourModel::Cmyk;
        info.samples = SampleType::U16;
        let gray = PictureRequest { mirror: true, quality: Quality::Gray, ..tile };
        let steps = steps(&gray, &info, ColourRule::Embed, [None, Some(Step::Flatten)]);
        assert!(
            matches!(
                *steps,
                [Step::ToBytes { .. }, Step::CmykToRgb, Step::Flatten, Step::Mirror, Step::Gray]
            ),
            "{steps:?}"
        );
    }

    #[test]
    fn in_colour_is_the_default_of_whatever_is_shown_in_colour() {
        for colour in [ColourModel::Rgb, ColourModel::Cmyk, ColourModel::Lab] {
            assert!(is_default(Quality::Color, colour) && is_default(Quality::Default, colour));
            assert!(!is_default(Quality::Gray, colour));
        }
        assert!(is_default(Quality::Gray, ColourModel::Gray));
        assert!(!is_default(Quality::Color, ColourModel::Gray));
    }
}
