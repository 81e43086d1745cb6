//! `Pixels`: a raster of whichever sample type the image has.

use crate::imaging::error::ImagingError;
use crate::imaging::raster::Raster;
use crate::model::{ColourModel, SampleType, Size};

/// A raster of one of the three sample types.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// 0 to 255.
    U8(Raster<u8>),
    /// 0 to 65535.
    U16(Raster<u16>),
    /// In the units of the file; NaN is no data.
    F32(Raster<f32>),
}

impl Pixels {
    /// Width and height in pixels.
    pub const fn size(&self) -> Size {
        match self {
            Self::U8(raster) => raster.size(),
            Self::U16(raster) => raster.size(),
            Self::F32(raster) => raster.size(),
        }
    }

    /// What the bands before alpha mean.
    pub const fn colour(&self) -> ColourModel {
        match self {
            Self::U8(raster) => raster.colour(),
            Self::U16(raster) => raster.colour(),
            Self::F32(raster) => raster.colour(),
        }
    }

    /// Whether the last band is alpha.
    pub const fn alpha(&self) -> bool {
        match self {
            Self::U8(raster) => raster.alpha(),
            Self::U16(raster) => raster.alpha(),
            Self::F32(raster) => raster.alpha(),
        }
    }

    /// The type of the samples.
    pub const fn sample_type(&self) -> SampleType {
        match self {
            Self::U8(_) => SampleType::U8,
            Self::U16(_) => SampleType::U16,
            Self::F32(_) => SampleType::F32,
        }
    }

    /// Bytes that the samples take in memory.
    pub fn bytes(&self) -> u64 {
        let samples = match self {
            Self::U8(raster) => raster.samples().len(),
            Self::U16(raster) => raster.samples().len(),
            Self::F32(raster) => raster.samples().len(),
        };
        let samples = u64::try_from(samples).unwrap_or(u64::MAX);
        samples.saturating_mul(self.sample_type().bytes().into())
    }

    /// The raster, where its samples are bytes: what everything behind [`crate::imaging::to_bytes()`]
    /// works on.
    ///
    /// # Errors
    /// Where they are not.
    pub fn into_bytes(self) -> Result<Raster, ImagingError> {
        match self {
            Self::U8(raster) => Ok(raster),
            other => Err(ImagingError::SampleType { found: other.sample_type() }),
        }
    }
}

impl From<Raster> for Pixels {
    fn from(raster: Raster) -> Self {
        Self::U8(raster)
    }
}
