//! What the system says of this process, under the names that Prometheus' own clients use.
//!
//! # Source
//! `proc_pid_stat(5)`, `proc_pid_limits(5)`.

use std::fs;

use metrics::{counter, gauge};

use crate::metrics::gauges::{float, set};

/// What the system tells of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct ProcessState {
    /// Processor time, user and system, in ticks of the clock.
    cpu_ticks: u64,
    threads: u64,
    /// Start, in ticks since the machine started.
    start_ticks: u64,
    virtual_bytes: u64,
    resident_pages: u64,
}

impl ProcessState {
    /// As it is now; nothing where there is no `/proc`.
    fn now() -> Option<Self> {
        Self::parse(&fs::read_to_string("/proc/self/stat").ok()?)
    }

    /// Reads a line of `stat`. The second field is the program's name in brackets, which may hold anything.
    fn parse(line: &str) -> Option<Self> {
        let (_, fields) = line.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        // The manual counts from 1, and the first two are gone.
        let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
        Some(Self {
            cpu_ticks: field(14)? + field(15)?,
            threads: field(20)?,
            start_ticks: field(22)?,
            virtual_bytes: field(23)?,
            resident_pages: field(24)?,
        })
    }
}

/// Sets the metrics of the process; its resident memory in bytes, or 0 where nothing tells.
pub(super) fn observe() -> u64 {
    let Some(state) = ProcessState::now() else { return 0 };
    let tick_s = 1.0 / float(rustix::param::clock_ticks_per_second());
    let page_bytes = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
    let resident_bytes = state.resident_pages * page_bytes;
    // The exporter's counters are whole numbers.
    counter!("process_cpu_seconds_total")
        .absolute(state.cpu_ticks / rustix::param::clock_ticks_per_second().max(1));
    set(&gauge!("process_resident_memory_bytes"), resident_bytes);
    set(&gauge!("process_virtual_memory_bytes"), state.virtual_bytes);
    set(&gauge!("process_threads"), state.threads);
    set(&gauge!("process_open_fds"), open_files());
    set(&gauge!("process_max_fds"), files_max().unwrap_or(0));
    let started_s = boot_time_s().unwrap_or(0);
    gauge!("process_start_time_seconds").set(float(started_s) + float(state.start_ticks) * tick_s);
    resident_bytes
}

fn open_files() -> u64 {
    let listed = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    // The listing itself has one open.
    u64::try_from(listed.saturating_sub(1)).unwrap_or(0)
}

fn files_max() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

fn boot_time_s() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_have_any_name() {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 5 0 0 0 20 30 0 0 20 0 9 0 4000 8192 3 18446744";
        let expected = ProcessState {
            cpu_ticks: 50,
            threads: 9,
            start_ticks: 4000,
            virtual_bytes: 8192,
            resident_pages: 3,
        };
        assert_eq!(ProcessState::parse(line), Some(expected));
        assert_eq!(ProcessState::parse("7 (a"), None);
    }

    #[test]
    fn this_process_runs() {
        assert!(0 < ProcessState::now().unwrap().threads);
        assert!(files_max().unwrap() != 0 && boot_time_s().unwrap() != 0 && open_files() != 0);
    }
}
