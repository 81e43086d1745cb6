//! `info.json`: IIIF Image API 3.0, section 5; 2.1, section 5. What it lists is served, and what is
//! served beyond level 2 it lists.

use serde::Serialize;

use crate::model::{ColourModel, Format, ImageInfo, Limits};
use crate::protocols::settings::IiifVersion;

const PROTOCOL: &str = "http://iiif.io/api/image";

/// The document that describes level 2 of a version.
pub(crate) const fn profile_uri(version: IiifVersion) -> &'static str {
    match version {
        IiifVersion::V2 => "http://iiif.io/api/image/2/level2.json",
        IiifVersion::V3 => "http://iiif.io/api/image/3/level2.json",
    }
}

/// The description in version 3.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Version3<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    id: &'a str,
    r#type: &'static str,
    protocol: &'static str,
    profile: &'static str,
    #[serde(flatten)]
    pyramid: Pyramid,
    max_width: u32,
    max_height: u32,
    extra_qualities: &'static [&'static str],
    extra_formats: [&'static str; 3],
    extra_features: Vec<&'static str>,
}

/// The description in version 2.1.
#[derive(Debug, Serialize)]
struct Version2<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: &'a str,
    #[serde(rename = "@type")]
    r#type: &'static str,
    protocol: &'static str,
    #[serde(flatten)]
    pyramid: Pyramid,
    profile: (&'static str, Profile2),
}

/// What version 2.1 adds to its level.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Profile2 {
    formats: [&'static str; 5],
    qualities: Vec<&'static str>,
    supports: Vec<&'static str>,
    max_width: u32,
    max_height: u32,
}

/// The part that both versions share.
#[derive(Debug, Serialize)]
struct Pyramid {
    width: u32,
    height: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<WholeSize>,
    tiles: [Tiles; 1],
}

#[derive(Debug, Serialize)]
struct WholeSize {
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tiles {
    width: u32,
    height: u32,
    scale_factors: Vec<u64>,
}

/// The description in version 3.
pub(crate) fn version_3(base_uri: &str, info: &ImageInfo, limits: &Limits) -> String {
    let mut extra_features = vec!["canonicalLinkHeader", "mirroring", "profileLinkHeader"];
    if limits.upscaling_allowed {
        extra_features.push("sizeUpscaling");
    }
    print(&Version3 {
        context: "http://iiif.io/api/image/3/context.json",
        id: base_uri,
        r#type: "ImageService3",
        protocol: PROTOCOL,
        profile: "level2",
        pyramid: pyramid(info, limits),
        max_width: limits.output_side_px_max,
        max_height: limits.output_side_px_max,
        extra_qualities: extra_qualities(info),
        // Beyond jpg and png, which level 2 has.
        extra_formats: [Format::Avif, Format::Tiff, Format::Webp].map(Format::suffix),
        extra_features,
    })
}

/// The description in version 2.1.
pub(crate) fn version_2(base_uri: &str, info: &ImageInfo, limits: &Limits) -> String {
    let mut supports =
        vec!["canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare"];
    if limits.upscaling_allowed {
        supports.push("sizeAboveFull");
    }
    let mut qualities = vec!["default"];
    qualities.extend(extra_qualities(info));
    let profile = Profile2 {
        formats: Format::ALL.map(Format::suffix),
        qualities,
        supports,
        max_width: limits.output_side_px_max,
        max_height: limits.output_side_px_max,
    };
    print(&Version2 {
        context: "http://iiif.io/api/image/2/context.json",
        id: base_uri,
        r#type: "iiif:Image",
        protocol: PROTOCOL,
        pyramid: pyramid(info, limits),
        profile: (profile_uri(IiifVersion::V2), profile),
    })
}

fn print(document: &impl Serialize) -> String {
    // Only a map whose keys are no text could fail, and there is none.
    serde_json::to_string(document).unwrap_or_default()
}

fn pyramid(info: &ImageInfo, limits: &Limits) -> Pyramid {
    let side_px_max = limits.output_side_px_max;
    // Smallest first, and only what may be asked whole.
    let sizes = info.levels.iter().rev().map(|level| level.size);
    let sizes = sizes.filter(|size| size.longer() <= side_px_max);
    let levels = u32::try_from(info.levels.len()).unwrap_or(u32::MAX);
    let tiles = Tiles {
        width: info.tile.width().min(side_px_max),
        height: info.tile.height().min(side_px_max),
        // Viewers match `sizes` with the factors only where these rise.
        scale_factors: (0..levels).map_while(|steps| 1_u64.checked_shl(steps)).collect(),
    };
    Pyramid {
        width: info.size.width(),
        height: info.size.height(),
        sizes: sizes.map(|size| WholeSize { width: size.width(), height: size.height() }).collect(),
        tiles: [tiles],
    }
}

/// Qualities beside `default`: `color` is not listed for an image that has none.
const fn extra_qualities(info: &ImageInfo) -> &'static [&'static str] {
    match info.colour.shown() {
        ColourModel::Gray => &["gray", "bitonal"],
        _ => &["color", "gray", "bitonal"],
    }
}
