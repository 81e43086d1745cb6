//! Pages, views and associated pictures in the words of every protocol.

use crate::model::{Associated, ImageInfo, Slice, StackPage, Views, Want};
use crate::protocols::fixture::{call, get, info_reply, refused_status, rgb, text, try_call};
use crate::protocols::{Response, Settings, parse, respond};

const LABEL: Slice = Slice::Associated(Associated::Label);

fn with_delimiter(delimiter: &str) -> Settings {
    Settings { delimiter: Some(delimiter.to_owned()), ..Settings::default() }
}

/// The answer to an IIP query about an image with these views.
fn described(query: &str, views: Views) -> Response {
    let info = ImageInfo { views, ..rgb() };
    respond(&call(&format!("/iip?{query}")), &info_reply(info), &Settings::default())
}

fn stack() -> Views {
    let page = |name: &str, scale| StackPage { name: name.to_owned(), scale };
    Views {
        horizontal: vec![0, 1, 2],
        stack: vec![page("layer0", 0.5), page("a \"b\"\n", 1.0), page("", 1e-7)],
        ..Views::default()
    }
}

#[test]
fn a_delimiter_names_slices_on_every_mount_and_in_every_query() {
    let settings = with_delimiter(";");
    let mut cases = 0;
    for (word, slice) in [("2", Slice::page(2)), ("label", LABEL), ("0", Slice::Main)] {
        for address in [
            format!("/iiif/3/x%2Fa.tif;{word}/info.json"),
            format!("/iiif/2/x%2Fa.tif%3B{word}/full/50,/0/default.png"),
            format!("/iip?IIIF=x/a.tif;{word}/full/max/0/default.jpg"),
            format!("/deepzoom/x/a.tif;{word}.dzi"),
            format!("/deepzoom/x/a.tif;{word}_files/9/0_0.jpg"),
            format!("/zoomify/x/a.tif;{word}/ImageProperties.xml"),
            format!("/iip?Zoomify=x/a.tif;{word}/TileGroup0/0-0-0.jpg"),
            format!("/iip?FIF=x/a.tif;{word}&JTL=0,0"),
            format!("/iip?FIF=x/a.tif;{word}&SDS=0,90&JTL=0,0"),
            format!("/iip?FIF=x/a.tif;{word}&OBJ=Max-size"),
        ] {
            let image = try_call(&address, &settings).unwrap().request.image;
            assert_eq!((image.as_str(), image.slice()), ("x/a.tif", slice), "{address}");
            let image = call(&address).request.image;
            assert_eq!(image.as_str(), format!("x/a.tif;{word}"), "{address}");
            cases += 1;
        }
    }
    assert_eq!(cases, 30);
}

#[test]
fn the_id_of_a_slice_keeps_its_delimiter() {
    let settings = with_delimiter(";");
    let asked = try_call("/iiif/3/a.tif%3B2/info.json", &settings).unwrap();
    let response = respond(&asked, &info_reply(rgb()), &settings);
    assert!(text(&response).contains("\"id\":\"http://ex.org/iiif/3/a.tif;2\""));
}

#[test]
fn a_view_counts_for_what_follows_it() {
    let view = Slice::view;
    for (query, slice) in [
        ("FIF=a&SDS=3&JTL=0,0", view(3, 90)),
        ("FIF=a&sds=10,45&JTL=0,0", view(10, 45)),
        ("SDS=3&FIF=a&JTL=0,0", view(3, 90)),
        ("FIF=a&SDS=3&SDS=4&JTL=0,0", view(4, 90)),
        ("FIF=a&JTL=0,0&SDS=3", Slice::Main),
        ("FIF=a&SDS=0,0&CVT=jpeg", view(0, 0)),
        ("FIF=a&SDS=0&CVT=jpeg", Slice::Main),
        ("FIF=a&SDS=3&OBJ=Max-size", view(3, 90)),
        ("FIF=a&OBJ=Max-size&SDS=3", Slice::Main),
        ("FIF=a&JTLS=10,1,5,45", view(10, 45)),
        ("FIF=a&SDS=3&JTLS=0,1,5,90", Slice::Main),
        ("SDS=3&DeepZoom=a_files/9/0_0.jpg", view(3, 90)),
        ("SDS=3&DeepZoom=a.dzi", view(3, 90)),
        ("SDS=3&Zoomify=a/ImageProperties.xml", view(3, 90)),
        ("SDS=3&IIIF=a/full/max/0/default.jpg", view(3, 90)),
        ("SDS=0,90&IIIF=a/info.json", Slice::Main),
    ] {
        let image = call(&format!("/iip?{query}")).request.image;
        assert_eq!((image.as_str(), image.slice()), ("a", slice), "{query}");
    }
    assert_eq!(call("/iip?FIF=a&SDS=3&OBJ=stack").request.want, Want::Info);
    assert_eq!(refused_status("/iip?SDS=3&IIIF=a/info.json", &Settings::default()), 501);
}

#[test]
fn views_that_are_no_numbers_are_refused_by_name() {
    for (query, line) in [
        ("FIF=a&SDS=x&JTL=0,0", "Error/9:2 1 SDS=x"),
        ("FIF=a&SDS=1,&JTL=0,0", "Error/10:2 1 SDS=1,"),
        ("FIF=a&SDS=-1,90&JTL=0,0", "Error/13:2 1 SDS=-1,90"),
        ("FIF=a&SDS=1,90,0&JTL=0,0", "Error/14:2 1 SDS=1,90,0"),
        ("FIF=a&SDS=99999999999&JTL=0,0", "Error/19:2 1 SDS=99999999999"),
        ("FIF=a&JTLS=0,1,5", "Error/14:2 1 JTLS=0,1,5"),
    ] {
        let refusal = parse(&get(&format!("/iip?{query}")), &Settings::default()).unwrap_err();
        let response = refusal.respond();
        assert_eq!(response.status, 400, "{query}");
        let mut lines = text(&response).lines();
        assert_eq!(lines.next(), Some(line));
        let name = line.rsplit(' ').next().unwrap().split('=').next().unwrap();
        assert!(lines.next().unwrap().starts_with(name), "{query}");
    }
}

#[test]
fn views_are_listed_to_the_byte() {
    let angles = Views { horizontal: vec![0, 10, 20], vertical: vec![45, 90], ..Views::default() };
    let both = "FIF=a&OBJ=Horizontal-views&OBJ=vertical-views";
    let response = described(both, angles);
    assert_eq!(text(&response), "Horizontal-views:0 10 20\r\nVertical-views:45 90\r\n");
    let response = described(both, stack());
    assert_eq!(text(&response), "Horizontal-views:0 1 2\r\nVertical-views:90\r\n");
}

#[test]
fn a_stack_is_a_list_in_json() {
    let response = described("FIF=a&OBJ=stack", stack());
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    let expected = "[ \n\t{\n\t\t\"id\": 0,\n\t\t\"name\": \"layer0\",\n\t\t\"scale\": 0.5\n\t},\n\
        \t{\n\t\t\"id\": 1,\n\t\t\"name\": \"a \\\"b\\\"\\n\",\n\t\t\"scale\": 1\n\t},\n\
        \t{\n\t\t\"id\": 2,\n\t\t\"name\": \"\",\n\t\t\"scale\": 0.0000001\n\t}\n]\r\n";
    assert_eq!(text(&response), expected);
    let list: serde_json::Value = serde_json::from_str(expected).unwrap();
    assert_eq!(list[1]["name"], "a \"b\"\n");
    // Of what is no stack: nothing among lines, an empty list alone.
    let response = described("FIF=a&OBJ=stack", Views::default());
    assert_eq!((text(&response), response.status), ("[]\r\n", 200));
    let response = described("FIF=a&OBJ=stack&OBJ=Tile-size", Views::default());
    assert_eq!(text(&response), "Tile-size:256 256\r\n");
    assert_eq!(response.header("Content-Type"), Some("application/vnd.netfpx"));
}
