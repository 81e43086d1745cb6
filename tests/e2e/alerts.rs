//! A server that is in trouble in every way that a test can bring about, and a real Prometheus: the query of
//! each alert gives rows. How long it takes to fire, and that it does not when all is well, promtool
//! shows (`grafana.rs`).

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::grafana::{Prometheus, alert_names, rule_expressions};
use crate::harness::{RETINA, Server, folder_with};
use crate::slow_disk::SlowDisk;

/// What only a panic brings about: `tests/actors.rs` has decoders that panic.
const BY_PANICS: [&str; 2] = ["TesseraBugs", "TesseraRestarts"];

/// Seen when the server is gone, and so last.
const DOWN: &str = "TesseraDown";

/// Descriptors that the server may have, and connections that use most of them up.
const FILES: usize = 120;
const IDLE: usize = 70;

/// A server with hardly any room, a log on a full disk, and a decoder that crashes.
fn serve(folder: &Path, disk: &SlowDisk) -> Server {
    for word in ["crash", "good"] {
        fs::write(folder.join(format!("{word}.bad")), format!("BAD! {word}\n")).unwrap();
    }
    fs::write(folder.join("broken.tif"), b"II*\0").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/venv/bin/python");
    let script = root.join("tests/e2e/bad_module.py");
    let command = format!("[\"{}\", \"-B\", \"{}\"]", python.display(), script.display());
    let settings = folder.join("settings.toml");
    let table = format!("[[modules.decoders]]\nname = \"bad\"\ncommand = {command}\n");
    fs::write(&settings, table).unwrap();
    let little = ["--cache-bytes-max", "64KiB", "--cache-decoded-bytes-max", "0"];
    let failing = ["--log-file", "/dev/full", "--config", settings.to_str().unwrap()];
    let few = ["--server-requests-max", "2", "--pool-bytes-in-decode-max", "8MiB"];
    let limit = format!("--nofile={FILES}:{FILES}");
    let arguments = [&little[..], &failing, &few].concat();
    Server::start_by(&["prlimit", &limit], folder, &arguments, &disk.environment())
}

/// Asks for everything that fails, is refused or is slow, again and again.
fn ask(server: &Server, done: &AtomicBool) {
    let mut number = 0;
    while !done.load(Ordering::Relaxed) {
        number = (number + 1) % 800;
        let (left, top) = (256 * (number % 5), 256 * (number / 5 % 5));
        for target in [
            format!("/iiif/3/slow.tif/{left},{top},256,256/256,256/0/default.png"),
            format!("/iiif/3/a.tif/{number},0,256,256/max/0/default.png"),
            format!("/iiif/3/a.tif/full/^4000,{}/0/default.png", 4000 - number),
            "/iiif/3/broken.tif/info.json".to_owned(),
            format!("/iiif/3/crash.bad/{},0,256,256/max/0/default.png", number % 200),
        ] {
            server.get(&target);
            // Refusals are quick: without a pause there would be nothing else.
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}

#[test]
fn a_server_in_trouble_gives_every_alert_its_rows() {
    let folder = folder_with(&[("a.tif", RETINA), ("slow.tif", RETINA)]);
    let disk = SlowDisk::make();
    let server = serve(folder.path(), &disk);
    let prometheus = Prometheus::start(&server.admin);
    let idle: Vec<TcpStream> =
        (0..IDLE).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    let alerts: Vec<(String, String)> =
        alert_names().into_iter().zip(rule_expressions("alerts.yml")).collect();
    assert_eq!(alerts.len(), 11);
    disk.wait_for_ms(1200);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| ask(&server, &done));
        }
        let checked = std::panic::catch_unwind(|| {
            let provoked = |name: &str| name != DOWN && !BY_PANICS.contains(&name);
            for (name, expression) in alerts.iter().filter(|(name, _)| provoked(name)) {
                prometheus.wait_for(name, expression);
            }
        });
        disk.wait_for_ms(0);
        done.store(true, Ordering::Relaxed);
        checked.unwrap();
    });
    drop(idle);
    drop(server);
    let (name, expression) = alerts.iter().find(|(name, _)| name == DOWN).unwrap();
    prometheus.wait_for(name, expression);
}
