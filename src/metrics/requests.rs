//! What requests did.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use crate::metrics::labels::{CLASSES, FAULTS, FORMATS, OUTCOMES, PROTOCOLS, index, label};

const SERIES_MAX: usize = PROTOCOLS.len() * CLASSES.len() * FORMATS.len() * OUTCOMES.len();

static REQUESTS: [OnceLock<Counter>; SERIES_MAX] = [const { OnceLock::new() }; SERIES_MAX];
static DURATIONS: [OnceLock<Histogram>; PROTOCOLS.len() * CLASSES.len()] =
    [const { OnceLock::new() }; PROTOCOLS.len() * CLASSES.len()];
static FAULTS_SEEN: LazyLock<Vec<Counter>> = LazyLock::new(|| {
    let of = |protocol| {
        FAULTS.map(|kind| counter!("tessera_faults_total", "protocol" => protocol, "kind" => kind))
    };
    PROTOCOLS.into_iter().flat_map(of).collect()
});
static PIXELS_SERVED: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_pixels_served_total"));
static BYTES_SENT: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_bytes_sent_total"));

/// Counts one answered request and its time.
pub fn request(protocol: &str, class: &str, format: &str, outcome: &str, took: Duration) {
    let (protocol, class) = (index(&PROTOCOLS, protocol), index(&CLASSES, class));
    let (format, outcome) = (index(&FORMATS, format), index(&OUTCOMES, outcome));
    let duration_at = protocol * CLASSES.len() + class;
    let at = (duration_at * FORMATS.len() + format) * OUTCOMES.len() + outcome;
    if let Some(slot) = REQUESTS.get(at) {
        let handle = slot.get_or_init(|| {
            counter!("tessera_requests_total", "protocol" => label(&PROTOCOLS, protocol),
                "class" => label(&CLASSES, class), "format" => label(&FORMATS, format),
                "outcome" => label(&OUTCOMES, outcome))
        });
        handle.increment(1);
    }
    if let Some(slot) = DURATIONS.get(duration_at) {
        let handle = slot.get_or_init(|| {
            histogram!("tessera_request_seconds", "protocol" => label(&PROTOCOLS, protocol),
                "class" => label(&CLASSES, class))
        });
        handle.record(took);
    }
}

/// Counts a request that ended without an answer.
pub fn fault(protocol: &str, kind: &str) {
    let at = index(&PROTOCOLS, protocol) * FAULTS.len() + index(&FAULTS, kind);
    if let Some(counter) = FAULTS_SEEN.get(at) {
        counter.increment(1);
    }
}

/// Counts bytes of bodies sent.
pub fn bytes_sent(bytes: u64) {
    BYTES_SENT.increment(bytes);
}

/// Counts pixels of answered pictures.
pub fn pixels_served(pixels: u64) {
    PIXELS_SERVED.increment(pixels);
}

/// Puts what may never happen at 0, so that the first time is an increase.
pub(super) fn register() {
    LazyLock::force(&FAULTS_SEEN);
    PIXELS_SERVED.increment(0);
    BYTES_SENT.increment(0);
}
