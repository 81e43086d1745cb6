//! Quality layers of JPEG 2000: `LYR` and `jpeg2000.layers_max` decode those that `opj_decompress -l` does.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

use crate::harness::{Server, make_tiff, request, run, run_python, sample};

/// A sample in four quality layers, the last without loss, as `layers.jp2`; and as a TIFF, which has none.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let shown = folder.path().join("shown.ppm");
    run("vips", &["copy".as_ref(), sample("everyday/chelsea.tif").as_os_str(), shown.as_os_str()]);
    let made = folder.path().join("layers.jp2");
    let options = ["-t", "256,256", "-r", "80,20,8,1", "-PLT", "-i"].map(OsStr::new);
    run(
        "opj_compress",
        &[&options[..], &[shown.as_os_str(), "-o".as_ref(), made.as_os_str()]].concat(),
    );
    make_tiff("everyday/chelsea.tif", &folder.path().join("plain.tif"), &[]);
    folder
}

/// The picture of a request, as a file of that name.
fn save(server: &Server, folder: &Path, setters: &str, name: &str) -> std::path::PathBuf {
    let answer = server.get(&format!("/iip?FIF=layers.jp2{setters}&CVT=png"));
    assert_eq!(answer.status, 200, "{setters}: {}", answer.text());
    let file = folder.join(name);
    fs::write(&file, &answer.body).unwrap();
    file
}

fn etag(server: &Server, query: &str) -> String {
    let answer = server.get(&format!("/iip?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.header("etag").unwrap().to_owned()
}

#[test]
fn as_many_layers_are_decoded_as_are_asked_for() {
    let folder = folder();
    let answers = tempfile::tempdir().unwrap();
    // The setting, the request, and the layers that `opj_decompress` is told; 0 are all.
    let cases = [
        ("-1", "", "0"),
        ("-1", "&LYR=1", "1"),
        ("-1", "&LYR=3", "3"),
        ("-1", "&LYR=0", "0"),
        ("-1", "&LYR=70000", "0"),
        ("0", "", "2"),
        ("0", "&LYR=3", "3"),
        ("3", "", "3"),
        ("3", "&LYR=4", "3"),
        ("3", "&LYR=2", "2"),
    ];
    let mut pairs = Vec::new();
    for (at, (max, setters, layers)) in cases.into_iter().enumerate() {
        let server = Server::start(folder.path(), &["--jpeg2000-layers-max", max]);
        let file = save(&server, answers.path(), setters, &format!("{at}.png"));
        pairs.push((file.display().to_string(), layers.to_owned()));
        server.finish(&[]);
    }
    let list = answers.path().join("pairs.json");
    fs::write(&list, serde_json::to_vec(&pairs).unwrap()).unwrap();
    let source = folder.path().join("layers.jp2");
    run_python("check_layers.py", &[source.as_os_str(), list.as_os_str()]);
}

#[test]
fn only_what_has_other_pixels_has_another_tag_and_is_opened_anew() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let tile = |setters: &str| etag(&server, &format!("FIF=layers.jp2{setters}&JTL=0,0"));
    let (all, two) = (tile(""), tile("&LYR=2"));
    assert_ne!(all, two);
    for asked in 4..40 {
        assert_eq!(tile(&format!("&LYR={asked}")), all, "there are four layers");
    }
    assert!((server.metric("tessera_images_open", &[]) - 2.0).abs() < 0.5);
    // What is explained is what would be answered.
    let explained = |layers: u32| {
        let target = format!("/explain?url=/iip?FIF=layers.jp2%26LYR={layers}%26JTL=0,0");
        request(&server.admin, "GET", &target, &[], b"").json()["plan"]["key"].clone()
    };
    assert_eq!(explained(39), explained(0));
    assert_ne!(explained(2), explained(0));
    let deep = "DeepZoom=/layers.jp2_files/8/0_0.jpg";
    assert_ne!(etag(&server, deep), etag(&server, &format!("LYR=1&{deep}")));
    let plain = etag(&server, "FIF=plain.tif&JTL=0,0");
    assert_eq!(etag(&server, "FIF=plain.tif&LYR=1&JTL=0,0"), plain);
    for wrong in ["x", "-1", "1.5"] {
        let answer = server.get(&format!("/iip?FIF=layers.jp2&LYR={wrong}&JTL=0,0"));
        assert_eq!(answer.status, 400, "LYR={wrong}");
    }
    server.finish(&[]);
}
