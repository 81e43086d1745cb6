//! `Fetched`: ranges of a file in memory. Those that lie close together are read at once.

use crate::codecs::flat::read_error;
use crate::codecs::jpeg2000::{JPEG_2000, malformed};
use crate::codecs::number::{usize_of, usize_of_bytes, zeroed};
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::ReadAt;

/// Bytes between two ranges that are rather read than left out.
const GAP_BYTES: u64 = 4096;

/// Bytes of some ranges.
#[derive(Debug, Default)]
pub(super) struct Fetched {
    /// In the order of the file.
    runs: Vec<Run>,
    bytes: Vec<u8>,
}

/// What was read at once.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u64,
    end: u64,
    /// Where it begins among the bytes.
    place: u64,
}

impl Fetched {
    /// Reads ranges: where each begins, and its bytes.
    ///
    /// # Errors
    /// `Malformed` where the file ends before; `OverLimit` above [`DecodeLimits::tile_bytes_max`]; `Io`.
    pub(super) fn read(
        source: &dyn ReadAt,
        mut ranges: Vec<(u64, u32)>,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        ranges.sort_unstable();
        let mut runs: Vec<Run> = Vec::new();
        for (start, len) in ranges {
            let end = start.saturating_add(len.into());
            match runs.last_mut() {
                Some(run) if start <= run.end.saturating_add(GAP_BYTES) => {
                    run.end = run.end.max(end);
                }
                _ => runs.push(Run { start, end, place: 0 }),
            }
        }
        if runs.last().is_some_and(|run| source.len_bytes() < run.end) {
            return Err(malformed("the file ends early"));
        }
        let mut total = 0_u64;
        for run in &mut runs {
            run.place = total;
            total = total.saturating_add(run.end - run.start);
        }
        let (value, limit) = (total, limits.tile_bytes_max);
        if limit < value {
            let what = "compressed bytes of an area of a JPEG 2000 image";
            return Err(CodecError::OverLimit { what, value, limit });
        }
        let mut bytes = zeroed(usize_of_bytes(total))?;
        for run in &runs {
            let place = usize_of_bytes(run.place);
            let to = bytes.get_mut(place..place + usize_of_bytes(run.end - run.start));
            let to = to.unwrap_or_default();
            source.read_exact_at(to, run.start).map_err(|error| read_error(JPEG_2000, error))?;
        }
        Ok(Self { runs, bytes })
    }

    /// A range that was read.
    pub(super) fn range(&self, (start, len): (u64, u32)) -> Option<&[u8]> {
        let after = self.runs.partition_point(|run| run.start <= start);
        let run = self.runs.get(after.checked_sub(1)?)?;
        let end = start.checked_add(len.into()).filter(|end| *end <= run.end);
        let place = usize_of_bytes(run.place + (start - run.start));
        end.and_then(|_| self.bytes.get(place..place + usize_of(len)))
    }

    /// Bytes that were read.
    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_found_again_and_no_others() {
        let source: Vec<u8> = (0..50_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let limits = DecodeLimits::default();
        let ranges = vec![(30_000, 5), (10, 20), (20, 4), (100, 7)];
        let fetched = Fetched::read(&source, ranges.clone(), &limits).unwrap();
        assert_eq!((fetched.runs.len(), fetched.len()), (2, 97 + 5));
        for (start, len) in ranges {
            let start_at = usize_of_bytes(start);
            assert_eq!(fetched.range((start, len)), source.get(start_at..start_at + usize_of(len)));
        }
        for missing in [(9, 1), (107, 1), (100, 8), (29_999, 2), (30_005, 1)] {
            assert_eq!(fetched.range(missing), None, "{missing:?}");
        }
        let error = Fetched::read(&source, vec![(49_999, 2)], &limits).unwrap_err();
        assert!(matches!(error, CodecError::Malformed { .. }));
        let limits = DecodeLimits { tile_bytes_max: 4, ..limits };
        let error = Fetched::read(&source, vec![(0, 5)], &limits).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { value: 5, limit: 4, .. }));
    }
}
