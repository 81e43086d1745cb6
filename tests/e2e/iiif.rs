//! IIIF beyond tiles: what is advertised is served and nothing else, any rotation, GIF and PDF, public
//! addresses behind proxies, manifests. What needs an independent reader is in the `check_*.py` beside.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{CHELSEA, RETINA, Server, folder_with, make_tiff, run, run_python};

const COFFEE: &str = "everyday/coffee.tif";

fn json_of(server: &Server, target: &str, headers: &[(&str, &str)]) -> Value {
    let answer = server.get_with(target, headers);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

/// A pyramid, a gray one, one whose file has no smaller levels, and a stack.
fn pictures() -> tempfile::TempDir {
    let folder = folder_with(&[("a.tif", RETINA), ("x/chelsea.tif", CHELSEA)]);
    let path = |name: &str| folder.path().join(name);
    make_tiff(CHELSEA, &path("flat.tif"), &["--tile-width", "128", "--tile-height", "128"]);
    let (flat, gray) = (path("flat.tif"), format!("{}[tile,pyramid]", path("gray.tif").display()));
    let arguments = [OsStr::new("colourspace"), flat.as_os_str(), gray.as_ref(), "b-w".as_ref()];
    run("vips", &arguments);
    let stack = path("stack.tif");
    let pages = [path("flat.tif"), path("gray.tif")];
    run("tiffcp", &[pages[0].as_os_str(), pages[1].as_os_str(), stack.as_os_str()]);
    folder
}

#[test]
fn what_is_advertised_is_served_and_nothing_else() {
    let folder = pictures();
    for arguments in [
        &["--protocol-delimiter", ";", "--protocol-iiif-extensions", "true"][..],
        &["--render-allow-upscaling", "false", "--render-output-px-max", "90000"],
    ] {
        let server = Server::start(folder.path(), arguments);
        run_python("check_advertised.py", &[OsStr::new(&server.address)]);
        server.finish(&[]);
    }
}

#[test]
fn pictures_turned_by_any_angle_are_those_of_another_program() {
    let folder = folder_with(&[("a.tif", COFFEE)]);
    let server = Server::start(folder.path(), &["--render-background", "102030"]);
    let answers = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for rotation in ["22.5", "90.5", "135", "!30", "359.75", "200"] {
        for format in ["png", "webp", "tif", "gif", "jpg", "pdf"] {
            let target = format!("/iiif/3/a.tif/full/300,200/{rotation}/default.{format}");
            let answer = server.get(&target);
            assert_eq!(answer.status, 200, "{target}: {}", answer.text());
            let file = answers.path().join(format!("{}.{format}", cases.len()));
            fs::write(&file, &answer.body).unwrap();
            cases.push(json!({"file": file, "format": format, "rotation": rotation}));
        }
    }
    assert_eq!(cases.len(), 36);
    let manifest = answers.path().join("cases.json");
    fs::write(&manifest, serde_json::to_vec(&cases).unwrap()).unwrap();
    let image = folder.path().join("a.tif");
    run_python("check_rotations.py", &[image.as_os_str(), manifest.as_os_str()]);
    // One answer whatever its words.
    let etag = |rotation: &str| {
        let target = format!("/iiif/3/a.tif/full/300,200/{rotation}/default.png");
        server.get(&target).header("etag").unwrap().to_owned()
    };
    assert_eq!(etag("22.5"), etag("22.500"));
    assert_ne!(etag("22.5"), etag("22.6"));
    server.finish(&[]);
}

#[test]
fn bitonal_is_dithered_where_that_is_set() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let mean = |arguments: &[&str]| {
        let server = Server::start(folder.path(), arguments);
        let answer = server.get("/iiif/3/a.tif/600,600,256,256/max/0/bitonal.png");
        let gray = server.get("/iiif/3/a.tif/600,600,256,256/max/0/gray.png");
        server.finish(&[]);
        let mean = |body: &[u8]| {
            let decoder = png::Decoder::new(std::io::Cursor::new(body.to_vec()));
            let mut reader = decoder.read_info().unwrap();
            let mut samples = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut samples).unwrap();
            samples.iter().map(|sample| f64::from(*sample)).sum::<f64>() / (256.0 * 256.0)
        };
        (mean(&answer.body), mean(&gray.body))
    };
    let (dithered, gray) = mean(&["--render-dither", "true"]);
    assert!((dithered - gray).abs() < 3.0, "{dithered} for {gray}");
    let (parted, gray) = mean(&[]);
    assert!(10.0 < (parted - gray).abs(), "{parted} for {gray}");
}

#[test]
fn processing_behind_an_address_is_that_of_iip() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--protocol-iiif-extensions", "true"]);
    let etag = |target: &str| {
        let answer = server.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.header("etag").unwrap().to_owned()
    };
    let tile = "/iiif/3/a.tif/256,256,256,256/256,256/0/default.jpg";
    for (ours, iip) in [
        ("contrast=1.5", "CNT=1.5"),
        ("gamma=0.5&invert", "GAM=0.5&INV"),
        ("colormap=viridis", "CMP=viridis"),
        ("bands=%5B0,0,1;0,1,0;1,0,0%5D", "CTW=%5B0,0,1;0,1,0;1,0,0%5D"),
        ("convolve=sobel", "CNV=sobel"),
        ("range=-:10,200", "MINMAX=-:10,200"),
        ("contrast=stretch", "CNT=stretch"),
    ] {
        let changed = etag(&format!("{tile}?{ours}"));
        assert_eq!(changed, etag(&format!("/iip?FIF=a.tif&{iip}&JTL=3,7")), "{ours}");
        assert_ne!(changed, etag(tile), "{ours}");
    }
    assert_eq!(etag(tile), etag(&format!("{tile}?t=1234")));
    let word = |quality| format!("/iiif/3/a.tif/256,256,256,256/256,256/0/{quality}.jpg");
    assert_eq!(etag(&word("negative")), etag(&format!("{tile}?invert")));
    assert_eq!(etag(&word("log")), etag(&format!("{tile}?gamma=log")));
    let refused = server.get(&format!("{tile}?gamma=x"));
    assert_eq!(refused.status, 400);
    assert!(refused.text().starts_with("gamma: "), "{}", refused.text());
    server.finish(&[]);
}

#[test]
fn ids_are_public_addresses_where_a_trusted_proxy_tells_them() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let id = |server: &Server, headers: &[(&str, &str)]| {
        let info = json_of(server, "/iiif/3/a.tif/info.json", headers);
        info["id"].as_str().unwrap().to_owned()
    };
    let behind = [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "pictures.example"),
        ("X-Forwarded-Prefix", "/images"),
    ];
    let server = Server::start(folder.path(), &["--server-trusted-proxies", "127.0.0.0/8"]);
    assert_eq!(id(&server, &behind), "https://pictures.example/images/iiif/3/a.tif");
    let standard = [("Forwarded", "for=192.0.2.1;proto=https;host=\"p.example:8443\"")];
    assert_eq!(id(&server, &standard), "https://p.example:8443/iiif/3/a.tif");
    let told = [("X-IIIF-ID", "https://ids.example/1234")];
    assert_eq!(id(&server, &told), "https://ids.example/1234");
    for evil in ["a\"b.example", "evil.example/x?", "<script>"] {
        let id = id(&server, &[("X-Forwarded-Host", evil), ("X-IIIF-ID", evil)]);
        assert!(!id.contains(evil), "{id}");
    }
    server.finish(&[]);
    let server = Server::start(folder.path(), &[]);
    for headers in [&behind[..], &standard, &told] {
        assert!(id(&server, headers).ends_with(&format!("{}/iiif/3/a.tif", server.address)));
    }
    server.finish(&[]);
}

#[test]
fn manifests_of_images_stacks_and_folders_are_what_the_standard_says() {
    let folder = pictures();
    fs::write(folder.path().join("x/broken.tif"), b"II*\0").unwrap();
    let server = Server::start(
        folder.path(),
        &["--protocol-delimiter", ";", "--protocol-canvases-max", "4"],
    );
    run_python("check_manifests.py", &[OsStr::new(&server.address)]);
    let target = "/presentation/3/stack.tif/manifest.json";
    let answer = server.get(target);
    let media_type =
        "application/ld+json;profile=\"http://iiif.io/api/presentation/3/context.json\"";
    assert_eq!(answer.header("content-type"), Some(media_type));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let etag = answer.header("etag").unwrap();
    assert_eq!(server.get_with(target, &[("If-None-Match", etag)]).status, 304);
    for (name, status) in [("nothing.tif", 404), ("x%2Fbroken.tif", 422), ("..%2Fa.tif", 404)] {
        let answer = server.get(&format!("/presentation/3/{name}/manifest.json"));
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
    }
    fs::copy(folder.path().join("a.tif"), folder.path().join("b.tif")).unwrap();
    let answer = server.get("/presentation/3/manifest.json");
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.text().contains("more than the 4 images"), "{}", answer.text());
    server.finish(&[]);
}

#[test]
fn no_description_or_header_says_what_was_not_asked() {
    // Properties that every description has besides stand in each, and wrong ones keep the server from
    // starting.
    let folder = folder_with(&[("a.tif", RETINA)]);
    let extra = r#""seeAlso": [{"id": "https://ex.org/a.xml", "type": "Dataset"}]"#;
    let environment = [("IIIF_EXTRA_INFO", extra)];
    let server = Server::start_with(folder.path(), &[], &environment);
    let info = json_of(&server, "/iiif/3/a.tif/info.json", &[]);
    assert_eq!(info["seeAlso"][0]["type"], "Dataset");
    server.finish(&[]);
    for (value, words) in [("{\"width\": 5}", "width"), ("nonsense", "JSON object")] {
        let said = refused_start(folder.path(), value);
        assert!(said.contains("iiif_extra_info") && said.contains(words), "{said}");
    }
}

fn refused_start(folder: &Path, extra_info: &str) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tessera"))
        .arg("serve")
        .arg(folder)
        .args(["--bind", "127.0.0.1:0", "--admin", "none"])
        .args(["--protocol-iiif-extra-info", extra_info])
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}
