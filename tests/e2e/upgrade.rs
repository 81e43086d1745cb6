//! A new binary in place of the old one: no request is lost, and one that does not start harms nobody.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use crate::harness::{PATIENCE, RETINA, Server, folder_with, request};

const TARGET: &str = "/iiif/3/a.tif/0,0,512,512/300,/0/default.jpg";

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "not in time: {what}");
        thread::yield_now();
    }
}

/// Whether a request on a connection of its own is answered, wholly and well.
fn is_answered(address: &str) -> io::Result<bool> {
    let mut stream = TcpStream::connect(address)?;
    let head = format!("GET {TARGET} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer.starts_with(b"HTTP/1.1 200 ") && answer.ends_with(b"\xFF\xD9"))
}

/// The process that took over, ended with the test.
struct Successor(String);

impl Successor {
    /// As the old process told in its log, if it has.
    fn of(log: &[String]) -> Option<Self> {
        let line = log.iter().find(|line| line.contains("a new process has taken over"))?;
        Some(Self(line.rsplit("pid=").next()?.to_owned()))
    }

    fn awaited(log: impl Fn() -> Vec<String>) -> Self {
        let mut successor = None;
        wait_until("taken over", || {
            successor = Self::of(&log());
            successor.is_some()
        });
        successor.unwrap()
    }
}

/// Whether a child of ours has ended and waits to be asked how.
fn is_over(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "))
}

impl Drop for Successor {
    fn drop(&mut self) {
        let _gone = Command::new("kill").args(["-KILL", &self.0]).status();
    }
}

#[test]
fn an_upgrade_under_load_loses_no_request() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("fcgi.sock");
    let fastcgi = format!("unix:{}", path.display());
    let mut server = Server::start(folder.path(), &["--fastcgi", &fastcgi]);
    let (answered, lost) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let stop = AtomicBool::new(false);
    let successor = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let counter = match is_answered(&server.address) {
                        Ok(true) => &answered,
                        Ok(false) | Err(_) => &lost,
                    };
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let more = |count| {
            let from = answered.load(Ordering::Relaxed);
            wait_until("answers", || from + count < answered.load(Ordering::Relaxed));
        };
        more(100);
        server.signal("USR2");
        let successor = Successor::awaited(|| server.log());
        wait_until("the old process ends", || is_over(server.pid()));
        more(100);
        stop.store(true, Ordering::Relaxed);
        successor
    });
    assert_eq!(server.wait(), Some(0));
    assert_eq!(lost.into_inner(), 0, "of {}", answered.into_inner());
    assert!(is_answered(&server.address).unwrap());
    UnixStream::connect(&path).unwrap();
    drop(successor);
    server.finish(&[]);
}

#[test]
fn a_new_process_that_does_not_start_changes_nothing() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let files = tempfile::tempdir().unwrap();
    let settings = files.path().join("tessera.toml");
    fs::write(&settings, "[render]\njpeg_quality = 80\n").unwrap();
    let server = Server::start(folder.path(), &["--config", settings.to_str().unwrap()]);
    fs::write(&settings, "[render]\njpeg_quality = 800\n").unwrap();
    server.signal("USR2");
    let told = |line: &String| line.contains("has not taken over; this one goes on");
    wait_until("told", || server.log().iter().any(told));
    assert!(is_answered(&server.address).unwrap());
    server.finish(&["has not taken over"]);
}

/// A process that is killed with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

#[test]
fn sockets_that_systemd_opened_are_served_and_handed_on() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let log = folder.path().join("log");
    let child = Command::new("systemd-socket-activate")
        .args(["-l", &address, "--fdname=http", env!("CARGO_BIN_EXE_tessera"), "serve"])
        .arg(folder.path())
        .args(["--admin", "none"])
        .stdout(Stdio::null())
        .stderr(fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let running = Running(child);
    wait_until("systemd listens", || TcpStream::connect(&address).is_ok());
    assert_eq!(request(&address, "GET", TARGET, &[], b"").status, 200);
    // It has become Tessera, whose own settings name another address.
    let pid = running.0.id();
    assert!(Command::new("kill").args(["-USR2", &pid.to_string()]).status().unwrap().success());
    let lines = || fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    let _successor = Successor::awaited(lines);
    wait_until("the old process ends", || is_over(pid));
    assert_eq!(request(&address, "GET", TARGET, &[], b"").status, 200);
}
