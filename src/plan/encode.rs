//! How a picture becomes a file: format, the encoder's setting, colour profile.

use crate::imaging::Step;
use crate::model::request::PictureRequest;
use crate::model::{ColourRule, Format, ImageInfo, Size};
use crate::plan::error::PlanError;
use crate::plan::rules::Rules;

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
pub(super) fn encode(
    request: &PictureRequest,
    info: &ImageInfo,
    rules: &Rules,
    steps: &[Step],
) -> EncodePlan {
    let wish = request.encoder_quality.map(|quality| quality.min(100));
    let quality = match request.format {
        Format::Jpeg => signed(wish.unwrap_or(rules.jpeg_quality).clamp(1, 100)),
        Format::Webp => wish.map_or(rules.webp_quality, signed),
        Format::Png => signed(rules.png_level),
    };
    let profile_bytes = info.icc.as_ref().and_then(|profile| u64::try_from(profile.len()).ok());
    // Under the other rule answers are sRGB, and say so by having no profile.
    let embed_icc = rules.colour == ColourRule::Embed
        && profile_bytes.is_some_and(|bytes| bytes <= rules.icc_bytes_max)
        && !steps.iter().any(Step::changes_colours);
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
    use crate::model::ColourModel;
    use crate::model::request::{Frame, Quality};
    use crate::plan::fixtures::{jpeg, planned_by, profile, pyramid};

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
            let plan = encode(&request(format, wish), &info, &Rules::default(), &[]);
            assert_eq!(plan.quality, expected, "{format:?} {wish:?}");
        }
    }

    #[test]
    fn a_profile_goes_only_with_samples_that_it_is_true_of() {
        let mut info = pyramid((200, 200), 256);
        let rules = Rules { icc_bytes_max: 10, ..Rules::default() };
        let embeds_by = |rules: &Rules, quality, info: &ImageInfo| {
            let request = PictureRequest { quality, ..request(Format::Jpeg, None) };
            planned_by(&request, info, rules).unwrap().encode.embed_icc
        };
        let embeds = |quality, info: &ImageInfo| embeds_by(&rules, quality, info);
        assert!(!embeds(Quality::Default, &info));
        info.icc = Some(profile(Some(ColourModel::Rgb), false));
        assert!(embeds(Quality::Default, &info) && embeds(Quality::Color, &info));
        assert!(!embeds(Quality::Gray, &info) && !embeds(Quality::Bitonal, &info));
        let shorter = Rules { icc_bytes_max: 9, ..rules.clone() };
        assert!(!embeds_by(&shorter, Quality::Default, &info));
        for is_srgb in [false, true] {
            let convert = Rules { colour: ColourRule::Convert, ..rules.clone() };
            info.icc = Some(profile(Some(ColourModel::Rgb), is_srgb));
            assert!(!embeds_by(&convert, Quality::Default, &info), "{is_srgb}");
        }
        for colour in [ColourModel::Cmyk, ColourModel::Lab] {
            info.colour = colour;
            info.icc = Some(profile(Some(colour), false));
            assert!(!embeds(Quality::Default, &info), "{colour:?}");
        }
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
