//! The steps of a plan, in the order of IIIF Image API 3.0 section 4: region, size, mirror, rotation,
//! quality, format. Steps that change nothing are left out, so that a plan without steps is known as such.

use crate::imaging::{Step, Threshold, shape_after};
use crate::model::request::{PictureRequest, Quality, Rotation};
use crate::model::{
    ColourModel, ColourRule, Depth, ImageInfo, Processing, SampleRange, SampleType, TiffCompression,
};
use crate::plan::depth;
use crate::plan::encode::colour_rule;
use crate::plan::rules::Rules;
use crate::plan::science::{is_converted, process};

/// All steps after assembly; `crop` and `resize` make it the view's size. Before the first of the
/// standard's, samples of other types become bytes, and colours what a screen shows.
pub(super) fn steps(
    request: &PictureRequest,
    info: &ImageInfo,
    rules: &Rules,
    [crop, resize]: [Option<Step>; 2],
) -> Vec<Step> {
    let processing = &request.processing;
    let process = process(processing, info);
    let (colour, alpha) = match &process {
        Some(Step::Process { operations, .. }) => shape_after(operations, processed(info)),
        _ => (info.colour.shown(), info.alpha),
    };
    let rule = colour_rule(request.format, rules);
    let mut steps = before_sizing(request, info, rule, process);
    let mirror = request.mirror.then_some(Step::Mirror);
    let turn = (request.rotation != Rotation::None).then_some(Step::Turn(request.rotation));
    let tilt = (!request.tilt.is_none()).then_some(Step::Tilt(request.tilt));
    let has_alpha = alpha || tilt.is_some();
    let flatten = (has_alpha && drops_alpha(request)).then_some(Step::Flatten(rules.background));
    let colours = colours(request.quality, colour, rules.dither);
    let equalise = processing.equalise.then_some(Step::Equalise);
    let widen = depth::widen(request.depth, info.samples);
    let after = [crop, resize, mirror, turn, tilt, flatten, colours, equalise, widen];
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

/// JPEG has no alpha, also in PDF and TIFF, and bitonal is one component.
fn drops_alpha(request: &PictureRequest) -> bool {
    !request.format.has_alpha()
        || request.tiff_compression == Some(TiffCompression::Jpeg)
        || matches!(request.quality, Quality::Bitonal | Quality::BitonalByImage)
}

fn colours(quality: Quality, colour: ColourModel, dither: bool) -> Option<Step> {
    let is_gray = colour == ColourModel::Gray;
    match quality {
        Quality::Default => None,
        Quality::Color => is_gray.then_some(Step::Colour),
        Quality::Gray => (!is_gray).then_some(Step::Gray),
        Quality::Bitonal if dither => Some(Step::Bitonal(Threshold::Dithered)),
        Quality::Bitonal => Some(Step::Bitonal(Threshold::Middle)),
        Quality::BitonalByImage => Some(Step::Bitonal(Threshold::OfImage)),
    }
}

/// Whether an answer of this quality is that of [`Quality::Default`].
pub(super) fn is_default(quality: Quality, colour: ColourModel) -> bool {
    colours(quality, colour.shown(), false).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::Frame;
    use crate::model::{Format, Tilt};
    use crate::plan::fixtures::{jpeg, profile, pyramid};

    /// Neither cropped nor resized.
    const SIZED: [Option<Step>; 2] = [None, None];

    const WHITE: Step = Step::Flatten([255; 3]);

    #[test]
    fn only_steps_that_change_something_are_taken_in_the_order_of_the_standard() {
        let tile = || jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let mut info = pyramid((200, 200), 256);
        assert_eq!(steps(&tile(), &info, &Rules::default(), SIZED), []);
        let color = PictureRequest { quality: Quality::Color, ..tile() };
        assert_eq!(steps(&color, &info, &Rules::default(), SIZED), []);
        info.alpha = true;
        let all = PictureRequest {
            mirror: true,
            rotation: Rotation::Quarter,
            quality: Quality::Gray,
            ..tile()
        };
        assert_eq!(
            steps(&all, &info, &Rules::default(), SIZED),
            [Step::Mirror, Step::Turn(Rotation::Quarter), WHITE, Step::Gray]
        );
        let png = PictureRequest { format: Format::Png, quality: Quality::Gray, ..tile() };
        assert_eq!(steps(&png, &info, &Rules::default(), SIZED), [Step::Gray]);
        let bitonal = PictureRequest { quality: Quality::Bitonal, ..png };
        assert_eq!(
            steps(&bitonal, &info, &Rules::default(), SIZED),
            [WHITE, Step::Bitonal(Threshold::Middle)]
        );
        info.colour = ColourModel::Gray;
        info.alpha = false;
        let gray = PictureRequest { quality: Quality::Gray, ..tile() };
        assert_eq!(steps(&gray, &info, &Rules::default(), SIZED), []);
        let color = PictureRequest { quality: Quality::Color, ..gray };
        assert_eq!(steps(&color, &info, &Rules::default(), SIZED), [Step::Colour]);
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
            let rules = Rules { colour: rule, ..Rules::default() };
            let found = steps(&tile, &info, &rules, SIZED);
            assert_eq!(found, expected, "{colour:?} {space:?} {rule:?}");
            if space.is_none() {
                info.icc = None;
                assert_eq!(steps(&tile, &info, &rules, SIZED), expected, "{colour:?} without one");
            }
        }
    }

    #[test]
    fn what_is_srgb_already_is_left_alone() {
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let mut info = pyramid((200, 200), 256);
        info.icc = Some(profile(Some(ColourModel::Rgb), true));
        let convert = Rules { colour: ColourRule::Convert, ..Rules::default() };
        assert_eq!(steps(&tile, &info, &convert, SIZED), []);
    }

    #[test]
    fn samples_become_bytes_before_their_colours_change_and_those_before_the_size() {
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let mut info = pyramid((200, 200), 256);
        info.colour = ColourModel::Cmyk;
        info.samples = SampleType::U16;
        let gray = PictureRequest { mirror: true, quality: Quality::Gray, ..tile };
        let steps = steps(&gray, &info, &Rules::default(), [None, Some(WHITE)]);
        assert!(
            matches!(
                *steps,
                [Step::ToBytes { .. }, Step::CmykToRgb, WHITE, Step::Mirror, Step::Gray]
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

    #[test]
    fn a_tilted_picture_is_transparent_outside_or_lies_on_the_background() {
        let (_, tilt) = Tilt::split(30.0).unwrap();
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let info = pyramid((200, 200), 256);
        let rules = Rules { background: [1, 2, 3], dither: true, ..Rules::default() };
        let tilted = |format, quality| {
            let rotation = Rotation::Half;
            let request = PictureRequest { rotation, tilt, quality, format, ..tile.clone() };
            steps(&request, &info, &rules, SIZED)
        };
        let (turn, under) = (Step::Turn(Rotation::Half), Step::Flatten([1, 2, 3]));
        let turned = [turn, Step::Tilt(tilt)];
        assert_eq!(tilted(Format::Png, Quality::Default), turned);
        let [turn, tilt] = turned;
        let on_colour = [turn.clone(), tilt.clone(), under.clone()];
        assert_eq!(tilted(Format::Jpeg, Quality::Default), on_colour);
        let dithered = Step::Bitonal(Threshold::Dithered);
        assert_eq!(tilted(Format::Gif, Quality::Bitonal), [turn, tilt, under, dithered]);
    }
}
