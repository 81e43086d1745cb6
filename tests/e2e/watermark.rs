//! Marks on answers, pixel by pixel: on every output of every protocol, alike from every server, and not
//! where a rule says so.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use tessera::codecs::{self, DecodeLimits, Encoding};
use tessera::imaging::{Mosaic, Pixels, Raster, Shrink};
use tessera::model::{ColourModel, Format, Rect, Selection, Size};
use tessera::plan::TileCover;

use crate::harness::{RETINA, Response, Server, folder_with};

/// A picture in bytes, whatever its format.
fn decoded(file: &[u8]) -> Raster {
    let source = Arc::new(file.to_vec());
    let image = codecs::open(source, Selection::default(), &DecodeLimits::default()).unwrap();
    let info = image.info();
    let level = info.stored[0];
    let area = Rect::whole(level.size);
    let mut mosaic = Mosaic::<u8>::new(area, Shrink::None, info.colour, info.alpha);
    for at in TileCover::of(area, level.tile).tiles(0) {
        let Pixels::U8(tile) = image.decode_tile(at).unwrap() else { panic!("no bytes") };
        mosaic.add(&tile, info.tile_rect(at).unwrap()).unwrap();
    }
    mosaic.finish().unwrap()
}

fn picture(server: &Server, target: &str) -> Raster {
    decoded(&body(server, target))
}

fn body(server: &Server, target: &str) -> Vec<u8> {
    let answer: Response = server.get(target);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.body
}

fn write_png(path: &Path, raster: &Raster) {
    let encoding = Encoding::plain(Format::Png, 1);
    fs::write(path, codecs::encode(&raster.clone().into(), &encoding).unwrap()).unwrap();
}

/// A mark of one colour and alpha.
fn write_mark(path: &Path, (width, height): (u32, u32), pixel: [u8; 4]) {
    let size = Size::new(width, height).unwrap();
    let samples = pixel.repeat(usize::try_from(size.area()).unwrap());
    write_png(path, &Raster::new(size, ColourModel::Rgb, true, samples).unwrap());
}

fn passed(server: &Server) -> f64 {
    server.metric("tessera_requests_total", &["outcome=\"passed\""])
}

/// Samples of a pixel.
fn pixel(raster: &Raster, x: u32, y: u32) -> &[u8] {
    let at = usize::try_from(y * raster.size().width() + x).unwrap();
    &raster.samples()[at * raster.bands()..][..raster.bands()]
}

/// The files in frames of raw tiles: `Tile,3,8,0/LENGTH:`, eight bytes, the file, a line end.
fn unframed(mut answer: &[u8]) -> Vec<&[u8]> {
    let mut files = Vec::new();
    while !answer.is_empty() {
        let colon = answer.iter().position(|byte| *byte == b':').unwrap();
        let head = std::str::from_utf8(&answer[..colon]).unwrap();
        let length: usize = head.split_once('/').unwrap().1.parse().unwrap();
        files.push(&answer[colon + 9..=colon + length]);
        answer = &answer[colon + 1 + length + 2..];
    }
    files
}

/// Every form of output, each of which an unmarked server answers from stored tiles, levels or a filter.
const OUTPUTS: [&str; 41] = [
    "/iiif/3/a.tif/full/max/0/default.jpg",
    "/iiif/3/a.tif/full/300,/0/default.webp",
    "/iiif/3/a.tif/square/100,/0/default.png",
    "/iiif/3/a.tif/pct:10,10,50,25/,100/0/default.png",
    "/iiif/3/a.tif/256,256,256,256/max/0/default.jpg",
    "/iiif/3/a.tif/256,256,256,256/max/0/default.png",
    "/iiif/3/a.tif/1280,1280,131,131/131,131/0/default.jpg",
    "/iiif/3/a.tif/0,0,1024,1024/256,/0/default.jpg",
    "/iiif/3/a.tif/7,9,1,1/max/0/default.png",
    "/iiif/3/a.tif/7,9,100,50/max/90/default.jpg",
    "/iiif/3/a.tif/256,256,256,256/max/180/default.jpg",
    "/iiif/3/a.tif/256,256,256,256/max/!0/default.jpg",
    "/iiif/3/a.tif/256,256,256,256/max/0/gray.jpg",
    "/iiif/3/a.tif/256,256,256,256/max/0/bitonal.png",
    "/iiif/3/a.tif/256,256,256,256/max/0/color.jpg",
    "/iiif/3/a.tif/0,0,100,50/^200,/0/default.jpg",
    "/iiif/2/a.tif/full/full/0/default.jpg",
    "/iip?IIIF=a.tif/full/60,/0/default.jpg",
    "/iip?FIF=a.tif&JTL=3,8",
    "/iip?FIF=a.tif&QLT=90&JTL=3,8",
    "/iip?FIF=a.tif&JTLS=0,3,8,90",
    "/iip?FIF=a.tif&PTL=3,8",
    "/iip?FIF=a.tif&WTL=2,1",
    "/iip?FIF=a.tif&TIL=3,8",
    "/iip?FIF=a.tif&TIL=3,7-8",
    "/iip?FIF=a.tif&CNT=1.5&GAM=0.7&JTL=3,8",
    "/iip?FIF=a.tif&INV&JTL=3,8",
    "/iip?FIF=a.tif&CMP=jet&JTL=3,8",
    "/iip?FIF=a.tif&SHD=45,30&JTL=3,8",
    "/iip?FIF=a.tif&CTW=[0,0,1;0,1,0;1,0,0]&JTL=3,8",
    "/iip?FIF=a.tif&CNV=gaussian&JTL=3,8",
    "/iip?FIF=a.tif&COL=binary&JTL=3,8",
    "/iip?FIF=a.tif&CNT=eq&JTL=3,8",
    "/iip?FIF=a.tif&ROT=!90&JTL=3,8",
    "/iip?FIF=a.tif&CVT=jpeg",
    "/iip?FIF=a.tif&WID=200&CVT=png",
    "/iip?FIF=a.tif&RGN=0.5,0.5,0.25,0.25&WID=100&CVT=webp",
    "/deepzoom/a.tif_files/11/1_1.jpg",
    "/deepzoom/a.tif_files/0/0_0.png",
    "/zoomify/a.tif/TileGroup0/3-1-1.jpg",
    "/iip?Zoomify=/a.tif/TileGroup0/0-0-0.jpg",
];

#[test]
fn every_output_of_every_protocol_is_marked_and_no_tile_passed_through() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let mark = folder.path().join("mark.png");
    write_mark(&mark, (50, 30), [20, 180, 40, 255]);
    let image = mark.to_str().unwrap();
    let overlapping = ["--deepzoom-overlap-px", "1"];
    let arguments = ["--watermark-image", image, "--watermark-position", "tiled"];
    let server = Server::start(folder.path(), &[arguments.as_slice(), &overlapping].concat());
    for target in OUTPUTS {
        let answer = body(&server, target);
        let files = if target.contains("TIL=") { unframed(&answer) } else { vec![&*answer] };
        assert_eq!(files.len(), if target.contains("7-8") { 2 } else { 1 }, "{target}");
        for shown in files.into_iter().map(decoded) {
            let expected: &[u8] = if shown.bands() == 1 { &[116] } else { &[20, 180, 40] };
            for found in shown.samples().chunks_exact(shown.bands()) {
                for (found, expected) in found.iter().zip(expected) {
                    assert!(found.abs_diff(*expected) <= 8, "{target}: {found} for {expected}");
                }
            }
        }
    }
    assert!(passed(&server) < 0.1);
    let apart = server.metric("tessera_stage_seconds_count", &["stage=\"watermark\""]);
    assert!(apart > 20.0, "{apart} answers were marked");
    server.finish(&[]);
    let plain = Server::start(folder.path(), &overlapping);
    body(&plain, "/deepzoom/a.tif_files/11/1_1.jpg");
    assert!(passed(&plain) < 0.1, "a tile that overlaps is no stored one");
    body(&plain, "/iiif/3/a.tif/256,256,256,256/max/0/default.jpg");
    assert!(passed(&plain) > 0.9);
    plain.finish(&[]);
}

/// Checks an answer against the same from a server without marks.
fn compare(
    servers: [&Server; 2],
    target: &str,
    marked: impl Fn(u32, u32) -> bool,
    formula: impl Fn(f64, usize) -> f64,
) {
    let [plain, with] = servers.map(|server| picture(server, target));
    assert_eq!(plain.size(), with.size(), "{target}");
    for y in 0..plain.size().height() {
        for x in 0..plain.size().width() {
            let (before, after) = (pixel(&plain, x, y), pixel(&with, x, y));
            if !marked(x, y) {
                assert_eq!(before, after, "{target} at {x}, {y}");
                continue;
            }
            for (band, (before, after)) in before.iter().zip(after).enumerate() {
                let exact = formula(f64::from(*before), band);
                let error = (f64::from(*after) - exact).abs();
                assert!(error <= 0.51, "{target} at {x}, {y}: {after} for {exact}");
            }
        }
    }
}

#[test]
fn pixels_under_the_mark_are_those_of_the_formula_and_all_others_are_untouched() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let mark = folder.path().join("mark.png");
    let colour = [200.0, 0.0, 52.0];
    write_mark(&mark, (40, 24), [200, 0, 52, 128]);
    let plain = Server::start(folder.path(), &[]);
    let arguments =
        ["--watermark-position", "bottom-right", "--watermark-image", mark.to_str().unwrap()];
    let within = |length: u32, block: u32, side: u32, at: u32| {
        // In each block of 512 pixels, the last with what is left over.
        let last = (length / block).max(1) - 1;
        let index = (at / block).min(last);
        let (start, end) =
            (index * block, if index == last { length } else { (index + 1) * block });
        end.saturating_sub(side).max(start) <= at
    };
    let in_block = |length: (u32, u32)| {
        move |x, y| within(length.0, 512, 40, x) && within(length.1, 512, 24, y)
    };
    for (blend, opacity) in [("normal", 1.0), ("normal", 0.5), ("additive", 1.0)] {
        let opacity_text = opacity.to_string();
        let more = ["--watermark-blend", blend, "--watermark-opacity", &opacity_text];
        let with = Server::start(folder.path(), &[arguments.as_slice(), &more].concat());
        let alpha = 128.0 / 255.0 * opacity;
        let formula = |before: f64, band: usize| {
            if blend == "normal" {
                before + (colour[band] - before) * alpha
            } else {
                (before + colour[band] * alpha).min(255.0)
            }
        };
        for (target, size) in [
            ("/iip?FIF=a.tif&PTL=3,8", (256, 256)),
            ("/iip?FIF=a.tif&PTL=3,35", (131, 131)),
            ("/iiif/3/a.tif/3,5,37,300/max/0/default.png", (37, 300)),
            ("/iiif/3/a.tif/100,100,300,200/max/90/default.png", (200, 300)),
            ("/iiif/3/a.tif/full/700,/0/default.png", (700, 700)),
            ("/iiif/3/a.tif/full/max/0/default.png", (1411, 1411)),
        ] {
            compare([&plain, &with], target, in_block(size), formula);
        }
        let luma = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
        let gray = |before: f64, _| {
            let luma = luma.round();
            let normal = before + (luma - before) * alpha;
            if blend == "normal" { normal } else { (before + luma * alpha).min(255.0) }
        };
        let target = "/iiif/3/a.tif/256,256,256,256/max/0/gray.png";
        compare([&plain, &with], target, in_block((256, 256)), gray);
        with.finish(&[]);
    }
    plain.finish(&[]);
}

#[test]
fn the_same_answer_is_the_same_bytes_each_time_and_from_every_server() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let mark = folder.path().join("mark.png");
    write_mark(&mark, (40, 24), [200, 0, 50, 200]);
    let arguments = ["--watermark-image", mark.to_str().unwrap(), "--watermark-probability", "0.5"];
    let uncached = [arguments.as_slice(), &["--cache-bytes-max", "0"]].concat();
    let [first, second] = [&arguments[..], &uncached].map(|all| Server::start(folder.path(), all));
    for target in OUTPUTS {
        let expected = body(&first, target);
        for server in [&first, &second, &second] {
            assert!(body(server, target) == expected, "{target}");
        }
    }
    // By whichever protocol, a tile is marked alike.
    let tile = body(&first, "/iip?FIF=a.tif&JTL=3,8");
    for target in [
        "/deepzoom/a.tif_files/11/2_1.jpg",
        "/zoomify/a.tif/TileGroup0/3-2-1.jpg",
        "/iiif/3/a.tif/512,256,256,256/max/0/default.jpg",
    ] {
        assert!(body(&second, target) == tile, "{target}");
    }
    let plain = Server::start(folder.path(), &[]);
    let tiles = (0..36).map(|index| format!("/iip?FIF=a.tif&PTL=3,{index}"));
    let marked = tiles.filter(|target| body(&first, target) != body(&plain, target)).count();
    assert!((9..28).contains(&marked), "{marked} of 36 tiles are marked");
    for server in [first, second, plain] {
        server.finish(&[]);
    }
}

#[test]
fn a_rule_is_for_the_images_of_its_folder_by_every_protocol() {
    let names = [("a.tif", RETINA), ("free/a.tif", RETINA), ("free/not/a.tif", RETINA)];
    let folder = folder_with(&names);
    let settings = tempfile::tempdir().unwrap();
    let mark = settings.path().join("mark.png");
    write_mark(&mark, (50, 30), [20, 180, 40, 255]);
    let file = settings.path().join("tessera.toml");
    let lines = format!(
        "[watermark]\nimage = {mark:?}\nposition = \"tiled\"\n\
         [[watermark.rules]]\nfolder = \"free\"\noff = true\n\
         [[watermark.rules]]\nfolder = \"free/not\"\ntext = \"Museum\"\nposition = \"centre\"\n"
    );
    fs::write(&file, lines).unwrap();
    let with = Server::start(folder.path(), &["--config", file.to_str().unwrap()]);
    let plain = Server::start(folder.path(), &[]);
    let is_alike = |target: &str| body(&with, target) == body(&plain, target);
    for free in ["free/a.tif", "/free//a.tif"] {
        assert!(is_alike(&format!("/iip?FIF={free}&JTL=3,8")), "{free}");
    }
    for target in [
        "/iiif/3/free%2Fa.tif/full/700,/0/default.jpg",
        "/deepzoom/free/a.tif_files/11/1_1.jpg",
        "/zoomify/free/a.tif/TileGroup0/3-1-1.jpg",
    ] {
        assert!(is_alike(target), "{target}");
    }
    // Stored values, and depths that marks are not drawn in.
    for values in ["PFL=0:0,0-9,0", "SPECTRA=0,0,1,1", "BPC=16&PTL=3,8"] {
        let status = |name: &str| with.get(&format!("/iip?FIF={name}&{values}")).status;
        assert_eq!((status("free/a.tif"), status("a.tif")), (200, 501), "{values}");
    }
    assert!(passed(&with) > 0.9, "a tile without a mark is passed through");
    assert_eq!(pixel(&picture(&with, "/iip?FIF=a.tif&PTL=3,8"), 9, 9), [20, 180, 40]);
    let target = "/iip?FIF=free/not/a.tif&PTL=3,8";
    let [before, after] = [&plain, &with].map(|server| picture(server, target));
    let differ = |x, y| pixel(&before, x, y) != pixel(&after, x, y);
    let lettered: Vec<(u32, u32)> = (0..256)
        .flat_map(|y| (0..256).map(move |x| (x, y)))
        .filter(|(x, y)| differ(*x, *y))
        .collect();
    assert!(500 < lettered.len(), "{} pixels", lettered.len());
    assert!(lettered.iter().all(|(x, y)| (64..192).contains(x) && (112..144).contains(y)));
    let white = lettered.iter().filter(|(x, y)| pixel(&after, *x, *y) == [255; 3]).count();
    assert!(100 < white, "{white} white pixels");
    with.finish(&[]);
    plain.finish(&[]);
}

#[test]
fn alpha_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(300, 200).unwrap();
    let samples: Vec<u8> = (0..60_000_u32).flat_map(|at| [0, 0, 0, (at % 251) as u8]).collect();
    let image = Raster::new(size, ColourModel::Rgb, true, samples).unwrap();
    write_png(&folder.path().join("a.png"), &image);
    let mark = folder.path().join("mark.png");
    write_mark(&mark, (20, 10), [255, 255, 255, 255]);
    let arguments = ["--watermark-image", mark.to_str().unwrap(), "--watermark-position", "tiled"];
    let server = Server::start(folder.path(), &arguments);
    let shown = picture(&server, "/iiif/3/a.png/full/max/0/default.png");
    for (before, after) in image.samples().chunks(4).zip(shown.samples().chunks(4)) {
        assert_eq!(after, [255, 255, 255, before[3]]);
    }
    server.finish(&[]);
}

#[test]
fn iipsrvs_settings_are_taken_and_wrong_ones_refused_at_start() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let mark = folder.path().join("mark.png");
    write_mark(&mark, (300, 300), [250, 250, 250, 255]);
    let image = mark.to_str().unwrap();
    let environment = [("WATERMARK", image), ("WATERMARK_OPACITY", "1.7")];
    let server = Server::start_with(folder.path(), &[], &environment);
    assert_eq!(pixel(&picture(&server, "/iip?FIF=a.tif&PTL=3,8"), 0, 0), [250; 3]);
    server.finish(&[]);
    let none = folder.path().join("none.png");
    let none = none.to_str().unwrap();
    for command in ["serve", "check-config"] {
        for (name, value, expected) in [
            ("WATERMARK", none, "watermark.image = `"),
            ("WATERMARK_PROBABILITY", "often", "watermark.probability = `often`"),
            ("TESSERA_WATERMARK_TEXT", "\u{4e2d}", "the font has no `\u{4e2d}`"),
            ("TESSERA_WATERMARK_PX_MAX", "100", "of 90000 pixels is not allowed: up to 100"),
        ] {
            let mut tessera = Command::new(env!("CARGO_BIN_EXE_tessera"));
            tessera.arg(command).arg(folder.path());
            if name == "TESSERA_WATERMARK_PX_MAX" {
                tessera.env("WATERMARK", image);
            }
            let output = tessera.env(name, value).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(2), "{command} {name}: {said}");
            assert!(said.contains(expected), "{said}");
        }
    }
}
