//! Queries against the answers that iipsrv gives, and where we mean to differ.

use crate::model::request::{Frame, OverLimit, Region, ScaleTo, SizeForm, Upscale};
use crate::model::{
    ColourModel, Depth, Field, Format, ImageInfo, Limits, Metadata, Reply, TiffCompression, Want,
};
use crate::protocols::fixture::{
    call, describe, get, info, info_reply, picture_reply, rgb, text, try_call,
};
use crate::protocols::{Method, Parsed, RawRequest, Response, Settings, parse, respond};

fn refused(query: &str) -> Response {
    let address = format!("/iip?{query}");
    let refusal = parse(&get(&address), &Settings::default()).expect_err(query);
    refusal.respond()
}

#[test]
fn objects_are_answered_to_the_byte() {
    for (query, body) in [
        (
            "FIF=rgb.tif&OBJ=IIP,1.0&OBJ=Max-size&OBJ=Tile-size&OBJ=Resolution-number",
            "Max-size:1001 701\r\nTile-size:256 256\r\nResolution-number:3\r\n",
        ),
        ("FIF=rgb.tif&obj=Resolutions", "Resolutions:250 175,500 350,1001 701\r\n"),
        ("FIF=rgb.tif&ROT=90&OBJ=Max-size", "Max-size:701 1001\r\n"),
        ("fif=rgb.tif&OBJ=bits-per-channel", "Bits-per-channel:8\r\n"),
        ("FIF=rgb.tif&OBJ=Colorspace,*,*", "Colorspace,0-2,0:0 0 3 3 0 1 2\r\n"),
        ("FIF=rgb.tif&OBJ=Colorspace", "Colorspace,0-2,0:0 0 3 3 0 1 2\r\n"),
        (
            "FIF=rgb.tif&OBJ=Basic-Info",
            "IIP-server:3.65\r\nMax-size:1001 701\r\nResolution-number:3\r\n\
             Colorspace,0-2,0:0 0 3 3 0 1 2\r\n",
        ),
        ("FIF=rgb.tif&OBJ=IIP-server", "IIP-server:3.65\r\n"),
        (
            "FIF=rgb.tif&OBJ=IIP-opt-comm",
            "IIP-opt-comm:CVT CNT QLT JTL JTLS WID HEI RGN MINMAX SHD CMP INV CTW\r\n",
        ),
        (
            "FIF=rgb.tif&OBJ=IIP-opt-obj",
            "IIP-opt-obj:Horizontal-views Vertical-views Tile-size Bits-per-channel \
             Min-Max-sample-values Resolutions\r\n",
        ),
        (
            "FIF=rgb.tif&OBJ=Min-Max-sample-values",
            "Min-Max-sample-values: 0  255  0  255  0  255\r\n",
        ),
        ("FIF=rgb.tif&OBJ=Horizontal-views", "Horizontal-views:0\r\n"),
        ("FIF=rgb.tif&OBJ=Vertical-views", "Vertical-views:90\r\n"),
        ("FIF=rgb.tif&OBJ=DPI", "DPI:11811.000000 11811.000000\r\n"),
        ("FIF=rgb.tif&OBJ=Max%2Dsize", "Max-size:1001 701\r\n"),
    ] {
        let response = describe(&format!("/iip?{query}"));
        assert_eq!(text(&response), body, "{query}");
        assert_eq!(response.header("Content-Type"), Some("application/vnd.netfpx"));
        let versioned = query.contains("IIP,1.0").then_some("1.0");
        assert_eq!(response.header("IIP"), versioned, "{query}");
    }
    let gray = info(300, 200, ColourModel::Gray);
    let asked = call("/iip?FIF=g.tif&OBJ=Colorspace");
    let response = respond(&asked, &info_reply(gray), &Settings::default());
    assert_eq!(text(&response), "Colorspace,0-1,0:0 0 1 1 0\r\n");
}

#[test]
fn metadata_is_told_in_words_as_json_and_as_xml() {
    let xmp = b"<x:xmpmeta/>".as_slice();
    let mut metadata = Metadata::of_blocks([Some(xmp.into()), Some(xmp.into()), None]);
    for (field, text) in [
        (Field::Title, "hello \"world\"\n"),
        (Field::Rights, "\u{a9} Ada"),
        (Field::Software, "scanner 3"),
        (Field::Creator, "Ada"),
    ] {
        metadata.add(field, text);
    }
    let text_plain = "text/plain; charset=utf-8";
    for (objects, content_type, body) in [
        ("OBJ=title", text_plain, "hello \"world\"\r\n"),
        ("OBJ=Rights", text_plain, "\u{a9} Ada\r\n"),
        ("OBJ=date", text_plain, ""),
        ("OBJ=last-author", text_plain, ""),
        ("OBJ=Summary-info", text_plain, "\u{a9} Ada\r\nAda\r\nscanner 3\r\n"),
        ("OBJ=IIP,1.0&OBJ=creator&OBJ=software", text_plain, "Ada\r\nscanner 3\r\n"),
        ("OBJ=xmp", "application/xml", "<x:xmpmeta/>\r\n"),
        (
            "OBJ=metadata",
            "application/json",
            "{\n\t\"creator\": \"Ada\",\n\t\"rights\": \"\u{a9} Ada\",\n\t\"software\": \
             \"scanner 3\",\n\t\"title\": \"hello \\\"world\\\"\"\n}\r\n",
        ),
        ("OBJ=Max-size&OBJ=creator", "application/vnd.netfpx", "Max-size:1001 701\r\nAda\r\n"),
    ] {
        let info = ImageInfo { metadata: metadata.clone().into(), ..rgb() };
        let asked = call(&format!("/iip?FIF=rgb.tif&{objects}"));
        let response = respond(&asked, &info_reply(info), &Settings::default());
        assert_eq!(text(&response), body, "{objects}");
        assert_eq!(response.header("Content-Type"), Some(content_type), "{objects}");
        let policy = response.header("Content-Security-Policy");
        assert_eq!(policy.is_some(), objects.contains("xmp"), "{objects}");
    }
    let response = describe("/iip?FIF=rgb.tif&OBJ=metadata");
    assert_eq!(text(&response), "{\n}\r\n");
}

#[test]
fn objects_of_the_server_need_no_image() {
    let parsed = parse(&get("/iip?OBJ=IIP,1.0&OBJ=IIP-server"), &Settings::default());
    let Ok(Parsed::Response(response)) = parsed else { panic!("{parsed:?}") };
    assert_eq!((response.status, text(&response)), (200, "IIP-server:3.65\r\n"));
    assert_eq!(response.header("IIP"), Some("1.0"));
}

#[test]
fn errors_begin_with_the_line_that_clients_know() {
    for (query, status, line) in [
        ("FIF=rgb.tif&OBJ=foo", 400, "Error/7:3 2 foo"),
        ("OBJ=Max-size", 400, "Error/12:1 3 max-size"),
        ("FIF=rgb.tif", 400, "Error/15:2 1 FIF=rgb.tif"),
        ("FOO=BAR", 400, "Error/7:2 2 FOO"),
        ("", 400, "Error/4:2 1 "),
        ("JTL=0,0", 400, "Error/7:1 3 JTL"),
        ("FIF=a&JTL=0", 400, "Error/9:2 1 JTL=0"),
        ("FIF=a&JTL=-1,0", 400, "Error/12:2 1 JTL=-1,0"),
        ("FIF=a&JTL=0,0&JTL=0,1", 400, "Error/11:2 1 JTL=0,1"),
        ("FIF=a&CNT=x&JTL=0,0", 400, "Error/9:2 1 CNT=x"),
        ("FIF=a&SPECTRA=0,0,1", 400, "Error/17:2 1 SPECTRA=0,0,1"),
        ("FIF=a&PFL=0,0,1", 400, "Error/13:2 1 PFL=0,0,1"),
        ("PFL=0:0,1", 400, "Error/7:1 3 PFL"),
        ("FIF=a&ROT=4e9&CVT=jpeg", 400, "Error/11:2 1 ROT=4e9"),
        ("FIF=a&CVT=bmp", 400, "Error/11:2 1 CVT=bmp"),
        ("FIF=a&BPC=12&CVT=png", 400, "Error/10:2 1 BPC=12"),
        ("FIF=a&QLT=zip:1&CVT=tiff", 400, "Error/13:2 1 QLT=zip:1"),
        ("FIF=a&WID=abc&CVT=jpeg", 400, "Error/11:2 1 WID=abc"),
        ("FIF=a&WID=-5&CVT=jpeg", 400, "Error/10:2 1 WID=-5"),
        ("FIF=a&QLT=x&CVT=jpeg", 400, "Error/9:2 1 QLT=x"),
        ("FIF=a&RGN=0,0,0,1&CVT=jpeg", 400, "Error/15:2 1 RGN=0,0,0,1"),
        ("FIF=a&RGN=0,0,nan,1&CVT=jpeg", 400, "Error/17:2 1 RGN=0,0,nan,1"),
        ("FIF=a&RGN=0,0,1&CVT=jpeg", 400, "Error/13:2 1 RGN=0,0,1"),
        ("FIF=a&TIL=0,0-x", 400, "Error/13:2 1 TIL=0,0-x"),
    ] {
        let response = refused(query);
        assert_eq!(response.status, status, "{query}");
        assert_eq!(text(&response).lines().next(), Some(line), "{query}");
        assert_eq!(text(&response).lines().count(), 2, "{query}");
    }
}

#[test]
fn tiles_are_counted_as_the_client_does() {
    for (query, format) in [
        ("JTL=1,5", Format::Jpeg),
        ("jtl=1,5", Format::Jpeg),
        ("PTL=1,5", Format::Png),
        ("WTL=1,5", Format::Webp),
        ("ATL=1,5", Format::Avif),
        ("TTL=1,5", Format::Tiff),
        ("TIL=1,5", Format::Jpeg),
        ("TIL=1,5-5", Format::Jpeg),
        ("CNT=1.0&GAM=1&SDS=0,90&ROT=0&LYR=3&ICC&JTL=1,5", Format::Jpeg),
        ("OBJ=IIP,1.0&JTL=1,5", Format::Jpeg),
    ] {
        let call = call(&format!("/iip?FIF=x/rgb.tif&{query}"));
        assert_eq!(call.request.image.as_str(), "x/rgb.tif");
        let picture = call.picture().unwrap();
        assert_eq!(picture.frame, Frame::IipTile { resolution: 1, index: 5 }, "{query}");
        assert_eq!((picture.format, picture.encoder_quality), (format, None), "{query}");
    }
}

fn export_of(query: &str) -> (Region, SizeForm, Upscale) {
    let call = call(&format!("/iip?FIF=rgb.tif&{query}"));
    let Frame::Region { region, size } = call.picture().unwrap().frame else { panic!("{query}") };
    assert_eq!(size.over_limit, OverLimit::Clamp);
    (region, size.form, size.upscale)
}

#[test]
fn an_export_is_what_was_set_before_it() {
    let quarter = Region::Percent { x: 50.0, y: 50.0, width: 25.0, height: 25.0 };
    let full = Region::Full;
    for (query, expected) in [
        ("CVT=jpeg", (full, SizeForm::Max, Upscale::Clip)),
        ("WID=200&CVT=jpeg", (full, SizeForm::Width(200), Upscale::Allow)),
        ("HEI=512.75&CVT=png", (full, SizeForm::Height(512), Upscale::Allow)),
        ("WID=300&HEI=300&CVT=png", (full, SizeForm::Within(300, 300), Upscale::Allow)),
        ("WID=0&CVT=jpeg", (full, SizeForm::Max, Upscale::Clip)),
        ("CVT=jpeg&WID=50", (full, SizeForm::Max, Upscale::Clip)),
        ("RGN=0.5,0.5,0.25,0.25&HEI=100&CVT=png", (quarter, SizeForm::Height(100), Upscale::Allow)),
        ("RGN=.5,5e-1,0.25,0.25&CVT=PNG", (quarter, SizeForm::Max, Upscale::Clip)),
    ] {
        assert_eq!(export_of(query), expected, "{query}");
    }
    let (region, ..) = export_of("RGN=-0.25,0,0.5,7&CVT=jpeg");
    assert_eq!(region, Region::Percent { x: 0.0, y: 0.0, width: 25.0, height: 100.0 });
}

#[test]
fn nothing_is_enlarged_where_that_is_switched_off() {
    let limits = Limits { upscaling_allowed: false, ..Limits::default() };
    let settings = Settings { limits, ..Settings::default() };
    let call = try_call("/iip?FIF=rgb.tif&WID=3000&CVT=jpeg", &settings).unwrap();
    let size = ScaleTo {
        form: SizeForm::Width(3000),
        upscale: Upscale::Clip,
        over_limit: OverLimit::Clamp,
    };
    assert_eq!(call.picture().unwrap().frame, Frame::Region { region: Region::Full, size });
}

#[test]
fn the_encoder_quality_is_clamped_and_may_name_a_compression() {
    for (query, quality, compression) in [
        ("QLT=75", 75, None),
        ("QLT=0", 0, None),
        ("QLT=-1", -1, None),
        ("QLT=150", 100, None),
        ("QLT=99.9", 99, None),
        ("QLT=deflate:9", 9, Some(TiffCompression::Deflate)),
        ("QLT=LZW:1", 1, Some(TiffCompression::Lzw)),
        ("QLT=lzw:", 0, Some(TiffCompression::Lzw)),
        ("QLT=jpeg:80&QLT=20", 20, None),
    ] {
        let call = call(&format!("/iip?FIF=a&{query}&JTL=0,0&QLT=1"));
        let picture = call.picture().unwrap();
        assert_eq!(picture.encoder_quality, Some(quality), "{query}");
        assert_eq!(picture.tiff_compression, compression, "{query}");
    }
}

#[test]
fn a_depth_counts_for_what_follows_and_exports_are_known_as_such() {
    for (query, depth, is_export) in [
        ("CVT=tiff", Depth::Eight, true),
        ("BPC=8&CVT=png", Depth::Eight, true),
        ("BPC=16&CVT=png", Depth::Sixteen, true),
        ("bpc=32&CVT=tif", Depth::Float, true),
        ("BPC=16&PTL=0,0", Depth::Sixteen, false),
        ("CVT=png&BPC=16", Depth::Eight, true),
    ] {
        let call = call(&format!("/iip?FIF=a&{query}"));
        let picture = call.picture().unwrap();
        assert_eq!((picture.depth, picture.is_export), (depth, is_export), "{query}");
    }
}

#[test]
fn an_export_has_a_file_name() {
    let settings = Settings::default();
    let reply = picture_reply(200, 140, Format::Jpeg);
    let asked = call("/iip?FIF=x/rgb.tif&WID=200&CVT=jpeg");
    let response = respond(&asked, &reply, &settings);
    assert_eq!(
        response.header("Content-Disposition"),
        Some("inline; filename=\"rgb_200x140.jpg\"")
    );
    let body = b"FIF=a%22b%C3%A9.tif&WID=200&CVT=jpeg";
    let post = RawRequest { method: Method::Post, body, ..get("/iip") };
    let Ok(Parsed::Call(asked)) = parse(&post, &settings) else { panic!("not a call") };
    let response = respond(&asked, &reply, &settings);
    assert_eq!(
        response.header("Content-Disposition"),
        Some("attachment; filename=\"a_b__200x140.jpg\"")
    );
    let tile = respond(&call("/iip?FIF=a&JTL=0,0"), &reply, &settings);
    assert_eq!(tile.header("Content-Disposition"), None);
}

#[test]
fn a_raw_tile_comes_in_its_frame() {
    let asked = call("/iip?FIF=rgb.tif&TIL=0,7");
    let Reply::Picture(tile) = picture_reply(250, 175, Format::Jpeg) else { panic!("no picture") };
    let reply = Reply::Tiles(vec![(7, tile.clone())]);
    let response = respond(&asked, &reply, &Settings::default());
    let etag = response.header("ETag").unwrap().to_owned();
    let known = RawRequest { if_none_match: Some(&etag), ..get("/iip?FIF=rgb.tif&TIL=0,7") };
    let Ok(Parsed::Call(again)) = parse(&known, &Settings::default()) else { panic!("not a call") };
    assert_eq!(respond(&again, &reply, &Settings::default()).status, 304);
    let two = Reply::Tiles(vec![(7, tile.clone()), (8, tile)]);
    assert!(respond(&asked, &two, &Settings::default()).body.len() > 2 * response.body.len() - 2);
    assert_eq!(response.header("Content-Type"), Some("application/vnd.netfpx"));
    assert_eq!(&*response.body, b"Tile,0,7,0/12:\x02\0\0\0\0\x11\0\0file\r\n".as_slice());
}

#[test]
fn names_are_decoded_once_and_plus_is_a_plus() {
    for (query, name) in [
        ("FIF=a+b%20c.tif", "a+b c.tif"),
        ("FIF=/x%2Fy%26z.tif", "x/y&z.tif"),
        ("FIF=a%252B.tif", "a%2B.tif"),
        ("FIF=first.tif&FIF=second.tif", "second.tif"),
        ("FIF=%C3%A9.tif", "\u{e9}.tif"),
    ] {
        let call = call(&format!("/iip?{query}&OBJ=Max-size"));
        assert_eq!(call.request.image.as_str(), name, "{query}");
        assert_eq!(call.request.want, Want::Info);
    }
}

#[test]
fn the_body_of_a_post_is_the_query_where_there_is_none() {
    let settings = Settings::default();
    let post = |address, body| RawRequest { method: Method::Post, body, ..get(address) };
    let Ok(Parsed::Call(asked)) = parse(&post("/iip", b"FIF=a&JTL=0,1"), &settings) else {
        panic!("not a call");
    };
    assert_eq!(asked.picture().unwrap().frame, Frame::IipTile { resolution: 0, index: 1 });
    let refusal = parse(&post("/iip", b"FIF=\xff"), &settings).unwrap_err();
    assert_eq!(refusal.fault.kind.status(), 400);
    let Ok(Parsed::Call(asked)) = parse(&post("/iip?FIF=b&OBJ=DPI", b"FIF=a"), &settings) else {
        panic!("not a call");
    };
    assert_eq!(asked.request.image.as_str(), "b");
    let response = respond(&asked, &info_reply(rgb()), &settings);
    assert_eq!(response.status, 200);
}
