//! Pages of a stack, angles of a sequence and the label of a slide: the right pixels through every
//! protocol, and words about those that are not there. The files are the golden suite's.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::harness::{Response, Server};

/// A file of the golden suite.
fn fixture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fixtures").join(name);
    assert!(path.is_file(), "no {}: run ./dev fixtures", path.display());
    path
}

/// A folder with fixtures under the names asked for.
fn folder(names: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, of) in names {
        fs::copy(fixture(of), folder.path().join(name)).unwrap();
    }
    folder
}

/// The samples of a picture in an answer.
fn samples(answer: &Response) -> Vec<u8> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut reader = png::Decoder::new(Cursor::new(&answer.body)).read_info().unwrap();
    let mut samples = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut samples).unwrap();
    samples.truncate(frame.buffer_size());
    samples
}

/// Asks for pictures and holds each against the samples in a file of the golden suite.
fn check(server: &Server, rows: &[(&str, &str)]) {
    for (target, raw) in rows {
        assert!(samples(&server.get(target)) == fs::read(fixture(raw)).unwrap(), "{target}");
    }
}

/// Asks for what is not there; the answer is 404 and says this.
fn check_absent(server: &Server, rows: &[(&str, &str)]) {
    for (target, words) in rows {
        let answer = server.get(target);
        assert_eq!(answer.status, 404, "{target}: {}", answer.text());
        assert!(answer.text().contains(words), "{target}: {}", answer.text());
    }
}

#[test]
fn each_page_of_a_stack_has_its_own_pixels() {
    let folder = folder(&[("s.tif", "stack-sub.tif"), ("d.tif", "stack-document.tif")]);
    let server = Server::start(folder.path(), &["--protocol-delimiter", ";"]);
    check(
        &server,
        &[
            ("/iip?FIF=s.tif&CVT=png", "stack-sub.tif.0.0.raw"),
            ("/iip?FIF=s.tif&SDS=1&CVT=png", "stack-sub.tif.1.0.raw"),
            ("/iip?FIF=s.tif&SDS=2,90&CVT=png", "stack-sub.tif.2.0.raw"),
            ("/iip?FIF=s.tif;2&SDS=0,90&CVT=png", "stack-sub.tif.2.0.raw"),
            ("/iip?FIF=s.tif&SDS=2&PTL=0,0", "stack-sub.tif.2.2.raw"),
            ("/iiif/3/s.tif/full/max/0/default.png", "stack-sub.tif.0.0.raw"),
            ("/iiif/3/s.tif;1/full/max/0/default.png", "stack-sub.tif.1.0.raw"),
            ("/iiif/2/s.tif%3B2/full/full/0/default.png", "stack-sub.tif.2.0.raw"),
            ("/zoomify/s.tif;2/TileGroup0/0-0-0.png", "stack-sub.tif.2.2.raw"),
            ("/iiif/3/d.tif;1/full/max/0/default.png", "stack-document.tif.1.0.raw"),
        ],
    );
    let tile = samples(&server.get("/iip?FIF=s.tif&SDS=2&PTL=2,5"));
    for target in ["/deepzoom/s.tif;2_files/8/1_1.png", "/iip?SDS=2&DeepZoom=s.tif_files/8/1_1.png"]
    {
        assert!(samples(&server.get(target)) == tile, "{target}");
    }
    // The description is that of the page.
    let info = server.get("/iiif/3/d.tif;1/info.json").json();
    assert_eq!((&info["width"], &info["height"]), (&180.into(), &130.into()));
    assert_eq!(info["id"], format!("http://{}/iiif/3/d.tif;1", server.address));
    let list = server.get("/iip?FIF=s.tif&OBJ=stack").json();
    assert_eq!(list[2]["name"], "layer2");
    assert_eq!(list[2]["scale"], 1.5);
    let views = server.get("/iip?FIF=s.tif&OBJ=Horizontal-views&OBJ=Vertical-views").text();
    assert_eq!(views, "Horizontal-views:0 1 2\r\nVertical-views:90\r\n");
    let listed = server.get("/slices.json?image=s.tif%3B1").json();
    assert_eq!(listed["pages"], 3);
    let page = |page: u32, path: &str, shown: bool| serde_json::json!({"name": format!("layer{page}"), "path": path, "shown": shown});
    let pages = [page(0, "s.tif", false), page(1, "s.tif;1", true), page(2, "s.tif;2", false)];
    assert_eq!(listed["slices"], serde_json::json!(pages));
    assert_eq!(server.get("/slices.json?image=none.tif").status, 404);
    assert_eq!(server.get("/slices.json?image=%E9").status, 400);
    let open = server.metric("tessera_images_open", &[]);
    check_absent(
        &server,
        &[
            ("/iip?FIF=s.tif&SDS=3&CVT=png", "there is no page 3: the file has 3"),
            ("/iiif/3/s.tif;3/info.json", "there is no page 3: the file has 3"),
            ("/iiif/3/s.tif;label/info.json", "there is no label"),
            ("/iiif/3/s.tif;x/info.json", "there is no image of this name"),
        ],
    );
    assert!((server.metric("tessera_images_open", &[]) - open).abs() < 0.5);
    server.finish(&[]);
}

#[test]
fn each_angle_of_a_sequence_is_a_file() {
    let folder = folder(&[
        ("q_pyr_000_090.tif", "size-64x64.tif"),
        ("q_pyr_010_090.tif", "size-65x129.tif"),
        ("q_pyr_000_045.tif", "size-15x17.tif"),
    ]);
    let server = Server::start_with(folder.path(), &[], &[("IIIF_DELIMITER", "@")]);
    check(
        &server,
        &[
            ("/iip?FIF=q&CVT=png", "size-64x64.tif.0.0.raw"),
            ("/iip?FIF=q&SDS=10&CVT=png", "size-65x129.tif.0.0.raw"),
            ("/iip?FIF=q&SDS=10,90&CVT=png", "size-65x129.tif.0.0.raw"),
            ("/iip?FIF=q&SDS=0,45&CVT=png", "size-15x17.tif.0.0.raw"),
            ("/iiif/3/q@10/full/max/0/default.png", "size-65x129.tif.0.0.raw"),
            ("/iip?FIF=q_pyr_010_090.tif&SDS=0,0&CVT=png", "size-65x129.tif.0.0.raw"),
        ],
    );
    let listed = server.get("/slices.json?image=q").json();
    assert_eq!(listed["slices"][1]["path"], "q@10");
    let tile = server.get("/iip?FIF=q&JTLS=0,0,0,45");
    assert_eq!(tile.picture_size(), (15, 17));
    let views = server.get("/iip?FIF=q&SDS=10&OBJ=Horizontal-views&OBJ=Vertical-views").text();
    assert_eq!(views, "Horizontal-views:0 10\r\nVertical-views:45 90\r\n");
    check_absent(
        &server,
        &[
            ("/iip?FIF=q&SDS=20&CVT=png", "there is no view 20,90: horizontal views are 0 10,"),
            ("/iip?FIF=q_pyr_010_090.tif&SDS=1&CVT=png", "there is no page 1: the file has 1"),
            ("/iip?FIF=*&CVT=png", "there is no image of this name"),
        ],
    );
    server.finish(&[]);
}

#[test]
fn what_lies_beside_a_slide_is_served_by_its_word() {
    let folder = folder(&[("slide.svs", "slide.svs")]);
    let server = Server::start(folder.path(), &["--protocol-delimiter", ";"]);
    check(
        &server,
        &[
            ("/iiif/3/slide.svs/full/max/0/default.png", "slide.svs.0.0.raw"),
            ("/iiif/3/slide.svs;label/full/max/0/default.png", "slide.svs.label.raw"),
            ("/iip?FIF=slide.svs;macro&CVT=png", "slide.svs.macro.raw"),
        ],
    );
    let listed = server.get("/slices.json?image=slide.svs").json();
    assert_eq!(listed["slices"][2]["path"], "slide.svs;label");
    let info = server.get("/iiif/3/slide.svs;label/info.json").json();
    assert_eq!((&info["width"], &info["height"]), (&70.into(), &90.into()));
    server.finish(&[]);
}
