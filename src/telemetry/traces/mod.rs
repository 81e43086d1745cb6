//! `Traces`: what was recorded of requests, on its way to a collector. It waits in a bounded queue and is
//! sent in batches by a thread of its own: a collector that is dead, slow or hangs costs no request
//! anything, and the traces it did not take are counted.

mod context;
mod otlp;
mod sampler;
mod span;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;

use crate::http_client::{ClientError, Question};

pub use context::{Parent, TraceContext};
pub use span::{Span, Trace, Value};

use sampler::{Rule, Sampler};

/// How long a trace may wait for others that are sent with it.
const BATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Traces that are sent at once: some hundred KiB.
const BATCH_MAX: usize = 256;

/// How long [`Traces::stop`] waits for what is queued to be sent.
const STOP_PATIENCE: Duration = Duration::from_secs(3);

/// Largest answer of a collector that is read, in bytes; nothing of it but its status is used.
const ANSWER_BYTES_MAX: u64 = 65_536;

/// Why traces were lost, as metrics have it.
pub const LOST: [&str; 4] = ["queue", "unreachable", "timeout", "refused"];

/// Who takes traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collector {
    /// `HOST:PORT`.
    pub address: String,
    /// The path that takes them.
    pub path: String,
}

/// What is recorded, and where it goes.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// Where it goes; nothing is recorded where this is not set.
    pub collector: Option<Collector>,
    /// What the service is called there.
    pub service: String,
    /// The share of traces that begin here, 0 to 1.
    pub sample_ratio: f64,
    /// Requests a second that are recorded because their asker is.
    pub parents_per_s_max: u32,
    /// How long the collector may take over one batch.
    pub timeout: Duration,
}

/// What became of traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceCounts {
    /// Taken by the collector.
    pub sent: u64,
    /// Lost, in the order of [`LOST`].
    pub lost: [u64; LOST.len()],
}

/// The recorder. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Traces {
    shared: Arc<Shared>,
    sender: Thread,
    /// Closed when the sender has sent its last.
    ended: Arc<Mutex<Receiver<()>>>,
}

#[derive(Debug)]
struct Shared {
    settings: ArcSwap<TraceSettings>,
    sampler: Mutex<Sampler>,
    queue: Mutex<Vec<Trace>>,
    queue_max: usize,
    instance: String,
    sent: AtomicU64,
    lost: [AtomicU64; LOST.len()],
    stopped: AtomicBool,
}

impl Traces {
    /// Starts it, with room for so many traces that wait.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(settings: TraceSettings, queue_max: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            settings: ArcSwap::from_pointee(settings),
            sampler: Mutex::default(),
            queue: Mutex::default(),
            queue_max,
            instance: format!("{:016x}", context::span_id()),
            sent: AtomicU64::new(0),
            lost: Default::default(),
            stopped: AtomicBool::new(false),
        });
        let queued = Arc::clone(&shared);
        let (ending, ended) = channel();
        let sending = thread::Builder::new().name("traces".to_owned()).spawn(move || {
            queued.send_until_stopped();
            drop(ending);
        })?;
        let sender = sending.thread().clone();
        Ok(Self { shared, sender, ended: Arc::new(Mutex::new(ended)) })
    }

    /// Goes by other settings from now on.
    pub fn go_by(&self, settings: TraceSettings) {
        self.shared.settings.store(Arc::new(settings));
    }

    /// A request's place in its trace; nothing where nobody takes traces.
    pub fn begin(&self, parent: Option<Parent>) -> Option<TraceContext> {
        let settings = self.shared.settings.load();
        settings.collector.as_ref()?;
        let rule =
            Rule { ratio: settings.sample_ratio, parents_per_s_max: settings.parents_per_s_max };
        let context = TraceContext::new(parent);
        let mut sampler = self.shared.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        let is_sampled = sampler.decide(rule, (&context, parent), Instant::now());
        Some(TraceContext { is_sampled, ..context })
    }

    /// Has a trace sent, if there is room for it.
    pub fn put(&self, trace: Trace) {
        let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared.queue_max <= queue.len() {
            drop(queue);
            self.shared.lose("queue", 1);
            return;
        }
        queue.push(trace);
        if queue.len() == BATCH_MAX {
            self.sender.unpark();
        }
    }

    /// What became of traces so far.
    pub fn counts(&self) -> TraceCounts {
        TraceCounts {
            sent: self.shared.sent.load(Ordering::Relaxed),
            lost: self.shared.lost.each_ref().map(|lost| lost.load(Ordering::Relaxed)),
        }
    }

    /// Has what is left sent, unless nobody takes it in time.
    pub fn stop(&self) {
        self.shared.stopped.store(true, Ordering::Release);
        self.sender.unpark();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        // Closed: all is sent. Late: a collector that hangs must not keep the server from ending.
        let _closed_or_late = ended.recv_timeout(STOP_PATIENCE);
    }
}

impl Shared {
    fn send_until_stopped(&self) {
        let mut is_well = true;
        loop {
            let is_last = self.stopped.load(Ordering::Acquire);
            while let Some(batch) = self.next_batch() {
                is_well = self.send(&batch, is_well);
            }
            if is_last {
                return;
            }
            thread::park_timeout(BATCH_INTERVAL);
        }
    }

    fn next_batch(&self) -> Option<Vec<Trace>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let count = queue.len().min(BATCH_MAX);
        (count != 0).then(|| queue.drain(..count).collect())
    }

    /// Sends a batch; whether that went well, which is said where it was otherwise before.
    fn send(&self, batch: &[Trace], was_well: bool) -> bool {
        let settings = self.settings.load_full();
        // Switched off meanwhile.
        let Some(collector) = &settings.collector else { return was_well };
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        match ask(collector, &settings, &otlp::body(batch, &settings.service, &self.instance)) {
            Ok(200..=299) => {
                self.sent.fetch_add(count, Ordering::Relaxed);
                if !was_well {
                    tracing::info!(
                        collector = collector.address,
                        "the collector takes traces again"
                    );
                }
                true
            }
            answer => {
                let (why, said) = match answer {
                    Ok(status) => ("refused", format!("status {status}")),
                    Err(error) if error.is_timeout() => ("timeout", error.to_string()),
                    Err(error) => ("unreachable", error.to_string()),
                };
                self.lose(why, count);
                if was_well {
                    let collector = &collector.address;
                    tracing::warn!(collector, why, said, "the collector takes no traces");
                }
                false
            }
        }
    }

    fn lose(&self, why: &str, count: u64) {
        let known = LOST.iter().zip(&self.lost).find(|(name, _)| **name == why);
        if let Some((_, lost)) = known {
            lost.fetch_add(count, Ordering::Relaxed);
        }
    }
}

/// Hands a batch over; the collector's status.
fn ask(collector: &Collector, settings: &TraceSettings, body: &[u8]) -> Result<u16, ClientError> {
    let question = Question {
        method: "POST",
        address: &collector.address,
        path: &collector.path,
        headers: &[("Content-Type", "application/json")],
        body,
        patience: settings.timeout,
        answer_bytes_max: ANSWER_BYTES_MAX,
    };
    question.ask().map(|answer| answer.status)
}
