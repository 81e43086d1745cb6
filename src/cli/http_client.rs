//! The least HTTP that asks a server of our own: one request a connection, the answer as a whole.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

/// How long the server may take no byte and send none.
const PATIENCE: Duration = Duration::from_mins(1);

/// Largest answer taken, in bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens, or the connection broke.
    #[error("cannot ask {address}")]
    Io {
        /// Who was asked.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// It is no HTTP.
    #[error("{address} does not answer in HTTP")]
    NoHttp {
        /// Who was asked.
        address: String,
    },
    /// The server refused.
    #[error("the server answered {status} to {path}: {text}")]
    Status {
        /// Its status.
        status: u16,
        /// What was asked for.
        path: String,
        /// What it said.
        text: String,
    },
    /// It is no JSON.
    #[error("the server's answer is no JSON")]
    Json {
        /// Why.
        source: serde_json::Error,
    },
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
}

/// The body of a 200 to `GET path`, with the token if it is not empty.
pub(super) fn get(address: &str, path: &str, token: &str) -> Result<Vec<u8>, ClientError> {
    let answer = ask(address, path, token)?;
    if answer.status == 200 {
        return Ok(answer.body);
    }
    let text = String::from_utf8_lossy(&answer.body).trim().to_owned();
    Err(ClientError::Status { status: answer.status, path: path.to_owned(), text })
}

/// The answer to `GET path`, whatever it is.
pub(super) fn ask(address: &str, path: &str, token: &str) -> Result<Answer, ClientError> {
    let io = |source| ClientError::Io { address: address.to_owned(), source };
    let bytes = exchange(address, path, token).map_err(io)?;
    parse(&bytes).ok_or_else(|| ClientError::NoHttp { address: address.to_owned() })
}

fn exchange(address: &str, path: &str, token: &str) -> io::Result<Vec<u8>> {
    let mut known = address.to_socket_addrs()?;
    let known = known.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
    let mut stream = TcpStream::connect_timeout(&known, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let authorization = match token {
        "" => String::new(),
        token => format!("Authorization: Bearer {token}\r\n"),
    };
    // 1.0, so that no answer comes in chunks.
    let head = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{authorization}\r\n");
    stream.write_all(head.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let (head, body) = bytes.split_at_checked(end)?;
    let line = std::str::from_utf8(head).ok()?.lines().next()?;
    let status = line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.get(4..)?.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        let answer = parse(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nnone\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (404, &b"none\r\n\r\n"[..]));
        assert!(parse(b"220 mail.example.org ESMTP\r\n\r\n").is_none());
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_none());
    }
}
