//! Viewers beside a crawler swarm: how long tiles take while others ask for full-size images without
//! pause, against how long they take alone; the same for the peer, in the same run.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::ask::{Ask, Syntax};
use crate::client::Connection;
use crate::drive::{Job, Pass, drive};
use crate::error::LoadError;
use crate::interrupt;
use crate::pyramid::Image;
use crate::scenarios;
use crate::servers::{Kind, Rig};
use crate::stats::{ms, percentile};
use crate::tools::progress;

/// Connections of viewers: what a browser opens to one host.
const VIEWER_CONNECTIONS: usize = 6;

/// Crawlers that ask at the same time.
const CRAWLER_COUNT: u32 = 16;

/// Width of what crawlers ask for: the largest that both servers allow unless told otherwise.
const FULL_WIDTH_PX: u32 = 5000;

/// How long viewers may take in all; past it no tile is asked for, and what was is judged.
const WALL_MAX: Duration = Duration::from_mins(4);

/// Visits a second that are prepared where viewers have a time: 24,000 requests, more than any server
/// answers here.
const VISITS_PER_S: usize = 240;

/// How many times as long a tile may take while the swarm is there (99th percentile).
const SLOWDOWN_MAX: f64 = 2.0;

/// How long viewers look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sessions {
    visit_count: usize,
    wall_max: Duration,
}

impl Sessions {
    /// Until they have seen all of these visits.
    pub(crate) const fn of(visit_count: usize) -> Self {
        Self { visit_count, wall_max: WALL_MAX }
    }

    /// For so long, however much they see.
    pub(crate) fn lasting_s(seconds: u64) -> Self {
        let visit_count = usize::try_from(seconds).unwrap_or(0).saturating_mul(VISITS_PER_S);
        Self { visit_count, wall_max: Duration::from_secs(seconds) }
    }
}

/// What one server did.
#[derive(Debug)]
pub(crate) struct Beside {
    server: &'static str,
    alone: Pass,
    /// Processor time that one request of viewers took alone.
    alone_cpu_ms: f64,
    swarmed: Pass,
    exports_served: u32,
    exports_refused: u32,
}

/// Measures Tessera, and the peer unless it was left out.
///
/// # Errors
/// Where a server does not start, or Ctrl-C was pressed.
pub(crate) fn measure(rig: &Rig, sessions: Sessions) -> Result<Vec<Beside>, LoadError> {
    let kinds = rig.kinds().into_iter().filter(|kind| kind.syntax() == Syntax::Iip);
    let mut measured = Vec::new();
    for kind in kinds {
        progress(&format!("{}: viewers alone", kind.name()));
        let alone = alone(rig, kind, sessions)?;
        progress(&format!("{}: viewers beside {CRAWLER_COUNT} crawlers", kind.name()));
        measured.push(beside(rig, kind, alone, sessions)?);
        interrupt::check()?;
    }
    Ok(measured)
}

/// Viewers with a server of their own, and the processor time that each request took.
fn alone(rig: &Rig, kind: Kind, sessions: Sessions) -> Result<(Pass, f64), LoadError> {
    let running = rig.start(kind)?;
    let before = running.usage()?.cpu;
    let pass = viewers(running.address, sessions)?;
    let used = running.usage()?.cpu.saturating_sub(before);
    let cpu_ms = ms(used) / f64::from(pass.sent_count.max(1));
    Ok((pass, cpu_ms))
}

fn beside(
    rig: &Rig,
    kind: Kind,
    (alone, alone_cpu_ms): (Pass, f64),
    sessions: Sessions,
) -> Result<Beside, LoadError> {
    let running = rig.start(kind)?;
    let done = AtomicBool::new(false);
    let [answers, refusals] = [(); 2].map(|()| AtomicU32::new(0));
    let swarmed = thread::scope(|scope| {
        for number in 0..CRAWLER_COUNT {
            let (done, answers, refusals, address) = (&done, &answers, &refusals, running.address);
            scope.spawn(move || {
                crawl(address, number, done, |status| {
                    let counter = if status == 200 { answers } else { refusals };
                    counter.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
        let swarmed = viewers(running.address, sessions);
        done.store(true, Ordering::Relaxed);
        // Crawlers wait for answers that nobody needs any more.
        drop(running);
        swarmed
    })?;
    let (exports_served, exports_refused) = (answers.into_inner(), refusals.into_inner());
    let server = kind.name();
    Ok(Beside { server, alone, alone_cpu_ms, swarmed, exports_served, exports_refused })
}

/// Sessions of viewers, each visit in its order.
fn viewers(address: SocketAddr, sessions: Sessions) -> Result<Pass, LoadError> {
    let asks = scenarios::visits(sessions.visit_count);
    let jobs: Vec<Job> = asks.into_iter().map(|ask: Ask| Job::new(ask, Syntax::Iip)).collect();
    let mut pass = drive(address, &jobs, VIEWER_CONNECTIONS, sessions.wall_max)?;
    pass.latencies.sort_unstable();
    Ok(pass)
}

/// One crawler: full-size images, no two alike, without pause.
fn crawl(address: SocketAddr, number: u32, done: &AtomicBool, report: impl Fn(u16)) {
    let mut count = number;
    while !done.load(Ordering::Relaxed) && !interrupt::requested() {
        count += CRAWLER_COUNT;
        let image = if count.is_multiple_of(2) { Image::Jpeg } else { Image::Deflate };
        let left = f64::from(count % 9000) / 1e5;
        let target = format!(
            "/iip?FIF={}&RGN={left:.5},0,0.9,1&WID={FULL_WIDTH_PX}&CVT=jpeg",
            image.file_name()
        );
        let answered = Connection::open(address)
            .and_then(|mut connection| connection.get(&target).map(|(status, _)| status));
        report(answered.unwrap_or(0));
    }
}

impl Beside {
    fn p99(pass: &Pass) -> f64 {
        ms(percentile(&pass.latencies, 990))
    }

    fn slowdown(&self) -> f64 {
        Self::p99(&self.swarmed) / Self::p99(&self.alone)
    }

    /// What Tessera promises and does not keep.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if SLOWDOWN_MAX < self.slowdown() {
            faults.push(format!(
                "tiles take {:.1} times as long beside the swarm, not {SLOWDOWN_MAX:.1}",
                self.slowdown()
            ));
        }
        if let Some(error) = &self.swarmed.first_error {
            faults.push(format!("{} viewers' errors: {error}", self.swarmed.error_count));
        }
        faults
    }
}

/// What Tessera promises and does not keep, in words.
pub(crate) fn faults(measured: &[Beside]) -> Vec<String> {
    let ours = measured.iter().filter(|beside| beside.server == Kind::TesseraIip.name());
    ours.flat_map(Beside::faults).collect()
}

/// The table for the report.
pub(crate) fn to_markdown(measured: &[Beside]) -> String {
    let mut out = "| server | tiles alone | CPU ms a tile | tiles beside | p50 alone, ms | p50 beside | p99 alone, ms | p99 beside | times | viewers' errors | exports served | refused |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n".to_owned();
    for beside in measured {
        let p50 = |pass: &Pass| ms(percentile(&pass.latencies, 500));
        // Writing to a String cannot fail.
        let _infallible = writeln!(
            out,
            "| {} | {} | {:.3} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {} | {} | {} |",
            beside.server,
            beside.alone.sent_count,
            beside.alone_cpu_ms,
            beside.swarmed.sent_count,
            p50(&beside.alone),
            p50(&beside.swarmed),
            Beside::p99(&beside.alone),
            Beside::p99(&beside.swarmed),
            beside.slowdown(),
            beside.swarmed.error_count,
            beside.exports_served,
            beside.exports_refused,
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(slowest_ms: u64) -> Pass {
        let latencies = (1..=100).map(|it| Duration::from_millis(it * slowest_ms / 100)).collect();
        Pass { latencies, sent_count: 100, ..Pass::default() }
    }

    fn server(swarmed: Pass) -> Beside {
        let server = Kind::TesseraIip.name();
        let (alone, alone_cpu_ms) = (pass(100), 0.5);
        Beside { server, alone, alone_cpu_ms, swarmed, exports_served: 3, exports_refused: 4 }
    }

    #[test]
    fn a_tile_that_takes_twice_as_long_is_well_and_more_is_a_fault() {
        assert!(faults(&[server(pass(200))]).is_empty());
        assert_eq!(faults(&[server(pass(300))]).len(), 1);
        let broken = Pass { error_count: 1, first_error: Some("503".to_owned()), ..pass(100) };
        assert_eq!(faults(&[server(broken)]), ["1 viewers' errors: 503"]);
        assert!(to_markdown(&[server(pass(200))]).contains("| 99.0 | 198.0 | 2.00 | 0 | 3 | 4 |"));
    }
}
