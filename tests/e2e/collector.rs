//! A collector of traces that does as it is told: takes them, refuses them, or never answers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::harness::PATIENCE;

/// No answer at all.
pub const HANGS: u16 = 0;

/// A listener that takes traces for as long as the test lives.
pub struct Collector {
    pub address: String,
    status: Arc<AtomicU16>,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    /// Answers with a status, or [`HANGS`].
    pub fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (status, taken) = (Arc::new(AtomicU16::new(status)), Arc::new(Mutex::default()));
        let (answers, bodies) = (Arc::clone(&status), Arc::clone(&taken));
        thread::spawn(move || {
            let mut hanging = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                match answers.load(Ordering::SeqCst) {
                    HANGS => hanging.push(stream),
                    status => answer(stream, status, &bodies),
                }
            }
        });
        Self { address, status, taken }
    }

    /// Answers otherwise from now on.
    pub fn answer_with(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// What a server is told to send here.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Spans taken so far.
    pub fn spans(&self) -> Vec<Value> {
        let bodies = self.taken.lock().unwrap();
        let scopes = bodies.iter().map(|body| &body["resourceSpans"][0]["scopeSpans"][0]);
        scopes.flat_map(|scope| scope["spans"].as_array().unwrap().clone()).collect()
    }

    /// The spans of one trace, once they are here; the first is the request's.
    pub fn trace(&self, id: &str) -> Vec<Value> {
        let since = Instant::now();
        loop {
            let mut spans = self.spans();
            spans.retain(|span| span["traceId"] == id);
            if !spans.is_empty() {
                return spans;
            }
            assert!(since.elapsed() < PATIENCE, "no trace {id}");
            thread::yield_now();
        }
    }

    /// What was said of the service with the first batch.
    pub fn resource(&self) -> Value {
        self.taken.lock().unwrap()[0]["resourceSpans"][0]["resource"].clone()
    }
}

fn answer(mut stream: TcpStream, status: u16, taken: &Mutex<Vec<Value>>) {
    let mut bytes = Vec::new();
    let body = loop {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).unwrap();
        assert_ne!(count, 0, "half a request");
        bytes.extend(&some[..count]);
        if let Some(body) = whole_body(&bytes) {
            break body;
        }
    };
    if status == 200 {
        taken.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    }
    let head = format!("HTTP/1.1 {status} Said So\r\nContent-Length: 2\r\n\r\n{{}}");
    stream.write_all(head.as_bytes()).unwrap();
}

/// The body of a request that is here as a whole.
fn whole_body(bytes: &[u8]) -> Option<Vec<u8>> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1."), "{head}");
    assert!(head.contains("content-type: application/json\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let body = &bytes[end..];
    (length.parse::<usize>().unwrap() <= body.len()).then(|| body.to_vec())
}
