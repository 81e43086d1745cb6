//! `Segments`: marker segments of one kind that belong together, by the number that each begins with.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::malformed;

/// Segments of one kind in one header: each has a number of its own, in one byte.
const SEGMENTS_MAX: usize = 256;

/// Segments that belong together.
#[derive(Debug, Default)]
pub(super) struct Segments(Vec<Vec<u8>>);

impl Segments {
    /// Adds one as it stands in the file; none that has no number left.
    pub(super) fn add(&mut self, segment: &[u8]) {
        if self.0.len() < SEGMENTS_MAX {
            self.0.push(segment.to_vec());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of their numbers, which they still begin with.
    pub(super) fn sorted(mut self) -> Vec<Vec<u8>> {
        self.0.sort_by_key(|segment| segment.first().copied());
        self.0
    }

    /// What they hold behind their numbers, one after the other.
    ///
    /// # Errors
    /// `Malformed` where two have one number, or one has none.
    pub(super) fn joined(self, marker: &str) -> Result<Vec<u8>, CodecError> {
        let mut bytes = Vec::new();
        let mut last = None;
        for segment in self.sorted() {
            match segment.split_first() {
                Some((number, rest)) if last < Some(*number) => {
                    last = Some(*number);
                    bytes.extend_from_slice(rest);
                }
                _ => return Err(malformed(format!("{marker}: two segments of one number"))),
            }
        }
        Ok(bytes)
    }
}

#[cfg(test)]
impl Segments {
    /// Some for a test.
    pub(super) fn of(segments: &[&[u8]]) -> Self {
        let mut all = Self::default();
        for segment in segments {
            all.add(segment);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_segment_has_a_number_of_its_own() {
        Segments::of(&[&[3, 1], &[3, 2]]).joined("PPT").unwrap_err();
        Segments::of(&[&[]]).joined("PPT").unwrap_err();
        assert_eq!(Segments::of(&[&[3, 1], &[0]]).joined("PPT").unwrap(), [1]);
        assert_eq!(Segments::of(&[&[7][..]; SEGMENTS_MAX + 1]).sorted().len(), SEGMENTS_MAX);
    }
}
