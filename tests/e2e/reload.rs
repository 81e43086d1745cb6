//! A configuration that is read again: put in force as a whole, or not at all, without a request lost.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Server, folder_with};

const EXPORT: &str = "/iiif/3/a.tif/full/300,/0/default.jpg";

/// Waits until the log has so many lines with these words.
fn wait_for_log(server: &Server, words: &str, count: usize) {
    let since = Instant::now();
    while server.log().iter().filter(|line| line.contains(words)).count() < count {
        assert!(since.elapsed() < PATIENCE, "no `{words}`:\n{}", server.log().join("\n"));
        thread::yield_now();
    }
}

fn start(folder: &Path, file: &Path, arguments: &[&str]) -> Server {
    Server::start(folder, &[&["--config", file.to_str().unwrap()], arguments].concat())
}

#[test]
fn a_hangup_puts_a_new_configuration_in_force_and_a_wrong_one_leaves_the_old() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let file = folder.path().join("t.toml");
    fs::write(&file, "[render]\njpeg_quality = 90\n").unwrap();
    let server = start(folder.path(), &file, &[]);
    let good = server.get(EXPORT).body.len();

    fs::write(&file, "[render]\njpeg_quality = 10\n[pool]\njobs_max = 99\n").unwrap();
    server.signal("HUP");
    wait_for_log(&server, "configuration read again", 1);
    let small = server.get(EXPORT).body.len();
    assert!(small * 2 < good, "{small} {good}");
    let said = server.log().join("\n");
    assert!(said.contains("render.jpeg_quality: 90 -> 10"), "{said}");
    assert!(said.contains("needs_restart=\"pool.jobs_max: 512 -> 99\""), "{said}");

    for wrong in ["[render]\njpeg_quality = 500\n", "[render\n", "[render]\njpg = 1\n"] {
        fs::write(&file, wrong).unwrap();
        let refused = server.metric("tessera_config_reloads_total", &["taken=\"false\""]);
        server.signal("HUP");
        let since = Instant::now();
        while server.metric("tessera_config_reloads_total", &["taken=\"false\""]) < refused + 1.0 {
            assert!(since.elapsed() < PATIENCE, "not refused: {wrong}");
        }
        assert_eq!(server.get(EXPORT).body.len(), small, "{wrong}");
    }
    fs::remove_file(&file).unwrap();
    server.signal("HUP");
    wait_for_log(&server, "the old one stays", 4);
    assert_eq!(server.get(EXPORT).body.len(), small);
    server.finish(&["the old one stays"]);
}

#[test]
fn a_changed_file_is_taken_where_that_is_wanted() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let file = folder.path().join("t.toml");
    fs::write(&file, "[protocol]\ncors = \"*\"\n").unwrap();
    let server = start(folder.path(), &file, &["--server-watch-config", "true"]);
    assert_eq!(server.get(EXPORT).header("Access-Control-Allow-Origin"), Some("*"));
    fs::write(&file, "[protocol]\ncors = \"https://example.org\"\n").unwrap();
    wait_for_log(&server, "configuration read again", 1);
    let cors = server.get(EXPORT).header("Access-Control-Allow-Origin").map(str::to_owned);
    assert_eq!(cors.as_deref(), Some("https://example.org"));
    server.finish(&[]);
}

#[test]
fn no_request_is_lost_while_configurations_change() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let file = folder.path().join("t.toml");
    fs::write(&file, "").unwrap();
    let server = start(folder.path(), &file, &[]);
    let done = AtomicBool::new(false);
    let answered: usize = thread::scope(|scope| {
        let askers: Vec<_> = (0..4)
            .map(|asker| {
                let (server, done) = (&server, &done);
                scope.spawn(move || {
                    let mut answered = 0;
                    while !done.load(Ordering::Relaxed) {
                        let left = (answered * 4 + asker) % 1000;
                        let tile = format!("/iiif/3/a.tif/{left},0,128,128/max/0/default.jpg");
                        let answer = server.get(&tile);
                        assert_eq!(answer.status, 200, "{}", answer.text());
                        answered += 1;
                    }
                    answered
                })
            })
            .collect();
        for number in 1..=20 {
            let text = format!("[render]\njpeg_quality = {}\n", 50 + number);
            fs::write(&file, text).unwrap();
            server.signal("HUP");
            wait_for_log(&server, "configuration read again", number);
        }
        done.store(true, Ordering::Relaxed);
        askers.into_iter().map(|asker| asker.join().unwrap()).sum()
    });
    assert!(20 < answered, "{answered}");
    server.finish(&[]);
}
