//! What goes wrong while a soak asks: images are replaced, cut, deleted, led elsewhere and made unreadable;
//! the disk is slow and hangs; memcached and decoders are killed.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{CHELSEA, RETINA, Server, sample};
use crate::memcached_server::Memcached;
use crate::slow_disk::SlowDisk;

/// Images that change, each in its own way, and come back; all show one of two samples.
pub const CHANGING: [&str; 6] =
    ["swapped.tif", "cut.tif", "gone.tif", "led.tif", "locked.tif", "slow.tif"];

/// Rounds after which memcached is killed or started again.
const MEMCACHED_ROUNDS: u64 = 37;

/// Rounds after which all processes of decoders are killed.
const DECODER_ROUNDS: u64 = 11;

/// Rounds after which the disk behaves in another way.
const DISK_ROUNDS: u64 = 7;

/// Milliseconds that a read takes; the disk is well most of the time, or nothing else would be asked for.
const DISK_MS: [i32; 6] = [0, 20, 0, 0, -1, 0];

/// How a server is started for whom the modes of files count, which they do not for root.
pub fn unprivileged() -> Vec<&'static str> {
    if rustix::process::geteuid().is_root() {
        vec!["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    } else {
        Vec::new()
    }
}

/// The neighbours that have troubles of their own.
pub struct Chaos<'a> {
    pub folder: &'a Path,
    pub server: &'a Server,
    pub disk: &'a SlowDisk,
    pub memcached: &'a mut Memcached,
    pub killed: u64,
    is_memcached_dead: bool,
}

impl<'a> Chaos<'a> {
    /// All is well.
    pub fn new(
        folder: &'a Path,
        server: &'a Server,
        disk: &'a SlowDisk,
        memcached: &'a mut Memcached,
    ) -> Self {
        Self { folder, server, disk, memcached, killed: 0, is_memcached_dead: false }
    }

    /// Goes wrong in all ways whose turn it is.
    pub fn round(&mut self, round: u64) {
        for name in CHANGING {
            change(self.folder, name, round);
        }
        if round.is_multiple_of(DISK_ROUNDS) {
            let turn = usize::try_from(round / DISK_ROUNDS).unwrap();
            self.disk.wait_for_ms(DISK_MS[turn % DISK_MS.len()]);
        }
        if round.is_multiple_of(DECODER_ROUNDS) {
            self.kill_decoders();
        }
        if round.is_multiple_of(MEMCACHED_ROUNDS) {
            if self.is_memcached_dead {
                self.memcached.restart();
            } else {
                self.memcached.kill();
            }
            self.is_memcached_dead = !self.is_memcached_dead;
        }
    }

    /// Mends what can be mended: each image is there again, and shows the first sample.
    pub fn end(&mut self) {
        self.disk.wait_for_ms(0);
        for name in CHANGING {
            renew(&self.folder.join(name), &sample(RETINA));
        }
        if self.is_memcached_dead {
            self.memcached.restart();
        }
    }

    fn kill_decoders(&mut self) {
        let ids: Vec<String> = children(self.server.pid()).into_iter().map(|(id, _)| id).collect();
        if !ids.is_empty() {
            // One that ended by itself meanwhile is no failure.
            let _status = Command::new("kill").arg("-9").args(&ids).output().unwrap();
            self.killed += u64::try_from(ids.len()).unwrap();
        }
    }
}

/// Numbers of the processes that a server started, and whether each is dead and not taken leave of.
pub fn children(parent: u32) -> Vec<(String, bool)> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let child = |path: PathBuf| {
        let text = fs::read_to_string(path.join("stat")).ok()?;
        let (id, rest) = text.split_once(' ')?;
        // Behind the name in brackets: state and parent.
        let fields: Vec<&str> = rest.rsplit_once(") ")?.1.split(' ').collect();
        (fields[1] == parent.to_string()).then(|| (id.to_owned(), fields[0] == "Z"))
    };
    entries.filter_map(|entry| child(entry.path())).collect()
}

/// Puts a copy in the place of an image, at once.
fn renew(path: &Path, of: &Path) {
    let new = path.with_extension("new");
    fs::copy(of, &new).unwrap();
    fs::rename(&new, path).unwrap();
}

/// Changes one image once, in a way that may be seen half done where that can happen to files.
fn change(folder: &Path, name: &str, round: u64) {
    let path = folder.join(name);
    let is_even = round.is_multiple_of(2);
    let of = sample(if is_even { RETINA } else { CHELSEA });
    match name {
        "cut.tif" if round.is_multiple_of(3) => {
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(file.metadata().unwrap().len() / 2).unwrap();
        }
        // Written over in place: readers see the file's beginning and end at different times.
        "cut.tif" => fs::write(&path, fs::read(&of).unwrap()).unwrap(),
        "gone.tif" if is_even => fs::remove_file(&path).unwrap(),
        "led.tif" if is_even => {
            let link = folder.join("led.link");
            symlink("/etc/hostname", &link).unwrap();
            fs::rename(link, &path).unwrap();
        }
        "locked.tif" => {
            renew(&path, &of);
            let mode = if round.is_multiple_of(3) { 0 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        _ => renew(&path, &of),
    }
}
