//! Files from the world, where `EXTRA_IMAGES_DIR` names a folder of them with a `MANIFEST.tsv`: what is
//! served, and how the rest is refused. Unset, it says so and tests nothing.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tessera::codecs::CodecError;

use crate::checks::Checks;
use crate::manifest::{decode_level, levels_in_file, open_bytes};

/// Numbers of pages from which on they are SubIFDs of the first.
const SUB: usize = 1000;

/// What must come of a file.
#[derive(Debug, PartialEq)]
enum Expected {
    /// Opened and decoded; as many levels, each the page of this number, samples within this.
    Served(&'static [usize], f64),
    /// Refused as unsupported, naming this.
    Unsupported(&'static str),
    /// Refused as broken.
    Malformed,
    /// Refused: broken or unsupported, whichever is met first.
    Refused,
}

/// As many levels as most JPEG 2000 files have.
const SIX: &[usize] = &[0, 1, 2, 3, 4, 5];

use Expected::{Malformed, Refused, Served, Unsupported};

/// What is read today, by the beginning of a file's name; the first row that fits counts.
const EXPECTED: &[(&str, Expected)] = &[
    ("caillebotte-pyramid-jpeg.tif", Served(&[0, 1, 2, 3, 4, 5], 1.0)),
    ("CMU-1-Small-Region.svs", Served(&[0], 1.0)),
    ("naip-webp.tif", Served(&[0, 1, 2], 1.0)),
    ("cantaloupe/tif-rgb-1res-64x56x8-tiled-jpeg.tif", Served(&[0], 1.0)),
    ("cantaloupe/tif-rgb-1res-64x56x8-tiled-uncompressed-bigtiff.tif", Served(&[0], 0.0)),
    ("cantaloupe/tif-rgba-1res-64x56x8-tiled-lzw.tif", Served(&[0], 0.0)),
    ("libtiffpic/quad-tile.tif", Served(&[0], 0.0)),
    ("libtiffpic/cramps-tile.tif", Served(&[0], 0.0)),
    ("image-tiff/tiled-jpeg-ycbcr.tif", Served(&[0], 1.0)),
    ("image-tiff/predictor-3-rgb-f32.tif", Served(&[0], 0.0)),
    ("flower-channels.ome.tif", Served(&[0, SUB, SUB + 1], 0.0)),
    // libtiff repeats colour differences where libjpeg interpolates them.
    ("libtiffpic/zackthecat.tif", Served(&[0], 20.0)),
    ("libtiffpic/smallliz.tif", Served(&[0], 34.0)),
    ("libtiffpic/quad-jpeg.tif", Served(&[0], 1.0)),
    ("libtiffpic/ycbcr-cat.tif", Served(&[0], 1.0)),
    ("libtiffpic/dscf0013.tif", Served(&[0], 1.0)),
    // Its last strip lacks three rows.
    ("libtiffpic/text.tif", Malformed),
    ("libtiffpic/off_l", Unsupported("SGI Log")),
    ("hopper-lab8.tif", Served(&[0], 0.001)),
    ("cantaloupe/tif-rgb-1res-64x56x8-striped-jpeg.tif", Served(&[0], 1.0)),
    ("cantaloupe/tif-rgb-3res-64x56x16-tiled-uncompressed.tif", Served(&[0, 1, 2], 0.0)),
    ("67352ccc-d1b0-11e1-89ae-279075081939.png", Served(&[0], 0.0)),
    ("67352ccc-d1b0-11e1-89ae-279075081939.jp2", Served(&[0, 1, 2, 3, 4], 0.0)),
    ("flower-rgb16.jp2", Served(&[0, 1, 2, 3, 4], 1.0)),
    ("flower-gray8.jp2", Served(SIX, 0.0)),
    ("flower-rgb8-lossy.jp2", Served(SIX, 1.0)),
    ("ht-", Served(SIX, 1.0)),
    ("cantaloupe/jp2-5res", Served(&[0, 1, 2, 3, 4], 1.0)),
    ("cantaloupe/jp2-", Served(SIX, 1.0)),
    ("flower-cmyk.jpg", Served(&[0, 1], 1.0)),
    ("flower.jpg", Served(&[0, 1, 2, 3], 1.0)),
    ("landscape-exif-6.jpg", Served(&[0, 1, 2, 3], 1.0)),
    ("corrupt/trunc-caillebotte.tif", Malformed),
    ("corrupt/trunc-flower.jp2", Malformed),
    ("corrupt/", Refused),
];

/// Endings of other formats, and of TIFFs of one level.
const BY_ENDING: &[(&str, Expected)] = &[
    (".png", Served(&[0], 0.0)),
    (".jpg", Served(&[0], 1.0)),
    (".gif", Served(&[0], 0.0)),
    (".webp", Served(&[0], 1.0)),
    (".tif", Served(&[0], 0.0)),
    (".tiff", Served(&[0], 0.0)),
];

/// What opening and decoding one file may take, unoptimised and on a busy machine; a damaged one less.
const TIME_MAX: Duration = Duration::from_secs(20);
const DAMAGED_TIME_MAX: Duration = Duration::from_secs(2);

/// What this process may ever have held: damaged files promise gigabytes.
const PEAK_BYTES_MAX: u64 = 1 << 30;

#[test]
fn files_from_the_world_are_served_or_refused_by_name() {
    let Some(folder) = env::var_os("EXTRA_IMAGES_DIR").map(PathBuf::from) else {
        println!("EXTRA_IMAGES_DIR is unset: no files from the world were read");
        return;
    };
    let manifest = fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let names: Vec<&str> =
        manifest.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    let (mut checks, mut faults) = (Checks::new("real"), Vec::new());
    for name in &names {
        if let Err(fault) = judge(&folder, name, &mut checks) {
            faults.push(format!("{name}: {fault}"));
        }
    }
    assert!(faults.is_empty(), "{} of {}\n{}", faults.len(), names.len(), faults.join("\n"));
    assert_eq!(names.len(), count_files(&folder), "MANIFEST.tsv names every file");
    checks.run();
    assert!(peak_bytes() < PEAK_BYTES_MAX, "{} bytes at the peak", peak_bytes());
}

fn judge(folder: &Path, name: &str, checks: &mut Checks) -> Result<(), String> {
    let expected = EXPECTED.iter().find(|(start, _)| name.starts_with(start));
    let expected = expected.or_else(|| BY_ENDING.iter().find(|(end, _)| name.ends_with(end)));
    let Some((_, expected)) = expected else { return Err("no expectation".to_owned()) };
    let (path, start) = (folder.join(name), Instant::now());
    let opened = open_bytes(fs::read(&path).unwrap());
    let verdict = match (opened, expected) {
        (Ok(image), Served(pages, off_max)) => {
            if levels_in_file(&*image) != pages.len() {
                return Err(format!("{} levels", levels_in_file(&*image)));
            }
            for (stored, page) in pages.iter().enumerate() {
                let whole = decode_level(&*image, stored).map_err(|error| error.to_string())?;
                checks.page(&path, *page, &whole, *off_max);
            }
            Ok(())
        }
        (Ok(image), _) => {
            let levels = 0..levels_in_file(&*image);
            match levels.map(|stored| decode_level(&*image, stored)).find_map(Result::err) {
                Some(error) => refusal(&error, expected),
                None => Err(format!("decoded, expected {expected:?}")),
            }
        }
        (Err(error), expected) => refusal(&error, expected),
    };
    let time_max = if name.starts_with("corrupt/") { DAMAGED_TIME_MAX } else { TIME_MAX };
    if time_max < start.elapsed() {
        return Err(format!("took {:?}", start.elapsed()));
    }
    verdict
}

fn refusal(error: &CodecError, expected: &Expected) -> Result<(), String> {
    let fits = match (error, expected) {
        (CodecError::Malformed { .. }, Malformed | Refused)
        | (CodecError::Unsupported { .. } | CodecError::OverLimit { .. }, Refused) => true,
        (CodecError::Unsupported { .. }, Unsupported(words)) => error.to_string().contains(words),
        _ => false,
    };
    if fits { Ok(()) } else { Err(format!("{error}, expected {expected:?}")) }
}

fn count_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| match path.file_name().and_then(|name| name.to_str()) {
            Some("MANIFEST.tsv" | "README.md") => 0,
            _ if path.is_dir() => count_files(&path),
            _ => 1,
        })
        .sum()
}

/// The most memory this process has held, by the kernel's count; 0 where that is not told.
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
