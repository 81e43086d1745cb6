//! A purge at one instance is one at all that share memcached, whatever becomes of memcached meanwhile.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Instant, SystemTime};

use serde_json::Value;

use crate::harness::{CHELSEA, PATIENCE, Server, request, run, sample};
use crate::memcached_server::Memcached;

/// Patient enough that a slow machine is not taken for a dead server.
const PATIENT: [&str; 4] = ["--memcached-budget-ms", "20000", "--memcached-wait-ms", "20000"];

/// The warning with which a server is left alone.
const LEFT_ALONE: &str = "memcached fails and is left alone";

/// What the list of purges is called.
const LIST: &str = "tessera:purges";

fn start(folder: &Path, memcached: &Memcached) -> Server {
    let shared = ["--memcached-servers", &memcached.address, "--images-recheck-ms", "20"];
    Server::start(folder, &[&shared[..], &PATIENT].concat())
}

/// The images of a folder.
const NAMES: [&str; 3] = ["a.tif", "b.tif", "s/c.tif"];

/// Two pictures that nothing but their pixels tells apart: what is cached of one is cached of both.
struct Pictures {
    folder: tempfile::TempDir,
    old: PathBuf,
    new: PathBuf,
}

impl Pictures {
    /// The old one under three names.
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let (old, new) = (file("old"), file("new"));
        let as_tiff = |path: &Path| format!("{}.tif[tile]", path.display());
        run("vips", &["copy".as_ref(), sample(CHELSEA).as_os_str(), as_tiff(&old).as_ref()]);
        run("vips", &["invert".as_ref(), sample(CHELSEA).as_os_str(), as_tiff(&new).as_ref()]);
        let [old, new] = [file("old.tif"), file("new.tif")];
        let bytes = |path: &Path| fs::metadata(path).unwrap().len();
        assert_eq!(bytes(&old), bytes(&new));
        fs::create_dir(file("s")).unwrap();
        let pictures = Self { folder, old, new };
        for name in NAMES {
            pictures.put(name, &pictures.old);
        }
        pictures
    }

    fn put(&self, name: &str, picture: &Path) {
        let copy = self.folder.path().join("copy");
        fs::copy(picture, &copy).unwrap();
        let file = fs::File::options().write(true).open(&copy).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        fs::rename(copy, self.folder.path().join(name)).unwrap();
    }

    fn renew(&self, name: &str) {
        self.put(name, &self.new);
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What tells a picture that is shown from another.
fn picture(server: &Server, name: &str) -> u64 {
    let answer = server.get(&format!("/iiif/3/{name}/10,10,280,280/200,/0/default.jpg"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut hasher = DefaultHasher::new();
    answer.body.hash(&mut hasher);
    hasher.finish()
}

fn purge(server: &Server, what: &str) -> Value {
    let answer = request(&server.admin, "DELETE", &format!("/cache?{what}"), &[], b"");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn heard(server: &Server) -> f64 {
    server.metric("tessera_purges_total", &["purged=\"elsewhere\""])
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "never {what}");
        thread::yield_now();
    }
}

/// Waits until so much of what a server made is in memcached.
fn wait_for_stored(server: &Server, count: f64) {
    wait_until("stored", || count <= server.metric("tessera_memcached_stored_total", &[]));
}

#[test]
fn a_purge_at_one_instance_is_one_at_all() {
    let (memcached, pictures) = (Memcached::start(&[]), Pictures::make());
    let names = NAMES.map(|name| name.replace('/', "%2F"));
    let [one, other] = [(); 2].map(|()| start(pictures.path(), &memcached));
    let old = picture(&one, "a.tif");
    assert_eq!(names.each_ref().map(|name| picture(&one, name)), [old; 3]);
    wait_for_stored(&one, 3.0);
    assert_eq!(names.each_ref().map(|name| picture(&other, name)), [old; 3]);
    let shared = other.metric("tessera_requests_total", &["outcome=\"memcached\""]);
    assert!((shared - 3.0).abs() < 0.5, "{shared}");

    // What lies there now is another picture, and nobody can know.
    for name in NAMES {
        pictures.renew(name);
    }
    assert_eq!([&one, &other].map(|server| picture(server, "a.tif")), [old, old]);
    assert_eq!(purge(&one, "image=a.tif")["memcached"], "told");
    let new = picture(&one, "a.tif");
    assert_ne!(new, old);
    wait_until("heard", || 1.0 <= heard(&other));
    assert_eq!(picture(&other, "a.tif"), new);
    assert_eq!(picture(&other, "b.tif"), old, "only what was purged");
    purge(&other, "prefix=s/");
    wait_until("heard", || 1.0 <= heard(&one));
    assert_eq!([&one, &other].map(|server| picture(server, "s%2Fc.tif")), [new, new]);

    // One that comes later finds nothing of what was purged before it came.
    let late = start(pictures.path(), &memcached);
    assert_eq!([picture(&late, "a.tif"), picture(&late, "s%2Fc.tif")], [new, new]);
    assert_eq!(picture(&late, "b.tif"), old);
    purge(&late, "all");
    wait_until("heard", || 2.0 <= heard(&one) && 2.0 <= heard(&other));
    for server in [one, other, late] {
        assert_eq!(picture(&server, "b.tif"), new);
        server.finish(&[]);
    }
}

#[test]
fn a_list_that_is_lost_is_told_again_and_one_that_is_junk_is_everything() {
    let (mut memcached, pictures) = (Memcached::start(&[]), Pictures::make());
    let [one, other] = [(); 2].map(|()| start(pictures.path(), &memcached));
    let old = picture(&one, "a.tif");
    purge(&one, "image=x.tif");
    wait_until("heard", || 1.0 <= heard(&other));
    memcached.restart();
    wait_until("told again", || memcached.has(LIST));
    pictures.renew("a.tif");
    assert_eq!(picture(&one, "a.tif"), old);
    // A restart is no purge: nothing was heard twice.
    assert!(heard(&one) < 0.5 && heard(&other) < 1.5);

    memcached.set(LIST, b"{\"junk\":");
    wait_until("everything", || 1.0 <= heard(&one) && 2.0 <= heard(&other));
    let new = picture(&one, "a.tif");
    assert_ne!(new, old);
    wait_until("mended", || serde_json::from_slice::<Value>(&memcached.value(LIST)).is_ok());
    for server in [one, other] {
        assert_eq!(picture(&server, "a.tif"), new);
        server.finish(&[LEFT_ALONE]);
    }
}

#[test]
fn a_purge_holds_where_memcached_is_dead_and_the_others_hear_of_it_later() {
    let (mut memcached, pictures) = (Memcached::start(&[]), Pictures::make());
    let [one, other] = [(); 2].map(|()| start(pictures.path(), &memcached));
    let old = picture(&one, "a.tif");
    wait_for_stored(&one, 1.0);
    assert_eq!(picture(&other, "a.tif"), old);
    memcached.kill();
    pictures.renew("a.tif");
    assert_eq!(purge(&one, "image=a.tif")["memcached"], "later");
    let new = picture(&one, "a.tif");
    assert_ne!(new, old);
    assert_eq!(picture(&other, "a.tif"), old, "nobody could tell it");
    memcached.restart();
    wait_until("heard", || 1.0 <= heard(&other));
    assert_eq!(picture(&other, "a.tif"), new);
    for server in [one, other] {
        server.finish(&[LEFT_ALONE]);
    }
    let alone = Server::start(pictures.path(), &[]);
    assert_eq!(purge(&alone, "all")["memcached"], "none");
    alone.finish(&[]);
}
