//! How a picture becomes a file: format, the encoder's settings, and what goes with it.

use crate::imaging::Step;
use crate::model::image_info::Resolution;
use crate::model::request::Frame;
use crate::model::request::PictureRequest;
use crate::model::{ColourRule, Depth, Format, ImageInfo, Size, Subsampling, TiffCompression};
use crate::plan::class::RequestClass;
use crate::plan::error::PlanError;
use crate::plan::rules::Rules;
use crate::plan::view::View;

/// What the encoder is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EncodePlan {
    /// The format.
    pub format: Format,
    /// JPEG: quality 1 to 100. WebP: quality 0 to 100, -1 lossless. PNG: Deflate level 0 to 9. AVIF: quality
    /// 0 to 100, -1 the least losses. TIFF: what its compression takes.
    pub quality: i8,
    /// Colours of JPEG, also in TIFF.
    pub subsampling: Subsampling,
    /// Whether a JPEG is made as small as can be.
    pub trellis: bool,
    /// The blocks of a TIFF.
    pub compression: TiffCompression,
    /// Whether the image's ICC profile goes with it.
    pub embed_icc: bool,
    /// Whether what the source says in words and blocks goes with it.
    pub metadata: bool,
    /// Pixels a metre of the answer, where it tells them.
    pub resolution: Option<Resolution>,
}

/// The request with what the rules say where it says nothing: behind this, a TIFF has a compression, one
/// that can hold it.
pub(super) fn settled(request: &PictureRequest, rules: &Rules) -> PictureRequest {
    let by_rule = if rules.tiff_compression.is_lossy() && request.depth != Depth::Eight {
        TiffCompression::default()
    } else {
        rules.tiff_compression
    };
    let is_tiff = request.format == Format::Tiff;
    let tiff_compression = is_tiff.then(|| request.tiff_compression.unwrap_or(by_rule));
    PictureRequest { tiff_compression, ..request.clone() }
}

/// The request's wishes within the rules. A quality for PNG is not obeyed: PNG loses nothing, and what
/// clients send is meant for JPEG (75 as a Deflate level would be the slowest). So with TIFF, unless the
/// client named the compression.
pub(super) fn encode(
    asked: &PictureRequest,
    info: &ImageInfo,
    rules: &Rules,
    steps: &[Step],
    (view, class): (&View, RequestClass),
) -> EncodePlan {
    let request = settled(asked, rules);
    let wish = request.encoder_quality.map(|quality| quality.clamp(-1, 100));
    let compression = request.tiff_compression.unwrap_or_default();
    let jpeg_quality = wish.unwrap_or(signed(rules.jpeg_quality)).clamp(1, 100);
    let webp_quality = wish.unwrap_or(rules.webp_quality);
    let quality = match request.format {
        Format::Jpeg | Format::Pdf => jpeg_quality,
        Format::Gif | Format::Jxl => 0,
        Format::Webp => webp_quality,
        Format::Avif => wish.unwrap_or(rules.avif_quality),
        Format::Png => signed(rules.png_level),
        Format::Tiff => tiff_quality(compression, wish, asked.tiff_compression.is_some(), rules),
    };
    let tells = tells(&request, view, class, info);
    let resolution = info
        .resolution
        .filter(|_| tells)
        .and_then(|resolution| shown_at(resolution, view, &request));
    let profile_bytes = info.icc.as_ref().and_then(|profile| u64::try_from(profile.len()).ok());
    // Under the other rule answers are sRGB, and say so by having no profile.
    let embed_icc = colour_rule(request.format, rules) == ColourRule::Embed
        && profile_bytes.is_some_and(|bytes| bytes <= rules.icc_bytes_max)
        && !steps.iter().any(Step::changes_colours);
    EncodePlan {
        format: request.format,
        quality,
        subsampling: rules.jpeg_subsampling,
        trellis: rules.jpeg_trellis && matches!(class, RequestClass::Region | RequestClass::Full),
        compression,
        embed_icc,
        metadata: tells && !info.metadata.is_empty(),
        resolution,
    }
}

/// What a compression is told: its word's number where the client named it, else the rule's, else what is
/// fast, or what the format alone would be told.
fn tiff_quality(
    compression: TiffCompression,
    wish: Option<i8>,
    is_named: bool,
    rules: &Rules,
) -> i8 {
    let ruled = Some(rules.tiff_quality).filter(|quality| 0 <= *quality);
    let level = wish.filter(|_| is_named).or(ruled);
    match compression {
        TiffCompression::None | TiffCompression::Lzw => 0,
        TiffCompression::Deflate => level.unwrap_or(1).clamp(1, 9),
        TiffCompression::Zstd => level.unwrap_or(1).clamp(1, 19),
        TiffCompression::Jpeg => wish.or(ruled).unwrap_or(signed(rules.jpeg_quality)).clamp(1, 100),
        TiffCompression::Webp => wish.or(ruled).unwrap_or(rules.webp_quality),
    }
}

/// Whether an answer says what its source says: one to be kept, and no piece of a viewer's picture, which
/// all of them would make much larger.
fn tells(request: &PictureRequest, view: &View, class: RequestClass, info: &ImageInfo) -> bool {
    let is_whole = view.size == info.size && matches!(request.frame, Frame::Region { .. });
    let is_large = matches!(class, RequestClass::Region | RequestClass::Full);
    request.is_export || is_large || is_whole
}

/// The resolution of the image as the view shows it, turned; nothing where it has no columns and rows of its
/// own any more.
fn shown_at(image: Resolution, view: &View, request: &PictureRequest) -> Option<Resolution> {
    let along = |per_metre: f64, shown: u32, of: u32| per_metre * f64::from(shown) / f64::from(of);
    let (shown, of) = (view.size, view.region);
    let scaled = Resolution {
        x_per_metre: along(image.x_per_metre, shown.width(), of.width()),
        y_per_metre: along(image.y_per_metre, shown.height(), of.height()),
    };
    if !request.tilt.is_none() {
        // Columns and rows are the same then, or there is no word for it.
        return scaled.is_square().then_some(scaled);
    }
    Some(if request.rotation.swaps_sides() { scaled.turned() } else { scaled })
}

/// The rule for colours of answers in a format: without a profile they can only be sRGB.
pub(super) fn colour_rule(format: Format, rules: &Rules) -> ColourRule {
    if format.has_profile() { rules.colour } else { ColourRule::Convert }
}

fn signed(quality: u8) -> i8 {
    i8::try_from(quality).unwrap_or(i8::MAX)
}

/// Refuses what the format itself cannot hold, before a pixel is touched.
///
/// # Errors
/// A side beyond the format's own limits.
pub(super) fn check_sides(request: &PictureRequest, size: Size) -> Result<(), PlanError> {
    let format = request.format;
    let limit_px = match (format, request.tiff_compression) {
        // libjpeg's JPEG_MAX_DIMENSION.
        (Format::Jpeg | Format::Pdf, _) | (Format::Tiff, Some(TiffCompression::Jpeg)) => 65_500,
        // RFC 9649, section 2.6: 14 bits a side; libwebp's WEBP_MAX_DIMENSION.
        (Format::Webp, _) | (Format::Tiff, Some(TiffCompression::Webp)) => 16_383,
        // PNG (third edition), section 11.2.1: 31 bits a side.
        (Format::Png, _) => 0x7fff_ffff,
        // AV1 specification, section 5.5.1: 16 bits a side, and rav1e takes no 65536. GIF89a, section 18.
        // Beyond this JPEG XL was not tried.
        (Format::Avif | Format::Gif | Format::Jxl, _) => 65_535,
        // TIFF 6.0, section 2: 32 bits a side.
        (Format::Tiff, _) => u32::MAX,
    };
    if limit_px < size.longer() {
        return Err(PlanError::FormatOverLimit { size, format, limit_px });
    }
    // zune-jpegxl takes no side of one pixel.
    if format == Format::Jxl && size.width().min(size.height()) < 2 {
        return Err(PlanError::FormatUnderLimit { size, format, limit_px: 2 });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::request::{Frame, Quality, Region, Rotation, SizeForm};
    use crate::model::{ColourModel, Field, Metadata};
    use crate::plan::fixtures::{iiif, jpeg, planned_by, profile, pyramid};

    fn request(format: Format, encoder_quality: Option<i8>) -> PictureRequest {
        let tile = jpeg(Frame::IipTile { resolution: 0, index: 0 });
        PictureRequest { format, encoder_quality, ..tile }
    }

    #[test]
    fn a_wished_quality_is_obeyed_where_the_format_has_one() {
        let info = pyramid((200, 200), 256);
        for (format, wish, expected) in [
            (Format::Jpeg, None, 75),
            (Format::Jpeg, Some(0), 1),
            (Format::Jpeg, Some(127), 100),
            (Format::Webp, None, 50),
            (Format::Webp, Some(0), 0),
            (Format::Png, Some(75), 1),
            (Format::Webp, Some(-1), -1),
            (Format::Jpeg, Some(-1), 1),
            (Format::Avif, None, 50),
            (Format::Avif, Some(-1), -1),
            (Format::Tiff, Some(75), 1),
        ] {
            let plan = planned_by(&request(format, wish), &info, &Rules::default()).unwrap().encode;
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
    fn a_tiff_is_compressed_as_the_client_or_the_rule_says() {
        let info = pyramid((200, 200), 256);
        let rules = |tiff_compression, tiff_quality| Rules {
            tiff_compression,
            tiff_quality,
            ..Rules::default()
        };
        let (deflate, jpeg) = (TiffCompression::Deflate, TiffCompression::Jpeg);
        let (webp, zstd) = (TiffCompression::Webp, TiffCompression::Zstd);
        for (wish, named, rules, expected) in [
            (None, None, rules(deflate, -1), (deflate, 1)),
            (Some(75), None, rules(deflate, 6), (deflate, 6)),
            (Some(75), Some(deflate), rules(jpeg, -1), (deflate, 9)),
            (Some(75), Some(zstd), rules(jpeg, -1), (zstd, 19)),
            (None, None, rules(jpeg, -1), (jpeg, 75)),
            (Some(40), None, rules(jpeg, 90), (jpeg, 40)),
            (None, None, rules(jpeg, 90), (jpeg, 90)),
            (Some(-1), Some(webp), rules(jpeg, 90), (webp, -1)),
            (Some(0), Some(TiffCompression::Lzw), rules(jpeg, 90), (TiffCompression::Lzw, 0)),
        ] {
            let asked = PictureRequest { tiff_compression: named, ..request(Format::Tiff, wish) };
            let plan = planned_by(&asked, &info, &rules).unwrap().encode;
            assert_eq!((plan.compression, plan.quality), expected, "{wish:?} {named:?}");
        }
    }

    #[test]
    fn answers_to_be_kept_tell_what_their_source_does_and_tiles_do_not() {
        let mut metadata = Metadata::default();
        metadata.add(Field::Rights, "Ada");
        let mut info = ImageInfo {
            metadata: Arc::new(metadata),
            resolution: Some(Resolution { x_per_metre: 400.0, y_per_metre: 800.0 }),
            ..pyramid((2000, 1600), 256)
        };
        let plan = |frame, is_export, info: &ImageInfo| {
            let request = PictureRequest { is_export, rotation: Rotation::Quarter, ..jpeg(frame) };
            planned_by(&request, info, &Rules::default()).unwrap().encode
        };
        let half = iiif(Region::Full, SizeForm::Width(1000));
        let encode = plan(half, false, &info);
        assert!(encode.metadata);
        let resolution = encode.resolution.unwrap();
        assert!((resolution.x_per_metre - 400.0).abs() < 1e-9, "turned: {resolution:?}");
        assert!((resolution.y_per_metre - 200.0).abs() < 1e-9);
        let thumbnail = iiif(Region::Full, SizeForm::Width(200));
        let tile = Frame::IipTile { resolution: 0, index: 0 };
        for frame in [thumbnail, tile] {
            let encode = plan(frame, false, &info);
            assert!(!encode.metadata && encode.resolution.is_none(), "{frame:?}");
        }
        assert!(plan(thumbnail, true, &info).metadata);
        info.metadata = Arc::default();
        assert!(!plan(half, false, &info).metadata);
    }

    #[test]
    fn a_side_that_the_format_cannot_hold_is_refused() {
        let size = Size::new(16_384, 1).unwrap();
        check_sides(&request(Format::Jpeg, None), size).unwrap();
        let error = check_sides(&request(Format::Webp, None), size).unwrap_err();
        assert_eq!(error.fault().kind.status(), 400);
        assert!(error.to_string().contains("16383 pixels a side that webp can hold"), "{error}");
    }
}
