//! What is done to assembled pixels, in order: the whole list, and the one place that carries it out.

use std::sync::Arc;

use crate::imaging::bitonal::to_bitonal;
use crate::imaging::cmyk::cmyk_to_rgb;
use crate::imaging::colour::to_colour;
use crate::imaging::crop_box::CropBox;
use crate::imaging::error::ImagingError;
use crate::imaging::flatten::flatten;
use crate::imaging::gray::to_gray;
use crate::imaging::lab::lab_to_rgb;
use crate::imaging::mirror::mirror;
use crate::imaging::pixels::Pixels;
use crate::imaging::placement::Spread;
use crate::imaging::raster::Raster;
use crate::imaging::resize::{Filter, resize};
use crate::imaging::scratch::Scratch;
use crate::imaging::to_bytes::to_bytes;
use crate::imaging::turn::turn;
use crate::imaging::watermark::{Watermark, watermark};
use crate::model::request::Rotation;
use crate::model::{Profile, SampleRange, Size};

/// One operation on pixels.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Samples of any type to bytes; every step below works on these.
    ToBytes {
        /// Black and white of each colour band.
        ranges: Vec<SampleRange>,
    },
    /// L*a*b* to sRGB bytes, in place of the step above.
    LabToRgb,
    /// CMYK to RGB, where no profile says how.
    CmykToRgb,
    /// Gray, RGB or CMYK to sRGB by the image's profile.
    ToSrgb {
        /// A profile that converts the raster's colours.
        profile: Profile,
    },
    /// A part of the raster becomes a picture of `to` pixels.
    Resize {
        /// The part, in pixels of the raster.
        crop: CropBox,
        /// Pixels afterwards.
        to: Size,
        /// The weights.
        filter: Filter,
    },
    /// Left and right change places.
    Mirror,
    /// Clockwise.
    Turn(Rotation),
    /// Alpha over white.
    Flatten,
    /// One band by luma.
    Gray,
    /// One band, black or white.
    Bitonal,
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
    pub const fn changes_colours(&self) -> bool {
        match self {
            Self::LabToRgb
            | Self::CmykToRgb
            | Self::ToSrgb { .. }
            | Self::Gray
            | Self::Bitonal
            | Self::Colour => true,
            Self::ToBytes { .. }
            | Self::Resize { .. }
            | Self::Mirror
            | Self::Turn(_)
            | Self::Flatten
            | Self::Watermark { .. } => false,
        }
    }
}

/// Carries the steps out, first to last.
///
/// # Errors
/// Where a step does not fit the pixels; a plan for these has none such.
pub fn apply(
    steps: &[Step],
    pixels: impl Into<Pixels>,
    scratch: &mut Scratch,
) -> Result<Raster, ImagingError> {
    let done = steps.iter().try_fold(pixels.into(), |pixels, step| match step {
        Step::ToBytes { ranges } => Ok(to_bytes(pixels, ranges).into()),
        Step::LabToRgb => lab_to_rgb(&pixels).map(Pixels::from),
        step => on_bytes(step, pixels.into_bytes()?, scratch).map(Pixels::from),
    });
    done?.into_bytes()
}

fn on_bytes(step: &Step, raster: Raster, scratch: &mut Scratch) -> Result<Raster, ImagingError> {
    Ok(match *step {
        Step::CmykToRgb => cmyk_to_rgb(raster),
        Step::ToSrgb { ref profile } => scratch.conversions.apply(raster, profile)?,
        Step::Resize { crop, to, filter } => resize(&raster, crop, to, filter, scratch)?,
        Step::Mirror => mirror(raster),
        Step::Turn(rotation) => turn(raster, rotation),
        Step::Flatten => flatten(raster),
        Step::Gray => to_gray(raster),
        Step::Bitonal => to_bitonal(raster),
        Step::Colour => to_colour(raster),
        Step::Watermark { watermark: ref with, ref spread } => watermark(raster, with, spread)?,
        Step::ToBytes { ref ranges } => to_bytes(raster.into(), ranges),
        Step::LabToRgb => lab_to_rgb(&raster.into())?,
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
        let done = apply(&steps, raster, &mut Scratch::new()).unwrap();
        assert_eq!(done.size(), Size::new(1, 2).unwrap());
        assert_eq!(done.samples(), [2, 2, 2, 1, 1, 1]);
    }
}
