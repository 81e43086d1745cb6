//! What a request is called, here and in the logs of those before and behind: the client's own word where
//! it makes sense, else a new one.
//!
//! # Source
//! W3C Trace Context, section 3.2: `traceparent` is `00-TRACE-PARENT-FLAGS` in hexadecimal digits.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Longest id taken from a client, in bytes: two UUIDs.
const ID_BYTES_MAX: usize = 72;

/// Hexadecimal digits of a trace.
const TRACE_DIGITS: usize = 32;

/// The id of a request that sends these headers, if it does.
pub(super) fn request_id(own: Option<&str>, traceparent: Option<&str>) -> String {
    let own = own.filter(|id| is_plain(id));
    let given = own.or_else(|| traceparent.and_then(trace_of));
    given.map_or_else(fresh, str::to_owned)
}

/// Whether an id can stand in a log line and a header as it is.
fn is_plain(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_plain)
}

/// The trace that a request belongs to.
fn trace_of(traceparent: &str) -> Option<&str> {
    let trace = traceparent.split('-').nth(1)?;
    let is_hex = trace.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_zero = trace.bytes().all(|byte| byte == b'0');
    (trace.len() == TRACE_DIGITS && is_hex && !is_zero).then_some(trace)
}

/// An id that no other request has, as long as no other process has the same seed.
fn fresh() -> String {
    static SEED: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016x}", SEED.hash_one(COUNT.fetch_add(1, Ordering::Relaxed)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clients_id_is_kept_where_it_cannot_do_harm() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let parent = format!("00-{trace}-00f067aa0ba902b7-01");
        assert_eq!(request_id(Some("abc-1.2_3"), Some(&parent)), "abc-1.2_3");
        assert_eq!(request_id(Some("a\"b"), Some(&parent)), trace);
        assert_eq!(request_id(None, Some(&parent)), trace);
        for (own, parent) in [(Some(""), None), (Some("x y"), None), (None, Some("00-0-0-00"))] {
            assert_eq!(request_id(own, parent).len(), 16);
        }
        assert_eq!(request_id(Some(&"x".repeat(73)), None).len(), 16);
        assert_ne!(request_id(None, None), request_id(None, None));
    }
}
