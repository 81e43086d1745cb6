//! Samples of more than 8 bits: which formats hold them, and what cannot be done to them.

use crate::imaging::Step;
use crate::model::request::PictureRequest;
use crate::model::{Depth, Format, ImageInfo, SampleType, TiffCompression};
use crate::plan::error::PlanError;

/// The step that makes samples as wide as asked, where they are not: the last, so that whatever is done to
/// bytes can be done to an image of bytes.
pub(super) fn widen(depth: Depth, samples: SampleType) -> Option<Step> {
    match (depth, samples) {
        (Depth::Sixteen, SampleType::U8) => Some(Step::Widen(SampleType::U16)),
        (Depth::Float, SampleType::U8 | SampleType::U16) => Some(Step::Widen(SampleType::F32)),
        _ => None,
    }
}

/// Refuses a depth that the format, the image or a step cannot have.
///
/// # Errors
/// As said.
pub(super) fn check(
    request: &PictureRequest,
    info: &ImageInfo,
    steps: &[Step],
) -> Result<(), PlanError> {
    let (format, depth) = (request.format, request.depth);
    let is_held = match (format, depth) {
        (_, Depth::Eight) => return Ok(()),
        (Format::Tiff, _) => !request.tiff_compression.is_some_and(TiffCompression::is_lossy),
        (Format::Png | Format::Avif, Depth::Sixteen) => true,
        _ => false,
    };
    let bits = depth.bits();
    if !is_held {
        return Err(PlanError::DepthOfFormat { format, bits });
    }
    if depth == Depth::Sixteen && info.samples == SampleType::F32 {
        return Err(PlanError::DepthOfImage);
    }
    let is_marked = steps.iter().any(|step| matches!(step, Step::Watermark { .. }));
    if info.samples == SampleType::U8 && !is_marked {
        return Ok(());
    }
    match steps.iter().rev().find_map(of_bytes) {
        Some(what) => Err(PlanError::DepthOfSteps { bits, what }),
        None => Ok(()),
    }
}

/// What a step does, where it does it to bytes alone.
const fn of_bytes(step: &Step) -> Option<&'static str> {
    match step {
        Step::Resize { .. }
        | Step::Crop(_)
        | Step::Extend(_)
        | Step::Mirror
        | Step::Turn(_)
        | Step::Widen(_) => None,
        Step::CmykToRgb | Step::ToSrgb { .. } | Step::LabToRgb => Some("a change of colours"),
        Step::Tilt(_) => Some("a turn that is no quarter"),
        Step::Flatten(_) | Step::Gray | Step::Bitonal(_) | Step::Colour => Some("this quality"),
        Step::Watermark { .. } => Some("a watermark"),
        Step::ToBytes { .. } | Step::Process { .. } | Step::Equalise => Some("a change of values"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ColourModel;
    use crate::model::request::Region;
    use crate::model::request::{Quality, SizeForm};
    use crate::plan::Rules;
    use crate::plan::fixtures::{iiif, jpeg, planned_by, pyramid};

    fn status(format: Format, depth: Depth, samples: SampleType, width: u32) -> u16 {
        let info = ImageInfo { samples, ..pyramid((1000, 800), 256) };
        let frame = iiif(Region::Full, SizeForm::Width(width));
        let request = PictureRequest { format, depth, ..jpeg(frame) };
        let planned = planned_by(&request, &info, &Rules::default());
        planned.map_or_else(|error| error.fault().kind.status(), |_| 200)
    }

    #[test]
    fn a_depth_is_given_where_format_and_image_have_it() {
        use Depth::{Float, Sixteen};
        use SampleType::{F32, U8, U16};
        for (format, depth, samples, width, expected) in [
            (Format::Png, Sixteen, U16, 500, 200),
            (Format::Avif, Sixteen, U16, 500, 200),
            (Format::Tiff, Sixteen, U16, 500, 200),
            (Format::Tiff, Float, F32, 500, 200),
            (Format::Tiff, Float, U16, 500, 200),
            (Format::Tiff, Sixteen, U8, 333, 200),
            (Format::Png, Sixteen, U16, 333, 200),
            (Format::Tiff, Float, F32, 333, 200),
            (Format::Png, Sixteen, F32, 500, 400),
            (Format::Png, Float, F32, 500, 400),
            (Format::Jpeg, Sixteen, U16, 500, 400),
            (Format::Webp, Sixteen, U16, 500, 400),
        ] {
            let found = status(format, depth, samples, width);
            assert_eq!(found, expected, "{format:?} {depth:?} {samples:?} {width}");
        }
    }

    #[test]
    fn colours_that_would_change_are_refused_in_samples_of_more_than_bytes() {
        let frame = iiif(Region::Full, SizeForm::Width(500));
        let asked = PictureRequest { format: Format::Tiff, depth: Depth::Sixteen, ..jpeg(frame) };
        let mut info = ImageInfo { samples: SampleType::U16, ..pyramid((1000, 800), 256) };
        let gray = PictureRequest { quality: Quality::Gray, ..asked.clone() };
        let error = planned_by(&gray, &info, &Rules::default()).unwrap_err();
        assert!(error.to_string().contains("this quality"), "{error}");
        info.colour = ColourModel::Cmyk;
        let error = planned_by(&asked, &info, &Rules::default()).unwrap_err();
        assert!(error.to_string().contains("a change of colours"), "{error}");
        let rules = Rules { tiff_compression: TiffCompression::Jpeg, ..Rules::default() };
        info.colour = ColourModel::Rgb;
        let plan = planned_by(&asked, &info, &rules).unwrap();
        assert_eq!(plan.encode.compression, TiffCompression::Deflate);
        let named = PictureRequest { tiff_compression: Some(TiffCompression::Jpeg), ..asked };
        let error = planned_by(&named, &info, &rules).unwrap_err();
        assert_eq!(error.fault().kind.status(), 400);
    }
}
