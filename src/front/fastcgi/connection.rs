//! One connection from a web server: bytes to records to requests, one after the other, each answered
//! while the connection is watched for an abort or a web server that goes.

use std::future::pending;
use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use crate::front::exchange::Front;
use crate::front::fastcgi::intake::{Event, Intake, IntakeError, Request};
use crate::front::fastcgi::record::{self, Ending, RecordError, put_end};
use crate::front::fastcgi::reply;
use crate::front::fastcgi::responder::{self, Answer};
use crate::metrics::{self, Unsent};

/// Room made before each read, in bytes: an ordinary request's variables, four times over.
const READ_BYTES: usize = 8 << 10;

/// How long a web server may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Between two requests.
    pub(super) idle: Duration,
    /// From a request's first byte to its last.
    pub(super) read: Duration,
    /// Until it takes another byte of an answer.
    pub(super) write: Duration,
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    /// The socket.
    #[error("the connection broke")]
    Io(#[from] io::Error),
    /// No FastCGI.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// FastCGI without sense.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The web server did not send the rest of a request.
    #[error("a request was not whole in time")]
    SlowRequest,
    /// The web server did not take the rest of an answer.
    #[error("an answer was not taken in time")]
    SlowReader,
}

impl ConnectionError {
    /// Whether the other side does not speak FastCGI as it should, which somebody ought to look at.
    pub(super) const fn is_nonsense(&self) -> bool {
        matches!(self, Self::Record(_) | Self::Intake(_))
    }
}

/// A connection: its two directions and what was understood so far.
#[derive(Debug)]
pub(super) struct Connection<R, W> {
    inlet: Inlet<R>,
    outlet: Outlet<W>,
    patience: Patience,
    /// Becomes true when the server drains.
    stopping: watch::Receiver<bool>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Connection<R, W> {
    pub(super) fn new(
        (reader, writer): (R, W),
        intake: Intake,
        patience: Patience,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let inlet = Inlet { reader, buffer: BytesMut::new(), intake };
        let outlet = Outlet { writer, patience: patience.write };
        Self { inlet, outlet, patience, stopping }
    }

    /// Answers requests until the web server goes, is too slow or makes no sense, or the server drains.
    pub(super) async fn serve(mut self, front: &Front) -> Result<(), ConnectionError> {
        while let Some(request) = self.request().await? {
            let Some(ended) = self.answer(front, &request).await? else { return Ok(()) };
            self.outlet.send(&ended).await?;
            self.inlet.intake.answered();
            if !request.keeps_connection || *self.stopping.borrow() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The next request; nothing where there will be none.
    async fn request(&mut self) -> Result<Option<Request>, ConnectionError> {
        let mut deadline = Instant::now() + self.patience.read;
        loop {
            if self.inlet.is_idle() {
                if !self.wakes().await? {
                    return Ok(None);
                }
                deadline = Instant::now() + self.patience.read;
            }
            let Ok(event) = timeout_at(deadline, self.inlet.event()).await else {
                return Err(ConnectionError::SlowRequest);
            };
            match event? {
                Some(Event::Request(request)) => return Ok(Some(request)),
                Some(Event::Send { bytes, closes }) => {
                    self.outlet.send(&[bytes.into()]).await?;
                    if closes {
                        return Ok(None);
                    }
                }
                Some(Event::Aborted) => {}
                None => return Ok(None),
            }
        }
    }

    /// Waits for the first byte of what comes next; `false` where nothing will.
    async fn wakes(&mut self) -> Result<bool, ConnectionError> {
        tokio::select! {
            biased;
            read = timeout(self.patience.idle, self.inlet.read()) => match read {
                Ok(read) => Ok(read?),
                Err(_elapsed) => Ok(false),
            },
            () = stopped(&mut self.stopping) => Ok(false),
        }
    }

    /// The records that end a request: its answer, or no more than the end where it was aborted. Nothing
    /// where the web server has gone; then, as on an abort, the work is dropped and not finished for
    /// nobody.
    async fn answer(
        &mut self,
        front: &Front,
        request: &Request,
    ) -> Result<Option<Vec<Bytes>>, ConnectionError> {
        let work = responder::answer(front, request);
        tokio::pin!(work);
        loop {
            tokio::select! {
                // What is in the cache is ready at once, and then the socket need not be asked.
                biased;
                answer = &mut work => return Ok(Some(pieces(request.id, answer))),
                event = self.inlet.event() => match event? {
                    Some(Event::Aborted) => return Ok(Some(aborted(request.id))),
                    Some(Event::Send { bytes, .. }) => self.outlet.send(&[bytes.into()]).await?,
                    Some(Event::Request(_)) => {}
                    None => return Ok(None),
                },
            }
        }
    }
}

fn pieces(request_id: u16, answer: Answer) -> Vec<Bytes> {
    let body_bytes = answer.response.body.len();
    metrics::bytes_sent(u64::try_from(body_bytes).unwrap_or(u64::MAX));
    reply::pieces(request_id, answer)
}

fn aborted(request_id: u16) -> Vec<Bytes> {
    let mut bytes = Vec::new();
    put_end(&mut bytes, request_id, Ending::Complete);
    vec![bytes.into()]
}

/// Waits until the server drains.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    if stopping.wait_for(|stopping| *stopping).await.is_err() {
        // Nobody is left who could say so.
        pending::<()>().await;
    }
}

/// The way in.
#[derive(Debug)]
struct Inlet<R> {
    reader: R,
    buffer: BytesMut,
    intake: Intake,
}

impl<R: AsyncRead + Unpin> Inlet<R> {
    /// Whether nothing of a request, nor of a record, is here.
    fn is_idle(&self) -> bool {
        self.buffer.is_empty() && self.intake.is_idle()
    }

    /// Reads what there is; `false` at the end. Dropping the future loses no byte.
    async fn read(&mut self) -> io::Result<bool> {
        // One record, of at most 64 KiB and its frame, is the most that the buffer ever holds.
        self.buffer.reserve(READ_BYTES);
        Ok(self.reader.read_buf(&mut self.buffer).await? != 0)
    }

    /// The next event; nothing at the end. Dropping the future loses no byte.
    async fn event(&mut self) -> Result<Option<Event>, ConnectionError> {
        loop {
            while let Some((record, taken_bytes)) = record::parse(&self.buffer)? {
                let event = self.intake.take(&record)?;
                self.buffer.advance(taken_bytes);
                if event.is_some() {
                    return Ok(event);
                }
            }
            if !self.read().await? {
                return Ok(None);
            }
        }
    }
}

/// The way out.
#[derive(Debug)]
struct Outlet<W> {
    writer: W,
    patience: Duration,
}

impl<W: AsyncWrite + Unpin> Outlet<W> {
    /// Sends all pieces, by one system call where the socket takes them.
    async fn send(&mut self, pieces: &[Bytes]) -> Result<(), ConnectionError> {
        let started = Instant::now();
        let mut unsent = Unsent::of(pieces.iter().map(|piece| length(piece.len())).sum());
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut rest = &mut slices[..];
        while !rest.is_empty() {
            let Ok(sent) = timeout(self.patience, self.writer.write_vectored(rest)).await else {
                return Err(ConnectionError::SlowReader);
            };
            match sent? {
                0 => return Err(io::Error::from(io::ErrorKind::WriteZero).into()),
                sent_bytes => {
                    unsent.sent(length(sent_bytes));
                    IoSlice::advance_slices(&mut rest, sent_bytes);
                }
            }
        }
        metrics::stage("send", started.elapsed());
        Ok(())
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
