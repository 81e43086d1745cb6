//! More than the server can do: refused at once, while what is ready keeps flowing.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use crate::harness::{CHELSEA, PATIENCE, RETINA, Response, Server, folder_with, request};

fn export(number: usize) -> String {
    format!("/iiif/3/a.tif/{number},0,1300,1300/^3000,/0/default.png")
}

#[test]
fn overload_is_503_at_once_and_cached_answers_keep_flowing() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--pool-jobs-max", "2"]);
    let tile = "/iiif/3/a.tif/0,0,256,256/max/0/default.jpg";
    assert_eq!(server.get(tile).status, 200);
    thread::scope(|scope| {
        let exports: Vec<_> = (0..40)
            .map(|number| {
                let address = &server.address;
                scope.spawn(move || request(address, "GET", &export(number), &[], b""))
            })
            .collect();
        while !exports.iter().all(thread::ScopedJoinHandle::is_finished) {
            let hit = server.get(tile);
            assert_eq!(hit.status, 200, "a cached answer was refused: {}", hit.text());
        }
        let answers: Vec<_> = exports.into_iter().map(|export| export.join().unwrap()).collect();
        let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
        let served = answers.iter().filter(|answer| answer.status == 200).count();
        assert!(!refused.is_empty() && 0 < served, "{} refused, {served} served", refused.len());
        assert_eq!(refused.len() + served, 40);
        for answer in refused {
            let seconds: u32 = answer.header("Retry-After").unwrap().parse().unwrap();
            assert!((1..=60).contains(&seconds));
        }
    });
    assert!(0.0 < server.metric("tessera_shed_total", &["lane=\"dear\"", "reason=\"pool_full\""]));
    server.finish(&["no answer"]);
}

#[test]
fn more_requests_at_once_than_may_be_are_refused_at_once() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--server-requests-max", "1"]);
    let mut hanging = TcpStream::connect(&server.address).unwrap();
    hanging
        .write_all(b"POST /iip HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nFIF=a.tif")
        .unwrap();
    let since = Instant::now();
    while server.metric("tessera_requests_in_flight", &[]) == 0.0 {
        assert!(since.elapsed() < PATIENCE, "the request is not in flight");
    }
    let refused = server.get("/iiif/3/a.tif/info.json");
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("Retry-After").is_some());
    drop(hanging);
    while server.get("/iiif/3/a.tif/info.json").status != 200 {
        assert!(since.elapsed() < PATIENCE, "the place was never given back");
    }
    assert!(0.0 < server.metric("tessera_shed_total", &["reason=\"requests\""]));
    server.finish(&[]);
}

#[test]
fn what_could_never_fit_is_413_and_not_503() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--pool-bytes-in-decode-max", "4MiB"]);
    let answer = server.get(&export(0));
    assert_eq!(answer.status, 413, "{}", answer.text());
    let answer = server.get("/iiif/3/a.tif/full/100,/0/default.jpg");
    assert_eq!(answer.status, 200, "{}", answer.text());
    server.finish(&[]);
    let server = Server::start(folder.path(), &["--render-source-px-max", "100000"]);
    let answer = server.get("/iiif/3/a.tif/full/1411,/0/default.jpg");
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("100000"), "{}", answer.text());
    server.finish(&[]);
}

#[test]
fn a_client_that_has_gone_leaves_no_work_behind() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    let pending = 60;
    let connections: Vec<TcpStream> = (0..pending)
        .map(|number| {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            let head = format!("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", export(number));
            stream.write_all(head.as_bytes()).unwrap();
            stream
        })
        .collect();
    let since = Instant::now();
    while server.metric("tessera_cache_in_flight", &[])
        < f64::from(u32::try_from(pending / 2).unwrap())
    {
        assert!(since.elapsed() < PATIENCE, "the exports did not arrive");
    }
    drop(connections);
    let since = Instant::now();
    while server.metric("tessera_cache_in_flight", &[]) != 0.0 {
        assert!(since.elapsed() < PATIENCE, "abandoned work goes on");
    }
    let encoded = server.metric("tessera_stage_seconds_count", &["stage=\"encode\""]);
    assert!(encoded < 20.0, "{encoded} of {pending} abandoned exports were made all the same");
    let tile = server.get("/iiif/3/a.tif/0,0,256,256/max/0/default.jpg");
    assert_eq!(tile.status, 200);
    server.finish(&["no answer"]);
}

/// The most memory that the process ever had, in bytes.
fn peak_bytes(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

/// Answers that are on their way to clients, stacks, and what the allocator keeps.
const SLACK_BYTES: u64 = 96 << 20;

#[test]
fn the_largest_exports_all_at_once_stay_within_the_budget_and_tiles_are_answered_meanwhile() {
    let folder = folder_with(&[("a.tif", RETINA), ("b.tif", CHELSEA)]);
    let budget_bytes = 192_u64 << 20;
    let caches = ["--cache-bytes-max", "0", "--cache-decoded-bytes-max", "0"];
    let budget = ["--pool-bytes-in-decode-max", "192MiB", "--pool-waiting-max", "8"];
    let patient = ["--pool-dear-deadline-ms", "600000", "--render-output-side-px-max", "3000"];
    let server = Server::start(folder.path(), &[caches, budget, patient].concat());
    let tile = |number: u32| {
        let (column, row) = (number % 300, number / 300 % 200);
        format!("/iiif/3/b.tif/{column},{row},100,100/max/0/default.jpg")
    };
    assert_eq!(server.get(&tile(0)).status, 200);
    let idle_bytes = peak_bytes(&server);
    let answers: Vec<Response> = thread::scope(|scope| {
        let exports: Vec<_> = (0..64)
            .map(|number| {
                let (server, left) = (&server, number % 100);
                let target = format!("/iiif/3/a.tif/{left},0,1300,1300/^3000,3000/0/default.jpg");
                scope.spawn(move || server.get(&target))
            })
            .collect();
        let mut tiles = 0;
        while !exports.iter().all(thread::ScopedJoinHandle::is_finished) {
            tiles += 1;
            let answer = server.get(&tile(tiles));
            assert_eq!(answer.status, 200, "a tile was refused: {}", answer.text());
        }
        assert!(20 < tiles, "{tiles} tiles were answered while exports were made");
        exports.into_iter().map(|export| export.join().unwrap()).collect()
    });
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(8 < served && !refused.is_empty(), "{served} served, {} refused", refused.len());
    assert_eq!(refused.len() + served, 64);
    assert!(refused.iter().all(|answer| answer.header("Retry-After").is_some()));
    let grown_bytes = peak_bytes(&server) - idle_bytes;
    assert!(grown_bytes <= budget_bytes + SLACK_BYTES, "{} MiB", grown_bytes >> 20);
    assert!(server.metric("tessera_shed_total", &["lane=\"cheap\""]) < 1.0);
    server.finish(&["no answer"]);
}

#[test]
fn shadow_mode_counts_what_it_would_refuse_and_answers_it() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let limits = ["--pool-bytes-in-decode-max", "4MiB", "--pool-shadow", "true"];
    let server = Server::start(folder.path(), &limits);
    assert_eq!(server.get(&export(0)).status, 200);
    assert!(0.0 < server.metric("tessera_would_shed_total", &["reason=\"too_large\""]));
    assert!(server.metric("tessera_shed_total", &["lane=\"dear\""]) < 1.0);
    server.finish(&[]);
}
