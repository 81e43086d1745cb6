//! `info.json`: IIIF Image API 3.0, section 5; 2.1, section 5. What it lists is served, and what is
//! served beyond level 2 it lists.

use serde_json::{Map, Value, json};

use crate::model::{ColourModel, Format, ImageInfo, Limits};
use crate::protocols::settings::IiifVersion;

/// The document that describes level 2 of a version.
pub(crate) const fn profile_uri(version: IiifVersion) -> &'static str {
    match version {
        IiifVersion::V2 => "http://iiif.io/api/image/2/level2.json",
        IiifVersion::V3 => "http://iiif.io/api/image/3/level2.json",
    }
}

/// The description in version 3.
pub(crate) fn version_3(base_uri: &str, info: &ImageInfo, limits: &Limits) -> String {
    let mut document = Map::new();
    let mut set = |name: &str, value: Value| document.insert(name.to_owned(), value);
    set("@context", json!("http://iiif.io/api/image/3/context.json"));
    set("id", json!(base_uri));
    set("type", json!("ImageService3"));
    set("protocol", json!("http://iiif.io/api/image"));
    set("profile", json!("level2"));
    set("width", json!(info.size.width()));
    set("height", json!(info.size.height()));
    set("maxWidth", json!(limits.output_side_px_max));
    set("maxHeight", json!(limits.output_side_px_max));
    if let Some(sizes) = sizes(info, limits) {
        set("sizes", sizes);
    }
    set("tiles", tiles(info, limits));
    set("extraQualities", json!(qualities(info)));
    set("extraFormats", json!([Format::Webp.suffix()]));
    let mut features = vec!["canonicalLinkHeader", "mirroring", "profileLinkHeader"];
    if limits.upscaling_allowed {
        features.push("sizeUpscaling");
    }
    set("extraFeatures", json!(features));
    Value::Object(document).to_string()
}

/// The description in version 2.1.
pub(crate) fn version_2(base_uri: &str, info: &ImageInfo, limits: &Limits) -> String {
    let mut document = Map::new();
    let mut set = |name: &str, value: Value| document.insert(name.to_owned(), value);
    set("@context", json!("http://iiif.io/api/image/2/context.json"));
    set("@id", json!(base_uri));
    set("@type", json!("iiif:Image"));
    set("protocol", json!("http://iiif.io/api/image"));
    set("width", json!(info.size.width()));
    set("height", json!(info.size.height()));
    if let Some(sizes) = sizes(info, limits) {
        set("sizes", sizes);
    }
    set("tiles", tiles(info, limits));
    let mut supports =
        vec!["canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare"];
    if limits.upscaling_allowed {
        supports.push("sizeAboveFull");
    }
    let mut offered = vec!["default"];
    offered.extend(qualities(info));
    let profile = json!({
        "formats": Format::ALL.map(Format::suffix),
        "qualities": offered,
        "supports": supports,
        "maxWidth": limits.output_side_px_max,
        "maxHeight": limits.output_side_px_max,
    });
    set("profile", json!([profile_uri(IiifVersion::V2), profile]));
    Value::Object(document).to_string()
}

/// The levels that may be asked whole, smallest first; none where even the smallest is over the limit.
fn sizes(info: &ImageInfo, limits: &Limits) -> Option<Value> {
    let within = info.levels.iter().rev().map(|level| level.size);
    let within = within.filter(|size| size.longer() <= limits.output_side_px_max);
    let sizes: Vec<Value> =
        within.map(|size| json!({"width": size.width(), "height": size.height()})).collect();
    (!sizes.is_empty()).then_some(Value::Array(sizes))
}

/// One grid for all levels. Viewers match `sizes` with the factors only where those rise.
fn tiles(info: &ImageInfo, limits: &Limits) -> Value {
    let within = |side_px: u32| side_px.min(limits.output_side_px_max);
    let levels = u32::try_from(info.levels.len()).unwrap_or(u32::MAX);
    let factors: Vec<u64> = (0..levels).map_while(|steps| 1_u64.checked_shl(steps)).collect();
    json!([{
        "width": within(info.tile.width()),
        "height": within(info.tile.height()),
        "scaleFactors": factors,
    }])
}

/// Qualities beside `default`: `color` is not listed for an image that has none.
fn qualities(info: &ImageInfo) -> &'static [&'static str] {
    match info.colour {
        ColourModel::Gray => &["gray", "bitonal"],
        ColourModel::Rgb => &["color", "gray", "bitonal"],
    }
}
