//! Every metric: name, labels, unit, help. The only file that names the `metrics` crates.
//!
//! Handles are made once and kept, because a look-up by labels costs twenty times an increment. Labels
//! come from fixed lists, so that no client can make new series.

use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Protocols; the first stands for whatever is not listed.
const PROTOCOLS: [&str; 9] =
    ["other", "iip", "iiif1", "iiif2", "iiif3", "presentation", "deepzoom", "zoomify", "viewer"];
/// Request classes.
const CLASSES: [&str; 6] = ["other", "info", "tile", "thumbnail", "region", "full"];
/// Formats of answers.
const FORMATS: [&str; 5] = ["none", "jpg", "png", "webp", "text"];
/// What the cache did, or why there was no answer.
const OUTCOMES: [&str; 8] =
    ["none", "hit", "miss", "coalesced", "memcached", "passed", "not_modified", "fault"];
/// Stages of an answer's making.
const STAGES: [&str; 10] = [
    "other",
    "lookup",
    "open",
    "read",
    "decode",
    "process",
    "watermark",
    "encode",
    "queue_wait",
    "send",
];

/// Labels whose values are fixed here, in the order of `docs/metrics.md`.
pub const LABELS: &[(&str, &[&str])] = &[
    ("protocol", &PROTOCOLS),
    ("class", &CLASSES),
    ("format", &FORMATS),
    ("outcome", &OUTCOMES),
    ("stage", &STAGES),
];

/// Upper bounds of latency buckets in seconds: a hit takes 30 us, an export seconds.
const SECONDS_BUCKETS: [f64; 17] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

static REQUESTS: [OnceLock<Counter>;
    PROTOCOLS.len() * CLASSES.len() * FORMATS.len() * OUTCOMES.len()] =
    [const { OnceLock::new() }; PROTOCOLS.len() * CLASSES.len() * FORMATS.len() * OUTCOMES.len()];
static DURATIONS: [OnceLock<Histogram>; PROTOCOLS.len() * CLASSES.len()] =
    [const { OnceLock::new() }; PROTOCOLS.len() * CLASSES.len()];
static STAGE_SECONDS: LazyLock<[Histogram; STAGES.len()]> =
    LazyLock::new(|| STAGES.map(|stage| histogram!("tessera_stage_seconds", "stage" => stage)));
static BYTES_READ: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_bytes_read_total"));
static PIXELS_DECODED: LazyLock<Counter> =
    LazyLock::new(|| counter!("tessera_pixels_decoded_total"));
static PIXELS_SERVED: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_pixels_served_total"));
static BYTES_SENT: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_bytes_sent_total"));
static COALESCED: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_cache_coalesced_total"));
static EVICTIONS: LazyLock<Counter> = LazyLock::new(|| counter!("tessera_cache_evictions_total"));

/// Name, kind, labels and help of each metric, in the order of `docs/metrics.md`.
pub const METRICS: &[(&str, &str, &str, &str)] = &[
    ("tessera_requests_total", "counter", "protocol, class, format, outcome", "requests answered"),
    ("tessera_requests_in_flight", "gauge", "", "requests being answered or sent"),
    (
        "tessera_request_seconds",
        "histogram",
        "protocol, class",
        "from the first byte read to the answer handed to the socket",
    ),
    (
        "tessera_stage_seconds",
        "histogram",
        "stage",
        "time of one stage: lookup, open, read, decode, process, watermark, encode, queue_wait, send",
    ),
    (
        "tessera_faults_total",
        "counter",
        "kind",
        "requests that ended without an answer, by who is to blame",
    ),
    ("tessera_shed_total", "counter", "reason", "requests refused for want of room"),
    ("tessera_restarts_total", "counter", "actor", "actors replaced or restarted after a failure"),
    ("tessera_bytes_read_total", "counter", "", "bytes read from image sources"),
    ("tessera_bytes_sent_total", "counter", "", "bytes of bodies sent"),
    ("tessera_pixels_decoded_total", "counter", "", "pixels decoded"),
    ("tessera_pixels_served_total", "counter", "", "pixels of pictures answered"),
    (
        "tessera_cache_coalesced_total",
        "counter",
        "",
        "requests that waited for an answer already being made",
    ),
    ("tessera_cache_evictions_total", "counter", "", "answers evicted for room"),
    ("tessera_cache_bytes", "gauge", "shard", "bytes of answers kept"),
    ("tessera_cache_entries", "gauge", "shard", "answers kept"),
    ("tessera_cache_in_flight", "gauge", "shard", "answers being made"),
    (
        "tessera_memcached_asked_total",
        "counter",
        "outcome",
        "looks for an answer in memcached: hit, waited (another instance made it meanwhile), miss, tired (of waiting) or failed",
    ),
    ("tessera_memcached_seconds", "histogram", "", "time of one look for an answer in memcached"),
    ("tessera_memcached_stored_total", "counter", "", "answers that memcached took"),
    (
        "tessera_memcached_errors_total",
        "counter",
        "reason",
        "commands that a memcached server did not carry out, or answered with what is no answer",
    ),
    ("tessera_memcached_dropped_total", "counter", "reason", "answers not sent to memcached"),
    ("tessera_memcached_left_alone", "gauge", "server", "1 while a memcached server is not asked"),
    ("tessera_decoded_bytes", "gauge", "", "bytes of decoded tiles kept"),
    ("tessera_images_open", "gauge", "", "images kept open"),
    ("tessera_pool_depth", "gauge", "pool", "jobs waiting or at work"),
    ("tessera_bytes_in_decode", "gauge", "", "bytes of pixels admitted and at work"),
    ("tessera_module_processes", "gauge", "module", "processes of a module"),
    ("tessera_module_starts_total", "counter", "module", "processes of a module that were started"),
    (
        "tessera_module_deaths_total",
        "counter",
        "module, reason",
        "processes of a module that crashed or were ended for what they did",
    ),
    (
        "tessera_module_jobs_total",
        "counter",
        "module, outcome",
        "jobs that a module's processes had",
    ),
    ("tessera_module_seconds", "histogram", "module", "time of one job of a module's process"),
];

/// What `/metrics` prints.
#[derive(Clone, Debug)]
pub struct Exporter(PrometheusHandle);

impl Exporter {
    /// Makes the recorder that all metrics of this process go to.
    ///
    /// # Errors
    /// Where one is installed already.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)?
            .install_recorder()?;
        for (name, kind, _, help) in METRICS {
            match *kind {
                "counter" => metrics::describe_counter!(*name, *help),
                "gauge" => metrics::describe_gauge!(*name, *help),
                _ => metrics::describe_histogram!(*name, *help),
            }
        }
        Ok(Self(handle))
    }

    /// All metrics in Prometheus' text format.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Drains histograms; call every few seconds, or they grow until the next scrape.
    pub fn run_upkeep(&self) {
        self.0.run_upkeep();
    }
}

fn index(labels: &[&'static str], label: &str) -> usize {
    labels.iter().position(|known| *known == label).unwrap_or(0)
}

fn label(labels: &[&'static str], index: usize) -> &'static str {
    labels.get(index).copied().unwrap_or("other")
}

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

/// Records the time of one stage of the list in [`METRICS`].
pub fn stage(stage: &str, took: Duration) {
    if let Some(handle) = STAGE_SECONDS.get(index(&STAGES, stage)) {
        handle.record(took);
    }
}

/// Counts a request that ended without an answer.
pub fn fault(kind: &'static str) {
    counter!("tessera_faults_total", "kind" => kind).increment(1);
}

/// Counts a request refused for want of room.
pub fn shed(reason: &'static str) {
    counter!("tessera_shed_total", "reason" => reason).increment(1);
}

/// Counts a restarted or replaced actor.
pub fn restart(actor: &'static str) {
    counter!("tessera_restarts_total", "actor" => actor).increment(1);
}

/// Counts a process of a module that is started; modules are those of the configuration.
pub fn module_start(module: &str) {
    counter!("tessera_module_starts_total", "module" => module.to_owned()).increment(1);
}

/// Counts a process of a module that crashed or was ended.
pub fn module_death(module: &str, reason: &'static str) {
    let module = module.to_owned();
    counter!("tessera_module_deaths_total", "module" => module, "reason" => reason).increment(1);
}

/// Counts a job of a module's process, and its time.
pub fn module_job(module: &str, is_done: bool, took: Duration) {
    let outcome = if is_done { "done" } else { "failed" };
    counter!("tessera_module_jobs_total", "module" => module.to_owned(), "outcome" => outcome)
        .increment(1);
    histogram!("tessera_module_seconds", "module" => module.to_owned()).record(took);
}

/// Counts a look for an answer in memcached, and its time.
pub fn memcached_asked(outcome: &'static str, took: Duration) {
    counter!("tessera_memcached_asked_total", "outcome" => outcome).increment(1);
    histogram!("tessera_memcached_seconds").record(took);
}

/// Counts an answer that memcached took.
pub fn memcached_stored() {
    counter!("tessera_memcached_stored_total").increment(1);
}

/// Counts what a memcached server did not do.
pub fn memcached_error(reason: &'static str) {
    counter!("tessera_memcached_errors_total", "reason" => reason).increment(1);
}

/// Counts an answer not sent to memcached.
pub fn memcached_dropped(reason: &'static str) {
    counter!("tessera_memcached_dropped_total", "reason" => reason).increment(1);
}

/// Counts bytes read from a source.
pub fn bytes_read(bytes: u64) {
    BYTES_READ.increment(bytes);
}

/// Counts bytes of bodies sent.
pub fn bytes_sent(bytes: u64) {
    BYTES_SENT.increment(bytes);
}

/// Counts decoded pixels.
pub fn pixels_decoded(pixels: u64) {
    PIXELS_DECODED.increment(pixels);
}

/// Counts pixels of answered pictures.
pub fn pixels_served(pixels: u64) {
    PIXELS_SERVED.increment(pixels);
}

/// Counts a request that waited for an answer already being made.
pub fn coalesced() {
    COALESCED.increment(1);
}

/// Counts an evicted answer.
pub fn evicted() {
    EVICTIONS.increment(1);
}

/// Sets a gauge without labels.
pub fn level(name: &'static str, value: u64) {
    set(&gauge!(name), value);
}

/// Sets a gauge with one label.
pub fn level_of(name: &'static str, key: &'static str, of: String, value: u64) {
    set(&gauge!(name, key => of), value);
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "gauges are floats; 53 bits of bytes are enough"
)]
fn set(gauge: &Gauge, value: u64) {
    gauge.set(value as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_are_not_listed_become_the_first() {
        assert_eq!(label(&PROTOCOLS, index(&PROTOCOLS, "iiif3")), "iiif3");
        assert_eq!(label(&PROTOCOLS, index(&PROTOCOLS, "<script>")), "other");
    }

    #[test]
    fn every_metric_is_named_for_its_kind_and_described() {
        for (name, kind, _, help) in METRICS {
            assert!(name.starts_with("tessera_"), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == "counter", "{name}");
            assert_eq!(name.ends_with("_seconds"), *kind == "histogram", "{name}");
            assert!(!help.is_empty(), "{name}");
        }
    }
}
