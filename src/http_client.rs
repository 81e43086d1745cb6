//! The least HTTP that asks a server: one request a connection, the answer as a whole, all of it within a
//! time. It knows no TLS and follows no redirect.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// Bytes handed to the system at once, so that the time that is left is looked at between them.
const PIECE_BYTES: usize = 65_536;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// `HOST:PORT`.
    pub address: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// Name and value of each header beside `Host` and `Content-Length`.
    pub headers: &'a [(&'a str, &'a str)],
    /// What is sent with it.
    pub body: &'a [u8],
    /// How long all of it may take, the looking up of names aside.
    pub patience: Duration,
    /// Largest answer taken, in bytes, its head included.
    pub answer_bytes_max: u64,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// What came with it.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens, the connection broke, or it took too long.
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
}

impl ClientError {
    /// Whether it took too long.
    pub fn is_timeout(&self) -> bool {
        let late = |kind| matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock);
        matches!(self, Self::Io { source, .. } if late(source.kind()))
    }
}

impl Question<'_> {
    /// Asks. Blocks.
    ///
    /// # Errors
    /// See [`ClientError`]; a status is no error.
    pub fn ask(&self) -> Result<Answer, ClientError> {
        let io = |source| ClientError::Io { address: self.address.to_owned(), source };
        let bytes = self.exchange().map_err(io)?;
        parse(&bytes).ok_or_else(|| ClientError::NoHttp { address: self.address.to_owned() })
    }

    fn exchange(&self) -> io::Result<Vec<u8>> {
        let mut known = self.address.to_socket_addrs()?;
        let known = known.next().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let ends = Instant::now() + self.patience;
        let stream = TcpStream::connect_timeout(&known, self.patience)?;
        let mut timed = Timed { stream, ends };
        timed.write_all(self.head().as_bytes())?;
        timed.write_all(self.body)?;
        let mut bytes = Vec::new();
        timed.take(self.answer_bytes_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn head(&self) -> String {
        let Self { method, address, path, body, .. } = self;
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
        let length = match body.len() {
            0 => String::new(),
            bytes => format!("Content-Length: {bytes}\r\n"),
        };
        let headers: String = headers.chain([length]).collect();
        // 1.0, so that no answer comes in chunks.
        format!("{method} {path} HTTP/1.0\r\nHost: {address}\r\n{headers}\r\n")
    }
}

/// A connection that ends at a time, however little it is given or gives at once.
struct Timed {
    stream: TcpStream,
    ends: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.ends.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(bytes.get(..PIECE_BYTES).unwrap_or(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
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
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn an_answer_is_a_status_and_a_body() {
        let answer = parse(b"HTTP/1.1 404 Not Found\r\nA: b\r\n\r\nnone\r\n\r\n").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (404, &b"none\r\n\r\n"[..]));
        assert!(parse(b"220 mail.example.org ESMTP\r\n\r\n").is_none());
        assert!(parse(b"HTTP/1.1 200 OK\r\n").is_none());
    }

    #[test]
    fn a_server_that_trickles_is_given_no_more_time_than_one_that_hangs() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let trickling = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"x").is_ok() {
                thread::park_timeout(Duration::from_millis(20));
            }
        });
        let question = Question {
            method: "GET",
            address: &address,
            path: "/",
            headers: &[],
            body: b"",
            patience: Duration::from_millis(200),
            answer_bytes_max: 1 << 20,
        };
        assert!(question.ask().unwrap_err().is_timeout());
        trickling.join().unwrap();
    }
}
