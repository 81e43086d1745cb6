//! What is kept, what is shared, and what is never served stale.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{CHELSEA, PATIENCE, RETINA, Server, folder_with, request, sample};

#[test]
fn two_hundred_identical_cold_requests_are_one_decode_and_one_encode() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let target = "/iiif/3/a.tif/100,100,1000,1000/700,/0/default.jpg";
    let bodies: Vec<Vec<u8>> = thread::scope(|scope| {
        let askers: Vec<_> = (0..200)
            .map(|_| scope.spawn(|| request(&server.address, "GET", target, &[], b"")))
            .collect();
        askers
            .into_iter()
            .map(|asker| {
                let answer = asker.join().unwrap();
                assert_eq!(answer.status, 200, "{}", answer.text());
                answer.body
            })
            .collect()
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    let count = |outcome: &str| server.metric("tessera_requests_total", &[outcome]);
    assert!((count("outcome=\"miss\"") - 1.0).abs() < 0.1, "{} led", count("outcome=\"miss\""));
    let encodes = server.metric("tessera_stage_seconds_count", &["stage=\"encode\""]);
    assert!((encodes - 1.0).abs() < 0.1, "{encodes} encodes");
    server.finish(&[]);
}

#[test]
fn equal_requests_in_other_words_share_an_entry() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let spellings = [
        "/iiif/3/a.tif/0,0,512,512/256,256/0/default.jpg",
        "/iiif/2/a.tif/0,0,512,512/256,/0/default.jpg",
        "/iiif/3/a%2Etif/0,0,512,512/!256,256/0/default.jpg",
        "/deepzoom/a.tif_files/10/0_0.jpg",
        "/zoomify/a.tif/TileGroup0/2-0-0.jpg",
        "/iip?FIF=a.tif&JTL=2,0",
        "/fcgi-bin/iipsrv.fcgi?FIF=/a.tif&jtl=2,0",
    ];
    let first = server.get(spellings[0]);
    for target in spellings {
        let answer = server.get(target);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(answer.header("ETag"), first.header("ETag"), "{target}");
        assert_eq!(answer.body, first.body, "{target}");
    }
    let hits = server.metric("tessera_requests_total", &["outcome=\"hit\""]);
    assert!((hits - 7.0).abs() < 0.1, "{hits} of 7 were hits");
    server.finish(&[]);
}

#[test]
fn a_replaced_master_is_noticed_within_a_second() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let info = |server: &Server| server.get("/iiif/3/a.tif/info.json").json()["width"].clone();
    let tile = "/iiif/3/a.tif/0,0,256,256/max/0/default.jpg";
    assert_eq!(info(&server), 1411);
    let before = server.get(tile);

    let new = folder.path().join("new");
    fs::copy(sample(CHELSEA), &new).unwrap();
    fs::rename(&new, folder.path().join("a.tif")).unwrap();
    let replaced = Instant::now();
    let expected = server_free_width(CHELSEA);
    while info(&server) != expected {
        assert!(replaced.elapsed() < Duration::from_secs(1), "still the old image after a second");
    }
    let after = server.get(tile);
    assert_eq!(after.status, 200);
    assert_ne!(after.header("ETag"), before.header("ETag"));
    assert_ne!(after.body, before.body);

    fs::remove_file(folder.path().join("a.tif")).unwrap();
    let removed = Instant::now();
    while server.get(tile).status != 404 {
        assert!(removed.elapsed() < Duration::from_secs(1), "still there after a second");
    }
    fs::copy(sample(RETINA), folder.path().join("a.tif")).unwrap();
    assert_eq!(info(&server), 1411);
    server.finish(&["no answer"]);
}

/// The width of a sample, read by a second server, so that no number is written down twice.
fn server_free_width(name: &str) -> serde_json::Value {
    let folder = folder_with(&[("x.tif", name)]);
    Server::start(folder.path(), &[]).get("/iiif/3/x.tif/info.json").json()["width"].clone()
}

#[test]
fn a_file_written_over_in_place_never_gives_a_mixed_or_stale_tile() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let path = folder.path().join("a.tif");
    let (one, two) = (fs::read(sample(RETINA)).unwrap(), fs::read(sample(CHELSEA)).unwrap());
    let tile = "/iiif/3/a.tif/0,0,256,256/max/0/default.jpg";
    let server = Server::start(folder.path(), &["--images-recheck-ms", "1"]);
    let good_one = server.get(tile).body;
    fs::write(&path, &two).unwrap();
    let since = Instant::now();
    let good_two = loop {
        let answer = server.get(tile);
        if answer.status == 200 && answer.body != good_one {
            break answer.body;
        }
        assert!(since.elapsed() < PATIENCE);
    };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..200 {
                fs::write(&path, if round % 2 == 0 { &one } else { &two }).unwrap();
            }
            stop.store(true, Ordering::Relaxed);
        });
        while !stop.load(Ordering::Relaxed) {
            let answer = server.get(tile);
            // A file cut short under the reader is an error for that moment, never a wrong picture.
            assert!(matches!(answer.status, 200 | 404 | 422 | 503), "{}", answer.status);
            if answer.status == 200 {
                assert!(answer.body == good_one || answer.body == good_two, "a mixed picture");
            }
        }
    });
    fs::write(&path, &two).unwrap();
    let since = Instant::now();
    while server.get(tile).body != good_two {
        assert!(since.elapsed() < PATIENCE, "the last state is not served");
    }
    server.finish(&["no answer"]);
}

#[test]
fn a_passed_through_tile_is_stable_and_can_be_turned_off_or_bounded() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let tile = "/iiif/3/a.tif/0,0,256,256/256,256/0/default.jpg";
    let server = Server::start(folder.path(), &[]);
    let passed = server.get(tile).body;
    let count = |server: &Server| server.metric("tessera_requests_total", &["outcome=\"passed\""]);
    assert!((count(&server) - 1.0).abs() < 0.1);
    assert!(server.metric("tessera_pixels_decoded_total", &[]) == 0.0);
    server.finish(&[]);
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.get(tile).body, passed, "another run gives other bytes");
    drop(server);
    for arguments in
        [["--render-pass-through", "false"], ["--render-pass-through-bytes-max", "100"]]
    {
        let server = Server::start(folder.path(), &arguments);
        let answer = server.get(tile);
        assert_eq!((answer.status, answer.picture_size()), (200, (256, 256)));
        assert_ne!(answer.body, passed);
        assert!(count(&server) == 0.0);
        server.finish(&[]);
    }
}
