//! Debian's memcached on a port of its own, and the few words that tests say to it themselves.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::harness::PATIENCE;

/// A running memcached. Dropping it kills it.
pub struct Memcached {
    child: Child,
    pub address: String,
}

impl Memcached {
    /// Starts it on a free port, with more arguments.
    pub fn start(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("port");
        let child = Command::new("memcached")
            .args(["-u", "root", "-l", "127.0.0.1", "-p", "-1"])
            .args(arguments)
            .env("MEMCACHED_PORT_FILENAME", &told)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("memcached: {error}"));
        let mut memcached = Self { child, address: String::new() };
        let since = Instant::now();
        while memcached.address.is_empty() {
            let text = fs::read_to_string(&told).unwrap_or_default();
            if let Some(port) = text.lines().find_map(|line| line.strip_prefix("TCP INET: ")) {
                memcached.address = format!("127.0.0.1:{}", port.trim());
            }
            assert!(since.elapsed() < PATIENCE, "memcached did not say its port");
            thread::yield_now();
        }
        memcached
    }

    /// Ends it at once and starts another, empty, on the same port.
    pub fn restart(&mut self) {
        self.kill();
        let (_, port) = self.address.split_once(':').unwrap();
        let since = Instant::now();
        loop {
            self.child = Command::new("memcached")
                .args(["-u", "root", "-l", "127.0.0.1", "-p", port])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            while self.child.try_wait().unwrap().is_none() {
                if TcpStream::connect(&self.address).is_ok() {
                    return;
                }
            }
            assert!(since.elapsed() < PATIENCE, "the port is taken");
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Names of all entries.
    pub fn names(&self) -> Vec<String> {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(b"lru_crawler metadump all\r\n").unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        let entries = lines.take_while(|line| line != "END");
        let name = |line: String| {
            let name = line.strip_prefix("key=").unwrap_or_else(|| panic!("{line}"));
            name.split(' ').next().unwrap().replace("%3A", ":")
        };
        entries.map(name).collect()
    }

    /// The value of an entry.
    pub fn value(&self, name: &str) -> Vec<u8> {
        let mut stream = BufReader::new(TcpStream::connect(&self.address).unwrap());
        stream.get_mut().write_all(format!("get {name}\r\n").as_bytes()).unwrap();
        let mut head = String::new();
        stream.read_line(&mut head).unwrap();
        let length = head.trim().rsplit(' ').next().unwrap().parse().unwrap();
        let mut value = vec![0; length];
        stream.read_exact(&mut value).unwrap();
        value
    }

    /// Whether there is an entry.
    pub fn has(&self, name: &str) -> bool {
        let mut stream = BufReader::new(TcpStream::connect(&self.address).unwrap());
        stream.get_mut().write_all(format!("mg {name}\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).unwrap();
        assert!(["HD\r\n", "EN\r\n"].contains(&answer.as_str()), "{answer}");
        answer == "HD\r\n"
    }

    /// Writes an entry.
    pub fn set(&self, name: &str, value: &[u8]) {
        let mut stream = BufReader::new(TcpStream::connect(&self.address).unwrap());
        let head = format!("set {name} 0 0 {}\r\n", value.len());
        stream.get_mut().write_all(&[head.as_bytes(), value, b"\r\n"].concat()).unwrap();
        let mut answer = String::new();
        stream.read_line(&mut answer).unwrap();
        assert_eq!(answer, "STORED\r\n");
    }
}

impl Drop for Memcached {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}
