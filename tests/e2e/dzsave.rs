//! Deep Zoom and Zoomify against what `vips dzsave` writes: every file of its folders is asked for by its
//! name, has its size and its pixels, and beyond them there is nothing. The pixels are looked at by
//! `check_dzsave.py`, which says what may differ.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::clients::attribute;
use crate::harness::{Server, run, run_python};

/// Width and height of the pictures: of a pixel, just above one and two tiles, of odd halves, narrow, and
/// one whose halves are whole.
const SIZES: [(u32, u32); 7] =
    [(1, 1), (257, 258), (513, 513), (1000, 701), (4993, 61), (61, 3001), (1024, 768)];

/// Those that are also served as PNG, which has no levels of its own.
const FLAT_SIZES: [(u32, u32); 2] = [(1000, 701), (4993, 61)];

/// What dzsave calls a picture of this size.
fn stem((width, height): (u32, u32)) -> String {
    format!("{width}x{height}")
}

/// A folder with a PNG of each size, and pyramids of them, whose levels libvips rounds down.
fn make_pictures() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let names = SIZES.map(stem);
    let arguments = [OsStr::new("make"), folder.path().as_os_str()];
    let sizes = names.iter().map(OsStr::new);
    run_python("check_dzsave.py", &arguments.into_iter().chain(sizes).collect::<Vec<_>>());
    for name in names {
        let png = folder.path().join(name).with_extension("png");
        let pyramid = png.with_extension("tif");
        let options = ["--tile", "--pyramid", "--compression", "deflate"];
        let tile = ["--tile-width", "256", "--tile-height", "256"];
        vips("tiffsave", &png, &pyramid, &[options, tile].concat());
    }
    folder
}

fn vips(operation: &str, from: &Path, to: &Path, options: &[&str]) {
    let mut arguments = vec![OsStr::new(operation), from.as_os_str(), to.as_os_str()];
    arguments.extend(options.iter().map(OsStr::new));
    run("vips", &arguments);
}

/// What dzsave makes of a picture, and what the server is asked.
struct Case {
    size: (u32, u32),
    /// The picture on the server.
    image: String,
    /// The picture as a file.
    png: PathBuf,
    /// What dzsave wrote, without suffix.
    written: PathBuf,
}

/// Has dzsave write every picture into a folder.
fn dzsave(pictures: &Path, to: &Path, options: &[&str]) -> Vec<Case> {
    for size in SIZES {
        let png = pictures.join(stem(size)).with_extension("png");
        let options = [options, &["--suffix", ".png"]].concat();
        vips("dzsave", &png, &to.join(stem(size)), &options);
    }
    let case = |size, suffix| Case {
        size,
        image: format!("{}.{suffix}", stem(size)),
        png: pictures.join(stem(size)).with_extension("png"),
        written: to.join(stem(size)),
    };
    let flat = FLAT_SIZES.map(|size| case(size, "png"));
    SIZES.map(|size| case(size, "tif")).into_iter().chain(flat).collect()
}

/// Tiles that were fetched, for `check_dzsave.py`.
struct Fetched {
    folder: tempfile::TempDir,
    pairs: Vec<Value>,
}

impl Fetched {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), pairs: Vec::new() }
    }

    /// Fetches what stands beside a tile of dzsave's, whose pixels stand for `factor` of the picture's along
    /// a side and which begins at `place` in its level.
    fn fetch(
        &mut self,
        (server, target): (&Server, &str),
        theirs: &Path,
        png: &Path,
        (factor, place): (u32, [u32; 2]),
    ) {
        let answer = server.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        let ours = self.folder.path().join(format!("{}.png", self.pairs.len()));
        fs::write(&ours, &answer.body).unwrap();
        self.pairs.push(json!({
            "ours": ours, "theirs": theirs, "image": png, "factor": factor, "place": place,
        }));
    }

    /// Has the pixels looked at; how many tiles there were.
    fn check(self) -> usize {
        let manifest = self.folder.path().join("tiles.json");
        fs::write(&manifest, serde_json::to_vec(&self.pairs).unwrap()).unwrap();
        run_python("check_dzsave.py", &[OsStr::new("compare"), manifest.as_os_str()]);
        self.pairs.len()
    }
}

/// Columns and rows, row by row.
fn places((columns, rows): (u32, u32)) -> impl Iterator<Item = (u32, u32)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (column, row)))
}

/// Columns and rows of the tiles that lie in a folder as `COLUMN_ROW.png`.
fn grid(folder: &Path) -> (u32, u32) {
    let mut grid = (0, 0);
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (column, row) = name.split_once('_').unwrap();
        let (column, row): (u32, u32) = (column.parse().unwrap(), row.parse().unwrap());
        grid = (grid.0.max(column + 1), grid.1.max(row + 1));
        count += 1;
    }
    assert_eq!(grid.0 * grid.1, count, "{}", folder.display());
    grid
}

/// Fetches every tile of a picture that dzsave wrote; beyond them there is none.
fn deep_zoom(server: &Server, case: &Case, fetched: &mut Fetched) {
    let Case { image, png, written, .. } = case;
    // dzsave has an attribute a line.
    let theirs = fs::read_to_string(written.with_extension("dzi")).unwrap();
    let theirs = theirs.replace(char::is_whitespace, " ");
    let ours = server.get(&format!("/deepzoom/{image}.dzi")).text();
    for name in ["TileSize", "Overlap", "Width", "Height"] {
        assert_eq!(attribute(&ours, name), attribute(&theirs, name), "{name} of {image}");
    }
    assert!(ours.contains(" Format=\"png\""), "{ours}");
    let (tile_px, overlap_px) = (attribute(&ours, "TileSize"), attribute(&ours, "Overlap"));
    let start = |index: u32| (index * tile_px).saturating_sub(overlap_px);
    let tiles = written.with_file_name(format!("{}_files", stem(case.size)));
    let folder = |level: u32| tiles.join(level.to_string());
    let level_last = (0..u32::BITS).take_while(|level| folder(*level).is_dir()).last().unwrap();
    let target = |level, name: &str| format!("/deepzoom/{image}_files/{level}/{name}.png");
    let beyond = |target: String| assert_eq!(server.get(&target).status, 404, "{target}");
    for level in 0..=level_last {
        let (columns, rows) = grid(&folder(level));
        for (column, row) in places((columns, rows)) {
            let name = format!("{column}_{row}");
            let theirs = folder(level).join(&name).with_extension("png");
            let asked = target(level, &name);
            let shown = (1 << (level_last - level), [start(column), start(row)]);
            fetched.fetch((server, &asked), &theirs, png, shown);
        }
        beyond(target(level, &format!("{columns}_0")));
        beyond(target(level, &format!("0_{rows}")));
    }
    beyond(target(level_last + 1, "0_0"));
}

#[test]
fn deep_zoom_is_that_of_dzsave_tile_by_tile_whatever_size_and_overlap_are_set() {
    let pictures = make_pictures();
    for (tile_px, overlap_px, expected) in
        [("254", "0", 252), ("254", "1", 252), ("0", "0", 241), ("0", "1", 241)]
    {
        let written = tempfile::tempdir().unwrap();
        // The tiles of all pictures are of 256 pixels.
        let size = if tile_px == "0" { "256" } else { tile_px };
        let options = ["--tile-size", size, "--overlap", overlap_px];
        let cases = dzsave(pictures.path(), written.path(), &options);
        let set = ["--deepzoom-tile-px", tile_px, "--deepzoom-overlap-px", overlap_px];
        let arguments = [set.as_slice(), &["--deepzoom-format", "png"]].concat();
        let server = Server::start(pictures.path(), &arguments);
        let mut fetched = Fetched::new();
        for case in &cases {
            deep_zoom(&server, case, &mut fetched);
        }
        assert_eq!(fetched.check(), expected, "{tile_px} overlapping by {overlap_px}");
        server.finish(&[]);
    }
}

/// Sizes of Zoomify's levels from the full one on, halved until they fit a tile.
fn zoomify_levels(full: (u32, u32), halve: fn(u32) -> u32) -> Vec<(u32, u32)> {
    let mut sizes = vec![full];
    while let Some(&(width, height)) = sizes.last().filter(|size| 256 < size.0.max(size.1)) {
        sizes.push((halve(width).max(1), halve(height).max(1)));
    }
    sizes
}

/// Fetches the tiles of the levels that are of one size whether halves are rounded down, as viewers do, or
/// up, as dzsave does, whatever number each gives them. How many levels and tiles, and whether that is all.
fn zoomify(server: &Server, case: &Case, fetched: &mut Fetched) -> (u32, u32, bool) {
    let Case { image, png, written, .. } = case;
    let theirs = fs::read_to_string(written.join("ImageProperties.xml")).unwrap();
    let ours = server.get(&format!("/zoomify/{image}/ImageProperties.xml")).text();
    for name in ["WIDTH", "HEIGHT", "TILESIZE"] {
        assert_eq!(attribute(&ours, name), attribute(&theirs, name), "{name} of {image}");
    }
    let down = zoomify_levels(case.size, |side| side / 2);
    let up = zoomify_levels(case.size, |side| side.div_ceil(2));
    let (mut levels, mut tiles) = (0, 0);
    let alike = down.iter().zip(&up).enumerate().filter(|(_, (ours, theirs))| ours == theirs);
    for (steps, (size, _)) in alike {
        for (column, row) in places((size.0.div_ceil(256), size.1.div_ceil(256))) {
            let name = format!("{}-{column}-{row}.png", up.len() - 1 - steps);
            let mut groups = (0..9).map(|group| written.join(format!("TileGroup{group}/{name}")));
            let theirs = groups.find(|path| path.is_file()).unwrap();
            // Whatever group a client says.
            let level = down.len() - 1 - steps;
            let target = format!("/zoomify/{image}/TileGroup{row}/{level}-{column}-{row}.png");
            let shown = (1 << steps, [column * 256, row * 256]);
            fetched.fetch((server, &target), &theirs, png, shown);
            tiles += 1;
        }
        levels += 1;
    }
    let beyond = format!("/zoomify/{image}/TileGroup0/{}-0-0.png", down.len());
    assert_eq!(server.get(&beyond).status, 404, "{beyond}");
    if down == up {
        let counts = [&ours, &theirs].map(|properties| attribute(properties, "NUMTILES"));
        assert_eq!(counts, [tiles; 2], "{image}");
    }
    (levels, tiles, down == up)
}

#[test]
fn zoomify_is_that_of_dzsave_on_all_levels_that_both_have_of_one_size() {
    let pictures = make_pictures();
    let written = tempfile::tempdir().unwrap();
    let options = ["--layout", "zoomify", "--tile-size", "256"];
    let cases = dzsave(pictures.path(), written.path(), &options);
    let server = Server::start(pictures.path(), &[]);
    let mut fetched = Fetched::new();
    let found: Vec<_> = cases.iter().map(|case| zoomify(&server, case, &mut fetched)).collect();
    let levels: u32 = found.iter().map(|(levels, ..)| levels).sum();
    let wholly_alike = found.iter().filter(|(.., is_all)| *is_all).count();
    assert_eq!((levels, wholly_alike, fetched.check()), (11, 2, 107));
    server.finish(&[]);
}
