//! What a scrape shows, from the first one on, and what it costs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use tessera::metrics::METRICS;

use crate::harness::{CHELSEA, RETINA, Server, folder_with, request};

/// Metrics of what is not there in this test: memcached, and modules that the configuration names.
const ABSENT: [&str; 2] = ["tessera_module_seconds", "tessera_memcached_"];

#[test]
fn every_metric_is_there_before_anything_happens() {
    let is_absent = |name: &str| ABSENT.iter().any(|start| name.starts_with(start));
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &[]);
    assert_eq!(server.get("/iiif/3/a.tif/full/100,/0/default.png").status, 200);
    let text = request(&server.admin, "GET", "/metrics", &[], b"").text();
    for (name, kind, _, _) in METRICS.iter().filter(|row| !is_absent(row.0)) {
        let is_typed = text.contains(&format!("# TYPE {name} {kind}\n"));
        assert!(is_typed, "{name} is no {kind}, or not there:\n{text}");
        let series =
            if *kind == "histogram" { format!("{name}_count") } else { (*name).to_owned() };
        let has_value = text.lines().any(|line| {
            line.strip_prefix(&series).is_some_and(|rest| rest.starts_with(['{', ' ']))
        });
        assert!(has_value, "{name} has no value:\n{text}");
    }
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(METRICS.iter().any(|row| row.0 == name), "{name} is not in the table");
    }
    server.finish(&[]);
}

/// Requests that are sent before the first answer is read: both ways fit into what sockets buffer.
const BATCH: usize = 50;

/// Asks for `target` so many times over one connection; all answers are as long as the first.
fn ask_often(address: &str, target: &str, batches: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    let one = format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(one.as_bytes()).unwrap();
    let mut first = vec![0; 65_536];
    let mut length = 0;
    let whole = loop {
        length += stream.read(&mut first[length..]).unwrap();
        let text = String::from_utf8_lossy(&first[..length]).to_ascii_lowercase();
        let Some((_, rest)) = text.split_once("content-length: ") else { continue };
        let body: usize = rest.split("\r\n").next().unwrap().parse().unwrap();
        let head = first.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        if head + body <= length {
            break head + body;
        }
    };
    let mut answers = vec![0; whole * BATCH];
    for _ in 0..batches {
        stream.write_all(one.repeat(BATCH).as_bytes()).unwrap();
        stream.read_exact(&mut answers).unwrap();
        assert!(answers.starts_with(b"HTTP/1.1 200 OK"));
    }
}

/// Nanoseconds of processor time that all threads of the process have had.
fn cpu_ns(server: &Server) -> u64 {
    let threads = fs::read_dir(format!("/proc/{}/task", server.pid())).unwrap();
    let of = |thread: fs::DirEntry| {
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0)
    };
    threads.map(|thread| of(thread.unwrap())).sum()
}

#[test]
fn a_scrape_after_50_000_requests_costs_less_than_5_ms_of_processor_time() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    let server = Server::start(folder.path(), &["--log-access", "off"]);
    ask_often(&server.address, "/iiif/3/a.tif/full/50,/0/default.jpg", 50_000 / BATCH);
    let scrape = || request(&server.admin, "GET", "/metrics", &[], b"");
    assert_eq!(scrape().status, 200);
    let (scrapes, before) = (20, cpu_ns(&server));
    for _ in 0..scrapes {
        scrape();
    }
    let each_us = (cpu_ns(&server) - before) / scrapes / 1000;
    assert!(each_us < 5000, "{each_us} us");
    assert!(50_000.0 <= server.metric("tessera_requests_total", &[]));
    server.finish(&[]);
}

#[test]
fn a_broken_image_is_one_line_in_the_log_however_often_it_is_asked_for() {
    let folder = folder_with(&[("a.tif", CHELSEA)]);
    fs::write(folder.path().join("broken.tif"), b"II*\0 and no more").unwrap();
    let server = Server::start(folder.path(), &["--images-failure-hold-ms", "1"]);
    for _ in 0..20 {
        assert_eq!(server.get("/iiif/3/broken.tif/info.json").status, 422);
    }
    assert!(
        19.0 < server.metric("tessera_faults_total", &["protocol=\"iiif3\"", "kind=\"image\""])
    );
    assert!(0.0 < server.metric("tessera_codec_failures_total", &["cause=\"malformed\""]));
    assert!(0.0 < server.metric("tessera_images_in_trouble", &[]));
    let lines = server.log().iter().filter(|line| line.contains("broken.tif")).count();
    assert_eq!(lines, 1, "{:?}", server.log());
    server.finish(&["broken.tif"]);
}
