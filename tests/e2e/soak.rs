//! Mixed load while images are replaced, cut, overwritten, deleted and led elsewhere, and clients vanish:
//! no wrong pixel, no descriptor and no memory lost. `SOAK_S` says for how many seconds.

use std::env;
use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{CHELSEA, PATIENCE, RETINA, Server, folder_with, sample};

/// Seconds where `SOAK_S` says nothing: enough for some hundred changes of each image.
const SECONDS: u64 = 10;

/// Images that change, each in its own way.
const CHANGING: [&str; 4] = ["swapped.tif", "cut.tif", "gone.tif", "led.tif"];

/// What is asked of each.
const REGIONS: [&str; 4] = [
    "0,0,256,256/max/0/default.png",
    "0,0,200,200/100,/0/default.jpg",
    "full/120,/0/default.webp",
    "13,7,150,150/max/90/gray.png",
];

/// Memory that may come and go beside the caches: allocator, stacks, answers on their way.
const SLACK_BYTES: u64 = 96 << 20;

fn seconds() -> u64 {
    let set = env::var_os("SOAK_S").and_then(|text| text.into_string().ok());
    set.map_or(SECONDS, |text| text.parse().unwrap())
}

/// Changes one image once, in a way that may be seen half done where that can happen to files.
fn change(folder: &Path, name: &str, round: u64) {
    let path = folder.join(name);
    let of = sample(if round.is_multiple_of(2) { RETINA } else { CHELSEA });
    let renew = || {
        let new = folder.join(format!("{name}.new"));
        fs::copy(&of, &new).unwrap();
        fs::rename(&new, &path).unwrap();
    };
    match name {
        "cut.tif" if round.is_multiple_of(3) => {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        }
        // Written over in place: readers see the file's beginning and end at different times.
        "cut.tif" => fs::write(&path, fs::read(&of).unwrap()).unwrap(),
        "gone.tif" if round.is_multiple_of(2) => fs::remove_file(&path).unwrap(),
        "led.tif" if round.is_multiple_of(2) => {
            let link = folder.join("led.link");
            symlink("/etc/hostname", &link).unwrap();
            fs::rename(link, &path).unwrap();
        }
        _ => renew(),
    }
}

/// How many answers were right, and how many no picture.
#[derive(Default)]
struct Counts {
    right: AtomicU64,
    refused: AtomicU64,
}

/// Asks again and again; each picture must be one of those that the two samples give.
fn ask(
    server: &Server,
    expected: &[Vec<Vec<u8>>],
    counts: &Counts,
    done: &AtomicBool,
    start: usize,
) {
    let mut number = start;
    while !done.load(Ordering::Relaxed) {
        number += 1;
        let (name, region) = (CHANGING[number % 4], number / 4 % 4);
        let answer = server.get(&format!("/iiif/3/{name}/{}", REGIONS[region]));
        match answer.status {
            200 => {
                let is_right = expected[region].contains(&answer.body);
                assert!(is_right, "wrong pixels in {name}, {}", REGIONS[region]);
                counts.right.fetch_add(1, Ordering::Relaxed);
            }
            404 | 422 | 503 => _ = counts.refused.fetch_add(1, Ordering::Relaxed),
            other => panic!("{other} for {name}: {}", answer.text()),
        }
    }
}

/// Asks for exports and hangs up at once.
fn vanish(server: &Server, done: &AtomicBool) {
    let mut number = 0;
    while !done.load(Ordering::Relaxed) {
        number = (number + 1) % 900;
        let mut stream = TcpStream::connect(&server.address).unwrap();
        let target = format!("/iiif/3/still.tif/{number},0,500,500/^2000,/0/default.jpg");
        write!(stream, "GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        thread::park_timeout(Duration::from_millis(50));
    }
}

fn resident_bytes(server: &Server) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024
}

fn open_files(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
}

#[test]
fn no_pixel_descriptor_or_memory_is_lost_while_images_change_and_clients_vanish() {
    let samples = CHANGING.map(|name| (name, RETINA));
    let folder =
        folder_with(&[&samples[..], &[("still.tif", RETINA), ("other.tif", CHELSEA)]].concat());
    let caches = ["--cache-bytes-max", "8MiB", "--cache-decoded-bytes-max", "8MiB"];
    let budget = ["--pool-bytes-in-decode-max", "128MiB", "--images-recheck-ms", "20"];
    let server = Server::start(folder.path(), &[caches, budget].concat());
    let expected = REGIONS.map(|region| {
        ["still.tif", "other.tif"]
            .map(|name| server.get(&format!("/iiif/3/{name}/{region}")).body)
            .to_vec()
    });
    let (files_before, counts, done) =
        (open_files(&server), Counts::default(), AtomicBool::new(false));
    let (ends, mut middle_bytes) = (Instant::now() + Duration::from_secs(seconds()), 0);
    thread::scope(|scope| {
        let askers: Vec<_> = (0..4)
            .map(|start| {
                let (server, expected, counts, done) = (&server, &expected, &counts, &done);
                scope.spawn(move || ask(server, expected, counts, done, start * 7))
            })
            .collect();
        scope.spawn(|| vanish(&server, &done));
        let mut round = 0;
        while Instant::now() < ends && !askers.iter().any(thread::ScopedJoinHandle::is_finished) {
            round += 1;
            for name in CHANGING {
                change(folder.path(), name, round);
            }
            thread::park_timeout(Duration::from_millis(30));
            if middle_bytes == 0 && ends < Instant::now() + Duration::from_secs(seconds() / 2) {
                middle_bytes = resident_bytes(&server);
            }
        }
        done.store(true, Ordering::Relaxed);
        assert!(20 < round, "{round} changes of each image");
    });
    let (right, refused) = (counts.right.into_inner(), counts.refused.into_inner());
    assert!(20 < right && 0 < refused, "{right} right, {refused} refused");
    let since = Instant::now();
    while files_before + 8 < open_files(&server) {
        assert!(
            since.elapsed() < PATIENCE,
            "{} files open, not {files_before}",
            open_files(&server)
        );
        thread::yield_now();
    }
    let grown_bytes = resident_bytes(&server).saturating_sub(middle_bytes);
    assert!(grown_bytes <= SLACK_BYTES, "grown by {} MiB since half-time", grown_bytes >> 20);
    assert!(server.metric("tessera_faults_total", &["kind=\"bug\""]) < 1.0);
    println!(
        "{right} right, {refused} refused, {} MiB, grown {} KiB",
        middle_bytes >> 20,
        grown_bytes >> 10
    );
    server.finish(&["cut.tif", "swapped.tif", "gone.tif", "led.tif"]);
}
