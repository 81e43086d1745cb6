//! `Rules`: the settings that decide between several right answers.

use crate::model::{ColourRule, Filter, Limits, Subsampling, TiffCompression};
use crate::plan::pass_through::PassThrough;
use crate::plan::watermark::Watermarks;

/// What the operator has set. Part of every key as far as it changes bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// What one answer may ask for at most.
    pub limits: Limits,
    /// Quality of JPEG answers where the client sets none, 1 to 100 (`JPEG_QUALITY`).
    pub jpeg_quality: u8,
    /// Deflate level of PNG answers, 0 to 9 (`PNG_QUALITY`).
    pub png_level: u8,
    /// Quality of WebP answers where the client sets none, 0 to 100, -1 lossless (`WEBP_QUALITY`).
    pub webp_quality: i8,
    /// Quality of AVIF answers where the client sets none, 0 to 100, -1 the least losses (`AVIF_QUALITY`).
    pub avif_quality: i8,
    /// Colours of JPEG answers.
    pub jpeg_subsampling: Subsampling,
    /// Whether large JPEG answers are made as small as can be.
    pub jpeg_trellis: bool,
    /// Compression of TIFF answers where the client names none (`TIFF_COMPRESSION`).
    pub tiff_compression: TiffCompression,
    /// What it is told, -1 what is fast or the format's own (`TIFF_QUALITY`).
    pub tiff_quality: i8,
    /// Whether stored tiles are sent as they are.
    pub pass_through: PassThrough,
    /// How pixels are weighted where the size changes (`INTERPOLATION`).
    pub filter: Filter,
    /// What lies under an answer that cannot be transparent: red, green, blue.
    pub background: [u8; 3],
    /// Whether [`Quality::Bitonal`](crate::model::request::Quality::Bitonal) is dithered.
    pub dither: bool,
    /// What is done with the colours of an image that has an ICC profile.
    pub colour: ColourRule,
    /// Bytes of the largest ICC profile that is embedded; 0 embeds none (`MAX_ICC`).
    pub icc_bytes_max: u64,
    /// Which images are marked, and how (`WATERMARK`).
    pub watermarks: Watermarks,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            jpeg_quality: 75,
            png_level: 1,
            webp_quality: 50,
            avif_quality: 50,
            jpeg_subsampling: Subsampling::default(),
            jpeg_trellis: false,
            tiff_compression: TiffCompression::default(),
            tiff_quality: -1,
            pass_through: PassThrough::On { bytes_max: None },
            filter: Filter::default(),
            background: [255; 3],
            dither: false,
            colour: ColourRule::default(),
            icc_bytes_max: 65_535,
            watermarks: Watermarks::default(),
        }
    }
}
