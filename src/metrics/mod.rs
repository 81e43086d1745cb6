//! Every metric. The only layer that names the `metrics` crates: the table of names in `table`, the values
//! of labels in `labels`, and functions to count with.
//!
//! Handles are made once and kept, because a look-up by labels costs twenty times an increment. Labels
//! come from fixed lists, so that no client can make new series; what may never happen is there from
//! the start, at 0, so that alerts on it work.

mod caches;
mod gauges;
mod labels;
mod process;
mod requests;
mod table;
mod unsent;
mod work;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

pub use caches::{
    ShardCounters, coalesced, decoded_evicted, decoded_lookup, memcached_asked, memcached_dropped,
    memcached_error, memcached_stored, purge,
};
pub use gauges::{
    Posted, admitted, config_reload, level, level_of, log_lines_dropped, memory, pool_depth,
    posted, traces,
};
pub use labels::LABELS;
pub use requests::{bytes_sent, fault, pixels_served, request};
pub use table::METRICS;
pub use unsent::Unsent;
pub use work::{
    bytes_read, codec_failure, decoded, encoded, image_opened, images_closed, module_death,
    module_job, module_start, queue_wait, register_module, restart, shed, stage, would_shed,
};

/// Upper bounds of latency buckets in seconds: a hit takes 30 us, an export seconds.
const SECONDS_BUCKETS: [f64; 17] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// Upper bounds of buckets of ages in seconds: an answer lives seconds in a cache that is far too small,
/// days in one that is large enough.
const AGE_BUCKETS: [f64; 8] = [1.0, 10.0, 60.0, 600.0, 3600.0, 21_600.0, 86_400.0, 604_800.0];

/// The only histogram of ages.
const EVICTED_AGE: &str = "tessera_cache_evicted_age_seconds";

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
            .set_buckets_for_metric(Matcher::Full(EVICTED_AGE.to_owned()), &AGE_BUCKETS)?
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS_BUCKETS)?
            .install_recorder()?;
        for (name, kind, _, help) in METRICS {
            match *kind {
                "counter" => metrics::describe_counter!(*name, *help),
                "gauge" => metrics::describe_gauge!(*name, *help),
                _ => metrics::describe_histogram!(*name, *help),
            }
        }
        caches::register();
        gauges::register();
        requests::register();
        work::register();
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
