//! The least FastCGI client that can send anything: records of our own making, not the server's code.

use std::io::{Read, Write};

use crate::harness::{Response, parse};

pub const BEGIN_REQUEST: u8 = 1;
pub const ABORT_REQUEST: u8 = 2;
pub const END_REQUEST: u8 = 3;
pub const PARAMS: u8 = 4;
pub const STDIN: u8 = 5;
pub const STDOUT: u8 = 6;
pub const GET_VALUES: u8 = 9;
pub const GET_VALUES_RESULT: u8 = 10;
pub const UNKNOWN_TYPE: u8 = 11;

/// One record, unpadded.
pub fn record(kind: u8, id: u16, content: &[u8]) -> Vec<u8> {
    let [id_high, id_low] = id.to_be_bytes();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut bytes = vec![1, kind, id_high, id_low, high, low, 0, 0];
    bytes.extend(content);
    bytes
}

/// The record that begins a responder's request.
pub fn begin(id: u16, keep: bool) -> Vec<u8> {
    record(BEGIN_REQUEST, id, &[0, 1, u8::from(keep), 0, 0, 0, 0, 0])
}

/// Name-value pairs.
pub fn pairs(variables: &[(String, String)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in variables {
        for text in [name, value] {
            match u8::try_from(text.len()) {
                Ok(length) if length < 0x80 => bytes.push(length),
                _ => bytes.extend((u32::try_from(text.len()).unwrap() | 1 << 31).to_be_bytes()),
            }
        }
        bytes.extend(name.as_bytes());
        bytes.extend(value.as_bytes());
    }
    bytes
}

/// The variables that a web server makes of a request.
pub fn variables(
    (method, target): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Vec<(String, String)> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let length = if body.is_empty() { String::new() } else { body.len().to_string() };
    let mut all: Vec<(String, String)> = [
        ("REQUEST_METHOD", method),
        ("REQUEST_URI", target),
        ("QUERY_STRING", query),
        ("SCRIPT_NAME", path),
        ("CONTENT_LENGTH", &length),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REMOTE_ADDR", "192.0.2.7"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    all.extend(headers.iter().map(|(name, value)| {
        (format!("HTTP_{}", name.to_ascii_uppercase().replace('-', "_")), (*value).to_owned())
    }));
    all
}

/// A whole request, its streams cut into records of so many bytes.
pub fn request(
    (id, keep): (u16, bool),
    variables: &[(String, String)],
    body: &[u8],
    cut_bytes: usize,
) -> Vec<u8> {
    let mut bytes = begin(id, keep);
    for (kind, stream) in [(PARAMS, &pairs(variables)[..]), (STDIN, body)] {
        for part in stream.chunks(cut_bytes) {
            bytes.extend(record(kind, id, part));
        }
        bytes.extend(record(kind, id, b""));
    }
    bytes
}

/// The next record: type, request and content.
pub fn next(stream: &mut impl Read) -> (u8, u16, Vec<u8>) {
    let mut header = [0; 8];
    stream.read_exact(&mut header).unwrap();
    let [_, kind, id_high, id_low, high, low, padding, _] = header;
    let mut content = vec![0; usize::from(u16::from_be_bytes([high, low]))];
    stream.read_exact(&mut content).unwrap();
    let mut rest = vec![0; usize::from(padding)];
    stream.read_exact(&mut rest).unwrap();
    (kind, u16::from_be_bytes([id_high, id_low]), content)
}

/// The answer to request `id`, up to its end.
pub fn answer(stream: &mut impl Read, id: u16) -> Response {
    let mut stdout = Vec::new();
    loop {
        match next(stream) {
            (STDOUT, of, content) if of == id => stdout.extend(content),
            (END_REQUEST, of, content) if of == id => {
                assert_eq!(content, [0; 8]);
                break;
            }
            (kind, of, _) => panic!("a record of type {kind} for request {of}"),
        }
    }
    // CGI's `Status: 200 OK` stands where HTTP has its version.
    parse(&stdout)
}

/// One request and its answer over a connection that stays open.
pub fn ask(
    stream: &mut (impl Read + Write),
    of: (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let bytes = request((1, true), &variables(of, headers, body), body, 1000);
    stream.write_all(&bytes).unwrap();
    answer(stream, 1)
}
