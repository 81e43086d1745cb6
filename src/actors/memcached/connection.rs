//! `Connection`: one connection to a memcached server, and what is taken from it at most. Commands and
//! heads of answers are worded by the `memcache` crate; the reading is ours, because a server that lies
//! must cost neither memory nor the process.

use std::io;

use bytes::Bytes;
use memcache::exp::{MetaCommand, MetaCommandResult, MetaResponse, ReturnCode, parse_meta_result};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};

use crate::config::MemcachedServer;

/// Bytes of an answer's first line at most; memcached's own has some dozens.
const LINE_BYTES_MAX: u64 = 2048;

/// Why a server gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// The connection.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It speaks something else, or breaks its own rules.
    #[error("not memcached's meta protocol: {0}")]
    Protocol(String),
    /// It says that it will not.
    #[error("refused: {0}")]
    Refused(String),
}

impl From<memcache::exp::Error> for WireError {
    fn from(error: memcache::exp::Error) -> Self {
        match error {
            memcache::exp::Error::Server(said) => Self::Refused(said),
            other => Self::Protocol(other.to_string()),
        }
    }
}

/// What a server says.
#[derive(Debug)]
pub(super) struct Answer {
    /// Return code and flags.
    pub(super) head: MetaCommandResult,
    /// The value, where there is one.
    pub(super) value: Option<Bytes>,
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection, in step: nothing is under way on it.
pub(super) struct Connection {
    stream: BufReader<Box<dyn Stream>>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Where nobody listens.
    pub(super) async fn open(server: &MemcachedServer) -> io::Result<Self> {
        let stream: Box<dyn Stream> = match server {
            MemcachedServer::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            MemcachedServer::Unix(path) => Box::new(UnixStream::connect(path).await?),
        };
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// One command and its answer, with a value of at most `value_bytes_max` bytes. A connection on which
    /// that failed, or was given up, is out of step and of no more use.
    ///
    /// # Errors
    /// See [`WireError`].
    pub(super) async fn exchange(
        &mut self,
        command: &MetaCommand,
        value_bytes_max: usize,
    ) -> Result<Answer, WireError> {
        self.stream.write_all(&command.encode()?).await?;
        let line = self.line().await?;
        let head = parse_meta_result(MetaResponse::parse_header(&line)?)?;
        let value = match head.rc {
            ReturnCode::Va => Some(self.value(&line, value_bytes_max).await?),
            _ => None,
        };
        Ok(Answer { head, value })
    }

    async fn line(&mut self) -> Result<Vec<u8>, WireError> {
        let mut line = Vec::new();
        (&mut self.stream).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
        match line.strip_suffix(b"\r\n") {
            Some(line) => Ok(line.to_vec()),
            None if line.is_empty() => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            None => Err(WireError::Protocol("a line without end".to_owned())),
        }
    }

    async fn value(&mut self, line: &[u8], bytes_max: usize) -> Result<Bytes, WireError> {
        let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let length = words.nth(1).and_then(|word| std::str::from_utf8(word).ok());
        let length = length.and_then(|word| word.parse::<usize>().ok());
        let length = length.filter(|length| *length <= bytes_max).ok_or_else(|| {
            WireError::Protocol(format!("a value of more than {bytes_max} bytes"))
        })?;
        let mut value = vec![0; length + 2];
        self.stream.read_exact(&mut value).await?;
        if !value.ends_with(b"\r\n") {
            return Err(WireError::Protocol("a value without end".to_owned()));
        }
        value.truncate(length);
        Ok(Bytes::from(value))
    }
}

#[cfg(test)]
mod tests {
    use memcache::exp::{GetOptions, build_get};
    use tokio::io::duplex;

    use super::*;

    fn exchange(said: &[u8]) -> Result<Answer, WireError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (ours, mut theirs) = duplex(4096);
            theirs.write_all(said).await.unwrap();
            theirs.shutdown().await.unwrap();
            let mut connection = Connection { stream: BufReader::new(Box::new(ours)) };
            connection.exchange(&build_get("k", &GetOptions::default()).unwrap(), 10).await
        })
    }

    #[test]
    fn values_and_flags_are_taken() {
        let answer = exchange(b"VA 3 c7 W\r\nabc\r\n").unwrap();
        assert_eq!(answer.value.as_deref(), Some(&b"abc"[..]));
        assert!(answer.head.won && answer.head.cas == Some(7));
        assert!(exchange(b"EN\r\n").unwrap().value.is_none());
    }

    #[test]
    fn a_server_that_lies_or_speaks_something_else_is_an_error() {
        let endless = vec![b'x'; 4000];
        let cases: [&[u8]; 9] = [
            b"VA 11\r\n01234567890\r\n",
            b"VA 18446744073709551615\r\n",
            b"VA -1\r\n",
            b"VA\r\n",
            b"VA 3\r\nabcde",
            b"HTTP/1.1 400 Bad Request\r\n",
            b"\r\n",
            b"EN",
            &endless,
        ];
        for said in cases {
            let error = exchange(said).unwrap_err();
            assert!(matches!(error, WireError::Protocol(_)), "{error:?}");
        }
        assert!(matches!(exchange(b"").unwrap_err(), WireError::Io(_)));
        assert!(matches!(exchange(b"VA 3\r\na").unwrap_err(), WireError::Io(_)));
        let refused = exchange(b"SERVER_ERROR out of memory storing object\r\n").unwrap_err();
        assert!(matches!(refused, WireError::Refused(_)));
    }
}
