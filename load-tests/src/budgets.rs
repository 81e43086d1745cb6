//! What Tessera claims of itself, as ratios between servers of one run: numbers of different
//! machines and days compare with nothing.

use crate::measure::Measurement;
use crate::scenarios::{
    BURST, COLD_DEFLATE, COLD_JPEG, DEFLATE_EXPORTS, DESCRIPTIONS, HOT, JPEG_EXPORTS, TRACE,
};
use crate::servers::Kind;

/// Differences below this share are noise, so a ratio this much over its budget still passes.
pub(crate) const NOISE_RATIO: f64 = 0.08;

/// What Tessera's figure is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// Processor time a request of nginx serving the same bytes as static files.
    Floor,
    /// Processor time a request of iipsrv with its nginx.
    Peer,
    /// p99 latency of iipsrv with its nginx.
    PeerP99,
    /// Tessera's own processor time a request in another scenario.
    Own(&'static str),
}

/// One claim about one scenario.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Budget {
    pub(crate) scenario: &'static str,
    pub(crate) against: Against,
    /// Largest ratio that meets the claim.
    pub(crate) ratio_max: f64,
    /// The claim in words.
    pub(crate) text: &'static str,
}

const fn budget(
    scenario: &'static str,
    against: Against,
    ratio_max: f64,
    text: &'static str,
) -> Budget {
    Budget { scenario, against, ratio_max, text }
}

const THIRD: f64 = 1.0 / 3.0;

/// All claims that this bench can judge.
pub(crate) const BUDGETS: [Budget; 11] = [
    budget(HOT, Against::Floor, 1.5, "at most 1.5x the static file"),
    budget(HOT, Against::Peer, 0.1, "a tenth of iipsrv + nginx"),
    budget(DESCRIPTIONS, Against::Peer, 0.1, "a tenth of iipsrv + nginx"),
    budget(COLD_JPEG, Against::Floor, 2.0, "at most 2x the static file"),
    budget(COLD_JPEG, Against::Peer, 1.0 / 6.0, "a sixth of iipsrv + nginx"),
    budget(COLD_DEFLATE, Against::Peer, 0.6, "0.6 of iipsrv + nginx"),
    budget(JPEG_EXPORTS, Against::Peer, THIRD, "a third of iipsrv + nginx"),
    budget(DEFLATE_EXPORTS, Against::Peer, THIRD, "a third of iipsrv + nginx"),
    budget(
        BURST,
        Against::Own(DEFLATE_EXPORTS),
        0.1,
        "one decode, one encode: a tenth of an export",
    ),
    budget(TRACE, Against::Peer, THIRD, "a third of iipsrv + nginx"),
    budget(TRACE, Against::PeerP99, THIRD, "p99 a third of iipsrv + nginx"),
];

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Within the budget, or over it by no more than noise.
    Met(f64),
    /// Over the budget.
    Missed(f64),
    /// One of the two figures was not taken.
    NotJudged,
}

/// The figures of one run.
#[derive(Debug, Default)]
pub(crate) struct Run(pub(crate) Vec<Measurement>);

impl Run {
    /// Takes in the figures of a turn. What else a machine does only adds to processor time, so of
    /// two turns the cheaper one stands; errors of either and the higher peak stay.
    pub(crate) fn keep_better(&mut self, mut turn: Measurement) {
        let same =
            |kept: &&mut Measurement| kept.scenario == turn.scenario && kept.kind == turn.kind;
        let Some(kept) = self.0.iter_mut().find(same) else {
            self.0.push(turn);
            return;
        };
        let error_count = kept.error_count + turn.error_count;
        let first_error = kept.first_error.take().or(turn.first_error.take());
        let resident_peak_bytes = kept.resident_peak_bytes.max(turn.resident_peak_bytes);
        if turn.cpu_ms() < kept.cpu_ms() {
            *kept = turn;
        }
        (kept.error_count, kept.first_error) = (error_count, first_error);
        kept.resident_peak_bytes = resident_peak_bytes;
    }

    /// The figures of a server in a scenario, where they were taken.
    pub(crate) fn find(&self, scenario: &str, kind: Kind) -> Option<&Measurement> {
        self.0.iter().find(|found| found.scenario == scenario && found.kind == kind)
    }

    /// Whether any server was measured in a scenario.
    pub(crate) fn has(&self, scenario: &str) -> bool {
        self.0.iter().any(|measured| measured.scenario == scenario)
    }

    /// The ratio of processor times a request, where both were taken.
    pub(crate) fn cpu_ratio(&self, measured: &Measurement, to: Kind) -> Option<f64> {
        let other = self.find(measured.scenario, to)?;
        ratio(measured.cpu_ms(), other.cpu_ms())
    }

    /// Holds a claim against the figures of Tessera asked in one syntax.
    pub(crate) fn judge(&self, budget: &Budget, kind: Kind) -> Verdict {
        match self.measured_ratio(budget, kind) {
            None => Verdict::NotJudged,
            Some(ratio) if ratio <= budget.ratio_max * (1.0 + NOISE_RATIO) => Verdict::Met(ratio),
            Some(ratio) => Verdict::Missed(ratio),
        }
    }

    fn measured_ratio(&self, budget: &Budget, kind: Kind) -> Option<f64> {
        let own = self.find(budget.scenario, kind)?;
        match budget.against {
            Against::Floor => self.cpu_ratio(own, Kind::Floor),
            Against::Peer => self.cpu_ratio(own, Kind::Peer),
            Against::PeerP99 => {
                let peer = self.find(budget.scenario, Kind::Peer)?;
                ratio(own.p99.as_secs_f64(), peer.p99.as_secs_f64())
            }
            Against::Own(other) => ratio(own.cpu_ms(), self.find(other, kind)?.cpu_ms()),
        }
    }

    /// Claims missed and scenarios with errors, in words; empty where all is well.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for measured in &self.0 {
            if let Some(error) = &measured.first_error {
                let (scenario, server) = (measured.scenario, measured.kind.name());
                let count = measured.error_count;
                faults.push(format!("{scenario}, {server}: {count} errors, first {error}"));
            }
        }
        for budget in &BUDGETS {
            for kind in [Kind::TesseraIiif, Kind::TesseraIip] {
                if let Verdict::Missed(ratio) = self.judge(budget, kind) {
                    let (scenario, server, text) = (budget.scenario, kind.name(), budget.text);
                    faults.push(format!("{scenario}, {server}: {ratio:.2}, claimed {text}"));
                }
            }
        }
        faults
    }
}

/// Nothing where the divisor was too small to be seen by the clock.
fn ratio(own: f64, other: f64) -> Option<f64> {
    (0.0 < other).then(|| own / other)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::time::Duration;

    /// A thousand requests that took so much processor time each.
    pub(crate) fn measured(scenario: &'static str, kind: Kind, cpu_us: u64) -> Measurement {
        Measurement {
            scenario,
            kind,
            pass_count: 1,
            request_count: 1000,
            error_count: 0,
            first_error: None,
            cpu: Duration::from_millis(cpu_us),
            wall: Duration::from_secs(1),
            p50: Duration::from_millis(1),
            p99: Duration::from_millis(2),
            slowest: Duration::from_millis(3),
            resident_peak_bytes: 30 << 20,
            body_bytes: 9_000_000,
        }
    }

    #[test]
    fn a_claim_is_met_up_to_its_budget_and_noise() {
        let floor = budget(HOT, Against::Floor, 1.5, "");
        for (cpu_us, expected) in
            [(375, Verdict::Met(1.5)), (400, Verdict::Met(1.6)), (425, Verdict::Missed(1.7))]
        {
            let run =
                Run(vec![measured(HOT, Kind::Floor, 250), measured(HOT, Kind::TesseraIip, cpu_us)]);
            assert_eq!(run.judge(&floor, Kind::TesseraIip), expected);
            assert_eq!(run.judge(&floor, Kind::TesseraIiif), Verdict::NotJudged);
        }
    }

    #[test]
    fn the_cheaper_turn_stands_and_keeps_the_errors_of_both() {
        let mut run = Run::default();
        let mut wrong = measured(HOT, Kind::Peer, 300);
        (wrong.error_count, wrong.first_error) = (2, Some("status 404".to_owned()));
        for turn in [wrong, measured(HOT, Kind::Floor, 9), measured(HOT, Kind::Peer, 200)] {
            run.keep_better(turn);
        }
        let kept = run.find(HOT, Kind::Peer).unwrap();
        assert_eq!((run.0.len(), kept.cpu, kept.error_count), (2, Duration::from_millis(200), 2));
        assert_eq!(kept.first_error.as_deref(), Some("status 404"));
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let run = Run(vec![measured(HOT, Kind::TesseraIip, 100)]);
        for claim in &BUDGETS {
            assert_eq!(run.judge(claim, Kind::TesseraIip), Verdict::NotJudged, "{claim:?}");
        }
        assert!(run.faults().is_empty());
    }

    #[test]
    fn joined_requests_are_judged_by_an_export_of_the_same_server() {
        let run = Run(vec![
            measured(DEFLATE_EXPORTS, Kind::TesseraIip, 10_000),
            measured(BURST, Kind::TesseraIip, 5_000),
        ]);
        assert_eq!(
            run.faults(),
            [
                "200 at once, Tessera, IIP: 0.50, claimed one decode, one encode: a tenth of an export"
            ]
        );
    }

    #[test]
    fn wrong_answers_are_faults_whoever_gave_them() {
        let mut wrong = measured(HOT, Kind::Peer, 100);
        (wrong.error_count, wrong.first_error) = (2, Some("/x: status 404".to_owned()));
        let expected = "hot tiles, iipsrv x 2 + nginx, IIP: 2 errors, first /x: status 404";
        assert_eq!(Run(vec![wrong]).faults(), [expected]);
    }
}
