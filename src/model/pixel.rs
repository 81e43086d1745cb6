//! What a decoded pixel is made of: colour model, sample type, and which values are black and white.

/// How the samples of a pixel are to be read once decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ColourModel {
    /// One band, 0 is black.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Cyan, magenta, yellow, black: ink, the highest sample is full ink.
    Cmyk,
    /// CIE L*a*b* with white point D50: lightness 0 to 100, red to green and yellow to blue about -128 to
    /// 127. Always [`SampleType::F32`] in these units, whatever the file holds; alpha is 0 to 1 there.
    Lab,
    /// So many bands without a meaning: all that a file stores, for a matrix to choose from
    /// ([`crate::model::Bands`]).
    Multi(u8),
}

impl ColourModel {
    /// Bands without alpha.
    pub const fn bands(self) -> u8 {
        match self {
            Self::Gray => 1,
            Self::Rgb | Self::Lab => 3,
            Self::Cmyk => 4,
            Self::Multi(bands) => bands,
        }
    }

    /// What a screen is shown of it: gray stays gray, as does one of two bands; all else becomes RGB.
    pub const fn shown(self) -> Self {
        match self {
            Self::Gray | Self::Multi(0..=2) => Self::Gray,
            Self::Rgb | Self::Cmyk | Self::Lab | Self::Multi(_) => Self::Rgb,
        }
    }
}

/// The type of a decoded sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SampleType {
    /// Unsigned, up to 8 bit as stored; fewer bits are scaled to 0 to 255.
    #[default]
    U8,
    /// Unsigned, 9 to 16 bit as stored; fewer bits are scaled to 0 to 65535.
    U16,
    /// Anything else, in the units of the file: signed, longer, or floating point. NaN is no data.
    F32,
}

impl SampleType {
    /// Bytes of a sample in memory.
    pub const fn bytes(self) -> u8 {
        match self {
            Self::U8 => 1,
            Self::U16 => 2,
            Self::F32 => 4,
        }
    }

    /// The whole range of an unsigned type; 0 to 1 for the others, as iipsrv takes floats.
    pub const fn full_range(self) -> SampleRange {
        let white = match self {
            Self::U8 => 255.0,
            Self::U16 => 65_535.0,
            Self::F32 => 1.0,
        };
        SampleRange { black: 0.0, white }
    }
}

/// The decoded samples of a band that are shown as black and as white.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SampleRange {
    /// Shown as 0, as is all below.
    pub black: f32,
    /// Shown as 255, as is all above; may equal `black` where a picture has one value only.
    pub white: f32,
}
