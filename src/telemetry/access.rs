//! Access lines: exactly one a request. They are collected in a buffer and written by a thread of their own every
//! `FLUSH_INTERVAL`, so that a request never waits for a terminal, a pipe or a full disk.

use std::fmt::Write as _;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, SystemTime};

use crate::telemetry::Sink;

/// How long an access line may wait for its writing.
const FLUSH_INTERVAL: Duration = Duration::from_millis(100);

/// How long [`AccessLog::stop`] waits for whoever reads the lines.
const STOP_PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of access lines held at most; what comes while a writer hangs is counted and dropped.
const BUFFER_BYTES_MAX: usize = 4 << 20;

/// What an access line says.
#[derive(Clone, Copy, Debug)]
pub struct Access<'a> {
    /// Who asked: an address, or `unix`.
    pub peer: &'a str,
    /// The method as sent.
    pub method: &'a str,
    /// Path and query as sent.
    pub target: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Bytes of the body.
    pub bytes: u64,
    /// From the request's head to the answer handed over.
    pub took: Duration,
    /// Protocol label.
    pub protocol: &'a str,
    /// Request class label.
    pub class: &'a str,
    /// What the cache did.
    pub outcome: &'a str,
    /// Lane label.
    pub lane: &'a str,
    /// Stored tiles that the answer needs.
    pub tiles: u64,
    /// Their pixels.
    pub source_px: u64,
    /// Time of each stage of its making, by the stage's name.
    pub spent: [(&'static str, Duration); 4],
    /// What the request is called here and elsewhere.
    pub id: &'a str,
}

/// The access log. Cloning shares it.
#[derive(Clone, Debug)]
pub struct AccessLog {
    shared: Arc<Shared>,
    writer: Thread,
    /// Closed when the writer has written its last.
    ended: Arc<Mutex<Receiver<()>>>,
}

#[derive(Debug)]
struct Shared {
    lines: Mutex<String>,
    sink: Sink,
    json: bool,
    dropped: AtomicU64,
    stopped: AtomicBool,
}

impl AccessLog {
    /// Starts the log and its writer.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(json: bool, sink: Sink) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            lines: Mutex::new(String::new()),
            sink,
            json,
            dropped: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
        });
        let lines = Arc::clone(&shared);
        let (ending, ended) = channel();
        let writing = thread::Builder::new().name("access-log".to_owned()).spawn(move || {
            lines.write_until_stopped();
            drop(ending);
        })?;
        let writer = writing.thread().clone();
        Ok(Self { shared, writer, ended: Arc::new(Mutex::new(ended)) })
    }

    /// Adds one line.
    pub fn put(&self, access: &Access<'_>) {
        let mut lines = self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if BUFFER_BYTES_MAX < lines.len() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
            return;
        }
        // Writing to a String cannot fail.
        let _infallible =
            if self.shared.json { json(&mut lines, access) } else { text(&mut lines, access) };
    }

    /// Lines lost because there was no room for them while others were written; [`Sink::lost`] has those
    /// that could not be written.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Has what is left written, unless nobody takes it.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.writer.unpark();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // Closed: all is written. Late: a pipe that nobody reads must not keep the server from ending.
        let _closed_or_late = ended.recv_timeout(STOP_PATIENCE);
    }
}

impl Shared {
    fn write_until_stopped(&self) {
        while !self.stopped.load(Ordering::Acquire) {
            thread::park_timeout(FLUSH_INTERVAL);
            self.flush();
        }
        self.flush();
    }

    fn flush(&self) {
        let lines = {
            let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *lines)
        };
        if lines.is_empty() {
            return;
        }
        self.sink.write_accesses(&lines);
    }
}

fn now() -> String {
    httpdate::fmt_http_date(SystemTime::now())
}

fn text(out: &mut String, access: &Access<'_>) -> std::fmt::Result {
    writeln!(
        out,
        "{} [{}] \"{} {}\" {} {} {:.3}ms {} {} {} {} {} {}",
        access.peer,
        now(),
        access.method,
        Escaped(access.target),
        access.status,
        access.bytes,
        access.took.as_secs_f64() * 1e3,
        access.protocol,
        access.class,
        access.outcome,
        access.lane,
        access.tiles,
        access.id,
    )
}

fn json(out: &mut String, access: &Access<'_>) -> std::fmt::Result {
    write!(
        out,
        "{{\"time\":\"{}\",\"peer\":\"{}\",\"method\":\"{}\",\"target\":\"{}\",\"status\":{},\"bytes\":{},\"ms\":{:.3},\"protocol\":\"{}\",\"class\":\"{}\",\"outcome\":\"{}\",\"lane\":\"{}\",\"tiles\":{},\"source_px\":{},\"id\":\"{}\"",
        now(),
        Escaped(access.peer),
        Escaped(access.method),
        Escaped(access.target),
        access.status,
        access.bytes,
        access.took.as_secs_f64() * 1e3,
        access.protocol,
        access.class,
        access.outcome,
        access.lane,
        access.tiles,
        access.source_px,
        access.id,
    )?;
    for (stage, took) in access.spent.iter().filter(|(_, took)| !took.is_zero()) {
        write!(out, ",\"{stage}_ms\":{:.3}", took.as_secs_f64() * 1e3)?;
    }
    writeln!(out, "}}")
}

/// A client's text, with what would break a line or a JSON string escaped as JSON does.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{:04x}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(target: &str) -> Access<'_> {
        Access {
            peer: "127.0.0.1",
            method: "GET",
            target,
            status: 200,
            bytes: 5,
            took: Duration::from_micros(1500),
            protocol: "iiif3",
            class: "tile",
            outcome: "hit",
            lane: "cheap",
            tiles: 4,
            source_px: 262_144,
            spent: ["decode", "process", "watermark", "encode"].map(|stage| {
                (stage, Duration::from_micros(if stage == "encode" { 250 } else { 0 }))
            }),
            id: "0f",
        }
    }

    #[test]
    fn a_client_cannot_forge_a_line() {
        let mut line = String::new();
        text(&mut line, &access("/x\r\n1.2.3.4 \"GET /y\"")).unwrap();
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains("\\u000d\\u000a"), "{line}");
        assert!(line.ends_with("200 5 1.500ms iiif3 tile hit cheap 4 0f\n"), "{line}");
    }

    #[test]
    fn a_json_line_is_json() {
        let mut line = String::new();
        json(&mut line, &access("/\"quoted\"\\\u{1}")).unwrap();
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["target"], "/\"quoted\"\\\u{1}");
        assert_eq!(value["ms"], 1.5);
        assert_eq!((&value["lane"], &value["encode_ms"]), (&"cheap".into(), &0.25.into()));
        assert!(value.get("decode_ms").is_none(), "what took no time is left out");
    }
}
