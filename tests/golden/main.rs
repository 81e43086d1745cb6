//! Pixels against independent decoders. `fixtures.py` makes the files and says what tifffile and libtiff
//! see in them; `check.py` opens what we write with Pillow. One file for each question:
//! `tiles` (do we see the same?), `written` (do others read what we send?), `damaged` (does anything
//! panic?), `stacks` (what of several pictures in one file?), `real_files` (what of files from the
//! world is served, and how is the rest refused?), `shown` (what colours are seen?), `formats` (does
//! docs/formats.md say so?).
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "tests fail by panicking")]
#![expect(clippy::panic, reason = "tests fail by panicking")]
#![expect(clippy::panic_in_result_fn, reason = "tests fail by panicking")]
#![expect(clippy::as_conversions, reason = "numbers of tests are small")]
#![expect(clippy::cast_possible_truncation, reason = "numbers of tests are small")]
#![expect(clippy::cast_sign_loss, reason = "numbers of tests are small")]

mod checks;
mod damaged;
mod formats;
mod manifest;
mod real_files;
mod shown;
mod stacks;
mod tiles;
mod written;
