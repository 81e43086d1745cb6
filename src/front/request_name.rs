//! What a request is called, here and in the logs of those before and behind: the client's own word where
//! it makes sense, else its trace, else a new one; and its place in that trace.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::actors::timeline::Timeline;
use crate::telemetry::traces::{Parent, TraceContext, Traces};

/// Longest id taken from a client, in bytes: two UUIDs.
const ID_BYTES_MAX: usize = 72;

/// What a request is called.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// In logs.
    pub(super) id: String,
    /// In traces, where there is somebody who takes them.
    pub(super) trace: Option<TraceContext>,
    timeline: Timeline,
}

impl Name {
    /// The name of a request that sends these headers, if it does: `X-Request-Id` and `traceparent`.
    pub(super) fn of(own: Option<&str>, traceparent: Option<&str>, traces: &Traces) -> Self {
        let parent = traceparent.and_then(Parent::parse);
        let trace = traces.begin(parent);
        let is_recorded = trace.is_some_and(|trace| trace.is_sampled());
        let given = own.filter(|id| is_plain(id)).map(str::to_owned);
        let traced = || trace.map(|trace| trace.trace()).or_else(|| Some(parent?.trace()));
        Self {
            id: given.or_else(traced).unwrap_or_else(fresh),
            trace,
            timeline: Timeline::new(is_recorded),
        }
    }

    /// Whether it is recorded.
    pub(super) fn is_recorded(&self) -> bool {
        self.trace.is_some_and(|trace| trace.is_sampled())
    }

    /// Where its stages are noted.
    pub(super) fn timeline(&self) -> Timeline {
        self.timeline.clone()
    }
}

/// Whether an id can stand in a log line and a header as it is.
fn is_plain(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_plain)
}

/// An id that no other request has, as long as no other process has the same seed.
fn fresh() -> String {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}", SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::traces::{Collector, TraceSettings};

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    /// A recorder of nothing, or of what others record; nobody listens on port 0.
    fn traces(is_on: bool) -> Traces {
        let collector =
            is_on.then(|| Collector { address: "127.0.0.1:0".to_owned(), path: String::new() });
        let settings = TraceSettings {
            collector,
            service: String::new(),
            sample_ratio: 0.0,
            parents_per_s_max: 100,
            timeout: Duration::from_secs(1),
        };
        Traces::start(settings, 1).unwrap()
    }

    #[test]
    fn a_clients_id_is_kept_where_it_cannot_do_harm() {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        for is_on in [false, true] {
            let (traces, long) = (traces(is_on), "x".repeat(ID_BYTES_MAX + 1));
            let id = |own, parent| Name::of(own, parent, &traces).id;
            assert_eq!(id(Some("abc-1.2_3"), Some(&parent)), "abc-1.2_3");
            assert_eq!(id(Some("a\"b"), Some(&parent)), TRACE);
            assert_eq!(id(None, Some(&parent)), TRACE);
            let fresh = if is_on { 32 } else { 16 };
            for (own, parent) in [(Some(""), None), (Some("x y"), None), (None, Some("00-0-0-00"))]
            {
                assert_eq!(id(own, parent).len(), fresh);
            }
            assert_eq!(id(Some(&long), None).len(), fresh);
            assert_ne!(id(None, None), id(None, None));
        }
    }

    #[test]
    fn a_request_is_recorded_where_its_client_is_and_somebody_takes_it() {
        let recorded = |is_on, flags: &str| {
            let parent = format!("00-{TRACE}-00f067aa0ba902b7-{flags}");
            Name::of(None, Some(&parent), &traces(is_on)).is_recorded()
        };
        assert!(recorded(true, "01") && !recorded(true, "00") && !recorded(false, "01"));
    }
}
