//! Numbers over many requests.

use std::time::Duration;

/// The nearest-rank percentile of sorted values: the least one that `per_mille` thousandths of all
/// do not exceed; zero where there are none.
pub(crate) fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let rank = (sorted.len() * per_mille).div_ceil(1000).max(1);
    sorted.get(rank - 1).or(sorted.last()).copied().unwrap_or_default()
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        for (per_mille, expected_ms) in [(0, 1), (500, 100), (990, 198), (1000, 200)] {
            let expected = Duration::from_millis(expected_ms);
            assert_eq!(percentile(&values, per_mille), expected, "{per_mille}");
        }
        assert_eq!(percentile(&values[..1], 990), Duration::from_millis(1));
        assert_eq!(percentile(&[], 500), Duration::ZERO);
    }
}
