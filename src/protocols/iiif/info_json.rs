//! `info.json`: IIIF Image API 3.0, section 5; 2.1, section 5; 1.1, section 5. What it lists is served, and
//! what is served beyond level 2 it lists.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{ColourModel, Field, Format, ImageInfo};
use crate::protocols::iiif::quality::{EXTENSIONS, FORMATS_1};
use crate::protocols::iiif::rights;
use crate::protocols::settings::{IiifVersion, Settings};

const PROTOCOL: &str = "http://iiif.io/api/image";

/// The document that describes level 2 of a version.
pub(crate) const fn profile_uri(version: IiifVersion) -> &'static str {
    match version {
        IiifVersion::V1 => "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2",
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
    #[serde(flatten)]
    limits: Bounds,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    preferred_formats: Vec<&'static str>,
    extra_qualities: Vec<&'static str>,
    extra_formats: Vec<&'static str>,
    extra_features: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part_of: Option<[Manifest<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<[PhysicalSize; 1]>,
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
    #[serde(skip_serializing_if = "Option::is_none")]
    attribution: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<PhysicalSize>,
}

/// What version 2.1 adds to its level.
#[derive(Debug, Serialize)]
struct Profile2 {
    formats: Vec<&'static str>,
    qualities: Vec<&'static str>,
    supports: Vec<&'static str>,
    #[serde(flatten)]
    limits: Bounds,
}

/// The description in version 1.1.
#[derive(Debug, Serialize)]
struct Version1<'a> {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: &'a str,
    width: u32,
    height: u32,
    scale_factors: Vec<u64>,
    tile_width: u32,
    tile_height: u32,
    formats: [&'static str; 5],
    qualities: Vec<&'static str>,
    profile: &'static str,
}

/// The part that versions 2 and 3 share.
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

/// What an answer may be at most.
#[derive(Debug, Serialize)]
struct Bounds {
    #[serde(rename = "maxWidth")]
    width: u32,
    #[serde(rename = "maxHeight")]
    height: u32,
    #[serde(rename = "maxArea", skip_serializing_if = "Option::is_none")]
    area: Option<u64>,
}

/// The IIIF Presentation manifest that the image stands in.
#[derive(Debug, Serialize)]
struct Manifest<'a> {
    id: &'a str,
    r#type: &'static str,
}

/// How large the picture's original is: IIIF's annex of services, Physical Dimensions 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalSize {
    #[serde(rename = "@context")]
    context: &'static str,
    /// Version 3 wants both of every service.
    #[serde(rename = "@id", skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(rename = "@type", skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    profile: &'static str,
    physical_scale: f64,
    physical_units: &'static str,
}

/// The description of an image in a version; `manifest` is where its manifest is.
pub(crate) fn print(
    version: IiifVersion,
    (base_uri, manifest): (&str, Option<&str>),
    info: &ImageInfo,
    settings: &Settings,
) -> String {
    match version {
        IiifVersion::V1 => written(&version_1(base_uri, info, settings), settings),
        IiifVersion::V2 => written(&version_2(base_uri, info, settings), settings),
        IiifVersion::V3 => written(&version_3(base_uri, manifest, info, settings), settings),
    }
}

/// The document as text, with what the operator adds.
fn written(document: &impl Serialize, settings: &Settings) -> String {
    // Only a map whose keys are no text could fail, and there is none.
    if settings.extra_info.is_empty() {
        return serde_json::to_string(document).unwrap_or_default();
    }
    let mut members = match serde_json::to_value(document) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    settings.extra_info.add_to(&mut members);
    Value::Object(members).to_string()
}

fn version_3<'a>(
    base_uri: &'a str,
    manifest: Option<&'a str>,
    info: &ImageInfo,
    settings: &Settings,
) -> Version3<'a> {
    let mut extra_features =
        vec!["canonicalLinkHeader", "mirroring", "profileLinkHeader", "rotationArbitrary"];
    if settings.limits.upscaling_allowed {
        extra_features.push("sizeUpscaling");
    }
    let beyond = |format: &Format| !matches!(format, Format::Jpeg | Format::Png);
    Version3 {
        context: "http://iiif.io/api/image/3/context.json",
        id: base_uri,
        r#type: "ImageService3",
        protocol: PROTOCOL,
        profile: "level2",
        pyramid: pyramid(info, settings),
        limits: bounds(settings),
        preferred_formats: settings
            .preferred_formats
            .iter()
            .map(|format| format.suffix())
            .collect(),
        extra_qualities: extra_qualities(info, settings),
        extra_formats: Format::ALL.into_iter().filter(beyond).map(Format::suffix).collect(),
        extra_features,
        rights: info.metadata.text(Field::Rights).and_then(rights::address),
        part_of: manifest.map(|id| [Manifest { id, r#type: "Manifest" }]),
        service: physical_size(info).map(|size| {
            let id = Some(format!("{base_uri}#physical-size"));
            [PhysicalSize { id, r#type: Some("PhysicalDimensions"), ..size }]
        }),
    }
}

fn version_2<'a>(base_uri: &'a str, info: &'a ImageInfo, settings: &Settings) -> Version2<'a> {
    let mut supports = vec![
        "canonicalLinkHeader",
        "mirroring",
        "profileLinkHeader",
        "regionSquare",
        "rotationArbitrary",
        "sizeByConfinedWh",
        "sizeByDistortedWh",
    ];
    if settings.limits.upscaling_allowed {
        supports.push("sizeAboveFull");
    }
    let mut qualities = vec!["default"];
    qualities.extend(extra_qualities(info, settings));
    let formats = Format::ALL.map(Format::suffix).to_vec();
    let rights_text = info.metadata.text(Field::Rights);
    let license = rights_text.and_then(rights::address);
    Version2 {
        context: "http://iiif.io/api/image/2/context.json",
        id: base_uri,
        r#type: "iiif:Image",
        protocol: PROTOCOL,
        pyramid: pyramid(info, settings),
        profile: (
            profile_uri(IiifVersion::V2),
            Profile2 { formats, qualities, supports, limits: bounds(settings) },
        ),
        attribution: rights_text.filter(|_| license.is_none()),
        license,
        service: physical_size(info),
    }
}

fn version_1<'a>(base_uri: &'a str, info: &ImageInfo, settings: &Settings) -> Version1<'a> {
    let Pyramid { width, height, tiles: [tiles], .. } = pyramid(info, settings);
    let mut qualities = vec!["native", "color", "grey", "bitonal"];
    if info.colour.shown() == ColourModel::Gray {
        qualities.retain(|quality| *quality != "color");
    }
    Version1 {
        context: "http://library.stanford.edu/iiif/image-api/1.1/context.json",
        id: base_uri,
        width,
        height,
        scale_factors: tiles.scale_factors,
        tile_width: tiles.width,
        tile_height: tiles.height,
        formats: FORMATS_1.map(Format::suffix),
        qualities,
        profile: profile_uri(IiifVersion::V1),
    }
}

fn bounds(settings: &Settings) -> Bounds {
    let side_px_max = settings.limits.output_side_px_max;
    let area = settings.limits.area_px_max();
    Bounds { width: side_px_max, height: side_px_max, area }
}

fn pyramid(info: &ImageInfo, settings: &Settings) -> Pyramid {
    let limits = &settings.limits;
    // Smallest first, and only what may be asked whole.
    let sizes = info.levels.iter().rev().map(|level| level.size);
    let sizes = sizes.filter(|size| limits.hold((size.width().into(), size.height().into())));
    let levels = u32::try_from(info.levels.len()).unwrap_or(u32::MAX);
    let tile = limits.fitted((info.tile.width().into(), info.tile.height().into()));
    let tiles = Tiles {
        width: tile.width(),
        height: tile.height(),
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
fn extra_qualities(info: &ImageInfo, settings: &Settings) -> Vec<&'static str> {
    let colour = (info.colour.shown() != ColourModel::Gray).then_some("color");
    let extensions = if settings.extensions { &EXTENSIONS[..] } else { &[] };
    colour.into_iter().chain(["gray", "bitonal"]).chain(extensions.iter().copied()).collect()
}

/// Where pixels have a size that is the same both ways: one number is all that can be said.
fn physical_size(info: &ImageInfo) -> Option<PhysicalSize> {
    info.resolution.filter(|resolution| resolution.is_square()).map(|resolution| PhysicalSize {
        context: "http://iiif.io/api/annex/services/physdim/1/context.json",
        id: None,
        r#type: None,
        profile: "http://iiif.io/api/annex/services/physdim",
        physical_scale: 100.0 / resolution.x_per_metre,
        physical_units: "cm",
    })
}
