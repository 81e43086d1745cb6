//! Which requests are recorded: a share of them by the trace's number, so that every server that sees the
//! trace decides alike; and those whose asker records them, up to a limit, because anybody can say so.
//!
//! # Source
//! OpenTelemetry, Trace SDK, `TraceIdRatioBased` and `ParentBased`.

use std::time::{Duration, Instant};

use crate::telemetry::traces::context::{Parent, TraceContext};

/// Over which time [`Sampler::parents_per_s_max`] counts.
const WINDOW: Duration = Duration::from_secs(1);

/// How it is decided, and how many askers were obeyed in this second.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    window: Option<(Instant, u32)>,
}

/// What it is decided by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// The share of traces that begin here, 0 to 1.
    pub(super) ratio: f64,
    /// Askers that are obeyed in a second; above, their traces count as if they began here.
    pub(super) parents_per_s_max: u32,
}

impl Sampler {
    /// Whether a request is recorded.
    pub(super) fn decide(
        &mut self,
        rule: Rule,
        (context, parent): (&TraceContext, Option<Parent>),
        now: Instant,
    ) -> bool {
        match parent {
            Some(parent) if !parent.is_sampled() => false,
            Some(_) if self.takes_one_more(rule.parents_per_s_max, now) => true,
            Some(_) | None => is_in_share(context.trace_id, rule.ratio),
        }
    }

    fn takes_one_more(&mut self, per_window_max: u32, now: Instant) -> bool {
        let (since, taken) = match self.window {
            Some((since, taken)) if now.saturating_duration_since(since) < WINDOW => (since, taken),
            _ => (now, 0),
        };
        let takes = taken < per_window_max;
        self.window = Some((since, taken + u32::from(takes)));
        takes
    }
}

/// Whether the low half of a trace's number lies in the lower share of all such numbers.
#[expect(
    clippy::cast_precision_loss,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "the low half of the number is meant, and a share needs no more than 53 bits of it"
)]
fn is_in_share(trace_id: u128, ratio: f64) -> bool {
    let low = trace_id as u64;
    (low as f64) < ratio * (u64::MAX as f64) || 1.0 <= ratio
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Rule = Rule { ratio: 0.0, parents_per_s_max: 0 };

    fn parent(flags: &str) -> Option<Parent> {
        Parent::parse(&format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}"))
    }

    fn decide(sampler: &mut Sampler, rule: Rule, parent: Option<Parent>, now: Instant) -> bool {
        sampler.decide(rule, (&TraceContext::new(parent), parent), now)
    }

    #[test]
    fn a_share_of_traces_is_recorded_and_each_is_decided_upon_alike() {
        let (mut sampler, now) = (Sampler::default(), Instant::now());
        let rule = Rule { ratio: 0.25, ..NONE };
        let taken = (0..4000).filter(|_| decide(&mut sampler, rule, None, now)).count();
        assert!((800..1200).contains(&taken), "{taken} of 4000");
        for id in [1, 1 << 70, u128::from(u64::MAX / 5), u128::MAX] {
            assert_eq!(is_in_share(id, 0.25), is_in_share(id ^ (1 << 100), 0.25), "{id}");
        }
        for (ratio, taken) in [(0.0, 0), (1.0, 100)] {
            let rule = Rule { ratio, ..NONE };
            let found = (0..100).filter(|_| decide(&mut sampler, rule, None, now)).count();
            assert_eq!(found, taken, "{ratio}");
        }
        assert!(is_in_share(u128::MAX, 1.0) && !is_in_share(0, 0.0));
    }

    #[test]
    fn askers_are_obeyed_up_to_a_limit_a_second() {
        let (mut sampler, now) = (Sampler::default(), Instant::now());
        let rule = Rule { ratio: 0.0, parents_per_s_max: 3 };
        let obeyed = |sampler: &mut Sampler, now| {
            (0..10).filter(|_| decide(sampler, rule, parent("01"), now)).count()
        };
        assert_eq!(obeyed(&mut sampler, now), 3);
        assert_eq!(obeyed(&mut sampler, now + WINDOW / 2), 0);
        assert_eq!(obeyed(&mut sampler, now + WINDOW), 3);
        let all = Rule { ratio: 1.0, parents_per_s_max: 3 };
        assert!(!decide(&mut sampler, all, parent("00"), now), "who records nothing is obeyed too");
        assert!(
            decide(&mut sampler, all, parent("01"), now + WINDOW),
            "above it, the share counts"
        );
    }
}
