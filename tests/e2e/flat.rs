//! Plain JPEG and PNG files over every protocol: all tiles of all levels, for one decode of each level
//! that is decoded at all.

use std::path::Path;

use crate::harness::{RETINA, Server, run, sample};

/// Side of the picture.
const SIDE_PX: u32 = 1411;

/// A folder with the sample as `a.jpg` and `a.png`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, option) in [("a.jpg", "[Q=90]"), ("a.png", "[compression=1]")] {
        let target = format!("{}{option}", folder.path().join(name).display());
        run("vips", &["copy".as_ref(), sample(RETINA).as_os_str(), target.as_ref()]);
    }
    folder
}

/// Sizes of the levels that are offered, largest first, and tiles a side.
fn levels() -> impl Iterator<Item = (u32, u32, u32)> {
    (0..4).map(|halvings| (halvings, SIDE_PX >> halvings, (SIDE_PX >> halvings).div_ceil(256)))
}

/// All tiles of all levels of a file, by every protocol, with the size of each.
fn session(name: &str) -> Vec<(String, (u32, u32))> {
    let mut asked = Vec::new();
    for (halvings, side, tiles) in levels() {
        for (column, row) in (0..tiles).flat_map(|row| (0..tiles).map(move |column| (column, row)))
        {
            let length = |index: u32| 256.min(side - index * 256);
            let size = (length(column), length(row));
            let (iip, zoomify) = (3 - halvings, 3 - halvings);
            let index = row * tiles + column;
            asked.push((format!("/iip?FIF={name}&JTL={iip},{index}"), size));
            let before: u32 =
                levels().filter(|level| halvings < level.0).map(|level| level.2 * level.2).sum();
            let group = (before + index) / 256;
            let tile = format!("{zoomify}-{column}-{row}.jpg");
            asked.push((format!("/zoomify/{name}/TileGroup{group}/{tile}"), size));
        }
        // Deep Zoom and IIIF round sides up.
        let side = SIDE_PX.div_ceil(1 << halvings);
        let tiles = side.div_ceil(256);
        for (column, row) in (0..tiles).flat_map(|row| (0..tiles).map(move |column| (column, row)))
        {
            let length = |index: u32| 256.min(side - index * 256);
            let size = (length(column), length(row));
            let level = 11 - halvings;
            asked.push((format!("/deepzoom/{name}_files/{level}/{column}_{row}.jpg"), size));
            let step = 256 << halvings;
            let (x, y) = (column * step, row * step);
            let (w, h) = (step.min(SIDE_PX - x), step.min(SIDE_PX - y));
            let (width, height) = size;
            let address = format!("{x},{y},{w},{h}/{width},{height}/0/default.jpg");
            asked.push((format!("/iiif/3/{name}/{address}"), size));
        }
    }
    asked
}

fn decoded_in_session(folder: &Path, name: &str) -> f64 {
    let server = Server::start(folder, &[]);
    let asked = session(name);
    // 36 + 9 + 4 + 1 tiles over four protocols.
    assert_eq!(asked.len(), 200);
    for (target, size) in &asked {
        let answer = server.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(answer.picture_size(), *size, "{target}");
    }
    let decoded_px = server.metric("tessera_pixels_decoded_total", &[]);
    server.finish(&[]);
    decoded_px
}

#[test]
fn a_session_decodes_each_level_once_whatever_the_protocol() {
    let folder = folder();
    let area = |halvings: u32| f64::from(SIDE_PX.div_ceil(1 << halvings)).powi(2);
    let levels_px: f64 = (0..4).map(area).sum();
    // What PNG has not is made of what it has.
    for (name, expected_px) in [("a.jpg", levels_px), ("a.png", area(0))] {
        let decoded_px = decoded_in_session(folder.path(), name);
        assert!((decoded_px - expected_px).abs() < 0.5, "{name}: {decoded_px}, not {expected_px}");
    }
}

#[test]
fn a_first_look_at_a_jpeg_decodes_an_eighth_of_it() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let answer = server.get("/iiif/3/a.jpg/full/170,/0/default.jpg");
    assert_eq!((answer.status, answer.picture_size()), (200, (170, 170)));
    let decoded_px = server.metric("tessera_pixels_decoded_total", &[]);
    assert!((decoded_px - 177.0 * 177.0).abs() < 0.5, "{decoded_px} pixels decoded");
    server.finish(&[]);
}

#[test]
fn a_flat_file_is_described_like_a_pyramid() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    for name in ["a.jpg", "a.png"] {
        let info = server.get(&format!("/iiif/3/{name}/info.json")).json();
        assert_eq!((info["width"].as_u64(), info["height"].as_u64()), (Some(1411), Some(1411)));
        assert_eq!(info["tiles"][0]["width"], 256, "{info}");
        let objects = server.get(&format!("/iip?FIF={name}&OBJ=Resolution-number")).text();
        assert!(objects.contains("Resolution-number:4"), "{objects}");
        let dzi = server.get(&format!("/deepzoom/{name}.dzi")).text();
        assert!(dzi.contains("1411"), "{dzi}");
    }
    server.finish(&[]);
}
