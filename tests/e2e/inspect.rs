//! `tessera inspect` on real files: levels, tiles, what will be slow and how to mend it.

use std::fs;
use std::process::{Command, Output};

use crate::harness::{RETINA, sample};

fn inspect(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tessera")).arg("inspect").args(arguments).output().unwrap()
}

#[test]
fn a_pyramid_is_described_level_by_level_in_text_and_json() {
    let path = sample(RETINA);
    let path = path.to_str().unwrap();
    let text = inspect(&[path]);
    let words = String::from_utf8(text.stdout).unwrap();
    assert!(text.status.success(), "{words}");
    for part in ["1411", "705", "352", "176", "256", "JPEG"] {
        assert!(words.contains(part), "no {part} in:\n{words}");
    }
    let json = inspect(&[path, "--json"]);
    assert!(json.status.success());
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["width_px"], 1411, "{report}");
    assert_eq!(report["stored"].as_array().map(Vec::len), Some(4), "{report}");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.tif");
    fs::write(&broken, b"II*\0\x08\0\0\0").unwrap();
    for path in [broken.to_str().unwrap(), "/no/such/file.tif"] {
        let output = inspect(&[path]);
        assert_eq!(output.status.code(), Some(1), "{path}");
        assert!(!output.stderr.is_empty(), "{path}");
        assert!(output.stdout.is_empty(), "{path}");
    }
    assert_eq!(inspect(&[]).status.code(), Some(2));
}
