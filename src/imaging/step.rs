//! What is done to assembled pixels, in order: the whole list, and the one place that carries it out.

use std::sync::Arc;

use crate::imaging::bitonal::{Threshold, WHITE_FROM, dithered, to_bitonal};
use crate::imaging::cmyk::cmyk_to_rgb;
use crate::imaging::colour::to_colour;
use crate::imaging::crop::crop;
use crate::imaging::crop_box::CropBox;
use crate::imaging::error::ImagingError;
use crate::imaging::extend::extend;
use crate::imaging::flatten::flatten;
use crate::imaging::gray::to_gray;
use crate::imaging::histogram::Histogram;
use crate::imaging::lab::lab_to_rgb;
use crate::imaging::lookup::look_up;
use crate::imaging::mark::Watermark;
use crate::imaging::mirror::mirror;
use crate::imaging::pixels::Pixels;
use crate::imaging::placement::Spread;
use crate::imaging::raster::Raster;
use crate::imaging::resize::resize;
use crate::imaging::science::{Operation, process, stretched};
use crate::imaging::scratch::Scratch;
use crate::imaging::tilt::tilt;
use crate::imaging::to_bytes::to_bytes;
use crate::imaging::turn::turn;
use crate::imaging::watermark::watermark;
use crate::imaging::widen::widen;
use crate::model::request::Rotation;
use crate::model::{Filter, Profile, Rect, SampleRange, SampleType, Size, Tilt};

/// A raster of whichever type through a function of any.
macro_rules! each {
    ($pixels:expr, $function:expr) => {
        match $pixels {
            Pixels::U8(raster) => Pixels::U8($function(raster)),
            Pixels::U16(raster) => Pixels::U16($function(raster)),
            Pixels::F32(raster) => Pixels::F32($function(raster)),
        }
    };
}

/// One operation on pixels.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Samples of any type to bytes; every step below works on these.
    ToBytes {
        /// Black and white of each colour band.
        ranges: Vec<SampleRange>,
    },
    /// Samples of a type that holds all of theirs.
    Widen(SampleType),
    /// L*a*b* to sRGB bytes, in place of the step above.
    LabToRgb,
    /// CMYK to RGB, where no profile says how.
    CmykToRgb,
    /// Gray, RGB or CMYK to sRGB by the image's profile.
    ToSrgb {
        /// A profile that converts the raster's colours.
        profile: Profile,
    },
    /// Changes of sample values, of any type, to bytes; in place of [`Step::ToBytes`] or behind it.
    Process {
        /// What is done, first to last.
        operations: Vec<Operation>,
        /// A factor over all colours, last of all.
        contrast: f32,
        /// Whether the image's darkest and brightest gray become black and white first.
        stretch: bool,
    },
    /// Pixels that were read for the sake of their neighbours are dropped.
    Crop(Rect),
    /// A part of the raster becomes a picture of `to` pixels.
    Resize {
        /// The part, in pixels of the raster.
        crop: CropBox,
        /// Pixels afterwards.
        to: Size,
        /// The weights.
        filter: Filter,
    },
    /// The last column and row once more, up to this size: of a level that was rounded down, where the
    /// answer is rounded up.
    Extend(Size),
    /// Left and right change places.
    Mirror,
    /// Clockwise.
    Turn(Rotation),
    /// Clockwise, by less than a quarter; with alpha afterwards.
    Tilt(Tilt),
    /// Alpha over this colour.
    Flatten([u8; 3]),
    /// One band by luma.
    Gray,
    /// One band, black or white.
    Bitonal(Threshold),
    /// Each gray of the image as often as the others.
    Equalise,
    /// Three bands.
    Colour,
    /// Marks on the finished answer: always the last step.
    Watermark {
        /// Which mark.
        watermark: Arc<Watermark>,
        /// Where.
        spread: Spread,
    },
}

impl Step {
    /// Whether samples afterwards are of other colours than the image's, so that its profile is no
    /// longer true of them.
    pub fn changes_colours(&self) -> bool {
        match self {
            Self::LabToRgb
            | Self::CmykToRgb
            | Self::ToSrgb { .. }
            | Self::Gray
            | Self::Bitonal(_)
            | Self::Colour => true,
            Self::Process { operations, .. } => operations.iter().any(Operation::makes_new_colours),
            Self::ToBytes { .. }
            | Self::Widen(_)
            | Self::Resize { .. }
            | Self::Crop(_)
            | Self::Extend(_)
            | Self::Mirror
            | Self::Turn(_)
            | Self::Tilt(_)
            | Self::Flatten(_)
            | Self::Equalise
            | Self::Watermark { .. } => false,
        }
    }

    /// Whether it goes by the whole image's grays: the histogram of [`Tools`] must be there.
    pub const fn needs_histogram(&self) -> bool {
        matches!(
            self,
            Self::Process { stretch: true, .. }
                | Self::Bitonal(Threshold::OfImage)
                | Self::Equalise
        )
    }
}

/// What steps are carried out with.
#[derive(Debug)]
pub struct Tools<'a> {
    /// Buffers and tables that are kept from one raster to the next.
    pub scratch: &'a mut Scratch,
    /// The grays of the whole image, where a step needs them.
    pub histogram: Option<&'a Histogram>,
}

/// Carries the steps out, first to last.
///
/// # Errors
/// Where a step does not fit the pixels; a plan for these has none such.
pub fn apply(
    steps: &[Step],
    pixels: impl Into<Pixels>,
    tools: &mut Tools<'_>,
) -> Result<Raster, ImagingError> {
    apply_at_depth(steps, pixels, tools)?.into_bytes()
}

/// The same, of whichever type the samples are in the end.
///
/// # Errors
/// As [`apply`].
pub fn apply_at_depth(
    steps: &[Step],
    pixels: impl Into<Pixels>,
    tools: &mut Tools<'_>,
) -> Result<Pixels, ImagingError> {
    steps.iter().try_fold(pixels.into(), |pixels, step| match step {
        Step::ToBytes { ranges } => Ok(to_bytes(pixels, ranges).into()),
        Step::LabToRgb => lab_to_rgb(&pixels).map(Pixels::from),
        Step::Process { operations, contrast, stretch } => {
            if !stretch {
                return Ok(process(&pixels, operations, *contrast).into());
            }
            let operations = stretched(operations, tools.histogram()?.extremes());
            Ok(process(&pixels, &operations, *contrast).into())
        }
        Step::Widen(to) => Ok(widen(pixels, *to)),
        Step::Resize { crop, to, filter } => resized(&pixels, (*crop, *to, *filter), tools.scratch),
        Step::Crop(part) => Ok(each!(pixels, |raster| crop(raster, *part))),
        Step::Extend(to) => Ok(each!(pixels, |raster| extend(raster, *to))),
        Step::Mirror => Ok(each!(pixels, mirror)),
        Step::Turn(rotation) => Ok(each!(pixels, |raster| turn(raster, *rotation))),
        step => on_bytes(step, pixels.into_bytes()?, tools).map(Pixels::from),
    })
}

impl Tools<'_> {
    fn histogram(&self) -> Result<&Histogram, ImagingError> {
        self.histogram.ok_or(ImagingError::NoHistogram)
    }
}

fn resized(
    pixels: &Pixels,
    (crop, to, filter): (CropBox, Size, Filter),
    scratch: &mut Scratch,
) -> Result<Pixels, ImagingError> {
    Ok(match pixels {
        Pixels::U8(raster) => resize(raster, crop, to, filter, scratch)?.into(),
        Pixels::U16(raster) => Pixels::U16(resize(raster, crop, to, filter, scratch)?),
        Pixels::F32(raster) => Pixels::F32(resize(raster, crop, to, filter, scratch)?),
    })
}

fn on_bytes(step: &Step, raster: Raster, tools: &mut Tools<'_>) -> Result<Raster, ImagingError> {
    Ok(match *step {
        Step::CmykToRgb => cmyk_to_rgb(raster),
        Step::ToSrgb { ref profile } => tools.scratch.conversions.apply(raster, profile)?,
        Step::Tilt(by) => tilt(&raster, by),
        Step::Flatten(under) => flatten(raster, under),
        Step::Gray => to_gray(raster),
        Step::Bitonal(Threshold::OfImage) => to_bitonal(raster, tools.histogram()?.otsu()),
        Step::Bitonal(Threshold::Middle) => to_bitonal(raster, WHITE_FROM),
        Step::Bitonal(Threshold::Dithered) => dithered(raster),
        Step::Equalise => look_up(raster, &tools.histogram()?.equalising()),
        Step::Colour => to_colour(raster),
        Step::Watermark { watermark: ref with, ref spread } => watermark(raster, with, spread)?,
        // Done before, on samples of any type.
        Step::ToBytes { .. }
        | Step::LabToRgb
        | Step::Process { .. }
        | Step::Widen(_)
        | Step::Resize { .. }
        | Step::Crop(_)
        | Step::Extend(_)
        | Step::Mirror
        | Step::Turn(_) => raster,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ColourModel;

    #[test]
    fn a_mirror_comes_before_the_turn_that_follows_it() {
        let size = Size::new(2, 1).unwrap();
        let raster = Raster::new(size, ColourModel::Gray, false, vec![1, 2]).unwrap();
        let steps = [Step::Mirror, Step::Turn(Rotation::Quarter), Step::Colour];
        let mut tools = Tools { scratch: &mut Scratch::new(), histogram: None };
        let done = apply(&steps, raster, &mut tools).unwrap();
        assert_eq!(done.size(), Size::new(1, 2).unwrap());
        assert_eq!(done.samples(), [2, 2, 2, 1, 1, 1]);
    }
}
