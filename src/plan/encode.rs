//! How a picture becomes a file: format, the encoder's setting, colour profile.

use crate::model::request::PictureRequest;
use crate::model::{Format, ImageInfo, Size};
use crate::plan::error::PlanError;
use crate::plan::rules::Rules;
use crate::plan::steps::keeps_colours;

/// What the encoder is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodePlan {
    /// The format.
    pub format: Format,
    /// JPEG: quality 1 to 100. WebP: quality 0 to 100, -1 lossless. PNG: Deflate level 0 to 9.
    pub quality: i8,
    /// Whether the image's ICC profile goes with it.
    pub embed_icc: bool,
}

/// The request's wishes within the rules. A quality for PNG is not obeyed: PNG loses nothing, and what
/// clients send is meant for JPEG (75 as a Deflate level would be the slowest).
pub(super) fn encode(request: &PictureRequest, info: &ImageInfo, rules: &Rules) -> EncodePlan {
    let wish = request.encoder_quality.map(|quality| quality.min(100));
    let quality = match request.format {
        Format::Jpeg => signed(wish.unwrap_or(rules.jpeg_quality).clamp(1, 100)),
        Format::Webp => wish.map_or(rules.webp_quality, signed),
        Format::Png => signed(rules.png_level),
    };
    let profile_bytes = info.icc.as_ref().and_then(|profile| u64::try_from(profile.len()).ok());
    let embed_icc = profile_bytes.is_some_and(|bytes| bytes <= rules.icc_bytes_max)
        && keeps_colours(request.quality, info.colour);
    EncodePlan { format: request.format, quality, embed_icc }
}

fn signed(quality: u8) -> i8 {
    i8::try_from(quality).unwrap_or(i8::MAX)
}

/// Refuses what the format itself cannot hold, before a pixel is touched.
///
/// # Errors
/// A side above the format's own limit.
pub(super) fn check_sides(format: Format, size: Size) -> Result<(), PlanError> {
    let limit_px = match format {
        // libjpeg's JPEG_MAX_DIMENSION.
        Format::Jpeg => 65_500,
        // RFC 9649, section 2.6: 14 bits a side; libwebp's WEBP_MAX_DIMENSION.
        Format::Webp => 16_383,
        // PNG (third edition), section 11.2.1: 31 bits a side.
        Format::Png => 0x7fff_ffff,
    };
    if size.longer() <= limit_px {
        Ok(())
    } else {
        Err(PlanError::FormatOverLimit { size, format, limit_px })
    }
}
