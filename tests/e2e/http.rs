//! HTTP itself: methods, validators, CORS, headers, unix sockets.

use std::os::unix::net::{UnixListener, UnixStream};

use crate::harness::{CHELSEA, RETINA, Server, exchange, folder_with};

const TILE: &str = "/iiif/3/a.tif/0,0,256,256/256,256/0/default.jpg";

#[test]
fn a_tile_has_its_length_type_validators_and_cors() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let answer = server.get(TILE);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.picture_size(), (256, 256));
    assert_eq!(answer.header("Content-Type"), Some("image/jpeg"));
    assert_eq!(answer.header("Content-Length"), Some(answer.body.len().to_string().as_str()));
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(answer.header("Cache-Control"), Some("max-age=86400"));
    let etag = answer.header("ETag").unwrap();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    let links = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link"));
    assert_eq!(links.count(), 1, "{:?}", answer.headers);
    server.finish(&[]);
}

#[test]
fn what_a_client_has_is_not_sent_or_decoded_again() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let scaled = "/iiif/3/a.tif/full/300,/0/default.png";
    let etag = server.get(scaled).header("ETag").unwrap().to_owned();
    let date = server.get(scaled).header("Last-Modified").unwrap().to_owned();
    drop(server);

    let server = Server::start(folder.path(), &[]);
    for headers in [("If-None-Match", etag.as_str()), ("If-Modified-Since", &date)] {
        let answer = server.get_with(scaled, &[headers]);
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{headers:?}");
        assert_eq!(answer.header("Content-Length"), None, "that of the 200 would be another");
        assert_eq!(answer.header("ETag"), Some(etag.as_str()));
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    }
    let decoded = server.metric("tessera_pixels_decoded_total", &[]);
    assert!(decoded == 0.0, "{decoded} pixels were decoded for a 304");
    let info = server.get("/iiif/3/a.tif/info.json").header("ETag").unwrap().to_owned();
    let known = server.get_with("/iiif/3/a.tif/info.json", &[("If-None-Match", &info)]);
    assert_eq!(known.status, 304);
    let other = server.get_with(scaled, &[("If-None-Match", "\"something else\"")]);
    assert_eq!(other.status, 200);
    server.finish(&[]);
}

#[test]
fn head_is_get_without_a_body_and_options_tells_the_methods() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let get = server.get(TILE);
    let head = server.send("HEAD", TILE, &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["Content-Length", "ETag", "Content-Type", "Last-Modified"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let options = server.send("OPTIONS", TILE, &[("Origin", "http://x.test")], b"");
    assert_eq!(options.status, 204);
    assert!(options.header("Allow").unwrap().contains("GET"));
    assert_eq!(options.header("Access-Control-Allow-Origin"), Some("*"));
    let delete = server.send("DELETE", TILE, &[], b"");
    assert_eq!(delete.status, 405);
    assert!(delete.header("Allow").is_some());
    server.finish(&[]);
}

#[test]
fn cors_is_on_errors_too_and_can_be_set_or_left_out() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    for target in ["/iiif/3/none.tif/info.json", "/iiif/3/a.tif/junk/max/0/default.jpg", "/nothing"]
    {
        let answer = server.get(target);
        assert!(matches!(answer.status, 400 | 404), "{target}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"), "{target}");
    }
    server.finish(&[]);
    let server = Server::start_with(folder.path(), &[], &[("CORS", "https://viewer.example")]);
    let origin = "https://viewer.example";
    assert_eq!(server.get(TILE).header("Access-Control-Allow-Origin"), Some(origin));
    let server = Server::start(folder.path(), &["--protocol-cors", ""]);
    assert_eq!(server.get(TILE).header("Access-Control-Allow-Origin"), None);
}

#[test]
fn iip_takes_its_query_as_a_body_too() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let query = "FIF=a.tif&OBJ=IIP,1.0&OBJ=Max-size&OBJ=Tile-size&OBJ=Resolution-number";
    let expected = "Max-size:1411 1411\r\nTile-size:256 256\r\nResolution-number:4\r\n";
    assert_eq!(server.get(&format!("/iip?{query}")).text(), expected);
    assert_eq!(server.send("POST", "/iip", &[], query.as_bytes()).text(), expected);
    assert_eq!(server.send("POST", "/iip", &[], &vec![b'x'; 70_000]).status, 413);
    server.finish(&[]);
}

#[test]
fn a_unix_socket_serves_the_same() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("t.sock");
    // A socket left behind by a server that was killed must not stop the next one.
    drop(UnixListener::bind(&path).unwrap());
    let bind = format!("unix:{}", path.display());
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tessera"))
        .args(["serve", folder.path().to_str().unwrap(), "--bind", &bind, "--admin", "none"])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let since = std::time::Instant::now();
    let mut stream = loop {
        match UnixStream::connect(&path) {
            Ok(stream) => break stream,
            Err(error) => assert!(since.elapsed() < crate::harness::PATIENCE, "{error}"),
        }
    };
    let answer = exchange(&mut stream, "localhost", ("GET", TILE), &[], b"");
    std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(!path.try_exists().unwrap(), "the socket was left behind");
    assert_eq!((answer.status, answer.picture_size()), (200, (256, 256)));
}

#[test]
fn health_and_metrics_have_an_address_of_their_own() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let admin = |target: &str| crate::harness::request(&server.admin, "GET", target, &[], b"");
    assert_eq!(admin("/health/live").status, 200);
    assert_eq!(admin("/health/ready").status, 200);
    assert_eq!(server.get("/metrics").status, 404);
    for _ in 0..3 {
        server.get(TILE);
    }
    let count = |outcome: &str| {
        let labels = ["protocol=\"iiif3\"", "class=\"tile\"", "format=\"jpg\"", outcome];
        server.metric("tessera_requests_total", &labels)
    };
    assert!((count("outcome=\"passed\"") - 1.0).abs() < 0.1);
    assert!((count("outcome=\"hit\"") - 2.0).abs() < 0.1);
    server.finish(&[]);
}

#[test]
fn the_gallery_lists_folders_and_images_and_its_pages_come_out_of_the_binary() {
    let folder = folder_with(&[("b/x.tif", CHELSEA), ("a.tif", RETINA)]);
    std::fs::write(folder.path().join("notes.txt"), "no image").unwrap();
    let server = Server::start(folder.path(), &[]);
    let list = server.get("/gallery.json?folder=").json();
    assert_eq!(list["folders"], serde_json::json!([{"name": "b", "path": "b"}]));
    assert_eq!(list["images"][0]["path"], "a.tif");
    assert_eq!(list["images"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/gallery.json?folder=b").json()["images"][0]["path"], "b/x.tif");
    assert_eq!(server.get("/gallery.json?folder=none").status, 404);
    assert_eq!(server.get("/gallery.json?folder=..%2F..").status, 400);
    for (target, kind) in [("/", "text/html"), ("/view/b/x.tif", "text/html")] {
        let page = server.get(target);
        assert_eq!(page.status, 200, "{target}");
        assert!(page.header("Content-Type").unwrap().starts_with(kind));
        assert!(page.header("Content-Security-Policy").unwrap().contains("default-src 'none'"));
        let etag = page.header("ETag").unwrap();
        assert_eq!(server.get_with(target, &[("If-None-Match", etag)]).status, 304);
    }
    let licence = server.get("/assets/openseadragon/LICENSE.txt");
    assert!(licence.text().contains("OpenSeadragon"), "{}", licence.text());
    server.finish(&[]);
}
