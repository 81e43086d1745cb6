//! The steps of a plan, in the order of IIIF Image API 3.0 section 4: region, size, mirror, rotation,
//! quality, format. Steps that change nothing are left out, so that a plan without steps is known as such.

use crate::imaging::Step;
use crate::model::request::{PictureRequest, Quality, Rotation};
use crate::model::{ColourModel, Format, ImageInfo, SampleRange, SampleType};

/// All steps after assembly. Before the first of the standard's, samples of other types become bytes.
pub(super) fn steps(request: &PictureRequest, info: &ImageInfo, resize: Option<Step>) -> Vec<Step> {
    let to_bytes = to_bytes(info);
    let mirror = request.mirror.then_some(Step::Mirror);
    let turn = (request.rotation != Rotation::None).then_some(Step::Turn(request.rotation));
    let flatten = drops_alpha(request, info).then_some(Step::Flatten);
    let colours = colours(request.quality, info.colour.shown());
    [to_bytes, resize, mirror, turn, flatten, colours].into_iter().flatten().collect()
}

/// Where samples are no bytes, or their black and white not 0 and 255.
fn to_bytes(info: &ImageInfo) -> Option<Step> {
    let bands = usize::from(info.colour.bands());
    let ranges: Vec<SampleRange> = (0..bands).map(|band| info.range(band)).collect();
    let whole = ranges.iter().all(|range| *range == SampleType::U8.full_range());
    (info.samples != SampleType::U8 || !whole).then_some(Step::ToBytes { ranges })
}

/// JPEG has no alpha, and bitonal is one component.
fn drops_alpha(request: &PictureRequest, info: &ImageInfo) -> bool {
    info.alpha && (request.format == Format::Jpeg || request.quality == Quality::Bitonal)
}

fn colours(quality: Quality, colour: ColourModel) -> Option<Step> {
    match (quality, colour) {
        (Quality::Default, _)
        | (Quality::Color, ColourModel::Rgb | ColourModel::Cmyk | ColourModel::Lab)
        | (Quality::Gray, ColourModel::Gray) => None,
        (Quality::Color, ColourModel::Gray) => Some(Step::Colour),
        (Quality::Gray, ColourModel::Rgb | ColourModel::Cmyk | ColourModel::Lab) => {
            Some(Step::Gray)
        }
        (Quality::Bitonal, _) => Some(Step::Bitonal),
    }
}

/// Whether an answer's samples still are in the image's colour space, and its profile true of them.
pub(super) fn keeps_colours(quality: Quality, colour: ColourModel) -> bool {
    colour == colour.shown() && colours(quality, colour).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::Frame;
    use crate::plan::fixtures::{jpeg, pyramid};

    #[test]
    fn only_steps_that_change_something_are_taken_in_the_order_of_the_standard() {
        let tile = || jpeg(Frame::IipTile { resolution: 0, index: 0 });
        let mut info = pyramid((200, 200), 256);
        assert_eq!(steps(&tile(), &info, None), []);
        let color = PictureRequest { quality: Quality::Color, ..tile() };
        assert_eq!(steps(&color, &info, None), []);
        info.alpha = true;
        let all = PictureRequest {
            mirror: true,
            rotation: Rotation::Quarter,
            quality: Quality::Gray,
            ..tile()
        };
        assert_eq!(
            steps(&all, &info, None),
            [Step::Mirror, Step::Turn(Rotation::Quarter), Step::Flatten, Step::Gray]
        );
        let png = PictureRequest { format: Format::Png, quality: Quality::Gray, ..tile() };
        assert_eq!(steps(&png, &info, None), [Step::Gray]);
        let bitonal = PictureRequest { quality: Quality::Bitonal, ..png };
        assert_eq!(steps(&bitonal, &info, None), [Step::Flatten, Step::Bitonal]);
        info.colour = ColourModel::Gray;
        info.alpha = false;
        let gray = PictureRequest { quality: Quality::Gray, ..tile() };
        assert_eq!(steps(&gray, &info, None), []);
        let color = PictureRequest { quality: Quality::Color, ..gray };
        assert_eq!(steps(&color, &info, None), [Step::Colour]);
    }
}
