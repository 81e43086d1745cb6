//! A JPEG 2000 file that is replaced, cut short and restored while everybody looks at it: old pixels, new
//! pixels or an error, never anything else, and nothing is left open.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, Response, Server, run, sample};

/// Corners of tiles.
const CORNERS: [(u32, u32); 4] = [(0, 0), (150, 0), (0, 44), (195, 44)];

/// So often the file goes from one state to the next and back.
const ROUNDS: usize = 5;

fn tile(server: &Server, (left, top): (u32, u32)) -> Response {
    server.get(&format!("/iiif/3/a.jp2/{left},{top},256,256/max/0/default.png"))
}

/// A sample without losses, in tiles smaller than those that are asked for.
fn picture(folder: &Path, of: &str) -> Vec<u8> {
    let (shown, made) = (folder.join("shown.ppm"), folder.join("made.jp2"));
    let (from, area) = (sample(of), ["0", "0", "451", "300"].map(OsStr::new));
    let cut = [OsStr::new("extract_area"), from.as_os_str(), shown.as_os_str()];
    run("vips", &[&cut[..], &area].concat());
    let options = ["-t", "100,100", "-i"].map(OsStr::new);
    let files = [shown.as_os_str(), OsStr::new("-o"), made.as_os_str()];
    run("opj_compress", &[&options[..], &files].concat());
    fs::read(made).unwrap()
}

/// What is answered while nothing happens.
fn expected(folder: &Path, file: &[u8]) -> Vec<Vec<u8>> {
    fs::write(folder.join("a.jp2"), file).unwrap();
    let server = Server::start(folder, &[]);
    let bodies = CORNERS.map(|corner| {
        let answer = tile(&server, corner);
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.body
    });
    server.finish(&[]);
    bodies.to_vec()
}

/// Descriptors that a server has open.
fn open_files(server: &Server) -> usize {
    fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count()
}

/// What clients were answered so far: old tiles, new tiles, errors.
#[derive(Default)]
struct Seen([AtomicUsize; 3]);

impl Seen {
    fn add(&self, what: usize) {
        self.0[what].fetch_add(1, Ordering::Relaxed);
    }

    /// Waits until clients have been answered so once more.
    fn wait_for(&self, what: usize) {
        let (before, since) = (self.0[what].load(Ordering::Relaxed), Instant::now());
        while self.0[what].load(Ordering::Relaxed) <= before + CORNERS.len() {
            assert!(
                since.elapsed() < PATIENCE,
                "never {}",
                ["the old", "the new", "an error"][what]
            );
            thread::yield_now();
        }
    }
}

#[test]
fn a_file_replaced_cut_and_restored_under_load_shows_no_wrong_pixel_and_leaves_nothing_open() {
    let folder = tempfile::tempdir().unwrap();
    let beside = tempfile::tempdir().unwrap();
    let old = picture(beside.path(), "everyday/chelsea.tif");
    let new = picture(beside.path(), "everyday/coffee.tif");
    let new_tiles = expected(folder.path(), &new);
    let old_tiles = expected(folder.path(), &old);
    let caches = ["--cache-bytes-max", "0", "--cache-decoded-bytes-max", "0"];
    let soon = ["--images-recheck-ms", "5", "--images-failure-hold-ms", "5"];
    // As many decoders as the load needs are started, and have to be gone again.
    let idle = ["--modules-idle-s", "1"];
    let server = Server::start(folder.path(), &[&caches[..], &soon, &idle].concat());
    for (corner, body) in CORNERS.into_iter().zip(&old_tiles) {
        assert!(tile(&server, corner).body == *body);
    }
    let files_before = open_files(&server);

    let place = folder.path().join("a.jp2");
    let put = |file: &[u8]| {
        let temporary = beside.path().join("next.jp2");
        fs::write(&temporary, file).unwrap();
        fs::rename(&temporary, &place).unwrap();
    };
    let (seen, stop) = (Seen::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        for client in 0..4 {
            let (server, seen, stop) = (&server, &seen, &stop);
            let (old_tiles, new_tiles) = (&old_tiles, &new_tiles);
            scope.spawn(move || {
                for number in client.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let at = number % CORNERS.len();
                    let answer = tile(server, CORNERS[at]);
                    match answer.status {
                        200 if answer.body == old_tiles[at] => seen.add(0),
                        200 if answer.body == new_tiles[at] => seen.add(1),
                        422 | 503 => seen.add(2),
                        status => panic!("{status}: neither the old pixels nor the new"),
                    }
                }
            });
        }
        for _ in 0..ROUNDS {
            seen.wait_for(0);
            put(&new);
            seen.wait_for(1);
            let cut = File::options().write(true).open(&place).unwrap();
            cut.set_len(u64::try_from(new.len() / 3).unwrap()).unwrap();
            seen.wait_for(2);
            put(&old);
        }
        seen.wait_for(0);
        stop.store(true, Ordering::Relaxed);
    });
    let since = Instant::now();
    while files_before < open_files(&server) {
        assert!(since.elapsed() < PATIENCE, "{} files are open", open_files(&server));
        thread::yield_now();
    }
    server.finish(&["no answer"]);
}
