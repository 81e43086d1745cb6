//! TLS as curl speaks it, with certificates that openssl makes.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Server, folder_with, run};

const INFO: &str = "/iiif/3/a.tif/info.json";

/// Makes a certificate for 127.0.0.1 that vouches for itself.
fn make_certificate(certificate: &Path, key: &Path) {
    let words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
                 -subj /CN=tessera -addext subjectAltName=IP:127.0.0.1";
    let mut arguments: Vec<&OsStr> = words.split_whitespace().map(OsStr::new).collect();
    arguments.extend([OsStr::new("-keyout"), key.as_os_str()]);
    arguments.extend([OsStr::new("-out"), certificate.as_os_str()]);
    run("openssl", &arguments);
}

/// Asks with curl, which trusts one certificate only; what it says at its end, and the body.
fn curl(url: &str, trusted: &Path, more: &[&str]) -> Option<(String, String)> {
    let output = Command::new("curl")
        .args(["--silent", "--write-out", "\n%{http_version} %{http_code}", "--cacert"])
        .arg(trusted)
        .args(more)
        .arg(url)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let (body, outcome) = said.rsplit_once('\n').unwrap();
    output.status.success().then(|| (outcome.to_owned(), body.to_owned()))
}

struct Secure {
    _folder: tempfile::TempDir,
    files: tempfile::TempDir,
    server: Server,
}

fn start() -> Secure {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let files = tempfile::tempdir().unwrap();
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    make_certificate(&certificate, &key);
    let arguments = [
        "--server-tls-certificate",
        certificate.to_str().unwrap(),
        "--server-tls-key",
        key.to_str().unwrap(),
    ];
    let server = Server::start(folder.path(), &arguments);
    Secure { _folder: folder, files, server }
}

#[test]
fn tls_speaks_both_versions_of_http_and_says_so_in_addresses() {
    let Secure { _folder, files, server } = start();
    let url = server.announced("listening on ");
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    let trusted = files.path().join("cert.pem");
    for (flag, version) in [("--http2", "2 200"), ("--http1.1", "1.1 200")] {
        let (outcome, body) = curl(&format!("{url}{INFO}"), &trusted, &[flag]).unwrap();
        assert_eq!(outcome, version);
        let info: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(info["id"], format!("{url}/iiif/3/a.tif"));
    }
    let plain = url.replace("https://", "http://");
    assert!(curl(&format!("{plain}{INFO}"), &trusted, &[]).is_none(), "without TLS it answered");
    server.finish(&[]);
}

#[test]
fn a_new_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let Secure { _folder, files, server } = start();
    let url = format!("{}{INFO}", server.announced("listening on "));
    let (certificate, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let old = files.path().join("old.pem");
    fs::copy(&certificate, &old).unwrap();
    fs::write(&certificate, "-----BEGIN CERTIFICATE-----\nhalf").unwrap();
    let since = Instant::now();
    while !server.log().iter().any(|line| line.contains("the certificate in force stays")) {
        assert!(since.elapsed() < PATIENCE, "the broken certificate is not told");
        thread::yield_now();
    }
    assert!(curl(&url, &old, &[]).is_some(), "the old one is not shown any more");
    make_certificate(&certificate, &key);
    while curl(&url, &certificate, &[]).is_none() {
        assert!(since.elapsed() < PATIENCE, "the new one is not shown");
    }
    assert!(curl(&url, &old, &[]).is_none(), "the old one is still shown");
    server.finish(&["the certificate in force stays"]);
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_at_start() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name).to_str().unwrap().to_owned();
    make_certificate(&files.path().join("cert.pem"), &files.path().join("key.pem"));
    make_certificate(&files.path().join("other.pem"), &files.path().join("otherkey.pem"));
    fs::write(files.path().join("empty.pem"), "").unwrap();
    for (certificate, key, expected) in [
        (path("none.pem"), path("key.pem"), "cannot read"),
        (path("empty.pem"), path("key.pem"), "holds no certificate"),
        (path("cert.pem"), path("cert.pem"), "is no PEM file with a private key"),
        (path("cert.pem"), path("otherkey.pem"), "cannot be used with the certificate"),
        (path("cert.pem"), String::new(), "server.tls_key"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tessera"))
            .arg("serve")
            .arg(folder.path())
            .args(["--bind", "127.0.0.1:0", "--admin", "none"])
            .args(["--server-tls-certificate", &certificate, "--server-tls-key", &key])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}
