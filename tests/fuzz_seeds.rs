//! Runs every fuzz target over its seeds, so that the targets compile and the seeds break nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

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
        let is_text = ["iip", "iiif", "deepzoom", "zoomify"].contains(&name);
        assert_eq!(own.is_empty(), !is_text, "seeds of {name}");
        // Most files are not of the target's format: it is to say so, and no more.
        own.iter().chain(&files).for_each(|bytes| target(bytes));
    }
}
