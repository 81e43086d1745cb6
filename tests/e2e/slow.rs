//! Clients that are slow, idle, or many: none of them keeps others from their answers.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

use crate::harness::{PATIENCE, RETINA, Server, folder_with};

const INFO: &str = "/iiif/3/a.tif/info.json";

#[test]
fn a_head_that_trickles_is_given_up_and_others_are_answered_meanwhile() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--server-header-s", "1"]);
    let mut slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ").unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get(INFO).status, 200);
    let since = Instant::now();
    for stream in &mut slow {
        let mut said = Vec::new();
        // One more byte now and then does not help.
        let _closed = stream.write_all(b"a");
        let _reset = stream.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
        assert!(since.elapsed() < PATIENCE, "it is still waited for");
    }
    server.finish(&[]);
}

#[test]
fn a_body_that_trickles_is_given_up() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--server-body-s", "1"]);
    let mut slow: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            stream
                .write_all(b"POST /iip HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nF")
                .unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get(INFO).status, 200);
    for stream in &mut slow {
        let mut said = [0; 12];
        stream.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"HTTP/1.1 400");
    }
    server.finish(&[]);
}

#[test]
fn above_the_limit_a_connection_waits_until_another_ends() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let limits = ["--server-workers", "1", "--server-connections-max", "2"];
    let server = Server::start(folder.path(), &limits);
    let ask = || {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(format!("GET {INFO} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
        stream
    };
    let is_answered = |stream: &mut TcpStream, patience: Duration| {
        stream.set_read_timeout(Some(patience)).unwrap();
        stream.read(&mut [0; 4096]).is_ok_and(|length| 0 < length)
    };
    let mut kept = [ask(), ask()];
    assert!(kept.iter_mut().all(|stream| is_answered(stream, PATIENCE)));
    let mut third = ask();
    assert!(!is_answered(&mut third, Duration::from_millis(300)), "more are served than may be");
    drop(kept);
    assert!(is_answered(&mut third, PATIENCE));
    server.finish(&[]);
}

#[test]
fn a_client_that_takes_nothing_of_its_answer_loses_it() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--server-write-s", "3"]);
    let mut stream = TcpStream::connect(&server.address).unwrap();
    let export = "/iiif/3/a.tif/full/^4000,/0/default.png";
    stream.write_all(format!("GET {export} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    let since = Instant::now();
    while server.metric("tessera_bytes_sent_total", &[]) == 0.0 {
        assert!(since.elapsed() < PATIENCE, "no answer is on its way");
    }
    let unsent = || server.metric("tessera_memory_bytes", &["owner=\"sending\""]);
    assert!(1e6 < unsent(), "what waits for a client is in memory");
    while server.metric("tessera_requests_in_flight", &[]) != 0.0 {
        assert!(since.elapsed() < PATIENCE, "the answer still waits for its client");
        thread::yield_now();
    }
    while unsent() != 0.0 {
        assert!(since.elapsed() < PATIENCE, "{} bytes were not given up", unsent());
    }
    drop(stream);
    server.finish(&[]);
}

/// Connections that are kept without a request.
const IDLE: usize = 5000;

#[test]
fn five_thousand_idle_connections_keep_nobody_from_an_answer() {
    // This process has one end of each.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit })
        .unwrap();
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--server-keep-alive-s", "600"]);
    let head = format!("GET {INFO} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut idle = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
        idle.push(stream);
    }
    let open = fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap().count();
    assert!(IDLE <= open, "only {open} are open");
    for _ in 0..100 {
        assert_eq!(server.get(INFO).status, 200);
    }
    // Each of them is still one.
    for stream in idle.iter_mut().step_by(500) {
        stream.write_all(head.as_bytes()).unwrap();
        assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
    }
    server.finish(&[]);
}

#[test]
fn as_many_files_may_be_open_as_the_system_lets() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let script = "ulimit -Sn 256; exec \"$0\" serve \"$1\" --bind 127.0.0.1:0 --admin none";
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_tessera")])
        .arg(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = std::io::BufRead::lines(std::io::BufReader::new(child.stderr.take().unwrap()));
    assert!(said.any(|line| line.unwrap().starts_with("listening on ")));
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [.., soft, hard, _] = line.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{line}")
    };
    assert_eq!(soft, hard);
    child.kill().unwrap();
    child.wait().unwrap();
}
