//! Runs every fuzz target over its seeds, so that the targets compile and the seeds break nothing.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[path = "../fuzz/src/harness.rs"]
mod harness;

use std::fs;
use std::path::{Path, PathBuf};

use harness::TARGETS;

/// Larger files would only take longer.
const SEED_BYTES_MAX: u64 = 64 << 10;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder that are small enough.
fn small_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder);
    for entry in entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(small_files(&path));
        } else if fs::metadata(&path).unwrap().len() <= SEED_BYTES_MAX {
            files.push(path);
        }
    }
    files
}

/// Lines of the target's own seeds, if it has such.
fn lines(target: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(root().join(format!("fuzz/seeds/{target}.txt")));
    text.unwrap_or_default().lines().map(|line| line.as_bytes().to_vec()).collect()
}

#[test]
fn every_target_takes_every_seed() {
    let folders = ["target/fixtures", "samples", "tests/golden/profiles"];
    let files: Vec<PathBuf> =
        folders.iter().flat_map(|folder| small_files(&root().join(folder))).collect();
    assert!(100 < files.len(), "found only {} files: run ./dev fixtures", files.len());
    let files: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    for (name, target) in TARGETS {
        let own = lines(name);
        let is_text = ["iip", "iiif", "deepzoom", "zoomify", "module_replies"].contains(&name);
        assert_eq!(own.is_empty(), !is_text, "seeds of {name}");
        // Most files are not of the target's format: it is to say so, and no more.
        own.iter().chain(&files).for_each(|bytes| target(bytes));
    }
}

/// Variants of each seed with wrong bytes.
const VARIANTS: usize = 100;

/// The seed with a few bytes replaced, the same at every run (a linear congruential generator, with the
/// numbers of Knuth's MMIX).
fn spoilt(seed: &[u8], variant: usize) -> Vec<u8> {
    let mut state = u64::try_from(variant).unwrap();
    let mut bytes = seed.to_vec();
    for _ in 0..=variant % 5 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [value, .., low, high] = state.to_be_bytes();
        let at = usize::from(u16::from_be_bytes([high, low])) % bytes.len();
        bytes[at] = value;
    }
    bytes
}

#[test]
fn spoilt_profiles_and_requests_never_panic() {
    let mut tried = 0;
    for (name, target) in TARGETS {
        let mut seeds = lines(name);
        if name == "icc" {
            let files = small_files(&root().join("tests/golden/profiles"));
            seeds.extend(files.iter().map(|file| fs::read(file).unwrap()));
        }
        for seed in &seeds {
            (0..VARIANTS).for_each(|variant| target(&spoilt(seed, variant)));
            tried += 1;
        }
    }
    assert!(20 < tried, "only {tried} seeds");
}
