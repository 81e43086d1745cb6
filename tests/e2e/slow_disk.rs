//! A disk that is slow or hangs, for images whose name has the word "slow" in it; and what is answered
//! while it does.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Server, folder_with, request, run};

/// The disk, as a library that the server is started with.
pub struct SlowDisk {
    folder: tempfile::TempDir,
    library: String,
    delay: String,
}

/// A disk that hangs until this is dropped, also where a test fails.
pub struct Hanging<'a>(&'a SlowDisk);

impl Drop for Hanging<'_> {
    fn drop(&mut self) {
        self.0.wait_for_ms(0);
    }
}

impl SlowDisk {
    /// One that is well.
    pub fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = |path: PathBuf| path.into_os_string().into_string().unwrap();
        let library = text(folder.path().join("disk.so"));
        let delay = text(folder.path().join("delay"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/slow_disk.c");
        let flags = ["-O1", "-shared", "-fPIC", "-o", &library].map(OsStr::new);
        run("cc", &[&flags[..], &[source.as_os_str()]].concat());
        let disk = Self { folder, library, delay };
        disk.wait_for_ms(0);
        disk
    }

    /// What a server is started with.
    pub fn environment(&self) -> [(&str, &str); 2] {
        [("LD_PRELOAD", &self.library), ("SLOW_DISK", &self.delay)]
    }

    /// How long each read takes from now on.
    pub fn wait_for_ms(&self, ms: i32) {
        let new = self.folder.path().join("new");
        fs::write(&new, ms.to_string()).unwrap();
        fs::rename(new, &self.delay).unwrap();
    }

    /// No read ends from now on.
    pub fn hang(&self) -> Hanging<'_> {
        self.wait_for_ms(-1);
        Hanging(self)
    }
}

/// A region that has to be decoded.
fn region(name: &str, left: usize) -> String {
    format!("/iiif/3/{name}/{left},0,500,500/300,/0/default.jpg")
}

#[test]
fn health_and_what_is_cached_are_answered_while_the_disk_hangs() {
    const ASKERS: usize = 12;
    let (disk, folder) =
        (SlowDisk::make(), folder_with(&[("slow.tif", RETINA), ("a.tif", RETINA)]));
    let settings = ["--pool-deadline-ms", "1000", "--cache-decoded-bytes-max", "0"];
    let server = Server::start_with(folder.path(), &settings, &disk.environment());
    let kept = server.get(&region("a.tif", 0)).body;
    assert_eq!(server.get("/iiif/3/slow.tif/info.json").status, 200);
    let hanging = disk.hang();
    thread::scope(|scope| {
        let ask = |left| server.get(&region("slow.tif", left)).status;
        let asked: Vec<_> =
            (0..ASKERS).map(|number| scope.spawn(move || ask(10 * number))).collect();
        // The guard goes first where anything fails, or those who ask would be waited for.
        let hanging = hanging;
        let since = Instant::now();
        while server.metric("tessera_pool_depth", &["pool=\"decode\"", "lane=\"cheap\""]) < 2.0 {
            assert!(since.elapsed() < PATIENCE, "nobody waits for the disk");
        }
        for path in ["/health/live", "/health/ready", "/metrics", "/images", "/shards"] {
            assert_eq!(request(&server.admin, "GET", path, &[], b"").status, 200, "{path}");
        }
        assert_eq!(server.get(&region("a.tif", 0)).body, kept);
        assert_eq!(server.get("/iiif/3/slow.tif/info.json").status, 200);
        let refused = server.get(&region("a.tif", 100));
        assert_eq!(refused.status, 503, "all threads wait for the disk");
        assert!(refused.header("Retry-After").is_some());
        drop(hanging);
        let statuses = asked.into_iter().map(|asked| asked.join().unwrap());
        let statuses: Vec<u16> = statuses.collect();
        assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
        assert!(statuses.contains(&200), "{statuses:?}");
    });
    assert_eq!(server.get(&region("a.tif", 100)).status, 200);
    assert_eq!(server.get(&region("slow.tif", 5)).status, 200);
    server.finish(&[]);
}
