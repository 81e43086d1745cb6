//! Every format, quality and rotation, opened by an independent decoder: `check_formats.py`.

use std::fs;

use serde_json::json;

use crate::harness::{Server, folder_with, run_python};

#[test]
fn every_format_quality_and_rotation_is_what_other_decoders_expect() {
    let folder = folder_with(&[("a.tif", "everyday/coffee.tif")]);
    let fine = [
        "--render-jpeg-quality",
        "95",
        "--render-webp-quality",
        "95",
        "--output-avif-quality",
        "95",
    ];
    let server = Server::start(folder.path(), &fine);
    let answers = tempfile::tempdir().unwrap();
    let mut cases = Vec::new();
    for format in ["jpg", "png", "webp", "avif", "tif"] {
        for quality in ["default", "color", "gray", "bitonal"] {
            for rotation in ["0", "90", "180", "270", "!0"] {
                let target = format!("/iiif/3/a.tif/full/300,200/{rotation}/{quality}.{format}");
                let answer = server.get(&target);
                assert_eq!(answer.status, 200, "{target}: {}", answer.text());
                let file = answers.path().join(format!("{}.{format}", cases.len()));
                fs::write(&file, &answer.body).unwrap();
                cases.push(json!({
                    "file": file, "format": format, "quality": quality, "rotation": rotation,
                }));
            }
        }
    }
    assert_eq!(cases.len(), 100);
    let manifest = answers.path().join("cases.json");
    fs::write(&manifest, serde_json::to_vec(&cases).unwrap()).unwrap();
    run_python(
        "check_formats.py",
        &[folder.path().join("a.tif").as_os_str(), manifest.as_os_str()],
    );
    server.finish(&[]);
}
