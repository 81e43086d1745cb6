//! A body that goes out piece by piece, so that a slow reader holds no second copy of it, and that
//! reports when it was handed to the socket's buffer, or dropped because the client went.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

use crate::front::request_count::Place;
use crate::metrics::{self, Unsent};

/// Bytes handed on at once: most tiles whole, exports in pieces.
const PIECE_BYTES: usize = 65_536;

/// Bytes on their way out.
#[derive(Debug)]
pub(super) struct TimedBody {
    rest: Bytes,
    unsent: Unsent,
    size: BodySize,
    started: Instant,
    /// Held until the last piece is handed on.
    place: Option<Place>,
}

impl TimedBody {
    /// The body of an answer with this status.
    pub(super) fn new(status: u16, bytes: Bytes, place: Option<Place>) -> Self {
        let size = match status {
            // Their Content-Length would be that of the 200 that they stand for (RFC 9110, 8.6).
            204 | 304 => BodySize::None,
            _ => BodySize::Sized(length(&bytes)),
        };
        let unsent = Unsent::of(length(&bytes));
        Self { rest: bytes, unsent, size, started: Instant::now(), place }
    }
}

fn length(bytes: &Bytes) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl MessageBody for TimedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.size
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let piece_bytes = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(piece_bytes);
        metrics::bytes_sent(length(&piece));
        self.unsent.sent(length(&piece));
        if self.rest.is_empty() {
            metrics::stage("send", self.started.elapsed());
            self.place = None;
        }
        Poll::Ready(Some(Ok(piece)))
    }
}
