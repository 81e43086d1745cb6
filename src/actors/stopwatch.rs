//! `Stopwatch`: where the time of one answer went, over the pools that its making passes through.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::actors::timeline::Timeline;
use crate::metrics;

/// Time that the stages of an answer took; none of what was found or waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Reading and decoding, and joining of tiles.
    pub decode: Duration,
    /// The steps of the plan.
    pub process: Duration,
    /// The watermark.
    pub watermark: Duration,
    /// Encoding.
    pub encode: Duration,
}

/// Adds them up, in microseconds.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    decode: AtomicU64,
    process: AtomicU64,
    watermark: AtomicU64,
    encode: AtomicU64,
    timeline: Timeline,
}

impl Stopwatch {
    /// One that notes each stage on a timeline, too.
    pub(super) fn noting(timeline: Timeline) -> Self {
        Self { timeline, ..Self::default() }
    }

    pub(super) fn decoded(&self, since: Instant) {
        self.timeline.note("decode", since);
        metrics::stage("decode", add(&self.decode, since));
    }

    pub(super) fn processed(&self, since: Instant) {
        self.timeline.note("process", since);
        metrics::stage("process", add(&self.process, since));
    }

    pub(super) fn marked(&self, since: Instant) {
        self.timeline.note("watermark", since);
        metrics::stage("watermark", add(&self.watermark, since));
    }

    pub(super) fn encoded(&self, format: &str, since: Instant) {
        self.timeline.note("encode", since);
        metrics::encoded(format, add(&self.encode, since));
    }

    /// What was spent so far.
    pub(super) fn read(&self) -> Spent {
        let of = |us: &AtomicU64| Duration::from_micros(us.load(Ordering::Relaxed));
        Spent {
            decode: of(&self.decode),
            process: of(&self.process),
            watermark: of(&self.watermark),
            encode: of(&self.encode),
        }
    }
}

fn add(us: &AtomicU64, since: Instant) -> Duration {
    let took = since.elapsed();
    us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    took
}
