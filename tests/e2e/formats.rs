//! Every format, quality and rotation, opened by an independent decoder: `check_formats.py`.

use std::fs;
use std::sync::Arc;

use serde_json::json;
use tessera::codecs::{DecodeLimits, Encoding, encode, open};
use tessera::imaging::{Pixels, Raster, Sample};
use tessera::model::{ColourModel, Format, Selection, Size, TileAddress};

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
    for format in ["jpg", "png", "webp", "avif", "tif", "gif", "jxl"] {
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
    assert_eq!(cases.len(), 140);
    let manifest = answers.path().join("cases.json");
    fs::write(&manifest, serde_json::to_vec(&cases).unwrap()).unwrap();
    run_python(
        "check_formats.py",
        &[folder.path().join("a.tif").as_os_str(), manifest.as_os_str()],
    );
    server.finish(&[]);
}

/// The pixels of a file of one stored tile.
fn decoded(file: Vec<u8>) -> Pixels {
    let limits = DecodeLimits::default();
    let image = open(Arc::new(file), Selection::default(), &limits).unwrap();
    image.decode_tile(TileAddress { stored: 0, column: 0, row: 0 }).unwrap()
}

/// A gray picture whose samples are made from their number.
fn gray<T: Sample>(sample: impl Fn(u16) -> T) -> Pixels {
    let samples = (0..60 * 50).map(sample).collect();
    T::wrap(Raster::new(Size::new(60, 50).unwrap(), ColourModel::Gray, false, samples).unwrap())
}

#[test]
fn samples_of_16_bits_and_floats_come_out_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let words = gray(|at| at * 21 + 5);
    let floats = gray(|at| f32::from(at) * 0.3 - 200.0);
    let wide = gray(|at| f32::from(at * 21 + 5));
    for (name, pixels) in [("words.tif", &words), ("floats.tif", &floats)] {
        let file = encode(pixels, &Encoding::plain(Format::Tiff, 1)).unwrap();
        fs::write(folder.path().join(name), file).unwrap();
    }
    let server = Server::start(folder.path(), &[]);
    let whole = "RGN=0,0,1,1&CVT";
    for (query, expected) in [
        (format!("FIF=words.tif&BPC=16&{whole}=png"), &words),
        (format!("FIF=words.tif&BPC=16&QLT=zstd:3&{whole}=tiff"), &words),
        (format!("FIF=words.tif&BPC=32&QLT=lzw:&{whole}=tiff"), &wide),
        (format!("FIF=floats.tif&BPC=32&{whole}=tiff"), &floats),
    ] {
        let answer = server.get(&format!("/iip?{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert!(decoded(answer.body) == *expected, "{query}");
    }
    let mut cases = Vec::new();
    for (source, setters, format) in [
        ("words.tif", "BPC=16&WID=37", "png"),
        ("words.tif", "BPC=16&WID=25&HEI=20&QLT=zstd:3", "tiff"),
        ("words.tif", "BPC=32&WID=90", "tiff"),
        ("floats.tif", "BPC=32&WID=21", "tiff"),
    ] {
        let answer = server.get(&format!("/iip?FIF={source}&{setters}&CVT={format}"));
        assert_eq!(answer.status, 200, "{setters}: {}", answer.text());
        let file = folder.path().join(format!("{}.{format}", cases.len()));
        fs::write(&file, answer.body).unwrap();
        cases.push(json!({"source": folder.path().join(source), "file": file}));
    }
    let list = folder.path().join("cases.json");
    fs::write(&list, serde_json::to_vec(&cases).unwrap()).unwrap();
    run_python("check_depths.py", &[list.as_os_str()]);
    for (query, status) in [
        (format!("FIF=floats.tif&BPC=16&{whole}=tiff"), 400),
        (format!("FIF=words.tif&BPC=16&{whole}=jpeg"), 400),
        (format!("FIF=words.tif&BPC=32&{whole}=png"), 400),
        (format!("FIF=words.tif&BPC=16&INV&{whole}=png"), 501),
    ] {
        assert_eq!(server.get(&format!("/iip?{query}")).status, status, "{query}");
    }
    server.finish(&[]);
}
