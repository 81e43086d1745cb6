//! Two tables: what each server gave in each scenario, and what came of each claim.

use std::fmt::{self, Write as _};

use crate::budgets::{BUDGETS, NOISE_RATIO, Run, Verdict};
use crate::environment::Environment;
use crate::measure::Measurement;
use crate::servers::Kind;
use crate::stats::ms;

/// The report of a run.
pub(crate) fn to_markdown(run: &Run, environment: &Environment) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    write_all(&mut text, run, environment).ok();
    text
}

fn write_all(text: &mut String, run: &Run, environment: &Environment) -> fmt::Result {
    let Environment { date, commit, machine, programs, dataset } = environment;
    writeln!(text, "- Date and commit: {date}, {commit}")?;
    writeln!(text, "- Machine: {machine}")?;
    writeln!(text, "- Programs: {}", programs.join("; "))?;
    writeln!(text, "- Images: {dataset}\n")?;
    writeln!(
        text,
        "| scenario | server | CPU ms a request | to static | to iipsrv | requests/s | p50 ms | \
         p99 ms | kB an answer | peak MiB | requests | errors |"
    )?;
    writeln!(text, "| --- | --- |{}", " ---: |".repeat(10))?;
    for measured in &run.0 {
        write_row(text, run, measured)?;
    }
    write_budgets(text, run)
}

fn write_row(text: &mut String, run: &Run, measured: &Measurement) -> fmt::Result {
    let kilobytes = measured.body_bytes / 1000 / u64::from(measured.request_count.max(1));
    writeln!(
        text,
        "| {} | {} | {:.3} | {} | {} | {:.0} | {:.2} | {:.2} | {kilobytes} | {} | {} | {} |",
        measured.scenario,
        measured.kind.name(),
        measured.cpu_ms(),
        times(run.cpu_ratio(measured, Kind::Floor)),
        times(run.cpu_ratio(measured, Kind::Peer)),
        measured.requests_per_s(),
        ms(measured.p50),
        ms(measured.p99),
        measured.resident_peak_bytes >> 20,
        measured.request_count,
        measured.error_count,
    )
}

fn write_budgets(text: &mut String, run: &Run) -> fmt::Result {
    let noise_percent = NOISE_RATIO * 100.0;
    writeln!(text, "\nBudgets (up to {noise_percent:.0} % over is noise and counts as met):\n")?;
    writeln!(text, "| scenario | budget | ratio at most | Tessera, IIIF | Tessera, IIP |")?;
    writeln!(text, "| --- | --- | ---: | --- | --- |")?;
    for budget in BUDGETS.iter().filter(|budget| run.has(budget.scenario)) {
        writeln!(
            text,
            "| {} | {} | {:.2} | {} | {} |",
            budget.scenario,
            budget.text,
            budget.ratio_max,
            verdict(run.judge(budget, Kind::TesseraIiif)),
            verdict(run.judge(budget, Kind::TesseraIip)),
        )?;
    }
    Ok(())
}

fn verdict(verdict: Verdict) -> String {
    match verdict {
        Verdict::Met(ratio) => format!("{ratio:.2}, met"),
        Verdict::Missed(ratio) => format!("{ratio:.2}, **missed**"),
        Verdict::NotJudged => "not judged".to_owned(),
    }
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::tests::measured;

    #[test]
    fn every_figure_stands_beside_floor_peer_and_budget() {
        let run = Run(vec![
            measured("hot tiles", Kind::Floor, 50),
            measured("hot tiles", Kind::TesseraIip, 100),
            measured("hot tiles", Kind::Peer, 2000),
        ]);
        let environment = Environment {
            date: "2026-01-01".to_owned(),
            commit: "0123456789".to_owned(),
            machine: "a machine".to_owned(),
            programs: vec!["a".to_owned(), "b".to_owned()],
            dataset: "an image".to_owned(),
        };
        let text = to_markdown(&run, &environment);
        for line in [
            "- Programs: a; b",
            "| hot tiles | Tessera, IIP | 0.100 | 2.00 | 0.05 | 1000 | 1.00 | 2.00 | 9 | 30 | 1000 | 0 |",
            "| hot tiles | at most 1.5x the static file | 1.50 | not judged | 2.00, **missed** |",
            "| hot tiles | a tenth of iipsrv + nginx | 0.10 | not judged | 0.05, met |",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nnot in\n{text}");
        }
    }
}
