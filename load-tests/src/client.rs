//! The cheapest HTTP/1.1 client that does the job: one kept-alive connection, blocking, one buffer.
//! It shares the machine with the servers, so what it does not do is time they have.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for any answer: beyond it a server counts as hung.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Longest answer taken; the largest asked for is about 300 kB.
const BODY_BYTES_MAX: u64 = 64 << 20;
/// Longest line of a head taken.
const LINE_BYTES_MAX: u64 = 16 << 10;

/// A connection that is opened again where the server closed it.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
    body: Vec<u8>,
}

/// How the end of a body is known (RFC 9112, section 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl Connection {
    /// Connects to a server.
    ///
    /// # Errors
    /// Where the server does not accept.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = Some(connect(address)?);
        Ok(Self { address, stream, body: Vec::new() })
    }

    /// Asks for a target and reads the whole answer: its status and body.
    ///
    /// # Errors
    /// Where the connection breaks or the answer is no HTTP; the next call connects anew.
    pub(crate) fn get(&mut self, target: &str) -> io::Result<(u16, &[u8])> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        stream.get_mut().write_all(head.as_bytes())?;
        let (status, framing, keep) = read_head(&mut stream)?;
        self.body.clear();
        read_body(&mut stream, framing, &mut self.body)?;
        if keep && framing != Framing::UntilClose {
            self.stream = Some(stream);
        }
        Ok((status, &self.body))
    }
}

fn connect(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(BufReader::with_capacity(64 << 10, stream))
}

/// Reads a status line and its fields: status, framing, whether the connection stays open.
fn read_head(stream: &mut impl io::BufRead) -> io::Result<(u16, Framing, bool)> {
    let line = read_line(stream)?;
    let status = line.split(' ').nth(1).and_then(|text| text.parse().ok());
    let status = status.ok_or_else(|| malformed("no status line"))?;
    let (mut framing, mut keep) = (Framing::UntilClose, true);
    loop {
        let line = read_line(stream)?;
        let Some((name, value)) = line.split_once(':') else { break };
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.parse().map_err(|_not_a_number| malformed("a bad length"))?;
            framing = Framing::Length(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            framing = Framing::Chunked;
        } else if name.eq_ignore_ascii_case("connection") {
            keep = !value.eq_ignore_ascii_case("close");
        }
    }
    Ok((status, framing, keep))
}

fn read_body(
    stream: &mut impl io::BufRead,
    framing: Framing,
    body: &mut Vec<u8>,
) -> io::Result<()> {
    match framing {
        Framing::Length(length) => read_exactly(stream, length, body),
        Framing::UntilClose => stream.take(BODY_BYTES_MAX).read_to_end(body).map(|_| ()),
        Framing::Chunked => loop {
            let line = read_line(stream)?;
            let size = line.split(';').next().unwrap_or_default();
            let length = u64::from_str_radix(size, 16)
                .map_err(|_not_a_number| malformed("a bad chunk size"))?;
            read_exactly(stream, length, body)?;
            read_line(stream)?;
            if length == 0 {
                return Ok(());
            }
        },
    }
}

fn read_exactly(stream: &mut impl io::BufRead, length: u64, body: &mut Vec<u8>) -> io::Result<()> {
    let so_far = u64::try_from(body.len()).unwrap_or(u64::MAX);
    if BODY_BYTES_MAX < so_far.saturating_add(length) {
        return Err(malformed("a body over the limit"));
    }
    let read = stream.take(length).read_to_end(body)?;
    if u64::try_from(read).ok() == Some(length) {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// One line without its end.
fn read_line(stream: &mut impl io::BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.take(LINE_BYTES_MAX).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    line.truncate(line.trim_end().len());
    Ok(line)
}

fn malformed(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(mut text: &[u8]) -> io::Result<(u16, bool, Vec<u8>)> {
        let (status, framing, keep) = read_head(&mut text)?;
        let mut body = Vec::new();
        read_body(&mut text, framing, &mut body)?;
        Ok((status, keep, body))
    }

    #[test]
    fn bodies_are_read_by_every_framing() {
        for (text, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcX", (200, true, "abc")),
            (
                "HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\n\r\n",
                (404, true, "abc"),
            ),
            ("HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\nabc", (200, false, "abc")),
        ] {
            let (status, keep, body) = parse(text.as_bytes()).unwrap();
            assert_eq!((status, keep, &*String::from_utf8(body).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_broken_answer_is_an_error() {
        for text in [
            "",
            "nonsense\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
