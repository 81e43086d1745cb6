//! `info.json` of each version, property for property.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::model::{ColourModel, ExtraInfo, Field, Format, ImageInfo, Limits, Metadata};
use crate::protocols::fixture::{call, describe, info, info_reply, rgb, text, try_call};
use crate::protocols::{Settings, respond};

fn description(address: &str) -> Value {
    serde_json::from_str(text(&describe(address))).unwrap()
}

#[test]
fn a_description_of_version_3_lists_exactly_what_is_served() {
    assert_eq!(
        description("/iiif/3/x%2Frgb.tif/info.json"),
        json!({
            "@context": "http://iiif.io/api/image/3/context.json",
            "id": "http://ex.org/iiif/3/x%2Frgb.tif",
            "type": "ImageService3",
            "protocol": "http://iiif.io/api/image",
            "profile": "level2",
            "width": 1001,
            "height": 701,
            "maxWidth": 5000,
            "maxHeight": 5000,
            "sizes": [
                {"width": 250, "height": 175},
                {"width": 500, "height": 350},
                {"width": 1001, "height": 701},
            ],
            "tiles": [{"width": 256, "height": 256, "scaleFactors": [1, 2, 4]}],
            "extraQualities": ["color", "gray", "bitonal"],
            "extraFormats": ["webp", "avif", "tif", "gif", "pdf", "jxl"],
            "extraFeatures": [
                "canonicalLinkHeader", "mirroring", "profileLinkHeader", "rotationArbitrary",
                "sizeUpscaling",
            ],
            "partOf": [{
                "id": "http://ex.org/presentation/3/x%2Frgb.tif/manifest.json", "type": "Manifest",
            }],
            "service": [{
                "@context": "http://iiif.io/api/annex/services/physdim/1/context.json",
                "@id": "http://ex.org/iiif/3/x%2Frgb.tif#physical-size",
                "@type": "PhysicalDimensions",
                "profile": "http://iiif.io/api/annex/services/physdim",
                "physicalScale": 100.0 / 11811.0,
                "physicalUnits": "cm",
            }],
        })
    );
    assert!(text(&describe("/iiif/3/a/info.json")).starts_with("{\"@context\":"));
}

#[test]
fn a_description_of_version_2_lists_exactly_what_is_served() {
    assert_eq!(
        description("/iiif/2/rgb.tif/info.json"),
        json!({
            "@context": "http://iiif.io/api/image/2/context.json",
            "@id": "http://ex.org/iiif/2/rgb.tif",
            "@type": "iiif:Image",
            "protocol": "http://iiif.io/api/image",
            "width": 1001,
            "height": 701,
            "sizes": [
                {"width": 250, "height": 175},
                {"width": 500, "height": 350},
                {"width": 1001, "height": 701},
            ],
            "tiles": [{"width": 256, "height": 256, "scaleFactors": [1, 2, 4]}],
            "profile": [
                "http://iiif.io/api/image/2/level2.json",
                {
                    "formats": ["jpg", "png", "webp", "avif", "tif", "gif", "pdf", "jxl"],
                    "qualities": ["default", "color", "gray", "bitonal"],
                    "supports": [
                        "canonicalLinkHeader", "mirroring", "profileLinkHeader", "regionSquare",
                        "rotationArbitrary", "sizeByConfinedWh", "sizeByDistortedWh",
                        "sizeAboveFull",
                    ],
                    "maxWidth": 5000,
                    "maxHeight": 5000,
                },
            ],
            "service": {
                "@context": "http://iiif.io/api/annex/services/physdim/1/context.json",
                "profile": "http://iiif.io/api/annex/services/physdim",
                "physicalScale": 100.0 / 11811.0,
                "physicalUnits": "cm",
            },
        })
    );
}

#[test]
fn a_description_of_version_1_lists_exactly_what_is_served() {
    let response = describe("/iiif/1/rgb.tif/info.json");
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    assert_eq!(
        serde_json::from_str::<Value>(text(&response)).unwrap(),
        json!({
            "@context": "http://library.stanford.edu/iiif/image-api/1.1/context.json",
            "@id": "http://ex.org/iiif/1/rgb.tif",
            "width": 1001,
            "height": 701,
            "scale_factors": [1, 2, 4],
            "tile_width": 256,
            "tile_height": 256,
            "formats": ["jpg", "png", "tif", "gif", "pdf"],
            "qualities": ["native", "color", "grey", "bitonal"],
            "profile": "http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2",
        })
    );
}

#[test]
fn what_the_operator_sets_stands_in_every_description() {
    let limits = Limits { output_px_max: 1_000_000, ..Limits::default() };
    let settings = Settings {
        limits,
        extensions: true,
        extra_info: ExtraInfo::parse(r#""logo": "https://ex.org/l.png""#).unwrap(),
        preferred_formats: vec![Format::Webp, Format::Jpeg],
        ..Settings::default()
    };
    let mut metadata = Metadata::default();
    metadata.add(Field::Rights, "https://creativecommons.org/licenses/by/4.0/");
    let info = ImageInfo { metadata: Arc::new(metadata), ..rgb() };
    let described = |address| {
        let reply = info_reply(info.clone());
        let response = respond(&try_call(address, &settings).unwrap(), &reply, &settings);
        serde_json::from_str::<Value>(text(&response)).unwrap()
    };
    let third = described("/iiif/3/rgb.tif/info.json");
    assert_eq!(third["maxArea"], json!(1_000_000));
    assert_eq!(third["logo"], json!("https://ex.org/l.png"));
    assert_eq!(third["preferredFormats"], json!(["webp", "jpg"]));
    assert_eq!(third["rights"], json!("http://creativecommons.org/licenses/by/4.0/"));
    let qualities =
        json!(["color", "gray", "bitonal", "negative", "stretch", "equalization", "log"]);
    assert_eq!(third["extraQualities"], qualities);
    let second = described("/iiif/2/rgb.tif/info.json");
    assert_eq!(second["license"], json!("http://creativecommons.org/licenses/by/4.0/"));
    assert_eq!(second["profile"][1]["maxArea"], json!(1_000_000));
    assert_eq!(described("/iiif/1/rgb.tif/info.json")["logo"], json!("https://ex.org/l.png"));
}

#[test]
fn a_page_is_part_of_the_manifest_of_its_file() {
    let settings = Settings { delimiter: Some(";".to_owned()), ..Settings::default() };
    let call = try_call("/iiif/3/x%2Fa.tif;2/info.json", &settings).unwrap();
    let response = respond(&call, &info_reply(rgb()), &settings);
    let document: Value = serde_json::from_str(text(&response)).unwrap();
    let manifest = "http://ex.org/presentation/3/x%2Fa.tif/manifest.json";
    assert_eq!(document["partOf"][0]["id"], json!(manifest));
}

#[test]
fn what_is_over_the_limits_is_not_advertised() {
    let describe = |side_px_max, upscaling_allowed| {
        let limits =
            Limits { output_side_px_max: side_px_max, upscaling_allowed, ..Limits::default() };
        let settings = Settings { limits, ..Settings::default() };
        let gray = info_reply(info(1001, 701, ColourModel::Gray));
        let response = respond(&call("/iiif/3/a/info.json"), &gray, &settings);
        serde_json::from_str::<Value>(text(&response)).unwrap()
    };
    let document = describe(600, false);
    let sizes = json!([{"width": 250, "height": 175}, {"width": 500, "height": 350}]);
    assert_eq!(document["sizes"], sizes);
    assert_eq!(document["extraQualities"], json!(["gray", "bitonal"]));
    let features =
        json!(["canonicalLinkHeader", "mirroring", "profileLinkHeader", "rotationArbitrary",]);
    assert_eq!(document["extraFeatures"], features);
    let document = describe(200, true);
    assert_eq!(document.get("sizes"), None);
    let tiles = json!([{"width": 200, "height": 200, "scaleFactors": [1, 2, 4]}]);
    assert_eq!(document["tiles"], tiles);
}

#[test]
fn a_description_says_what_its_type_depends_on() {
    let response = describe("/iiif/3/rgb.tif/info.json");
    let linked = "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";
    assert_eq!(response.header("Content-Type"), Some(linked));
    assert_eq!(response.header("Vary"), Some("Accept"));
    let profile = "<http://iiif.io/api/image/3/level2.json>;rel=\"profile\"";
    assert_eq!(response.header("Link"), Some(profile));
    let response = describe("/iiif/2/rgb.tif/info.json");
    assert_eq!(response.header("Content-Type"), Some("application/json"));
}
