//! Which trace a request belongs to, and which of its spans is ours: `traceparent` read, `traceresponse`
//! written.
//!
//! # Source
//! W3C Trace Context, section 3.2 (`traceparent`); Trace Context Level 2, "Trace Context Response"
//! (`traceresponse`, of the same form).

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The span of whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    trace_id: u128,
    span_id: u64,
    is_sampled: bool,
}

impl Parent {
    /// Reads `00-TRACE-SPAN-FLAGS`; later versions may have more behind.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.trim().split('-');
        let version = hex(parts.next()?, 2)?;
        let trace_id = hex(parts.next()?, 32)?;
        let span_id = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = hex(parts.next()?, 2)?;
        let is_known = version != 0xFF && (version != 0 || parts.next().is_none());
        (is_known && trace_id != 0 && span_id != 0).then_some(Self {
            trace_id,
            span_id,
            is_sampled: flags & 1 == 1,
        })
    }

    /// Whether the asker's own part of the trace is kept.
    pub(super) const fn is_sampled(&self) -> bool {
        self.is_sampled
    }

    /// The trace, in 32 hexadecimal digits.
    pub fn trace(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

/// So many hexadecimal digits in lower case.
fn hex(digits: &str, count: usize) -> Option<u128> {
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_number = digits.len() == count && digits.bytes().all(is_hex);
    is_number.then(|| u128::from_str_radix(digits, 16).ok())?
}

/// One request's place in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace_id: u128,
    pub(super) span_id: u64,
    /// The asker's span; 0 where there is none, which no span is called.
    pub(super) parent_id: u64,
    pub(super) is_sampled: bool,
}

impl TraceContext {
    /// A new span, of the asker's trace where there is one.
    pub(super) fn new(parent: Option<Parent>) -> Self {
        Self {
            trace_id: parent.map_or_else(trace_id, |parent| parent.trace_id),
            span_id: span_id(),
            parent_id: parent.map_or(0, |parent| parent.span_id),
            is_sampled: false,
        }
    }

    /// Whether it is to be recorded.
    pub const fn is_sampled(&self) -> bool {
        self.is_sampled
    }

    /// The trace, in 32 hexadecimal digits.
    pub fn trace(&self) -> String {
        format!("{:032x}", self.trace_id)
    }

    /// What `traceresponse` says: the trace, our span in it, and whether it is recorded.
    pub fn response(&self) -> String {
        let flags = u8::from(self.is_sampled);
        format!("00-{:032x}-{:016x}-{flags:02x}", self.trace_id, self.span_id)
    }
}

/// An id that no other trace has, by all odds.
fn trace_id() -> u128 {
    (u128::from(span_id()) << 64) | u128::from(span_id())
}

/// An id that no other span of the trace has, by all odds; never 0, which means none.
pub(super) fn span_id() -> u64 {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_traceparent_is_taken_in_its_own_and_in_later_versions() {
        let parse = |text: &str| Parent::parse(text);
        let parent = parse(&format!("00-{TRACE}-00f067aa0ba902b7-01")).unwrap();
        assert_eq!((parent.trace().as_str(), parent.span_id), (TRACE, 0x00f0_67aa_0ba9_02b7));
        assert!(parent.is_sampled());
        assert!(!parse(&format!("00-{TRACE}-00f067aa0ba902b7-02")).unwrap().is_sampled());
        assert!(parse(&format!("cc-{TRACE}-00f067aa0ba902b7-01-what-will-be")).is_some());
    }

    #[test]
    fn what_is_no_traceparent_is_none() {
        let zeroes = "0".repeat(32);
        let cases = [
            String::new(),
            "00-0-0-00".to_owned(),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{zeroes}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_ascii_uppercase()),
            format!("00-+{}-00f067aa0ba902b7-01", TRACE.split_at(1).1),
        ];
        for case in cases {
            assert_eq!(Parent::parse(&case), None, "{case}");
        }
    }

    #[test]
    fn an_answer_names_the_askers_trace_and_a_span_of_its_own() {
        let parent = Parent::parse(&format!("00-{TRACE}-00f067aa0ba902b7-01"));
        let context = TraceContext { is_sampled: true, ..TraceContext::new(parent) };
        let said = Parent::parse(&context.response()).unwrap();
        assert_eq!((said.trace().as_str(), said.is_sampled()), (TRACE, true));
        assert_eq!((said.span_id, context.parent_id), (context.span_id, 0x00f0_67aa_0ba9_02b7));
        let (one, other) = (TraceContext::new(None), TraceContext::new(None));
        assert!(one.trace_id != other.trace_id && one.span_id != other.span_id);
        assert_eq!(one.parent_id, 0);
    }
}
