//! Puts one scenario to one server until enough processor time has passed for the clock's ticks not
//! to matter, and sums up.

use std::time::Duration;

use crate::cpu::Usage;
use crate::drive::{Job, Pass, drive};
use crate::error::LoadError;
use crate::interrupt;
use crate::scenarios::{Scenario, State};
use crate::servers::{Kind, Rig, Running};
use crate::stats::{ms, percentile};

/// When a server has been measured long enough.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Processor time that the server is to have used: 100 ticks for each second.
    pub(crate) cpu_min: Duration,
    /// No further pass is begun, and no request sent, after this time.
    pub(crate) wall_max: Duration,
    /// No more passes than this.
    pub(crate) passes_max: u32,
    /// How often every server gets its turn in a scenario; the best turn counts.
    pub(crate) turns: u32,
}

/// What one server gave in one scenario.
#[derive(Clone, Debug)]
pub(crate) struct Measurement {
    pub(crate) scenario: &'static str,
    pub(crate) kind: Kind,
    pub(crate) pass_count: u32,
    pub(crate) request_count: u32,
    pub(crate) error_count: u32,
    pub(crate) first_error: Option<String>,
    /// Of all the server's processes, while the requests ran.
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) slowest: Duration,
    pub(crate) resident_peak_bytes: u64,
    pub(crate) body_bytes: u64,
}

impl Measurement {
    /// The judge: milliseconds of processor time a request.
    pub(crate) fn cpu_ms(&self) -> f64 {
        ms(self.cpu) / f64::from(self.request_count.max(1))
    }

    /// Requests answered a second.
    pub(crate) fn requests_per_s(&self) -> f64 {
        f64::from(self.request_count) / self.wall.as_secs_f64().max(1e-9)
    }
}

/// Measures a server in a scenario. A cold scenario has a new server for every pass.
///
/// # Errors
/// Where the server cannot be started or watched; failed requests are counted instead.
pub(crate) fn measure(
    rig: &Rig,
    kind: Kind,
    scenario: &Scenario,
    effort: Effort,
) -> Result<Measurement, LoadError> {
    let jobs: Vec<Job> = scenario.asks.iter().map(|ask| Job::new(*ask, kind.syntax())).collect();
    let run = |server: &Running, wall_max| {
        drive(server.address, &jobs, scenario.connection_count, wall_max)
    };
    let mut total = Pass::default();
    let mut used = Usage::default();
    let mut pass_count = 0;
    let mut server = rig.start(kind)?;
    if scenario.state == State::Warm {
        run(&server, effort.wall_max)?;
    }
    loop {
        let before = server.usage()?;
        total.join(run(&server, effort.wall_max.saturating_sub(total.wall))?);
        let after = server.usage()?;
        interrupt::check()?;
        used.cpu += after.cpu.saturating_sub(before.cpu);
        used.resident_peak_bytes = used.resident_peak_bytes.max(after.resident_peak_bytes);
        pass_count += 1;
        let enough = effort.cpu_min <= used.cpu || effort.wall_max <= total.wall;
        if enough || effort.passes_max <= pass_count {
            return Ok(sum_up(kind, scenario, pass_count, total, used));
        }
        if scenario.state == State::Cold {
            // The old one goes first: it has the memory and the processors.
            drop(server);
            server = rig.start(kind)?;
        }
    }
}

fn sum_up(
    kind: Kind,
    scenario: &Scenario,
    pass_count: u32,
    mut total: Pass,
    used: Usage,
) -> Measurement {
    total.latencies.sort_unstable();
    Measurement {
        scenario: scenario.name,
        kind,
        pass_count,
        request_count: total.sent_count,
        error_count: total.error_count,
        first_error: total.first_error,
        cpu: used.cpu,
        wall: total.wall,
        p50: percentile(&total.latencies, 500),
        p99: percentile(&total.latencies, 990),
        slowest: percentile(&total.latencies, 1000),
        resident_peak_bytes: used.resident_peak_bytes,
        body_bytes: total.body_bytes,
    }
}
