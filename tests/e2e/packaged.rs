//! The Debian package: built by its script, read by lintian, unpacked, and what is in it run.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::run;

/// What a package has to hold.
const FILES: [&str; 9] = [
    "usr/bin/tessera",
    "usr/lib/systemd/system/tessera.service",
    "usr/lib/sysusers.d/tessera.conf",
    "usr/lib/tmpfiles.d/tessera.conf",
    "usr/share/man/man1/tessera.1.gz",
    "usr/share/bash-completion/completions/tessera",
    "usr/share/zsh/vendor-completions/_tessera",
    "usr/share/fish/vendor_completions.d/tessera.fish",
    "usr/share/doc/tessera/nginx/iipsrv.conf",
];

fn said(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The package of this build, in a folder.
pub fn package(folder: &Path) -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/debian/build");
    let mut build = Command::new(script);
    let built = build.arg(env!("CARGO_BIN_EXE_tessera")).arg(folder).env("LEVEL", "0").output();
    let built = built.unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    PathBuf::from(String::from_utf8(built.stdout).unwrap().trim())
}

#[test]
fn the_debian_package_holds_a_server_that_runs_and_all_that_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let package = package(folder.path());
    let root = folder.path().join("root");
    run("dpkg-deb", &[OsStr::new("-x"), package.as_os_str(), root.as_os_str()]);
    for file in FILES {
        let length = fs::metadata(root.join(file)).map(|file| file.len());
        assert!(length.is_ok_and(|length| 50 < length), "{file}");
    }
    let program = root.join("usr/bin/tessera");
    let version = said(&program, &["--version"]);
    assert_eq!(version.trim(), concat!("tessera ", env!("CARGO_PKG_VERSION")));
    let pictures = folder.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    assert!(said(&program, &["check-config", pictures.to_str().unwrap()]).contains("server.bind"));
    let told = said(Path::new("dpkg-deb"), &["--info", package.to_str().unwrap()]);
    assert!(told.contains("Package: tessera") && told.contains("conffiles"), "{told}");
    // Errors and warnings, but for those that deploy/debian/lintian-overrides gives reasons for.
    let mut lintian = Command::new("lintian");
    let read = lintian.args(["--fail-on", "error,warning"]).arg(&package).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stdout));
}

#[test]
fn the_manual_and_the_completions_know_every_subcommand() {
    let program = Path::new(env!("CARGO_BIN_EXE_tessera"));
    let shells = ["bash", "zsh", "fish"].map(|shell| said(program, &["completions", shell]));
    for text in shells.iter().chain([&said(program, &["manual"])]) {
        for word in ["serve", "check", "inspect", "terrain"] {
            assert!(text.contains(word), "no {word} in {text}");
        }
    }
}
