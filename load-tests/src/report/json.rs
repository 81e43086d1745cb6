//! The figures in full precision, for programs that compare runs.

use serde_json::{Value, json};

use crate::budgets::{BUDGETS, Run, Verdict};
use crate::environment::Environment;
use crate::measure::Measurement;
use crate::servers::Kind;
use crate::stats::ms;

/// Raised when a field changes its name or meaning.
const SCHEMA_VERSION: u32 = 1;

/// The report of a run.
pub(crate) fn to_json(run: &Run, environment: &Environment) -> Value {
    json!({
        "schema": SCHEMA_VERSION,
        "date": environment.date,
        "commit": environment.commit,
        "machine": environment.machine,
        "programs": environment.programs,
        "dataset": environment.dataset,
        "measurements": run.0.iter().map(measurement).collect::<Vec<_>>(),
        "budgets": BUDGETS.iter().map(|budget| json!({
            "scenario": budget.scenario,
            "budget": budget.text,
            "ratio_max": budget.ratio_max,
            "tessera_iiif": verdict(run.judge(budget, Kind::TesseraIiif)),
            "tessera_iip": verdict(run.judge(budget, Kind::TesseraIip)),
        })).collect::<Vec<_>>(),
    })
}

fn measurement(measured: &Measurement) -> Value {
    json!({
        "scenario": measured.scenario,
        "server": measured.kind.name(),
        "passes": measured.pass_count,
        "requests": measured.request_count,
        "errors": measured.error_count,
        "first_error": measured.first_error,
        "cpu_ms_per_request": measured.cpu_ms(),
        "cpu_s": measured.cpu.as_secs_f64(),
        "wall_s": measured.wall.as_secs_f64(),
        "requests_per_s": measured.requests_per_s(),
        "latency_ms_p50": ms(measured.p50),
        "latency_ms_p99": ms(measured.p99),
        "latency_ms_max": ms(measured.slowest),
        "resident_peak_bytes": measured.resident_peak_bytes,
        "body_bytes": measured.body_bytes,
    })
}

fn verdict(verdict: Verdict) -> Value {
    match verdict {
        Verdict::Met(ratio) => json!({ "ratio": ratio, "met": true }),
        Verdict::Missed(ratio) => json!({ "ratio": ratio, "met": false }),
        Verdict::NotJudged => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::tests::measured;

    #[test]
    fn figures_and_verdicts_are_numbers() {
        let value = measurement(&measured("hot tiles", Kind::Peer, 250));
        assert_eq!(value["cpu_ms_per_request"], 0.25);
        assert_eq!(value["server"], "iipsrv x 2 + nginx, IIP");
        assert_eq!(verdict(Verdict::Missed(2.0))["met"], false);
    }
}
