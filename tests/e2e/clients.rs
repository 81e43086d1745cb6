//! Every tile of every level of real pyramids, asked for with the arithmetic of the clients that ask, and
//! put together again: each of its size, the whole the picture, and no seam where tiles meet. The pixels
//! are looked at by `check_tiles.py`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{RETINA, Server, make_tiff, run_python, sample};

const COFFEE: &str = "everyday/coffee.tif";

/// One tile of a client's grid.
struct Tile {
    target: String,
    place: [u32; 4],
}

/// One level as a client sees it: of how many pixels, each how many of the full image.
struct Level {
    size: (u32, u32),
    factor: u32,
    tiles: Vec<Tile>,
}

/// The tiles of a level cut into `tile`, row by row, at the address that `target` gives.
fn level(
    size: (u32, u32),
    factor: u32,
    tile: (u32, u32),
    mut target: impl FnMut(u32, u32, [u32; 4]) -> String,
) -> Level {
    let mut tiles = Vec::new();
    for row in 0..size.1.div_ceil(tile.1) {
        for column in 0..size.0.div_ceil(tile.0) {
            let (left, top) = (column * tile.0, row * tile.1);
            let place = [left, top, tile.0.min(size.0 - left), tile.1.min(size.1 - top)];
            tiles.push(Tile { target: target(column, row, place), place });
        }
    }
    Level { size, factor, tiles }
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

/// The numbers in a text, in their order.
fn numbers(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// The value of an XML attribute.
pub fn attribute(xml: &str, name: &str) -> u32 {
    let rest = xml.split_once(&format!(" {name}=\"")).unwrap().1;
    rest.split('"').next().unwrap().parse().unwrap()
}

/// OpenSeadragon 6 takes the level's size from `sizes` where there is one for every scale factor, as for
/// version 3 here; older ones, as for version 2, round up.
fn iiif(server: &Server, image: &str, version: u32) -> Vec<Level> {
    let base = format!("/iiif/{version}/{image}");
    let info = server.get(&format!("{base}/info.json")).json();
    let full = (number(&info["width"]), number(&info["height"]));
    let tile = (number(&info["tiles"][0]["width"]), number(&info["tiles"][0]["height"]));
    let factors: Vec<u32> =
        info["tiles"][0]["scaleFactors"].as_array().unwrap().iter().map(number).collect();
    let sizes = info["sizes"].as_array().unwrap();
    assert_eq!(sizes.len(), factors.len(), "a size for every scale factor");
    let levels = factors.iter().zip(sizes.iter().rev());
    let cut = |(&factor, size): (&u32, &Value)| {
        let rounded_up = (full.0.div_ceil(factor), full.1.div_ceil(factor));
        let listed = (number(&size["width"]), number(&size["height"]));
        let size = if version == 3 { listed } else { rounded_up };
        level(size, factor, tile, |_, _, [left, top, width, height]| {
            let (x, y) = (left * factor, top * factor);
            let (w, h) = ((tile.0 * factor).min(full.0 - x), (tile.1 * factor).min(full.1 - y));
            let region =
                if (w, h) == full { "full".to_owned() } else { format!("{x},{y},{w},{h}") };
            format!("{base}/{region}/{width},{height}/0/default.jpg")
        })
    };
    levels.map(cut).collect()
}

/// Down to one pixel, rounding up.
fn deep_zoom(server: &Server, image: &str) -> Vec<Level> {
    let descriptor = server.get(&format!("/deepzoom/{image}.dzi")).text();
    let full = (attribute(&descriptor, "Width"), attribute(&descriptor, "Height"));
    let tile = attribute(&descriptor, "TileSize");
    let last = full.0.max(full.1).next_power_of_two().ilog2();
    let cut = |number| {
        let factor = 1_u32 << (last - number);
        let size = (full.0.div_ceil(factor), full.1.div_ceil(factor));
        level(size, factor, (tile, tile), |column, row, _| {
            format!("/deepzoom/{image}_files/{number}/{column}_{row}.jpg")
        })
    };
    (0..=last).map(cut).collect()
}

/// Down to what fits one tile, halved and rounded down each time; 256 tiles a group, from the smallest.
fn zoomify(server: &Server, image: &str) -> Vec<Level> {
    let properties = server.get(&format!("/zoomify/{image}/ImageProperties.xml")).text();
    let full = (attribute(&properties, "WIDTH"), attribute(&properties, "HEIGHT"));
    let tile = attribute(&properties, "TILESIZE");
    let mut sizes = vec![full];
    while let Some(&(width, height)) = sizes.last().filter(|size| tile < size.0.max(size.1)) {
        sizes.push((width / 2, height / 2));
    }
    sizes.reverse();
    let (mut count, last) = (0, sizes.len() - 1);
    let mut levels = Vec::new();
    for (number, size) in sizes.into_iter().enumerate() {
        let target = |column, row, _| {
            count += 1;
            let group = (count - 1) / 256;
            format!("/zoomify/{image}/TileGroup{group}/{number}-{column}-{row}.jpg")
        };
        levels.push(level(size, 1 << (last - number), (tile, tile), target));
    }
    assert_eq!(count, attribute(&properties, "NUMTILES"));
    levels
}

/// The sizes that `Resolutions` lists, smallest first.
fn iip(server: &Server, image: &str) -> Vec<Level> {
    let objects = server.get(&format!("/iip?FIF={image}&OBJ=Tile-size&OBJ=Resolutions")).text();
    let line = |name: &str| {
        let line = objects.lines().find_map(|line| line.strip_prefix(name));
        numbers(line.unwrap_or_else(|| panic!("no {name} in {objects}")))
    };
    let (tile, sizes) = (line("Tile-size:"), line("Resolutions:"));
    let last = sizes.len() / 2 - 1;
    let cut = |(resolution, size): (usize, &[u32])| {
        let columns = size[0].div_ceil(tile[0]);
        let size = (size[0], size[1]);
        level(size, 1 << (last - resolution), (tile[0], tile[1]), |column, row, _| {
            format!("/iip?FIF={image}&JTL={resolution},{}", row * columns + column)
        })
    };
    sizes.chunks(2).enumerate().map(cut).collect()
}

/// Fetches the tiles of a level into a folder; what `check_tiles.py` needs to know of them.
fn fetch(server: &Server, folder: &Path, name: &str, level: &Level) -> Value {
    let fetched = level.tiles.iter().enumerate().map(|(index, tile)| {
        let answer = server.get(&tile.target);
        assert_eq!(answer.status, 200, "{}: {}", tile.target, answer.text());
        let file = folder.join(format!("{name}-{index}.jpg"));
        fs::write(&file, &answer.body).unwrap();
        json!({ "file": file, "target": tile.target, "place": tile.place })
    });
    let tiles: Vec<Value> = fetched.collect();
    json!({ "size": [level.size.0, level.size.1], "factor": level.factor, "tiles": tiles })
}

/// Fetches all tiles of an image over every protocol and has them looked at; tiles of each protocol.
fn check(path: &Path) -> [usize; 5] {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(path, folder.path().join("a.tif")).unwrap();
    // What an encoder loses would hide what is looked for.
    let server = Server::start(folder.path(), &["--render-jpeg-quality", "95"]);
    let tiles = tempfile::tempdir().unwrap();
    let mut levels = Vec::new();
    let protocols = [
        ("iiif-2", iiif(&server, "a.tif", 2)),
        ("iiif-3", iiif(&server, "a.tif", 3)),
        ("deep-zoom", deep_zoom(&server, "a.tif")),
        ("zoomify", zoomify(&server, "a.tif")),
        ("iip", iip(&server, "a.tif")),
    ];
    let counts = protocols.map(|(protocol, cut)| {
        for (index, level) in cut.iter().enumerate() {
            let name = format!("{protocol}-{index}");
            levels.push(fetch(&server, tiles.path(), &name, level));
        }
        cut.iter().map(|level| level.tiles.len()).sum()
    });
    let manifest = tiles.path().join("levels.json");
    fs::write(&manifest, serde_json::to_vec(&levels).unwrap()).unwrap();
    run_python("check_tiles.py", &[path.as_os_str(), manifest.as_os_str()]);
    server.finish(&[]);
    counts
}

#[test]
fn the_tiles_of_a_stored_pyramid_make_up_its_levels() {
    assert_eq!(check(&sample(RETINA)), [50, 50, 58, 50, 50]);
    assert_eq!(check(&sample(COFFEE)), [9, 9, 17, 9, 9]);
}

#[test]
fn the_tiles_of_a_real_painting_make_up_its_levels() {
    let Some(folder) = env::var_os("EXTRA_IMAGES_DIR").map(PathBuf::from) else {
        println!("EXTRA_IMAGES_DIR is unset: the tiles of no painting were fetched");
        return;
    };
    let counts = check(&folder.join("caillebotte-pyramid-jpeg.tif"));
    assert_eq!(counts, [429, 429, 437, 429, 429]);
}

#[test]
fn tiles_that_are_no_squares_are_cut_into_what_each_client_knows() {
    let folder = tempfile::tempdir().unwrap();
    for (size, expected) in
        [(["256", "128"], [17, 17, 17, 9, 17]), (["128", "256"], [16, 16, 36, 29, 16])]
    {
        let path = folder.path().join("a.tif");
        let grid = ["--tile-width", size[0], "--tile-height", size[1]];
        let packed = ["--pyramid", "--compression", "deflate"];
        make_tiff(COFFEE, &path, &[grid.as_slice(), &packed].concat());
        assert_eq!(check(&path), expected, "{size:?}");
    }
}

#[test]
fn a_huge_stored_tile_is_served_in_parts_and_decoded_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    let options = ["--tile-width", "4352", "--tile-height", "4352", "--compression", "deflate"];
    make_tiff(RETINA, &path, &options);
    assert_eq!(check(&path), [50, 50, 58, 50, 50]);
    let server = Server::start(folder.path(), &[]);
    for place in ["0,0,256,256", "256,0,256,256", "1280,1280,131,131", "0,0,1411,1411"] {
        let answer = server.get(&format!("/iiif/3/a.tif/{place}/100,/0/default.png"));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let decoded_px = server.metric("tessera_pixels_decoded_total", &[]);
    assert!((decoded_px - 1411.0 * 1411.0).abs() < 0.5, "{decoded_px} pixels decoded");
    server.finish(&[]);
}
