//! Files cut short or with wrong bytes: an error or a picture, never a panic, never for long.

use std::fs;
use std::time::{Duration, Instant};

use tessera::codecs::CodecError;

use crate::manifest::{FIXTURES, decode_level, fixtures, levels_in_file, open_bytes, path};

/// Lengths that each file is cut to.
const CUTS: usize = 24;
/// Variants of each file with wrong bytes.
const VARIANTS: u64 = 24;
/// Files that `fixtures.py` makes of tiles cut short, one for each compression.
const CUT_SHORT: usize = 14;
/// What opening a small damaged file and decoding all of it may take, unoptimised and on a busy machine.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Opens and decodes whatever can be.
fn try_all(name: &str, bytes: Vec<u8>) {
    let start = Instant::now();
    if let Ok(image) = open_bytes(bytes) {
        for stored in 0..levels_in_file(&*image) {
            let whole = image.info().stored[stored].size;
            // A damaged size can be a huge one; its tiles are tried one by one elsewhere.
            if whole.area() < 4 << 20 {
                drop(decode_level(&*image, stored));
            }
        }
    }
    assert!(start.elapsed() < TIME_MAX, "{name} took {:?}", start.elapsed());
}

#[test]
fn a_file_cut_anywhere_never_panics() {
    let mut tried = 0;
    for fixture in fixtures() {
        let bytes = fs::read(path(&fixture.file)).unwrap();
        for cut in 0..CUTS {
            try_all(&fixture.file, bytes[..bytes.len() * cut / CUTS].to_vec());
            tried += 1;
        }
    }
    assert_eq!(tried, FIXTURES * CUTS);
}

/// Whole small JPEG 2000 files are cut at every so many bytes: their headers of packets are everywhere.
const STRIDE_BYTES: usize = 97;
/// Files up to this length are.
const CUT_CLOSELY_BYTES_MAX: usize = 34_000;
/// How many those are.
const CUT_CLOSELY: usize = 36;

#[test]
fn a_jpeg_2000_file_cut_at_every_97th_byte_never_panics() {
    let mut tried = 0;
    for fixture in fixtures().iter().filter(|fixture| fixture.file.starts_with("jp2-")) {
        let bytes = fs::read(path(&fixture.file)).unwrap();
        if bytes.len() <= CUT_CLOSELY_BYTES_MAX {
            for cut in (0..bytes.len()).step_by(STRIDE_BYTES) {
                try_all(&fixture.file, bytes[..cut].to_vec());
            }
            tried += 1;
        }
    }
    assert_eq!(tried, CUT_CLOSELY);
}

#[test]
fn a_file_with_wrong_bytes_never_panics() {
    let mut tried = 0;
    for fixture in fixtures() {
        let bytes = fs::read(path(&fixture.file)).unwrap();
        for seed in 1..=VARIANTS {
            try_all(&fixture.file, spoilt(&bytes, seed));
            tried += 1;
        }
    }
    assert_eq!(tried, FIXTURES as u64 * VARIANTS);
}

#[test]
fn a_tile_whose_data_breaks_off_is_an_error_and_no_picture() {
    let mut tried = 0;
    for entry in fs::read_dir(path("")).unwrap() {
        let file = entry.unwrap().path();
        if !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("cut-")) {
            continue;
        }
        let image = open_bytes(fs::read(&file).unwrap()).unwrap();
        let error = decode_level(&*image, 0).map(|_| ()).unwrap_err();
        assert!(matches!(error, CodecError::Malformed { .. }), "{}: {error}", file.display());
        tried += 1;
    }
    assert_eq!(tried, CUT_SHORT);
}

/// The bytes with eight of them changed, the same for the same seed: half of them in the first or last
/// 512 bytes, where directories are.
fn spoilt(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = |below: usize| {
        // xorshift64 (Marsaglia, 2003).
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut spoilt = bytes.to_vec();
    for place in 0..8 {
        let near = next(bytes.len().min(512));
        let at = match place % 4 {
            0 => near,
            1 => bytes.len() - 1 - near,
            _ => next(bytes.len()),
        };
        spoilt[at] = next(256) as u8;
    }
    spoilt
}
