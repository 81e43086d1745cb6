//! `tessera replay`: asks a server again for what an access log tells of, as fast as it came or faster, so
//! that operators size with their own traffic.

mod log;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::CliError;
use crate::cli::http_client;

use log::Line;

/// Lines of a log that are taken at most: some gigabytes of it.
const LINES_MAX: usize = 10_000_000;

/// What to ask again, and of whom.
#[derive(Clone, Debug, Args)]
#[command(about = "Asks a server again for what an access log tells of, and says how long it took")]
pub(super) struct ReplayArgs {
    /// The access log, in text or JSON, as `tessera serve` writes it
    log: PathBuf,
    /// The server, such as <http://127.0.0.1:8182>
    #[arg(long, value_name = "URL")]
    to: String,
    /// How many times as fast as the log; 0: as fast as the server answers
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
    /// Requests under way at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse::<f64>().ok().filter(|speed| (0.0..=1e6).contains(speed));
    speed.ok_or_else(|| "a number from 0 to 1000000".to_owned())
}

pub(super) fn run(args: &ReplayArgs) -> Result<ExitCode, CliError> {
    let lines = read(args)?;
    let address = args.to.strip_prefix("http://").unwrap_or(&args.to).trim_end_matches('/');
    let bar = bar(lines.len());
    let started = Instant::now();
    let outcomes = replay(&lines, address, args, &bar);
    bar.finish_and_clear();
    let summary = Summary::of(&outcomes, started.elapsed());
    io::stdout().lock().write_all(summary.to_string().as_bytes())?;
    // A log without requests, or a server that is not there, is no replay.
    Ok(ExitCode::from(u8::from(summary.answered() == 0)))
}

fn read(args: &ReplayArgs) -> Result<Vec<Line>, CliError> {
    let path = args.log.display().to_string();
    let file =
        File::open(&args.log).map_err(|source| CliError::Log { path: path.clone(), source })?;
    let mut lines = Vec::new();
    for line in BufReader::new(file).lines().take(LINES_MAX) {
        let line = line.map_err(|source| CliError::Log { path: path.clone(), source })?;
        lines.extend(log::parse(&line));
    }
    // Lines are written when answers end; those of one second stay in their order.
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

fn bar(length: usize) -> ProgressBar {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    if !io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta} left");
    ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What became of a request: its status, or nothing, and the time it took.
type Outcome = (Option<u16>, Duration);

/// Asks for all lines, each when it is due.
fn replay(lines: &[Line], address: &str, args: &ReplayArgs, bar: &ProgressBar) -> Vec<Outcome> {
    let due = log::schedule(lines, args.speed);
    let (next, started) = (AtomicUsize::new(0), Instant::now());
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let (Some(line), Some(due)) = (lines.get(at), due.get(at)) else { return outcomes };
            wait_until(started + *due);
            let asked = Instant::now();
            let answer = http_client::ask(address, &line.target, "");
            outcomes.push((answer.ok().map(|answer| answer.status), asked.elapsed()));
            bar.inc(1);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..args.connections).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn wait_until(due: Instant) {
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    {
        thread::park_timeout(left);
    }
}

/// What a replay comes to.
struct Summary {
    statuses: BTreeMap<String, usize>,
    /// Of all answers, sorted.
    latencies: Vec<Duration>,
    wall: Duration,
}

impl Summary {
    fn of(outcomes: &[Outcome], wall: Duration) -> Self {
        let mut statuses = BTreeMap::new();
        for (status, _) in outcomes {
            let status = status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            *statuses.entry(status).or_insert(0) += 1;
        }
        let answered = outcomes.iter().filter(|(status, _)| status.is_some());
        let mut latencies: Vec<Duration> = answered.map(|(_, took)| *took).collect();
        latencies.sort_unstable();
        Self { statuses, latencies, wall }
    }

    const fn answered(&self) -> usize {
        self.latencies.len()
    }

    /// The least time that `per_mille` thousandths of all answers did not exceed.
    fn quantile(&self, per_mille: usize) -> Duration {
        let rank = (self.latencies.len() * per_mille).div_ceil(1000).max(1);
        self.latencies.get(rank - 1).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wall_s = self.wall.as_secs_f64();
        let answered = u32::try_from(self.answered()).unwrap_or(u32::MAX);
        let a_second = if wall_s > 0.0 { f64::from(answered) / wall_s } else { 0.0 };
        writeln!(f, "{answered} answers in {wall_s:.1} s, {a_second:.1} a second")?;
        for (status, count) in &self.statuses {
            writeln!(f, "{status:>10} {count}")?;
        }
        for (name, per_mille) in [("p50", 500), ("p90", 900), ("p99", 990), ("slowest", 1000)] {
            let ms = self.quantile(per_mille).as_secs_f64() * 1e3;
            writeln!(f, "{name:>10} {ms:.1} ms")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_statuses_and_ranks_times() {
        let outcomes: Vec<Outcome> = (1..=100)
            .map(|ms| (Some(if ms == 100 { 503 } else { 200 }), Duration::from_millis(ms)))
            .chain([(None, Duration::from_mins(1))])
            .collect();
        let text = Summary::of(&outcomes, Duration::from_secs(2)).to_string();
        for part in ["100 answers in 2.0 s, 50.0 a second", "200 99\n", "503 1\n", "no answer 1\n"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.contains("p50 50.0 ms") && text.contains("slowest 100.0 ms"), "{text}");
        assert!(Summary::of(&[], Duration::ZERO).to_string().contains("0 answers"));
    }
}
