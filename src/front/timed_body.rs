//! A body that reports when it was handed to the socket's buffer, or dropped because the client went.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

use crate::metrics;

/// Bytes on their way out.
#[derive(Debug)]
pub(super) struct TimedBody {
    bytes: Option<Bytes>,
    length: u64,
    started: Instant,
}

impl TimedBody {
    pub(super) fn new(bytes: Bytes) -> Self {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Self { bytes: Some(bytes), length, started: Instant::now() }
    }
}

impl MessageBody for TimedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.length)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        let bytes = self.bytes.take();
        if bytes.is_some() {
            metrics::stage("send", self.started.elapsed());
            metrics::bytes_sent(self.length);
        }
        Poll::Ready(bytes.map(Ok))
    }
}
