//! What the samples of an image mean: from TIFF's tags to gray or RGB, with or without alpha.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::ycbcr::{Conversion, Subsampling};
use crate::codecs::tiff::{malformed, unsupported};
use crate::model::ColourModel;

/// Samples of one pixel that are looked at: alpha and a few more. Hyperspectral images are not RGB.
const SAMPLES_MAX: u64 = 64;

/// What the colour samples are.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Photometric {
    /// One sample, 255 is white.
    MinIsBlack,
    /// One sample, 0 is white.
    MinIsWhite,
    /// Red, green, blue.
    Rgb,
    /// Luma and colour differences, perhaps fewer of these.
    Ycbcr(Box<Conversion>, Subsampling),
}

/// One more sample that is alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Alpha {
    /// Which sample of a pixel.
    pub(super) index: usize,
    /// Whether colours were multiplied by it.
    pub(super) associated: bool,
}

/// The samples of a pixel, 8 bit each, interleaved.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// What the first ones mean.
    pub(super) photometric: Photometric,
    /// All samples of a pixel.
    pub(super) samples: usize,
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
        check_samples(structure, from, samples)?;
        let samples = usize::try_from(samples).unwrap_or(usize::MAX);
        let photometric = photometric(structure, from, compression)?;
        let colours = usize::from(photometric.colour().bands());
        let extra = samples.checked_sub(colours).ok_or_else(|| {
            malformed(format!("{samples} samples a pixel are too few for its colours"))
        })?;
        let alpha = alpha(structure, from, colours, extra)?;
        Ok(Self { photometric, samples, alpha })
    }

    /// What the decoded bands mean.
    pub(super) const fn colour(&self) -> ColourModel {
        self.photometric.colour()
    }

    /// Whether the samples are already bands: nothing to drop.
    pub(super) fn is_dense(&self) -> bool {
        let bands = usize::from(self.colour().bands()) + usize::from(self.alpha.is_some());
        self.samples == bands
    }

    /// Whether tiles of both decode to the same bands.
    pub(super) fn is_same_picture(&self, other: &Self) -> bool {
        self.colour() == other.colour() && self.alpha.is_some() == other.alpha.is_some()
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
            Self::Rgb | Self::Ycbcr(..) => ColourModel::Rgb,
        }
    }
}

/// Depth, number format, order: what has to be as for 8-bit interleaved samples.
fn check_samples(
    structure: &mut Structure,
    from: &Directory,
    samples: u64,
) -> Result<(), CodecError> {
    let bits =
        structure.numbers(from, Tag::BitsPerSample, SAMPLES_MAX)?.unwrap_or_else(|| [1].into());
    if let Some(bits) = bits.iter().find(|bits| **bits != 8) {
        return Err(unsupported(format!("{bits} bits a sample")));
    }
    let formats = structure.numbers(from, Tag::SampleFormat, SAMPLES_MAX)?.unwrap_or_default();
    // 1 is unsigned, 4 undefined, which everybody reads as unsigned.
    match formats.iter().find(|format| !matches!(format, 1 | 4)) {
        Some(2) => return Err(unsupported("signed samples")),
        Some(3) => return Err(unsupported("floating point samples")),
        Some(other) => return Err(unsupported(format!("sample format {other}"))),
        None => {}
    }
    if structure.number(from, Tag::PlanarConfiguration)?.unwrap_or(1) == 2 && 1 < samples {
        return Err(unsupported("planar configuration 2 (separate planes)"));
    }
    if structure.number(from, Tag::FillOrder)?.unwrap_or(1) == 2 {
        return Err(unsupported("fill order 2 (bits reversed)"));
    }
    Ok(())
}

fn photometric(
    structure: &mut Structure,
    from: &Directory,
    compression: Compression,
) -> Result<Photometric, CodecError> {
    let value = structure.number(from, Tag::PhotometricInterpretation)?;
    let name = match value {
        None => return Err(malformed("PhotometricInterpretation is missing")),
        Some(0) => return Ok(Photometric::MinIsWhite),
        Some(1) => return Ok(Photometric::MinIsBlack),
        Some(2) => return Ok(Photometric::Rgb),
        Some(6) => {
            // A JPEG stream has its own; writers often forget the tag.
            let subsampling = match compression {
                Compression::Jpeg => Subsampling::NONE,
                _ => Subsampling::read(structure, from)?,
            };
            let conversion = Conversion::read(structure, from)?;
            return Ok(Photometric::Ycbcr(Box::new(conversion), subsampling));
        }
        Some(3) => "palette",
        Some(4) => "transparency mask",
        Some(5) => "CMYK",
        Some(8) => "CIELAB",
        Some(9) => "ICCLAB",
        Some(10) => "ITULAB",
        Some(32803) => "colour filter array",
        Some(32844) => "LogL",
        Some(32845) => "LogLuv",
        Some(34892) => "linear raw",
        Some(other) => return Err(unsupported(format!("photometric {other}"))),
    };
    Err(unsupported(format!("photometric {name}")))
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
