//! Mixed load while all that can go wrong does ([`Chaos`]) and clients vanish: no wrong pixel, no descriptor,
//! process or memory lost, and all is well again when all is well. `SOAK_S` says for how many seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::chaos::{CHANGING, Chaos, children, unprivileged};
use crate::harness::{CHELSEA, PATIENCE, RETINA, Response, Server, folder_with, run};
use crate::memcached_server::Memcached;
use crate::slow_disk::SlowDisk;

/// Seconds where `SOAK_S` says nothing: enough for some hundred changes of each image.
const SECONDS: u64 = 15;

/// Images that stay as they are, while their decoders are killed or kill themselves.
const STAYING: [&str; 3] = ["still.jp2", "good.bad", "crash.bad"];

/// What is asked of each.
const REGIONS: [&str; 4] = [
    "0,0,256,256/max/0/default.png",
    "0,0,200,200/100,/0/default.jpg",
    "full/120,/0/default.webp",
    "13,7,150,150/max/90/gray.png",
];

/// Memory that may come and go beside the caches: allocator, stacks, answers on their way.
const SLACK_BYTES: u64 = 96 << 20;

/// Descriptors that may come and go: connections, and a decoder that is being started.
const SLACK_FILES: usize = 16;

/// What tells an answer from others.
type Print = u64;

/// What each region may show, image by image; nothing where no picture can be made.
type Expected = BTreeMap<&'static str, [BTreeSet<Print>; REGIONS.len()]>;

fn seconds() -> u64 {
    let set = env::var_os("SOAK_S").and_then(|text| text.into_string().ok());
    set.map_or(SECONDS, |text| text.parse().unwrap())
}

fn print_of(body: &[u8]) -> Print {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    hasher.finish()
}

fn ask(server: &Server, name: &str, region: usize) -> Response {
    server.get(&format!("/iiif/3/{name}/{}", REGIONS[region]))
}

/// The images, and a module for some of them that dies of others.
struct Scene {
    folder: tempfile::TempDir,
    settings: PathBuf,
}

impl Scene {
    fn make() -> Self {
        let all = CHANGING.map(|name| (name, RETINA));
        let folder =
            folder_with(&[&all[..], &[("still.tif", RETINA), ("other.tif", CHELSEA)]].concat());
        let file = |name: &str| folder.path().join(name);
        let jp2 = file("still.jp2");
        run("vips", &["copy".as_ref(), file("still.tif").as_os_str(), jp2.as_os_str()]);
        for word in ["good", "crash"] {
            fs::write(file(&format!("{word}.bad")), format!("BAD! {word}\n")).unwrap();
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = root.join("target/venv/bin/python");
        let script = root.join("tests/e2e/bad_module.py");
        let command = format!("[\"{}\", \"-B\", \"{}\"]", python.display(), script.display());
        let settings = file("settings.toml");
        let table = format!("[[modules.decoders]]\nname = \"bad\"\ncommand = {command}\n");
        fs::write(&settings, table).unwrap();
        Self { folder, settings }
    }

    fn serve(&self, disk: &SlowDisk, memcached: &Memcached) -> Server {
        let caches = ["--cache-bytes-max", "8MiB", "--cache-decoded-bytes-max", "8MiB"];
        let budget = ["--pool-bytes-in-decode-max", "128MiB", "--images-recheck-ms", "20"];
        let shared = ["--memcached-servers", &memcached.address, "--images-failure-hold-ms", "20"];
        let modules = ["--config", self.settings.to_str().unwrap()];
        let arguments = [&caches[..], &budget, &shared, &modules].concat();
        let folder = self.folder.path();
        Server::start_by(&unprivileged(), folder, &arguments, &disk.environment())
    }
}

/// What is right: of images that change what the two samples show, of others what they show now.
fn expected(server: &Server) -> Expected {
    let now = |name: &str, region| {
        let answer = ask(server, name, region);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        print_of(&answer.body)
    };
    let of = |names: &[&str]| {
        [0, 1, 2, 3].map(|region| names.iter().map(|name| now(name, region)).collect())
    };
    let samples = of(&["still.tif", "other.tif"]);
    let mut all: Expected = CHANGING.map(|name| (name, samples.clone())).into();
    for name in STAYING {
        all.insert(name, if name == "crash.bad" { Default::default() } else { of(&[name]) });
    }
    all
}

/// How often each status was answered.
type Counts = Mutex<BTreeMap<u16, u64>>;

/// Asks again and again; each picture must be one of those expected.
fn ask_on(server: &Server, expected: &Expected, counts: &Counts, done: &AtomicBool, start: usize) {
    let names: Vec<&str> = expected.keys().copied().collect();
    let mut number = start;
    while !done.load(Ordering::Relaxed) {
        number += 1;
        let (name, region) = (names[number % names.len()], number / names.len() % REGIONS.len());
        let answer = ask(server, name, region);
        match answer.status {
            200 => {
                let is_right = expected[name][region].contains(&print_of(&answer.body));
                assert!(is_right, "wrong pixels in {name}, {}", REGIONS[region]);
            }
            404 | 422 | 503 => {}
            other => panic!("{other} for {name}: {}", answer.text()),
        }
        *counts.lock().unwrap().entry(answer.status).or_default() += 1;
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

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "never {what}");
        thread::park_timeout(Duration::from_millis(20));
    }
}

/// Every image is answered, and right; what can only crash still does.
fn is_well(server: &Server, expected: &Expected) -> bool {
    expected.iter().all(|(name, regions)| {
        let region = regions.iter().enumerate();
        region.into_iter().all(|(region, prints)| {
            let answer = ask(server, name, region);
            let is_picture = answer.status == 200;
            assert!(!is_picture || prints.contains(&print_of(&answer.body)), "{name}");
            is_picture != prints.is_empty()
        })
    })
}

#[test]
fn no_pixel_descriptor_or_memory_is_lost_whatever_goes_wrong() {
    let (scene, disk, mut memcached) = (Scene::make(), SlowDisk::make(), Memcached::start(&[]));
    let server = scene.serve(&disk, &memcached);
    let expected = expected(&server);
    wait_until("well at first", || is_well(&server, &expected));
    let (files_before, counts, done) =
        (open_files(&server), Counts::default(), AtomicBool::new(false));
    let ends = Instant::now() + Duration::from_secs(seconds());
    let half_time = Instant::now() + Duration::from_secs(seconds() / 2);
    let (mut middle_bytes, mut rounds) = (0, 0);
    let mut chaos = Chaos::new(scene.folder.path(), &server, &disk, &mut memcached);
    thread::scope(|scope| {
        let askers: Vec<_> = (0..4)
            .map(|start| {
                let (server, expected, counts, done) = (&server, &expected, &counts, &done);
                scope.spawn(move || ask_on(server, expected, counts, done, start * 7))
            })
            .collect();
        scope.spawn(|| vanish(&server, &done));
        while Instant::now() < ends && !askers.iter().any(thread::ScopedJoinHandle::is_finished) {
            rounds += 1;
            chaos.round(rounds);
            thread::park_timeout(Duration::from_millis(30));
            if middle_bytes == 0 && half_time < Instant::now() {
                middle_bytes = resident_bytes(&server);
            }
        }
        chaos.end();
        done.store(true, Ordering::Relaxed);
    });
    let killed = chaos.killed;
    wait_until("well again", || is_well(&server, &expected));
    wait_until("few files", || open_files(&server) <= files_before + SLACK_FILES);
    wait_until("no zombie", || children(server.pid()).iter().all(|(_, is_dead)| !is_dead));
    let grown_bytes = resident_bytes(&server).saturating_sub(middle_bytes);
    let counts = counts.into_inner().unwrap();
    println!(
        "{rounds} rounds, answers by status {counts:?}, {killed} decoders killed, {} of {files_before} \
         files, {} MiB at half-time, grown {} KiB",
        open_files(&server),
        middle_bytes >> 20,
        grown_bytes >> 10
    );
    assert!(20 < rounds && 0 < killed, "{rounds} changes of each image, {killed} killed");
    assert!([200, 404, 422].iter().all(|status| 5 < counts[status]), "{counts:?}");
    assert!(grown_bytes <= SLACK_BYTES, "grown by {} MiB since half-time", grown_bytes >> 20);
    assert!(server.metric("tessera_faults_total", &["kind=\"bug\""]) < 1.0);
    let troubled =
        [&CHANGING[..], &STAYING, &["memcached fails", "a decoder does not start"]].concat();
    server.finish(&troubled);
}
