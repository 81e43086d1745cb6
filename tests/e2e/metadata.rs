//! What a file says in words and blocks, in answers of every format, read by `exiftool`: `check_metadata.py`.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::{RETINA, Server, folder_with, run, run_python};

/// Formats of answers, by IIP's word.
const FORMATS: [&str; 6] = ["jpeg", "png", "webp", "avif", "tiff", "jxl"];

/// Writes what a camera, a photographer and an archive would.
fn describe(file: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/describe.args");
    let arguments = ["-q", "-overwrite_original", "-@"].map(AsRef::as_ref);
    let arguments = [&arguments[..], &[script.as_os_str(), file.as_os_str()]].concat();
    run("exiftool", &arguments);
}

#[test]
fn an_export_says_what_its_source_does_in_every_format_that_can() {
    let folder = folder_with(&[("a.tif", RETINA), ("plain.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--output-copyright", "House rights"]);
    let whole = |format: &str| format!("/iiif/3/a.tif/full/600,/0/default.{format}");
    for (name, format) in [("b.jpg", "jpg"), ("c.png", "png"), ("d.webp", "webp")] {
        let answer = server.get(&whole(format));
        assert_eq!(answer.status, 200, "{}", answer.text());
        fs::write(folder.path().join(name), &answer.body).unwrap();
    }
    for name in ["a.tif", "b.jpg", "c.png", "d.webp"] {
        describe(&folder.path().join(name));
    }
    // The source above is open no more: it was written over.
    let answers = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    let mut take = |target: String, source: &str, format: &str, kind: &str| {
        let answer = server.get(&target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        let file = answers.path().join(format!("{}.{format}", cases.len()));
        fs::write(&file, &answer.body).unwrap();
        cases.push(json!({"file": file, "source": source, "format": format, "kind": kind}));
    };
    for source in ["a.tif", "b.jpg", "c.png", "d.webp", "plain.tif"] {
        for format in FORMATS {
            let target = format!("/iip?FIF={source}&WID=300&CVT={format}");
            take(target, source, format, "export");
        }
        take(format!("/iip?FIF={source}&JTL=0,0"), source, "jpeg", "tile");
        take(format!("/iiif/3/{source}/full/max/0/default.jpg"), source, "jpeg", "whole");
    }
    assert_eq!(cases.len(), 5 * 8);
    let manifest = answers.path().join("cases.json");
    fs::write(&manifest, serde_json::to_vec(&cases).unwrap()).unwrap();
    run_python("check_metadata.py", &[manifest.as_os_str()]);

    let told = server.get("/iip?FIF=b.jpg&OBJ=metadata").json();
    assert_eq!(told["creator"], "Zo\u{eb} Ada");
    assert_eq!(told["rights"], "Rights of the file");
    let told = server.get("/iip?FIF=plain.tif&OBJ=metadata").json();
    assert_eq!(told["rights"], "House rights");
    server.finish(&[]);
}
