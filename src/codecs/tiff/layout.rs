//! What the samples of an image mean: from TIFF's tags to a colour model, with or without alpha.

use std::sync::Arc;

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::number::usize_of_bytes;
use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::format::{SAMPLES_MAX, SampleFormat};
use crate::codecs::tiff::lab::LabCode;
use crate::codecs::tiff::palette::Palette;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::ycbcr::{Conversion, Subsampling};
use crate::codecs::tiff::{malformed, unsupported};
use crate::model::{ColourModel, SampleType};

/// `InkSet`, and its value for cyan, magenta, yellow, black.
const INK_SET: u16 = 332;
const INK_SET_CMYK: u64 = 1;

/// What the colour samples are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Photometric {
    /// One sample, the largest is white.
    MinIsBlack,
    /// One sample, 0 is white.
    MinIsWhite,
    /// Red, green, blue.
    Rgb,
    /// One sample, an index into a table of colours.
    Palette(Arc<Palette>),
    /// Four inks.
    Cmyk,
    /// CIE L*a*b*, in one of its codes.
    Lab(LabCode),
    /// Luma and colour differences, perhaps fewer of these.
    Ycbcr(Box<Conversion>, Subsampling),
    /// So many samples without a meaning.
    Bands(u8),
}

/// One more sample that is alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alpha {
    /// Which sample of a pixel.
    pub(super) index: usize,
    /// Whether colours were multiplied by it.
    pub(super) associated: bool,
}

/// The samples of a pixel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// What the first ones mean.
    pub(super) photometric: Photometric,
    /// What each of them is.
    pub(super) format: SampleFormat,
    /// All samples of a pixel.
    pub(super) samples: usize,
    /// Whether each sample has tiles of its own (`PlanarConfiguration` 2).
    pub(super) planar: bool,
    /// Which of the others is alpha.
    pub(super) alpha: Option<Alpha>,
}

impl Layout {
    /// Reads the tags of an image whose tiles are compressed so.
    ///
    /// # Errors
    /// `Unsupported` with the name of the feature; `Malformed`.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        compression: Compression,
    ) -> Result<Self, CodecError> {
        let samples = structure.number(from, Tag::SamplesPerPixel)?.unwrap_or(1);
        if !(1..=SAMPLES_MAX).contains(&samples) {
            return Err(unsupported(format!("{samples} samples a pixel")));
        }
        let samples = usize_of_bytes(samples);
        // Before the formats: what is not shown at all may have any.
        let number = structure.number(from, Tag::PhotometricInterpretation)?;
        let number = number.ok_or_else(|| malformed("PhotometricInterpretation is missing"))?;
        check_photometric(number)?;
        let format = SampleFormat::read(structure, from, is_lab(number))?;
        let photometric = photometric(structure, from, compression, number, format)?;
        let colours = photometric.stored_samples();
        let extra = samples.checked_sub(colours).ok_or_else(|| {
            malformed(format!("{samples} samples a pixel are too few for its colours"))
        })?;
        let alpha = alpha(structure, from, colours, extra)?;
        let shows_three = photometric == Photometric::MinIsBlack
            && !compression.is_picture()
            && has_three_bands(samples, alpha);
        let photometric = if shows_three { Photometric::Rgb } else { photometric };
        let planar = structure.number(from, Tag::PlanarConfiguration)?.unwrap_or(1) == 2;
        Ok(Self { photometric, format, samples, planar: planar && 1 < samples, alpha })
    }

    /// Shows every sample that is stored (the first 255), alpha as any other, where some are not.
    pub(super) fn show_all_bands(&mut self) {
        let has_plain_bands =
            matches!(self.photometric, Photometric::MinIsBlack | Photometric::Rgb);
        if has_plain_bands && !self.is_dense() {
            self.photometric = Photometric::Bands(u8::try_from(self.samples).unwrap_or(u8::MAX));
            self.alpha = None;
        }
    }

    /// What the decoded bands mean.
    pub(super) const fn colour(&self) -> ColourModel {
        self.photometric.colour()
    }

    /// The type of the decoded samples.
    pub(super) const fn sample_type(&self) -> SampleType {
        match self.photometric {
            Photometric::Palette(_) => SampleType::U8,
            Photometric::Lab(_) => SampleType::F32,
            _ => self.format.sample_type(),
        }
    }

    /// Samples of a pixel that lie side by side.
    pub(super) const fn per_pixel(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// Which samples of a pixel are shown: colours, then alpha.
    pub(super) fn shown(&self) -> impl Iterator<Item = usize> {
        let colours = self.photometric.stored_samples();
        (0..colours).chain(self.alpha.map(|alpha| alpha.index))
    }

    /// Whether nothing but what is shown is stored.
    pub(super) fn is_dense(&self) -> bool {
        self.shown().count() == self.samples
    }

    /// Whether tiles of both decode to the same bands.
    pub(super) fn is_same_picture(&self, other: &Self) -> bool {
        let shape = |layout: &Self| (layout.colour(), layout.alpha.is_some(), layout.sample_type());
        shape(self) == shape(other)
            && (self.sample_type() != SampleType::F32 || self.format == other.format)
    }

    /// The subsampling of colour differences, where there is one.
    pub(super) fn subsampling(&self) -> Option<Subsampling> {
        match self.photometric {
            Photometric::Ycbcr(_, subsampling) => Some(subsampling),
            _ => None,
        }
    }
}

impl Photometric {
    const fn colour(&self) -> ColourModel {
        match self {
            Self::MinIsBlack | Self::MinIsWhite => ColourModel::Gray,
            Self::Rgb | Self::Ycbcr(..) | Self::Palette(_) => ColourModel::Rgb,
            Self::Cmyk => ColourModel::Cmyk,
            Self::Lab(_) => ColourModel::Lab,
            Self::Bands(bands) => ColourModel::Multi(*bands),
        }
    }

    /// Samples of a pixel that are its colour.
    pub(super) fn stored_samples(&self) -> usize {
        match self {
            Self::Palette(_) => 1,
            _ => usize::from(self.colour().bands()),
        }
    }
}

const fn is_lab(number: u64) -> bool {
    matches!(number, 8..=10)
}

/// Refuses what is no picture, or none that we show.
fn check_photometric(number: u64) -> Result<(), CodecError> {
    let name = match number {
        0..=3 | 5 | 6 | 8..=10 => return Ok(()),
        4 => "transparency mask",
        32803 => "colour filter array",
        32844 => "LogL",
        32845 => "LogLuv",
        34892 => "linear raw",
        other => return Err(unsupported(format!("photometric {other}"))),
    };
    Err(unsupported(format!("photometric {name}")))
}

fn photometric(
    structure: &mut Structure,
    from: &Directory,
    compression: Compression,
    number: u64,
    format: SampleFormat,
) -> Result<Photometric, CodecError> {
    Ok(match number {
        0 => Photometric::MinIsWhite,
        2 => Photometric::Rgb,
        3 => Photometric::Palette(Arc::new(Palette::read(structure, from, format)?)),
        5 => match structure.number(from, Tag::Unknown(INK_SET))?.unwrap_or(INK_SET_CMYK) {
            INK_SET_CMYK => Photometric::Cmyk,
            other => return Err(unsupported(format!("InkSet {other} (inks other than CMYK)"))),
        },
        6 => {
            // Pictures have their own; writers often forget the tag.
            let subsampling = if compression.is_picture() {
                Subsampling::NONE
            } else {
                Subsampling::read(structure, from)?
            };
            Photometric::Ycbcr(Box::new(Conversion::read(structure, from)?), subsampling)
        }
        8..=10 => Photometric::Lab(LabCode::read(structure, from, number, format)?),
        _ => Photometric::MinIsBlack,
    })
}

/// Whether a pixel of "gray" has three bands or more, alpha apart: a multispectral one, of which the
/// first three are shown as red, green, blue, as iipsrv does.
fn has_three_bands(samples: usize, alpha: Option<Alpha>) -> bool {
    alpha.map_or(3 <= samples, |alpha| 3 <= alpha.index)
}

/// The first of the extra samples that is alpha. A single one that is not described counts as alpha
/// beside RGB, as libvips and Pillow read such files; one that is described as unspecified does not.
fn alpha(
    structure: &mut Structure,
    from: &Directory,
    colours: usize,
    extra: usize,
) -> Result<Option<Alpha>, CodecError> {
    if extra == 0 {
        return Ok(None);
    }
    let Some(kinds) = structure.numbers(from, Tag::ExtraSamples, SAMPLES_MAX)? else {
        let undescribed = Alpha { index: colours, associated: false };
        return Ok((extra == 1 && colours == 3).then_some(undescribed));
    };
    let found = kinds.iter().take(extra).position(|kind| matches!(kind, 1 | 2));
    Ok(found.map(|at| Alpha { index: colours + at, associated: kinds.get(at) == Some(&1) }))
}

/// Layouts for tests of what is done with them.
#[cfg(test)]
pub(super) fn sample_layout(
    photometric: Photometric,
    samples: usize,
    alpha: Option<Alpha>,
) -> Layout {
    use crate::codecs::tiff::format::Kind;
    let format = SampleFormat { bits: 8, kind: Kind::Unsigned };
    Layout { photometric, format, samples, planar: false, alpha }
}
