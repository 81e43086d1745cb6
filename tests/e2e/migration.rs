//! `tessera check-config --from`: what iipsrv was run with, and what Tessera would do in its place.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What it says of a file, and its exit code.
fn check(file: &Path, more: &[&str]) -> (String, Option<i32>) {
    let output = Command::new(env!("CARGO_BIN_EXE_tessera"))
        .args(["check-config", "--from"])
        .arg(file)
        .args(more)
        .env("JPEG_QUALITY", "33")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8(said).unwrap(), output.status.code())
}

/// The value of a key, and where it came from.
fn setting<'a>(said: &'a str, key: &str) -> Vec<&'a str> {
    let line = said.lines().find(|line| line.split_whitespace().next() == Some(key));
    let line = line.unwrap_or_else(|| panic!("no {key}:\n{said}"));
    line.split_whitespace().skip(1).collect()
}

#[test]
fn a_file_of_variables_becomes_settings_and_this_environment_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("iipsrv.env");
    let prefix = format!("{}/", folder.path().display());
    let text = format!(
        "# of the service\nFILESYSTEM_PREFIX={prefix}\nexport PNG_QUALITY=12\nJPEG_QUALTY=5\nHOST=0.0.0.0\n"
    );
    fs::write(&file, text).unwrap();
    let (said, code) = check(&file, &[]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(setting(&said, "render.png_level"), ["\"9\"", "#", "PNG_QUALITY"]);
    assert_eq!(setting(&said, "render.jpeg_quality"), ["\"75\"", "#", "default"]);
    assert_eq!(setting(&said, "server.bind")[0], "\"none\"");
    assert!(said.contains("did you mean JPEG_QUALITY?"), "{said}");
}

#[test]
fn snippets_of_web_servers_are_read_and_what_misleads_is_told() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    for (file, bind) in [
        ("nginx/iipsrv.conf", "\"127.0.0.1:9000\""),
        ("lighttpd/spawned.conf", "\"-\""),
        ("apache/fcgid.conf", "\"-\""),
    ] {
        let (said, code) = check(&deploy.join(file), &[root]);
        assert_eq!(code, Some(0), "{file}: {said}");
        assert_eq!(setting(&said, "server.fastcgi")[0], bind, "{file}");
    }
    let file = folder.path().join("site.conf");
    fs::write(&file, "fastcgi_param MAX_CVT 9000;\n").unwrap();
    let (said, _) = check(&file, &[root]);
    assert!(said.contains("note: fastcgi_param MAX_CVT sets nothing"), "{said}");
}

#[test]
fn what_cannot_be_is_refused_as_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("iipsrv.env");
    fs::write(&file, "FILESYSTEM_PREFIX=/no/such/folder/\n").unwrap();
    let (said, code) = check(&file, &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("`/no/such/folder` (from FILESYSTEM_PREFIX)"), "{said}");
    let (said, code) = check(&folder.path().join("none"), &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("cannot read"), "{said}");
}
