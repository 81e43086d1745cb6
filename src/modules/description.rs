//! `Description`: what a process says of an image, and what we believe of it: sizes within the limits,
//! levels that shrink, tiles that can be counted.

use serde::{Deserialize, Serialize};

use crate::codecs::{CodecError, DecodeLimits};
use crate::model::{
    ColourModel, ImageInfo, Profile, SampleRange, SampleType, Size, StoredLevel, TileEncoding,
};
use crate::modules::error::ModuleError;
use crate::modules::message::plain;

/// Levels of one image: a side halves 24 times from the largest to 1.
const LEVELS_MAX: usize = 64;

/// The longest side of a stored tile that is offered to clients as it is.
const OFFERED_SIDE_PX_MAX: u32 = 1024;

/// The tile that is offered where the stored one is larger.
const OFFERED_TILE: Size = Size::at_least_one(256, 256);

/// Characters of a format's name.
const FORMAT_CHARS_MAX: usize = 40;

/// An image as a process describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// The format's name for people.
    pub format: String,
    /// Width and height of each level that it decodes, largest first.
    pub levels: Vec<[u32; 2]>,
    /// Width and height of the rectangles that it is best asked for.
    pub tile: [u32; 2],
    /// What the bands mean.
    pub colour: Colour,
    /// Whether one more band, the last, is alpha (unassociated).
    #[serde(default)]
    pub alpha: bool,
    /// The type of the samples that it writes.
    #[serde(default)]
    pub samples: Samples,
    /// Bits of a sample in the file.
    #[serde(default)]
    pub bits: Option<u8>,
    /// What is black and what is white, a pair for each colour band; empty: the type's whole range.
    #[serde(default)]
    pub ranges: Vec<[f32; 2]>,
    /// Bytes of the ICC profile that it wrote into the memory.
    #[serde(default)]
    pub icc_bytes: u64,
}

/// Colour models, as [`ColourModel`] has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// One band, 0 is black.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black; the highest sample is full ink.
    Cmyk,
    /// CIE L*a*b*, as 32-bit floats.
    Lab,
}

/// Types of samples, in the byte order of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Samples {
    /// Bytes.
    #[default]
    U8,
    /// 16 bits, unsigned.
    U16,
    /// 32-bit floats.
    F32,
}

impl Description {
    /// What others may know of the image.
    ///
    /// # Errors
    /// `Broke` where it cannot be so; `Refused` where it is over a limit.
    pub fn info(
        &self,
        icc: Option<Profile>,
        limits: &DecodeLimits,
    ) -> Result<ImageInfo, ModuleError> {
        let levels = self.levels(limits)?;
        let tile = size(self.tile)?;
        over("pixels of a tile", tile.area(), limits.tile_px_max)?;
        for level in &levels {
            over("tiles of a level", tiles(*level, tile), limits.tiles_max)?;
        }
        let (samples, bits) = self.samples()?;
        let colour = match self.colour {
            Colour::Gray => ColourModel::Gray,
            Colour::Rgb => ColourModel::Rgb,
            Colour::Cmyk => ColourModel::Cmyk,
            Colour::Lab => ColourModel::Lab,
        };
        if colour == ColourModel::Lab && samples != SampleType::F32 {
            return Err(ModuleError::broke("CIE L*a*b* in whole numbers"));
        }
        let full = levels.first().copied().unwrap_or(Size::ONE);
        let offered = if tile.longer() <= OFFERED_SIDE_PX_MAX { tile } else { OFFERED_TILE };
        let stored = levels
            .into_iter()
            .map(|size| StoredLevel::in_file(full, size, tile, TileEncoding::Other));
        let stored = ImageInfo::halved_to(stored.collect(), offered);
        Ok(ImageInfo {
            alpha: self.alpha,
            samples,
            bits,
            bands_stored: u16::from(colour.bands()) + u16::from(self.alpha),
            ranges: self.ranges(colour)?,
            icc,
            ..ImageInfo::new(self.format(), stored, offered, colour)
        })
    }

    fn format(&self) -> String {
        plain(&self.format).chars().take(FORMAT_CHARS_MAX).collect()
    }

    fn levels(&self, limits: &DecodeLimits) -> Result<Vec<Size>, ModuleError> {
        if self.levels.is_empty() || LEVELS_MAX < self.levels.len() {
            return Err(ModuleError::broke(format!("{} levels", self.levels.len())));
        }
        let levels: Vec<Size> =
            self.levels.iter().map(|level| size(*level)).collect::<Result<_, _>>()?;
        for (larger, smaller) in levels.iter().zip(levels.iter().skip(1)) {
            if larger == smaller || !smaller.fits(*larger) {
                return Err(ModuleError::broke("a level that is not smaller than the one before"));
            }
        }
        for level in &levels {
            over("pixels of an image's side", level.longer().into(), limits.side_px_max.into())?;
        }
        Ok(levels)
    }

    fn samples(&self) -> Result<(SampleType, u8), ModuleError> {
        let (samples, most) = match self.samples {
            Samples::U8 => (SampleType::U8, 8),
            Samples::U16 => (SampleType::U16, 16),
            Samples::F32 => (SampleType::F32, 64),
        };
        let bits = self.bits.unwrap_or(samples.bytes() * 8);
        if (1..=most).contains(&bits) {
            return Ok((samples, bits));
        }
        Err(ModuleError::broke(format!("{bits} bits in samples of {samples:?}")))
    }

    fn ranges(&self, colour: ColourModel) -> Result<Vec<SampleRange>, ModuleError> {
        let is_whole = self.ranges.is_empty() || self.ranges.len() == usize::from(colour.bands());
        let is_finite = self.ranges.iter().flatten().all(|end| end.is_finite());
        let rises = self.ranges.iter().all(|[black, white]| black <= white);
        if !(is_whole && is_finite && rises) {
            return Err(ModuleError::broke("ranges that are none"));
        }
        Ok(self.ranges.iter().map(|&[black, white]| SampleRange { black, white }).collect())
    }
}

fn size([width, height]: [u32; 2]) -> Result<Size, ModuleError> {
    let none = || ModuleError::broke(format!("a size of {width}x{height}"));
    Size::new(width, height).ok_or_else(none)
}

fn tiles(level: Size, tile: Size) -> u64 {
    let columns = level.width().div_ceil(tile.width());
    u64::from(columns) * u64::from(level.height().div_ceil(tile.height()))
}

fn over(what: &'static str, value: u64, limit: u64) -> Result<(), ModuleError> {
    if value <= limit {
        return Ok(());
    }
    Err(ModuleError::Refused(CodecError::OverLimit { what, value, limit }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn honest() -> Description {
        Description {
            format: "PCX".to_owned(),
            levels: vec![[1000, 600], [500, 300]],
            tile: [512, 512],
            colour: Colour::Rgb,
            alpha: true,
            samples: Samples::U8,
            bits: None,
            ranges: Vec::new(),
            icc_bytes: 0,
        }
    }

    fn info(description: &Description) -> Result<ImageInfo, ModuleError> {
        description.info(None, &DecodeLimits::default())
    }

    #[test]
    fn an_honest_description_is_an_image_whose_missing_levels_are_made() {
        let known = info(&honest()).unwrap();
        let sizes: Vec<_> =
            known.stored.iter().map(|level| (level.size.width(), level.made_from)).collect();
        assert_eq!(sizes, [(1000, None), (500, None)]);
        assert_eq!((known.container.as_ref(), known.bits, known.bands()), ("PCX", 8, 4));
        let whole = Description { tile: [1000, 600], levels: vec![[1000, 600]], ..honest() };
        assert_eq!(info(&whole).unwrap().tile, Size::new(1000, 600).unwrap());
        let wide = Description { tile: [4000, 600], levels: vec![[4000, 600]], ..honest() };
        let wide = info(&wide).unwrap();
        assert_eq!((wide.tile, wide.stored.len()), (OFFERED_TILE, 5));
        let float = Description { samples: Samples::F32, colour: Colour::Lab, ..honest() };
        assert_eq!(info(&float).unwrap().bits, 32);
    }

    #[test]
    fn what_cannot_be_is_a_broken_protocol() {
        let lies = [
            Description { levels: Vec::new(), ..honest() },
            Description { levels: vec![[1, 1]; 65], ..honest() },
            Description { levels: vec![[0, 600]], ..honest() },
            Description { levels: vec![[1000, 0]], ..honest() },
            Description { levels: vec![[1000, 600], [1000, 600]], ..honest() },
            Description { levels: vec![[1000, 600], [1001, 300]], ..honest() },
            Description { levels: vec![[500, 300], [1000, 600]], ..honest() },
            Description { tile: [0, 0], ..honest() },
            Description { bits: Some(0), ..honest() },
            Description { bits: Some(9), ..honest() },
            Description { samples: Samples::U16, bits: Some(17), ..honest() },
            Description { colour: Colour::Lab, ..honest() },
            Description { ranges: vec![[0.0, 1.0]], ..honest() },
            Description { ranges: vec![[0.0, f32::NAN]; 3], ..honest() },
            Description { ranges: vec![[0.0, f32::INFINITY]; 3], ..honest() },
            Description { ranges: vec![[2.0, 1.0]; 3], ..honest() },
        ];
        for lie in lies {
            let error = info(&lie).unwrap_err();
            assert!(matches!(error, ModuleError::Broke { .. }), "{lie:?}: {error}");
        }
    }

    #[test]
    fn what_is_too_large_is_over_a_limit_before_anything_is_allocated() {
        let large = [
            Description { levels: vec![[10_000_001, 1]], ..honest() },
            Description { levels: vec![[u32::MAX, u32::MAX]], tile: [1, 1], ..honest() },
            Description { tile: [9000, 9000], ..honest() },
            Description { levels: vec![[9_000_000, 9_000_000]], tile: [64, 64], ..honest() },
        ];
        for description in large {
            let error = info(&description).unwrap_err();
            let refused = ModuleError::Refused(CodecError::malformed("", ""));
            assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&refused));
            assert!(error.to_string().contains("over the limit"), "{error}");
        }
    }

    #[test]
    fn names_of_formats_are_short_and_plain() {
        let long = Description { format: format!("a\n/etc {}", "b".repeat(99)), ..honest() };
        let known = info(&long).unwrap();
        assert!(known.container.starts_with("a ... bbb") && known.container.len() == 40);
    }
}
