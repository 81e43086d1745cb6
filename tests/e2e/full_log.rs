//! A log that cannot be written: requests are answered, the loss is counted, and standard error says so.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Server, folder_with};

const TILE: &str = "/iiif/3/a.tif/0,0,256,256/200,/0/default.jpg";

/// What standard error says.
const SAID: &str = "the log cannot be written";

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "never {what}");
        thread::yield_now();
    }
}

#[test]
fn a_full_log_disk_costs_lines_and_no_request() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    fs::write(folder.path().join("broken.tif"), b"II*\0").unwrap();
    let plain = Server::start(folder.path(), &[]);
    let right = plain.get(TILE).body;
    plain.finish(&[]);

    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("log");
    symlink("/dev/full", &log).unwrap();
    let flags = ["--log-file", log.to_str().unwrap(), "--log-level", "debug"];
    let server = Server::start(folder.path(), &flags);
    for _ in 0..50 {
        assert_eq!(server.get(TILE).body, right);
        assert_eq!(server.get("/iiif/3/broken.tif/info.json").status, 422);
    }
    let lost = || server.metric("tessera_log_lines_dropped_total", &[]);
    // A line for each request, and one for the broken image.
    wait_until("counted", || 101.0 <= lost());
    let said = || server.log().iter().filter(|line| line.contains(SAID)).count();
    assert_eq!(said(), 1, "{}", server.log().join("\n"));
    assert!(server.log().iter().any(|line| line.contains("No space left on device")));

    // The disk has room again.
    let (room, new) = (logs.path().join("room"), logs.path().join("new"));
    fs::write(&room, "").unwrap();
    symlink(&room, &new).unwrap();
    fs::rename(&new, &log).unwrap();
    wait_until("written", || {
        assert_eq!(server.get(TILE).body, right);
        fs::read_to_string(&room).unwrap().contains(TILE)
    });
    assert_eq!(said(), 1);
    server.finish(&[]);
}
