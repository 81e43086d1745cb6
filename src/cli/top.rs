//! `tessera top`: what a running server does, in a terminal, as its admin listener tells it; printed once
//! where there is no terminal.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::cli::CliError;
use crate::cli::http_client::{self, ClientError};

/// Images of each list that are shown.
const IMAGES_SHOWN: usize = 8;

/// Clears the screen and goes to its top (ECMA-48: ED, CUP).
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// What to show.
#[derive(Clone, Debug, Args)]
#[command(about = "Shows what a running server does, by its admin listener, until interrupted")]
pub(super) struct TopArgs {
    /// Host and port of the admin listener
    #[arg(default_value = "127.0.0.1:8183")]
    address: String,
    /// What the setting `server.admin_token` is, where it is set
    #[arg(long, default_value = "")]
    token: String,
    /// Seconds between two looks
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every_s: u64,
}

pub(super) fn run(args: &TopArgs) -> Result<ExitCode, CliError> {
    let mut before = None;
    loop {
        let look = look(args)?;
        let text = page(&look, before.as_ref(), args);
        let mut out = io::stdout().lock();
        if !out.is_terminal() {
            out.write_all(text.as_bytes())?;
            return Ok(ExitCode::SUCCESS);
        }
        write!(out, "{CLEAR}{text}")?;
        out.flush()?;
        drop(out);
        before = Some(look);
        thread::park_timeout(Duration::from_secs(args.every_s));
    }
}

/// What the server says at one moment.
struct Look {
    shards: Value,
    images: Value,
    requests: f64,
    refused: f64,
}

fn look(args: &TopArgs) -> Result<Look, ClientError> {
    let get = |path: &str| http_client::get(&args.address, path, &args.token);
    let json = |path: &str| {
        let body = get(path)?;
        serde_json::from_slice(&body).map_err(|source| ClientError::Json { source })
    };
    let metrics = String::from_utf8_lossy(&get("/metrics")?).into_owned();
    Ok(Look {
        shards: json("/shards")?,
        images: json("/images")?,
        requests: sum(&metrics, "tessera_requests_total{"),
        refused: sum(&metrics, "tessera_shed_total{"),
    })
}

/// The sum of a counter over its series.
fn sum(metrics: &str, series: &str) -> f64 {
    let lines = metrics.lines().filter(|line| line.starts_with(series));
    lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn page(now: &Look, before: Option<&Look>, args: &TopArgs) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _infallible = write_page(&mut out, now, before, args);
    out
}

fn write_page(
    out: &mut String,
    now: &Look,
    before: Option<&Look>,
    args: &TopArgs,
) -> std::fmt::Result {
    writeln!(out, "tessera at {}: {} requests so far", args.address, now.requests)?;
    if let Some(before) = before {
        let a_second = |now: f64, before: f64| {
            (now - before) / Duration::from_secs(args.every_s).as_secs_f64()
        };
        let (requests, refused) =
            (a_second(now.requests, before.requests), a_second(now.refused, before.refused));
        writeln!(out, "{requests:.0} requests/s, {refused:.0} refused/s")?;
    }
    let shards = &now.shards;
    let (requests, open) = (at(shards, "/requests"), at(shards, "/images_open"));
    writeln!(out, "{requests} under way, {open} images open\n")?;
    for lane in ["cheap", "dear"] {
        let state = at(shards, &format!("/lanes/{lane}"));
        let mib = at(state, "/bytes_in_decode").as_u64().unwrap_or(0) >> 20;
        let waiting = at(state, "/waiting");
        write!(out, "{lane:<6} {mib:>6} MiB in work {waiting:>4} waiting for room ")?;
        for pool in list(at(shards, "/pools")) {
            let jobs = at(pool, &format!("/{lane}"));
            write!(out, " {} {jobs}", text(at(pool, "/pool")))?;
        }
        writeln!(out)?;
    }
    images(out, "asked for most", at(&now.images, "/hottest"), "requests")?;
    images(out, "taking most time", at(&now.images, "/slowest"), "total_us")?;
    images(out, "in trouble", at(&now.images, "/in_trouble"), "failures")
}

fn images(out: &mut String, title: &str, rows: &Value, weight: &str) -> std::fmt::Result {
    writeln!(out, "\n{title}, {weight}:")?;
    for row in list(rows).iter().take(IMAGES_SHOWN) {
        let weight = at(row, &format!("/{weight}"));
        let (image, reason) = (text(at(row, "/image")), text(at(row, "/reason")));
        writeln!(out, "{weight:>12}  {image} {reason}")?;
    }
    Ok(())
}

/// What stands at a place of an answer; null where there is nothing.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text without what a terminal would act on.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_their_series() {
        let metrics = "a_total{x=\"1\"} 2\na_total{x=\"2\"} 3\nab_total{} 9\n# a_total{} 9\n";
        assert!((sum(metrics, "a_total{") - 5.0).abs() < 1e-9);
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(text(&Value::from("a\u{1b}[2Jb")), "a[2Jb");
    }
}
