//! What holds for every protocol: methods, limits, validators, names; and the two that are one file each.

use proptest::prelude::*;

use crate::model::request::Frame;
use crate::model::{ColourModel, DeepZoomCut, Fault, FaultKind, Format, Reply, Want};
use crate::protocols::fixture::{
    MODIFIED_S, call, describe, get, info, info_reply, picture_reply, refused_status, text,
    try_call,
};
use crate::protocols::{
    Call, DeepZoomSettings, Method, Parsed, Protocol, RawRequest, Settings, parse, respond,
    respond_fault,
};

fn picture(call: &Call) -> (Frame, Format) {
    let Want::Picture(picture) = &call.request.want else { panic!("not a picture: {call:?}") };
    (picture.frame, picture.format)
}

#[test]
fn every_protocol_allows_what_it_takes_and_refuses_the_rest() {
    for (path, protocol) in [
        ("/iip", Protocol::Iip),
        ("/iiif/3/a", Protocol::Iiif3),
        ("/iiif/2/a", Protocol::Iiif2),
        ("/deepzoom/a.dzi", Protocol::DeepZoom),
        ("/zoomify/a/ImageProperties.xml", Protocol::Zoomify),
    ] {
        let options = RawRequest { method: Method::Options, ..get(path) };
        let Ok(Parsed::Response(response)) = parse(&options, &Settings::default()) else {
            panic!("{path}");
        };
        assert_eq!((response.status, response.header("Allow")), (204, Some(protocol.methods())));
        let other = RawRequest { method: Method::Other, ..get(path) };
        let refusal = parse(&other, &Settings::default()).unwrap_err();
        let response = refusal.respond();
        assert_eq!(refusal.protocol, protocol);
        assert_eq!((response.status, response.header("Allow")), (405, Some(protocol.methods())));
    }
    let post = RawRequest { method: Method::Post, ..get("/iiif/3/a/info.json") };
    assert_eq!(parse(&post, &Settings::default()).unwrap_err().fault.kind.status(), 405);
    let head = RawRequest { method: Method::Head, ..get("/iiif/3/a/info.json") };
    assert!(matches!(parse(&head, &Settings::default()), Ok(Parsed::Call(_))));
}

#[test]
fn other_paths_are_left_to_others() {
    for path in ["/", "/view/a.tif", "/presentation/2/a/manifest.json", "/favicon.ico", ""] {
        assert!(matches!(parse(&get(path), &Settings::default()), Ok(Parsed::NotOurs)), "{path}");
    }
}

#[test]
fn long_addresses_are_refused_with_the_limit() {
    let settings = Settings { uri_bytes_max: 40, ..Settings::default() };
    let address = format!("/iip?FIF={}", "x".repeat(40));
    let refusal = parse(&get(&address), &settings).unwrap_err();
    assert_eq!(refusal.fault.kind, FaultKind::UriTooLong);
    assert!(refusal.fault.text.contains("at most 40"), "{}", refusal.fault.text);
}

#[test]
fn names_that_cannot_be_are_refused_on_every_mount() {
    let mut cases = 0;
    for (name, status) in [
        ("..%2F..%2Fetc%2Fpasswd", 404),
        ("%2e%2e", 404),
        ("a%00b", 400),
        ("a%0ab", 400),
        ("%E9", 400),
        ("%zz", 400),
        ("a%", 400),
    ] {
        for address in [
            format!("/iiif/3/{name}/info.json"),
            format!("/iiif/2/{name}/full/full/0/default.jpg"),
            format!("/iiif/{name}"),
            format!("/iip?FIF={name}&OBJ=Max-size"),
            format!("/iip?IIIF={name}/info.json"),
            format!("/deepzoom/{name}/x.dzi"),
            format!("/deepzoom/{name}_files/0/0_0.jpg"),
            format!("/zoomify/{name}/ImageProperties.xml"),
        ] {
            assert_eq!(refused_status(&address, &Settings::default()), status, "{address}");
            cases += 1;
        }
    }
    assert_eq!(cases, 56);
}

#[test]
fn descriptions_carry_validators_and_are_not_sent_twice() {
    let settings = Settings::default();
    for address in [
        "/iiif/3/rgb.tif/info.json",
        "/iiif/2/rgb.tif/info.json",
        "/iip?FIF=rgb.tif&OBJ=Max-size",
        "/deepzoom/rgb.tif.dzi",
        "/zoomify/rgb.tif/ImageProperties.xml",
    ] {
        let first = describe(address);
        assert_eq!(first.status, 200, "{address}");
        assert_eq!(first.header("Last-Modified"), Some("Sun, 22 Nov 2026 05:05:55 GMT"));
        assert_eq!(first.header("Cache-Control"), Some("max-age=86400"));
        let etag = first.header("ETag").unwrap();
        assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
        for raw in [
            RawRequest { if_none_match: Some(etag), ..get(address) },
            RawRequest { if_modified_since_s: Some(MODIFIED_S), ..get(address) },
        ] {
            let Ok(Parsed::Call(again)) = parse(&raw, &settings) else { panic!("{address}") };
            let second = respond(&again, &info_reply(info(1001, 701, ColourModel::Rgb)), &settings);
            assert_eq!((second.status, &*second.body), (304, b"".as_slice()), "{address}");
            for name in ["ETag", "Last-Modified", "Cache-Control", "Vary"] {
                assert_eq!(second.header(name), first.header(name), "{name} of {address}");
            }
        }
    }
}

#[test]
fn pictures_carry_the_validators_of_the_reply() {
    let settings = Settings { cache_control: String::new(), ..Settings::default() };
    let call = call("/deepzoom/rgb.tif_files/10/0_0.jpg");
    let response = respond(&call, &picture_reply(256, 256, Format::Jpeg), &settings);
    assert_eq!((response.status, &*response.body), (200, b"file".as_slice()));
    assert_eq!(
        response.headers,
        [
            ("Content-Type", "image/jpeg".into()),
            ("Last-Modified", "Sun, 22 Nov 2026 05:05:55 GMT".into()),
            ("ETag", "\"e7a6\"".into()),
        ]
    );
    let reply = Reply::NotModified { etag: "e7a6".to_owned(), modified_s: MODIFIED_S };
    let response = respond(&call, &reply, &settings);
    assert_eq!((response.status, response.header("ETag")), (304, Some("\"e7a6\"")));
}

#[test]
fn an_answer_of_another_kind_than_the_question_is_our_fault() {
    let settings = Settings::default();
    let tile = call("/iip?FIF=rgb.tif&JTL=0,0");
    assert_eq!(respond(&tile, &info_reply(info(9, 9, ColourModel::Gray)), &settings).status, 500);
    let description = call("/iip?FIF=rgb.tif&OBJ=Max-size");
    let reply = picture_reply(9, 9, Format::Jpeg);
    assert_eq!(respond(&description, &reply, &settings).status, 500);
}

#[test]
fn deep_zoom_addresses_are_read_from_the_right() {
    let cut = DeepZoomCut::default();
    let tile = |level, column, row| Frame::DeepZoomTile { level, column, row, cut };
    for (address, name, expected) in [
        ("/deepzoom/rgb.tif_files/10/3_2.jpg", "rgb.tif", (tile(10, 3, 2), Format::Jpeg)),
        ("/deepzoom/x/y_files/a_files/0/0_0.jpeg", "x/y_files/a", (tile(0, 0, 0), Format::Jpeg)),
        ("/deepzoom/a%20b_files/1/0_0.png", "a b", (tile(1, 0, 0), Format::Png)),
        ("/iip?DeepZoom=/rgb.tif_files/10/0_0.webp", "rgb.tif", (tile(10, 0, 0), Format::Webp)),
        ("/fcgi-bin/iipsrv.fcgi?deepzoom=a_files/1/2_3.jpg", "a", (tile(1, 2, 3), Format::Jpeg)),
    ] {
        let call = call(address);
        assert_eq!(call.request.image.as_str(), name, "{address}");
        assert_eq!(picture(&call), expected, "{address}");
        assert_eq!(call.protocol(), Protocol::DeepZoom);
    }
    for (address, status) in [
        ("/deepzoom/", 404),
        ("/deepzoom/a.tif", 404),
        ("/deepzoom/.dzi", 400),
        ("/deepzoom/a_files/", 400),
        ("/deepzoom/a_files/1/2.jpg", 400),
        ("/deepzoom/a_files/1/-1_0.jpg", 400),
        ("/deepzoom/a_files/1/0_0", 400),
        ("/deepzoom/a_files/1/0_0.pdf", 400),
        ("/deepzoom/a_files/1/99999999999_0.jpg", 400),
    ] {
        assert_eq!(refused_status(address, &Settings::default()), status, "{address}");
    }
}

#[test]
fn the_deep_zoom_descriptor_is_that_of_iipsrv() {
    let response = describe("/deepzoom/rgb.tif.dzi");
    assert_eq!(response.header("Content-Type"), Some("application/xml"));
    assert_eq!(
        text(&response),
        "<Image xmlns=\"http://schemas.microsoft.com/deepzoom/2008\" TileSize=\"256\" Overlap=\"0\" \
         Format=\"jpg\"><Size Width=\"1001\" Height=\"701\"/></Image>"
    );
}

#[test]
fn a_deep_zoom_descriptor_comes_by_each_name_that_clients_have_for_it() {
    let xml = text(&describe("/deepzoom/x/rgb.tif.dzi")).to_owned();
    assert_eq!(text(&describe("/deepzoom/x/rgb.tif.xml")), xml);
    assert_eq!(text(&describe("/iip?DeepZoom=x/rgb.tif.xml")), xml);
    let expected = serde_json::json!({ "Image": {
        "xmlns": "http://schemas.microsoft.com/deepzoom/2008",
        "Format": "jpg",
        "Overlap": 0,
        "TileSize": 256,
        "Size": { "Width": 1001, "Height": 701 },
    }});
    for (address, functions) in [
        ("/deepzoom/x/rgb.tif.js", "window[\"rgb.tif\"]"),
        ("/deepzoom/a%20%22b.js", "window[\"a%20%22b\"] || window[\"a \\\"b\"]"),
    ] {
        let response = describe(address);
        assert_eq!(response.header("Content-Type"), Some("text/javascript; charset=utf-8"));
        let argument = text(&response).strip_prefix(&format!("({functions})("));
        let argument = argument.and_then(|rest| rest.strip_suffix(");\n")).unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(argument).unwrap(), expected);
    }
    assert_eq!(call("/deepzoom/x/rgb.tif.js").request.image.as_str(), "x/rgb.tif");
}

#[test]
fn deep_zoom_tells_and_cuts_tiles_as_they_are_set() {
    let cut = DeepZoomCut { tile_px: 254, overlap_px: 1 };
    let deep_zoom = DeepZoomSettings { cut, format: Format::Png };
    let settings = Settings { deep_zoom, ..Settings::default() };
    let reply = info_reply(info(1001, 701, ColourModel::Rgb));
    let described = try_call("/deepzoom/a.dzi", &settings).unwrap();
    let descriptor = text(&respond(&described, &reply, &settings)).to_owned();
    assert!(descriptor.contains("TileSize=\"254\" Overlap=\"1\" Format=\"png\""), "{descriptor}");
    let tile = try_call("/deepzoom/a_files/9/1_2.jpg", &settings).unwrap();
    let frame = Frame::DeepZoomTile { level: 9, column: 1, row: 2, cut };
    assert_eq!(picture(&tile), (frame, Format::Jpeg));
}

#[test]
fn zoomify_addresses_are_read_from_the_right_with_any_group() {
    let tile = |level, column, row| Frame::ZoomifyTile { level, column, row };
    for (address, name, expected) in [
        ("/zoomify/rgb.tif/TileGroup0/5-7-6.jpg", "rgb.tif", (tile(5, 7, 6), Format::Jpeg)),
        ("/zoomify/x/a/TileGroup77/0-0-0.png", "x/a", (tile(0, 0, 0), Format::Png)),
        (
            "/zoomify/TileGroups/a/TileGroup1/1-0-0.jpg",
            "TileGroups/a",
            (tile(1, 0, 0), Format::Jpeg),
        ),
        ("/iip?Zoomify=/rgb.tif/TileGroup0/1-0-0.jpg", "rgb.tif", (tile(1, 0, 0), Format::Jpeg)),
    ] {
        let call = call(address);
        assert_eq!(call.request.image.as_str(), name, "{address}");
        assert_eq!(picture(&call), expected, "{address}");
        assert_eq!(call.protocol(), Protocol::Zoomify);
    }
    for (address, status) in [
        ("/zoomify/a", 404),
        ("/zoomify/ImageProperties.xml", 404),
        ("/zoomify/a/TileGroup/0-0-0.jpg", 404),
        ("/zoomify/a/TileGroupX/0-0-0.jpg", 404),
        ("/zoomify/a/TileGroup0/0-0.jpg", 400),
        ("/zoomify/a/TileGroup0/0-0-0.pdf", 400),
        ("/zoomify/a/TileGroup0/0-0--1.jpg", 400),
    ] {
        assert_eq!(refused_status(address, &Settings::default()), status, "{address}");
    }
}

#[test]
fn zoomify_properties_keep_their_order() {
    let response = describe("/zoomify/rgb.tif/ImageProperties.xml");
    assert_eq!(response.header("Content-Type"), Some("application/xml"));
    assert_eq!(
        text(&response),
        "<IMAGE_PROPERTIES WIDTH=\"1001\" HEIGHT=\"701\" NUMTILES=\"17\" NUMIMAGES=\"1\" \
         VERSION=\"1.8\" TILESIZE=\"256\" />"
    );
}

#[test]
fn commands_before_an_address_in_the_query_count_or_are_refused() {
    let settings = Settings::default();
    let call = try_call("/iip?CNT=1&QLT=40&DeepZoom=a_files/1/0_0.jpg", &settings).unwrap();
    assert_eq!(call.picture().unwrap().encoder_quality, Some(40));
    let call = try_call("/iip?CNT=2&DeepZoom=a_files/1/0_0.jpg", &settings).unwrap();
    assert!(call.picture().unwrap().processing.is_in_floats());
    let call = try_call("/iip?CNT=2&IIIF=a/full/max/0/default.jpg", &settings).unwrap();
    assert!(call.picture().unwrap().processing.is_in_floats());
    assert_eq!(refused_status("/iip?ROT=90&IIIF=a/full/max/0/default.jpg", &settings), 501);
    assert_eq!(refused_status("/iip?WID=2&Zoomify=a/TileGroup0/0-0-0.jpg", &settings), 501);
}

#[test]
fn a_fault_of_the_service_names_no_protocol_of_another() {
    let fault = Fault::new(FaultKind::Busy, "the server is busy");
    for protocol in [Protocol::Iip, Protocol::Iiif2, Protocol::DeepZoom, Protocol::Zoomify] {
        let response = respond_fault(protocol, &fault);
        assert_eq!((response.status, text(&response)), (503, "the server is busy\n"));
    }
}

/// Addresses as clients send them, to be damaged.
const SEEDS: [&str; 9] = [
    "/iiif/3/a%2Fb.tif/pct:41.6,7.5,40,70/^!300,200/!90/gray.png",
    "/iiif/2/a.tif/0,0,256,256/256,/0/default.jpg",
    "/iiif/a.tif/info.json",
    "/iip?FIF=a.tif&OBJ=IIP,1.0&OBJ=Max-size&OBJ=Colorspace,*,*",
    "/iip?FIF=a.tif&RGN=0.1,0.2,0.3,0.4&WID=300&HEI=200&QLT=80&CVT=jpeg",
    "/iip?FIF=a.tif&TIL=3,4-4",
    "/fcgi-bin/iipsrv.fcgi?IIIF=x/a.tif/full/max/0/default.jpg",
    "/deepzoom/x/a.tif_files/10/3_2.jpg",
    "/zoomify/x/a.tif/TileGroup0/5-7-6.jpg",
];

/// Whatever comes, a refusal is a client's fault and says so in one plain line.
fn check(address: &str) {
    let settings = Settings::default();
    match parse(&get(address), &settings) {
        Ok(Parsed::Call(call)) => {
            let reply = match call.request.want {
                Want::Info => info_reply(info(1001, 701, ColourModel::Gray)),
                Want::Tiles(_) => Reply::Tiles(Vec::new()),
                Want::Samples(_) => Reply::Samples { views: Vec::new(), modified_s: 0 },
                Want::Picture(_) => picture_reply(100, 70, Format::Jpeg),
            };
            let response = respond(&call, &reply, &settings);
            assert_eq!(response.status, 200, "{address}");
            for (name, value) in &response.headers {
                assert!(value.chars().all(|c| (' '..='~').contains(&c)), "{name}: {value}");
            }
        }
        Ok(Parsed::Response(response)) => assert!(matches!(response.status, 200 | 303)),
        Ok(Parsed::NotOurs | Parsed::Manifest(_)) => {}
        Err(refusal) => {
            let status = refusal.fault.kind.status();
            assert!((400..500).contains(&status) || status == 501, "{address}: {status}");
            assert!(!refusal.fault.text.contains(char::is_control), "{address}");
        }
    }
}

proptest! {
    #[test]
    fn no_address_brings_the_parsers_down(
        mount in "/(iip\\?|iiif/|iiif/1/|iiif/2/|iiif/3/|presentation/3/|deepzoom/|zoomify/)", rest in "\\PC{0,80}",
    ) {
        check(&format!("{mount}{rest}"));
    }

    #[test]
    fn no_damage_to_an_address_brings_the_parsers_down(
        seed in 0..SEEDS.len(), at: prop::sample::Index, cut in 0_usize..4, put in "\\PC{0,4}|%[0-9a-f]{2}",
    ) {
        let seed: Vec<char> = SEEDS[seed].chars().collect();
        let at = at.index(seed.len());
        let damaged: String = seed[..at]
            .iter()
            .copied()
            .chain(put.chars())
            .chain(seed[(at + cut).min(seed.len())..].iter().copied())
            .collect();
        check(&damaged);
    }
}
