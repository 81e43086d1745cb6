//! Gauges that a scrape sets from the state of the cast.

use metrics::{Gauge, counter, gauge};

use crate::metrics::labels::{ACTORS, LOST, OWNERS, label};
use crate::metrics::{process, unsent};

/// A gauge of messages that an actor has not taken up yet.
#[derive(Debug)]
pub struct Posted(Gauge);

impl Drop for Posted {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

/// Counts a message to an actor, until what comes back is dropped.
pub fn posted(actor: &'static str) -> Posted {
    let gauge = gauge!("tessera_mailbox_depth", "actor" => actor);
    gauge.increment(1.0);
    Posted(gauge)
}

/// Sets a gauge without labels.
pub fn level(name: &'static str, value: u64) {
    set(&gauge!(name), value);
}

/// Sets a gauge with one label.
pub fn level_of(name: &'static str, key: &'static str, of: String, value: u64) {
    set(&gauge!(name, key => of), value);
}

/// Shows the jobs of a pool.
pub fn pool_depth(pool: &'static str, lane: &'static str, jobs: usize) {
    set(&gauge!("tessera_pool_depth", "pool" => pool, "lane" => lane), count(jobs));
}

/// Shows the work of a lane that was let in, and that which waits.
pub fn admitted(lane: &'static str, bytes: u64, waiting: usize) {
    set(&gauge!("tessera_bytes_in_decode", "lane" => lane), bytes);
    set(&gauge!("tessera_admission_waiting", "lane" => lane), count(waiting));
}

/// Shows the memory of the process, by what it is for: what caches and pixels take, what is being sent, and
/// what these leave of it.
pub fn memory([cache, decoded, code_blocks, in_decode]: [u64; 4]) {
    let owned = [cache, decoded, code_blocks, in_decode, unsent::bytes()];
    let rest = process::observe().saturating_sub(owned.iter().sum());
    for (number, bytes) in owned.into_iter().chain([rest]).enumerate() {
        set(&gauge!("tessera_memory_bytes", "owner" => label(&OWNERS, number)), bytes);
    }
}

/// Shows how many lines of the log were lost.
pub fn log_lines_dropped(lines: u64) {
    counter!("tessera_log_lines_dropped_total").absolute(lines);
}

/// Shows how many traces were sent, and how many lost, in the order of the label's values.
pub fn traces(sent: u64, lost: [u64; LOST.len()]) {
    counter!("tessera_traces_sent_total").absolute(sent);
    for (why, count) in LOST.into_iter().zip(lost) {
        counter!("tessera_traces_lost_total", "lost" => why).absolute(count);
    }
}

/// Counts a configuration that was read again, and whether it was taken.
pub fn config_reload(is_taken: bool) {
    counter!("tessera_config_reloads_total", "taken" => taken(is_taken)).increment(1);
}

const fn taken(is_taken: bool) -> &'static str {
    if is_taken { "true" } else { "false" }
}

/// Puts all of these at 0.
pub(super) fn register() {
    for actor in ACTORS {
        gauge!("tessera_mailbox_depth", "actor" => actor).set(0.0);
    }
    gauge!("tessera_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    log_lines_dropped(0);
    traces(0, [0; LOST.len()]);
    for is_taken in [true, false] {
        counter!("tessera_config_reloads_total", "taken" => taken(is_taken)).increment(0);
    }
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

pub(super) fn set(gauge: &Gauge, value: u64) {
    gauge.set(float(value));
}

#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    reason = "gauges are floats; 53 bits of bytes are enough"
)]
pub(super) const fn float(value: u64) -> f64 {
    value as f64
}
