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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::{Frame, Quality};
    use crate::plan::fixtures::{jpeg, pyramid};

    fn request(format: Format, encoder_quality: Option<u8>) -> PictureRequest {
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        PictureRequest { format, encoder_quality, ..tile }
    }

    #[test]
    fn a_wished_quality_is_obeyed_where_the_format_has_one() {
        let info = pyramid((200, 200), 256);
        for (format, wish, expected) in [
            (Format::Jpeg, None, 75),
            (Format::Jpeg, Some(0), 1),
            (Format::Jpeg, Some(255), 100),
            (Format::Webp, None, 50),
            (Format::Webp, Some(0), 0),
            (Format::Png, Some(75), 1),
        ] {
            let plan = encode(&request(format, wish), &info, &Rules::default());
            assert_eq!(plan.quality, expected, "{format:?} {wish:?}");
        }
    }

    #[test]
    fn a_profile_goes_only_with_samples_that_it_is_true_of() {
        let mut info = pyramid((200, 200), 256);
        let rules = Rules { icc_bytes_max: 10, ..Rules::default() };
        let embeds = |quality, info: &ImageInfo| {
            let request = PictureRequest { quality, ..request(Format::Jpeg, None) };
            encode(&request, info, &rules).embed_icc
        };
        assert!(!embeds(Quality::Default, &info));
        info.icc = Some([0; 10].into());
        assert!(embeds(Quality::Default, &info) && embeds(Quality::Color, &info));
        assert!(!embeds(Quality::Gray, &info) && !embeds(Quality::Bitonal, &info));
        info.icc = Some([0; 11].into());
        assert!(!embeds(Quality::Default, &info));
    }

    #[test]
    fn a_side_that_the_format_cannot_hold_is_refused() {
        let size = Size::new(16_384, 1).unwrap();
        check_sides(Format::Jpeg, size).unwrap();
        let error = check_sides(Format::Webp, size).unwrap_err();
        assert_eq!(error.fault().kind.status(), 400);
        assert!(error.to_string().contains("16383 pixels a side that webp can hold"), "{error}");
    }
}
