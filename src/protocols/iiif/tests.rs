//! Whole addresses: routing, descriptions, headers, and the junk that the validator sends.

use serde_json::{Value, json};

use crate::model::Format;
use crate::model::request::{Frame, Quality, Rotation, SizeForm};
use crate::protocols::fixture::{
    call, describe, get, info_reply, picture_reply, refused_status, rgb, text, try_call,
};
use crate::protocols::{IiifVersion, Parsed, Protocol, RawRequest, Settings, parse, respond};

fn redirect(address: &str, settings: &Settings) -> String {
    let parsed = parse(&get(address), settings);
    let Ok(Parsed::Response(response)) = parsed else { panic!("{address}: {parsed:?}") };
    assert_eq!((response.status, &*response.body), (303, b"".as_slice()));
    response.header("Location").unwrap().to_owned()
}

fn description(address: &str) -> Value {
    serde_json::from_str(text(&describe(address))).unwrap()
}

#[test]
fn the_base_uri_leads_to_the_description() {
    let settings = Settings::default();
    for (address, location) in [
        ("/iiif/3/a.tif", "http://ex.org/iiif/3/a.tif/info.json"),
        ("/iiif/2/x%2fa.tif", "http://ex.org/iiif/2/x%2Fa.tif/info.json"),
        ("/iiif/a.tif/", "http://ex.org/iiif/a.tif/info.json"),
        ("/iip?IIIF=a.tif", "http://ex.org/iip?IIIF=a.tif/info.json"),
    ] {
        assert_eq!(redirect(address, &settings), location);
    }
}

#[test]
fn public_addresses_follow_the_settings() {
    let base_url = Some("https://pictures.example/".to_owned());
    let settings = Settings { base_url, ..Settings::default() };
    for (address, location) in [
        ("/iiif/3/a.tif", "https://pictures.example/iiif/3/a.tif/info.json"),
        ("/iip?IIIF=a.tif", "https://pictures.example/iip?IIIF=a.tif/info.json"),
    ] {
        assert_eq!(redirect(address, &settings), location);
    }
    let iiif_query_base_url = Some("https://pictures.example/iiif/".to_owned());
    let settings = Settings { iiif_query_base_url, ..settings };
    let queried = "https://pictures.example/iiif/a.tif/info.json";
    assert_eq!(redirect("/iip?IIIF=a.tif", &settings), queried);
}

#[test]
fn version_1_has_its_own_words_statuses_and_length() {
    let settings = Settings::default();
    for (parameters, status) in [
        ("full/full/0/native", 200),
        ("full/100,/90/grey.png", 200),
        ("full/max/0/native.jpg", 400),
        ("square/full/0/native.jpg", 400),
        ("full/full/!0/native.jpg", 400),
        ("full/full/0/default.jpg", 400),
        ("full/full/0/native.webp", 415),
        ("full/full/0/native.xyz", 415),
        (&format!("full/full/0/native.jpg?{}", "x".repeat(1000)), 414),
    ] {
        let address = format!("/iiif/1/rgb.tif/{parameters}");
        assert_eq!(refused_status(&address, &settings), status, "{address}");
    }
    let link =
        "<http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level2>;rel=\"profile\"";
    let refusal = parse(&get("/iiif/1/rgb.tif/full/full/0/x.jpg"), &settings).unwrap_err();
    assert_eq!(refusal.respond().header("Link"), Some(link));
    let call = call("/iiif/1/rgb.tif/full/500,350/0/native.jpg");
    let response = respond(&call, &picture_reply(500, 350, Format::Jpeg), &settings);
    assert_eq!((response.header("Link"), response.header("Vary")), (Some(link), Some("Accept")));
}

#[test]
fn changes_behind_an_address_are_in_the_canonical_one() {
    let reply = picture_reply(500, 350, Format::Jpeg);
    let settings = Settings { extensions: true, ..Settings::default() };
    for (address, canonical) in [
        (
            "/iiif/3/rgb.tif/full/500,350/22.5/default.jpg?t=1&gamma=0.5&contrast=stretch",
            "http://ex.org/iiif/3/rgb.tif/full/500,350/22.5/default.jpg?contrast=stretch&gamma=0.5",
        ),
        (
            "/iiif/3/rgb.tif/full/500,350/0/negative.jpg",
            "http://ex.org/iiif/3/rgb.tif/full/500,350/0/negative.jpg",
        ),
    ] {
        let call = try_call(address, &settings).unwrap();
        assert!(call.picture().unwrap().processing.is_in_floats(), "{address}");
        let response = respond(&call, &reply, &settings);
        let link = response.header("Link").unwrap();
        assert!(link.starts_with(&format!("<{canonical}>;rel=\"canonical\",")), "{link}");
    }
    assert_eq!(refused_status("/iiif/3/rgb.tif/full/max/0/default.jpg?gamma=x", &settings), 400);
    // What stands before the address in a query has no canonical address.
    let call = try_call("/iip?CNT=2&IIIF=rgb.tif/full/500,/0/default.jpg", &settings).unwrap();
    let response = respond(&call, &reply, &settings);
    assert!(!response.header("Link").unwrap().contains("canonical"));
}

#[test]
fn public_addresses_follow_a_proxy_that_is_trusted() {
    let raw = RawRequest {
        scheme: "https",
        host: "pictures.example",
        prefix: "/images",
        ..get("/iiif/3/a.tif")
    };
    let settings = Settings::default();
    let location = |raw: &RawRequest<'_>| match parse(raw, &settings) {
        Ok(Parsed::Response(response)) => response.header("Location").unwrap().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(location(&raw), "https://pictures.example/images/iiif/3/a.tif/info.json");
    let raw = RawRequest { iiif_id: Some("https://ids.example/a"), ..raw };
    assert_eq!(location(&raw), "https://ids.example/a/info.json");
}

#[test]
fn an_identifier_comes_back_as_clients_must_write_it() {
    for (address, id) in [
        ("/iiif/3/1:%253C69/info.json", "http://ex.org/iiif/3/1:%253C69"),
        (
            "/iiif/3/ark:%2F12025%2F654xz321/info.json",
            "http://ex.org/iiif/3/ark:%2F12025%2F654xz321",
        ),
        ("/iiif/3/a%2Db/info.json", "http://ex.org/iiif/3/a-b"),
        ("/iiif/a%22b/info.json", "http://ex.org/iiif/a%22b"),
        ("/iiif/3/%C3%A9%20%5B/info.json", "http://ex.org/iiif/3/%C3%A9%20%5B"),
        ("/iip?IIIF=x/a.tif/info.json", "http://ex.org/iip?IIIF=x/a.tif"),
        (
            "/fcgi-bin/iipsrv.fcgi?iiif=/a%26b/info.json",
            "http://ex.org/fcgi-bin/iipsrv.fcgi?IIIF=/a%26b",
        ),
    ] {
        assert_eq!(description(address)["id"], json!(id), "{address}");
    }
}

#[test]
fn accept_chooses_the_version_in_the_query_form_alone() {
    let accept = "application/ld+json;profile=\"http://iiif.io/api/image/2/context.json\"";
    for (address, protocol) in [
        ("/iip?IIIF=a.tif/info.json", Protocol::Iiif2),
        ("/iiif/a.tif/info.json", Protocol::Iiif3),
        ("/iiif/3/a.tif/info.json", Protocol::Iiif3),
    ] {
        let raw = RawRequest { accept, ..get(address) };
        let Ok(Parsed::Call(call)) = parse(&raw, &Settings::default()) else { panic!("{address}") };
        assert_eq!(call.protocol(), protocol, "{address}");
    }
    for accept in ["http://iiif.io/api/image", "http://iiif.io/api/image/7/context.json"] {
        let raw = RawRequest { accept, ..get("/iip?IIIF=a.tif/info.json") };
        let Ok(Parsed::Call(call)) = parse(&raw, &Settings::default()) else { panic!("{accept}") };
        assert_eq!(call.protocol(), Protocol::Iiif3);
    }
}

#[test]
fn a_picture_names_its_canonical_address_and_profile_in_one_header() {
    let reply = picture_reply(500, 350, Format::Jpeg);
    for (address, link) in [
        (
            "/iiif/3/x%2Frgb.tif/0,0,1001,701/500,350/360/default.jpg",
            "<http://ex.org/iiif/3/x%2Frgb.tif/full/500,350/0/default.jpg>;rel=\"canonical\",\
             <http://iiif.io/api/image/3/level2.json>;rel=\"profile\"",
        ),
        (
            "/iiif/2/rgb.tif/full/!500,500/!0/color.jpg",
            "<http://ex.org/iiif/2/rgb.tif/full/500,/!0/default.jpg>;rel=\"canonical\",\
             <http://iiif.io/api/image/2/level2.json>;rel=\"profile\"",
        ),
    ] {
        let response = respond(&call(address), &reply, &Settings::default());
        assert_eq!(response.header("Link"), Some(link));
        assert_eq!(response.header("Content-Type"), Some("image/jpeg"));
        assert_eq!(response.header("ETag"), Some("\"e7a6\""));
        assert_eq!(response.header("Vary"), None);
    }
}

#[test]
fn parameters_are_decoded_after_splitting() {
    let asked = call("/iiif/3/a/pct%3A50,50%2C50,50/%5E%2150,60/%2190/gray%2Epng");
    let picture = asked.picture().unwrap();
    let Frame::Region { size, .. } = picture.frame else { panic!("{picture:?}") };
    assert_eq!(size.form, SizeForm::Within(50, 60));
    assert_eq!((picture.mirror, picture.rotation), (true, Rotation::Quarter));
    assert_eq!((picture.quality, picture.format), (Quality::Gray, Format::Png));
}

#[test]
fn the_query_form_takes_full_for_max_and_paths_of_version_3_do_not() {
    let settings = Settings::default();
    let queried = try_call("/iip?IIIF=a.tif/full/full/0/default.jpg", &settings).unwrap();
    let plain = try_call("/iip?IIIF=a.tif/full/max/0/default.jpg", &settings).unwrap();
    assert_eq!(queried, plain);
    assert_eq!(refused_status("/iiif/3/a.tif/full/full/0/default.jpg", &settings), 400);
    assert_eq!(refused_status("/iiif/2/a.tif/full/full/0/default.jpg", &settings), 200);
}

#[test]
fn the_default_version_is_a_setting() {
    let settings = Settings { iiif_version: IiifVersion::V2, ..Settings::default() };
    let call = try_call("/iiif/a/full/full/0/default.jpg", &settings).unwrap();
    assert_eq!(call.protocol(), Protocol::Iiif2);
    assert_eq!(call.request.image.as_str(), "a");
}

#[test]
fn a_bare_slash_is_part_of_the_identifier_only_where_the_switch_says_so() {
    let strict = Settings::default();
    let open = Settings { allow_bare_slash: true, ..Settings::default() };
    for address in ["/iiif/3/x/a.tif/info.json", "/iiif/3/x/a.tif/full/max/0/default.jpg"] {
        assert_eq!(refused_status(address, &strict), 404, "{address}");
        let call = try_call(address, &open).unwrap();
        assert_eq!(call.request.image.as_str(), "x/a.tif", "{address}");
    }
    let response =
        respond(&try_call("/iiif/3/x/a.tif/info.json", &open).unwrap(), &info_reply(rgb()), &open);
    assert!(text(&response).contains("\"id\":\"http://ex.org/iiif/3/x/a.tif\""));
}

#[test]
fn junk_in_any_parameter_is_refused_as_the_standard_wants() {
    for (parameters, status) in [
        ("full/max/0/default.jpg", 200),
        ("square/max/0/bitonal.png", 200),
        ("0,0,74,74/max/0/default.jpg", 200),
        ("<3>^`\\/max/0/default.jpg", 400),
        ("pct:50/max/0/default.jpg", 400),
        ("full/7[_]=@/0/default.jpg", 400),
        ("full/^^max/0/default.jpg", 400),
        ("full/:;<=/0/default.jpg", 400),
        ("full/max/;AB[/default.jpg", 400),
        ("full/max/361/default.jpg", 400),
        ("full/max/22.5/default.jpg", 200),
        ("full/max/0/aQz^4U.jpg", 400),
        ("full/max/0/default.xyz", 400),
        ("full/max/0/default.tif", 200),
        ("full/max/0/default.gif", 200),
        ("full/max/0/default", 400),
        ("full/max/0", 400),
        ("full/max", 400),
        ("full", 400),
        ("full/max/0/ab?cd.jpg", 400),
        ("full/ma%/0/default.jpg", 400),
        ("full/max/0/default.jpg/", 404),
        ("//full/max/0/default.jpg", 404),
    ] {
        let address = format!("/iiif/3/67352ccc.png/{parameters}");
        assert_eq!(refused_status(&address, &Settings::default()), status, "{address}");
    }
    for (address, status) in [
        ("/iiif/3/", 404),
        ("/iiif/3", 404),
        ("/iiif/", 404),
        ("/iiif/3/[frob]/info.json", 200),
        ("/iip?IIIF=a/full/max", 400),
    ] {
        assert_eq!(refused_status(address, &Settings::default()), status, "{address}");
    }
}
