//! IIP's processing and data commands against what iipsrv was observed to answer, pixel by pixel, and tiles against
//! the whole picture: no operation may show where one tile ends. The images are made by the golden suite.

use std::collections::HashMap;
use std::fs;
use std::io::Cursor;
use std::path::Path;

use tempfile::TempDir;

use crate::harness::{Response, Server};

/// The observed pixels of `g8.tif` have these values, and stand in these columns.
const COLUMNS: [usize; 6] = [0, 100, 200, 255, 50, 75];

fn folder() -> TempDir {
    // Made by `./dev fixtures`.
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fixtures/iip");
    let folder = tempfile::tempdir().unwrap();
    let files = fs::read_dir(&from).unwrap();
    for file in files.map(Result::unwrap) {
        fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
    }
    folder
}

struct Png {
    width: usize,
    bands: usize,
    samples: Vec<u8>,
}

impl Png {
    fn of(answer: &Response, what: &str) -> Self {
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        let mut reader = png::Decoder::new(Cursor::new(&answer.body)).read_info().unwrap();
        let mut samples = vec![0; reader.output_buffer_size().unwrap()];
        let frame = reader.next_frame(&mut samples).unwrap();
        samples.truncate(frame.buffer_size());
        let (width, bands) = (frame.width as usize, frame.color_type.samples());
        Self { width, bands, samples }
    }

    fn pixel(&self, x: usize, y: usize) -> &[u8] {
        let at = (y * self.width + x) * self.bands;
        &self.samples[at..at + self.bands]
    }
}

fn export(server: &Server, file: &str, setters: &str) -> Png {
    let target = format!("/iip?FIF={file}&{setters}&WID=300&CVT=png");
    Png::of(&server.get(&target), &target)
}

#[test]
fn grays_become_what_iipsrv_makes_of_them() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let rows: [(&str, &str, [u8; 6]); 16] = [
        ("g8.tif", "ICC", [0, 100, 200, 255, 50, 75]),
        ("g8.tif", "INV", [255, 154, 54, 0, 205, 179]),
        ("g8.tif", "CNT=2", [0, 200, 255, 255, 100, 150]),
        ("g8.tif", "CNT=0.5", [0, 50, 100, 127, 25, 37]),
        ("g8.tif", "CNT=st", [0, 101, 202, 255, 50, 75]),
        ("g8.tif", "CNT=-1", [0, 101, 202, 255, 50, 75]),
        ("g8.tif", "GAM=2", [0, 39, 156, 255, 9, 22]),
        ("g8.tif", "GAM=0.5", [0, 159, 225, 255, 112, 138]),
        ("g8.tif", "GAM=log", [0, 212, 243, 255, 180, 199]),
        ("g8.tif", "GAM=0", [255; 6]),
        ("g8.tif", "COL=binary", [0, 0, 255, 255, 0, 0]),
        ("g8.tif", "MINMAX=0:50,100", [0, 255, 255, 255, 0, 127]),
        ("g8.tif", "MINMAX=-:50,100", [0, 255, 255, 255, 0, 127]),
        ("g8.tif", "CNV=[1,1,1,1,1,1,1,1,1]", [0, 100, 200, 169, 50, 75]),
        ("g8.tif", "INV&GAM=2&CNT=0.5", [127, 107, 49, 0, 122, 116]),
        ("g16.tif", "INV", [255, 177, 99, 56, 216, 196]),
    ];
    for (file, setters, expected) in rows {
        let found = export(&server, file, setters);
        assert_eq!(found.bands, 1, "{setters}");
        let grays = COLUMNS.map(|x| found.pixel(x, 7)[0]);
        assert_eq!(grays, expected, "{file} {setters}");
    }
    let one = "/iip?FIF=g8one.tif&CNT=eq&WID=256&CVT=png";
    let one = Png::of(&server.get(one), one);
    assert_eq!(COLUMNS.map(|x| one.pixel(x, 0)[0]), [4, 104, 203, 255, 52, 76]);
}

#[test]
fn colours_become_what_iipsrv_makes_of_them() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let hot = [[0, 0, 0], [255, 45, 0], [255, 255, 90], [255, 255, 255], [150, 0, 0], [225, 0, 0]];
    let jet = [[0, 0, 127], [17, 255, 237], [255, 92, 0], [127, 0, 0], [0, 72, 255], [0, 172, 255]];
    let gray = COLUMNS.map(|x| [u8::try_from(x).unwrap(); 3]);
    for (setters, expected) in [
        ("CMP=hot", hot),
        ("CMP=HOT", hot),
        ("CMP=cold", hot.map(|[red, green, blue]| [blue, green, red])),
        ("CMP=jet", jet),
        ("CTW=[1;1;1]", gray),
        ("CTW=%5B1%3B1%3B1%5D", gray),
        ("CMP=custom:000000,FFFFFF", gray),
    ] {
        let found = export(&server, "g8.tif", setters);
        let colours = COLUMNS.map(|x| found.pixel(x, 0).to_vec());
        assert_eq!(colours, expected.map(|colour| colour.to_vec()), "{setters}");
    }
    let at_100 = |setters: &str| export(&server, "rgb.tif", setters).pixel(100, 0).to_vec();
    assert_eq!(at_100("CTW=[0,0,1;0,1,0;1,0,0]"), [77, 0, 100]);
    assert_eq!(at_100("SHD=45,30"), [75]);
    // iipsrv cuts 38.7 off, we round as everywhere where luma is made.
    assert_eq!(at_100("COL=gray"), [39]);
    // iipsrv inverts alpha too.
    assert_eq!(export(&server, "rgba.tif", "INV").pixel(100, 0), [154, 255, 177, 128]);
    // Bands beyond the third.
    let fifth = "CTW=[0,0,0,0,1;0,0,0,1;1]";
    assert_eq!(export(&server, "mb5.tif", fifth).pixel(100, 0), [20, 25, 100]);
    assert_eq!(export(&server, "mb5.tif", "ICC").pixel(100, 0), [100, 50, 33]);
}

#[test]
fn gray_pages_are_bands_for_a_matrix_unless_one_is_named() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let pixel = |setters: &str| export(&server, "stack.tif", setters).pixel(5, 5).to_vec();
    assert_eq!(pixel("CTW=[0,0,1;0,1,0;1,0,0]"), [150, 100, 50]);
    assert_eq!(pixel("CTW=[0,0.5,0.5]"), [125]);
    assert_eq!(pixel("SDS=1&CTW=[1,1]"), [100]);
    // One column is for the page that is shown.
    assert_eq!(pixel("CTW=[1;1;1]"), [50; 3]);
    assert_eq!(server.get("/iip?FIF=stack.tif&CTW=[1,0;0,1;0,0]&JTL=0,0").status, 200);
}

#[test]
fn presets_lie_beside_the_image_and_are_read_anew_when_they_change() {
    let folder = folder();
    let presets = folder.path().join("mb5.tif.presets.toml");
    fs::write(&presets, "[late]\ntwist = [[0, 0, 0, 0, 1]]\n[mean]\ntwist = [[1, 1]]\n").unwrap();
    let server = Server::start(folder.path(), &["--images-recheck-ms", "1"]);
    let pixel = |setters: &str| export(&server, "mb5.tif", setters).pixel(100, 0).to_vec();
    assert_eq!(pixel("PRE=late"), [20]);
    assert_eq!(pixel("PRE=mean&CNT=0.5"), [75]);
    let absent = server.get("/iip?FIF=mb5.tif&PRE=early&JTL=0,0");
    assert_eq!(absent.status, 400);
    assert!(absent.text().contains("the image has late, mean"), "{}", absent.text());
    fs::write(&presets, "[late]\ntwist = [[0, 0, 0, 1]]\n").unwrap();
    // Within the time that a look at the file is trusted, which is a millisecond here.
    assert!((0..1000).any(|_| pixel("PRE=late") == [25]));
    fs::write(&presets, "[late]\ntwist = 5\n").unwrap();
    let late = || server.get("/iip?FIF=mb5.tif&PRE=late&JTL=0,0");
    let broken = (0..1000).map(|_| late()).find(|answer| answer.status != 200).unwrap();
    assert_eq!(broken.status, 422);
    assert!(broken.text().contains("presets cannot be read"), "{}", broken.text());
    // Without a preset nothing is amiss.
    assert_eq!(pixel("ICC"), [100, 50, 33]);
}

#[test]
fn what_viewers_send_is_answered() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let queries = [
        // OpenSeadragon
        "FIF=rgb.tif&obj=IIP,1.0&obj=Max-size&obj=Tile-size&obj=Resolution-number&obj=Resolutions",
        "FIF=rgb.tif&SDS=0&CNT=1.2&GAM=0.8&INV&COL=gray&CTW=[1,0,0;0,1,0;0,0,1]&CNV=sharpen&QLT=80\
         &CMP=jet&MINMAX=0:0,255&SHD=45,30&JTL=0,0",
        "FIF=rgb.tif&GAM=log&PTL=1,1",
        "FIF=rgb.tif&WTL=1,1",
        // iipmooviewer
        "FIF=rgb.tif&obj=IIP,1.0&obj=Max-size&obj=Tile-size&obj=Resolution-number&obj=dpi",
        "FIF=rgb.tif&CNT=1.0&SDS=0,90&JTL=1,0",
        "FIF=rgb.tif&SHD=0,30&CNT=1.4&SDS=0,90&JTL=1,0",
        "FIF=rgb.tif&ROT=90&WID=100&CVT=jpeg",
        "FIF=rgb.tif&WID=120&QLT=98&CVT=jpeg",
        "FIF=rgb.tif&WID=120&HEI=80&RGN=0.1,0.2,0.5,0.5&CVT=jpeg",
        "FIF=stack.tif&obj=stack",
        "FIF=stack.tif&SPECTRA=1,0,3,4",
        "FIF=stack.tif&PFL=1:0,0-50,0",
        // Leaflet's IIP layer
        "FIF=g16.tif&OBJ=IIP,1.0&OBJ=max-size&OBJ=tile-size&OBJ=resolution-number\
         &OBJ=bits-per-channel&OBJ=min-max-sample-values&OBJ=subject",
        "FIF=g16.tif&CMP=JET&INV&GAM=1.2&CNT=1.5&MINMAX=1:0.0,2000.0&JTL=1,0",
    ];
    let refused: Vec<(u16, &str)> = queries
        .into_iter()
        .map(|query| (server.get(&format!("/iip?{query}")).status, query))
        .filter(|(status, _)| *status != 200)
        .collect();
    // An object that iipsrv does not know either, and a band that the image has not.
    assert_eq!(refused, [(400, queries[13]), (400, queries[14])]);
}

#[test]
fn values_are_told_as_they_are_stored() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    for (query, body) in [
        ("FIF=g8.tif&PFL=3:3,4-8,4", "{\n\t\"profile\": [3,4,5,6,7]\n}"),
        ("FIF=g8.tif&PFL=3:3,4-3,7", "{\n\t\"profile\": [3,3,3]\n}"),
        ("FIF=g8.tif&PFL=1:3,4", "{\n\t\"profile\": [12]\n}"),
        ("FIF=rgb.tif&PFL=0:3,4-6,4", ""),
        ("FIF=g16.tif&PFL=3:1,0-3,0", "{\n\t\"profile\": [200,400]\n}"),
        (
            "FIF=stack.tif&PFL=1:0,0-2,0",
            "{\n\t\"profile\": {\n\t\t\"layer0\": [25,25],\n\t\t\"layer1\": [100,100],\n\t\t\
             \"layer2\": [225,225]\n\t}\n}",
        ),
    ] {
        let answer = server.get(&format!("/iip?{query}"));
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/json")));
        if !body.is_empty() {
            assert_eq!(answer.text(), body, "{query}");
        }
        answer.json();
    }
    let resolutions = |file: &str| {
        let answer = server.get(&format!("/iip?FIF={file}&OBJ=Resolution-number")).text();
        answer.trim().rsplit(':').next().unwrap().parse::<u32>().unwrap() - 1
    };
    let full = |file: &str, line: &str| {
        let query = format!("/iip?FIF={file}&PFL={}:{line}", resolutions(file));
        server.get(&query).json()["profile"].to_string()
    };
    assert_eq!(full("rgb.tif", "3,4-6,4"), "[3,4,77,4,4,77,5,4,77]");
    assert_eq!(full("mb5.tif", "100,0"), "[100,50,33,25,20]");
    assert_eq!(full("f32.tif", "3,4-6,4"), "[0.029999999,0.039999999,0.050000001]");
    let points = |query: &str| -> Vec<String> {
        let text = server.get(&format!("/iip?{query}")).text();
        let values = text.split("<reflectance>").skip(1);
        values.map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    };
    assert_eq!(points("FIF=g8.tif&SPECTRA=3,0,5,6"), ["0.019608"]);
    assert_eq!(points("FIF=stack.tif&SPECTRA=1,0,5,6"), ["0.196078", "0.392157", "0.588235"]);
    let text = server.get("/iip?FIF=stack.tif&SPECTRA=1,0,5,6").text();
    assert!(text.contains("<wavelength>layer2</wavelength>"), "{text}");
}

#[test]
fn a_range_of_tiles_comes_column_by_column() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let answer = server.get("/iip?FIF=g8.tif&TIL=3,6-12");
    assert_eq!(answer.header("Content-Type"), Some("application/vnd.netfpx"));
    let mut rest = answer.body.as_slice();
    let mut numbers = Vec::new();
    while !rest.is_empty() {
        let colon = rest.iter().position(|byte| *byte == b':').unwrap();
        let head = std::str::from_utf8(&rest[..colon]).unwrap().to_owned();
        let [tile, resolution, index, last] = head.split(',').collect::<Vec<_>>()[..] else {
            panic!("{head}");
        };
        assert_eq!((tile, resolution), ("Tile", "3"));
        numbers.push(index.parse::<u32>().unwrap());
        let length: usize = last.strip_prefix("0/").unwrap().parse().unwrap();
        let body = &rest[colon + 1..colon + 1 + length];
        assert_eq!(body[..8], [2, 0, 0, 0, 0, 0x11, 0, 0]);
        assert_eq!(&*server.get(&format!("/iip?FIF=g8.tif&JTL=3,{index}")).body, &body[8..]);
        rest = rest[colon + 1 + length..].strip_prefix(b"\r\n").unwrap();
    }
    assert_eq!(numbers, [6, 11, 7, 12]);
}

#[test]
fn tiles_join_without_a_seam_whatever_is_done_to_them() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let all = [
        "CNV=sobel",
        "CNV=[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
        "SHD=200,20",
        "CNT=st",
        "CNT=eq",
        "COL=binary",
        "CTW=[0.5,0.25,0.25;0,1,0;0,0,1]&GAM=0.7&CNV=sharpen&CNT=1.3&INV",
        "CMP=viridis",
    ];
    for setters in all {
        let whole = export(&server, "rgb.tif", setters);
        let mut covered = HashMap::new();
        for (column, row) in (0..4).flat_map(|row| (0..5).map(move |column| (column, row))) {
            let top = server.get("/iip?FIF=rgb.tif&OBJ=Resolution-number").text();
            let top: u32 = top.trim().rsplit(':').next().unwrap().parse().unwrap();
            let target = format!("/iip?FIF=rgb.tif&{setters}&PTL={},{}", top - 1, row * 5 + column);
            let tile = Png::of(&server.get(&target), &target);
            let rows = tile.samples.len() / (tile.width * tile.bands);
            for (x, y) in (0..rows).flat_map(|y| (0..tile.width).map(move |x| (x, y))) {
                covered.insert((column * 64 + x, row * 64 + y), tile.pixel(x, y).to_vec());
            }
        }
        assert_eq!(covered.len(), 300 * 200, "{setters}");
        let wrong = covered.iter().find(|((x, y), pixel)| whole.pixel(*x, *y) != pixel.as_slice());
        assert_eq!(wrong, None, "{setters}");
    }
}

#[test]
fn a_turned_picture_is_turned_and_tiles_are_counted_in_it() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    let export = |setters: &str| export(&server, "rgb.tif", setters);
    let plain = export("ICC");
    let quarter = export("ROT=90");
    assert_eq!(quarter.width, 200);
    assert_eq!(quarter.pixel(199, 0), plain.pixel(0, 0));
    assert_eq!(export("ROT=-90").pixel(0, 299), plain.pixel(0, 0));
    assert_eq!(export("ROT=!180").pixel(5, 0), plain.pixel(5, 199));
    let tile = |query: &str| {
        let target = format!("/iip?FIF=g8.tif&{query}");
        Png::of(&server.get(&target), &target)
    };
    // The first tile of the picture turned by a half is the last one.
    let (first, last) = (tile("ROT=180&PTL=3,0"), tile("PTL=3,19"));
    assert_eq!(first.pixel(0, 0), last.pixel(last.width - 1, 7));
    let size = server.get("/iip?FIF=g8.tif&ROT=90&OBJ=Max-size").text();
    assert_eq!(size, "Max-size:200 300\r\n");
}

#[test]
fn what_cannot_be_done_is_refused_by_name() {
    let folder = folder();
    let server = Server::start(folder.path(), &[]);
    for (query, status, words) in [
        ("FIF=g8.tif&SHD=45,30&JTL=0,0", 400, "SHD needs normals in three bands"),
        ("FIF=g8.tif&MINMAX=1:0,5&JTL=0,0", 400, "there is no band 1"),
        ("FIF=g8.tif&MINMAX=0:9,5&JTL=0,0", 400, "MINMAX takes"),
        ("FIF=g8.tif&PFL=3:299,0-301,0", 400, "300x200"),
        ("FIF=g8.tif&PFL=9:0,0", 404, "there is no level 9"),
        ("FIF=g8.tif&SPECTRA=3,0,64,0", 400, "64x64"),
        ("FIF=g8.tif&SPECTRA=3,99,0,0", 404, "there is no tile 99"),
        ("FIF=g8.tif&TIL=3,12-6", 400, "go upwards"),
        ("FIF=g8.tif&TIL=7,0", 404, "there is no level 7"),
        ("FIF=g8.tif&CTW=[]&JTL=0,0", 400, "CTW takes"),
        ("FIF=g8.tif&ROT=4500&JTL=0,0", 400, "ROT takes"),
        ("PFL=0:0,0", 400, "FIF=NAME must come first"),
        ("MINMAX=0:0,1", 400, "nothing was asked"),
    ] {
        let answer = server.get(&format!("/iip?{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        assert!(answer.text().contains(words), "{query}: {}", answer.text());
    }
    // And it lives.
    assert_eq!(server.get("/iip?FIF=g8.tif&JTL=0,0").status, 200);
}
