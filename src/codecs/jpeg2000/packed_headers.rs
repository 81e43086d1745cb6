//! Headers of packets that stand apart from their bodies: all of them in the main header (`PPM`), or those
//! of a tile-part in its own (`PPT`).
//!
//! # Source
//! T.800, A.7.4 and A.7.5.

use std::ops::Range;

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::malformed;
use crate::codecs::number::usize_of;

/// What `PPM` segments hold.
#[derive(Debug)]
pub(super) struct PackedHeaders {
    bytes: Vec<u8>,
    /// Those of each tile-part, in the order of the file.
    parts: Vec<Range<usize>>,
}

impl PackedHeaders {
    /// Takes the segments apart; of what breaks off there is nothing.
    ///
    /// # Errors
    /// As [`joined`].
    pub(super) fn read(segments: Vec<Vec<u8>>) -> Result<Self, CodecError> {
        let bytes = joined("PPM", segments)?;
        let (mut parts, mut start) = (Vec::new(), 0);
        while let Some(length) = bytes.get(start..).and_then(|rest| rest.first_chunk()) {
            let own = start + length.len();
            let end = own.saturating_add(usize_of(u32::from_be_bytes(*length)));
            if bytes.len() < end {
                break;
            }
            parts.push(own..end);
            start = end;
        }
        Ok(Self { bytes, parts })
    }

    /// Those of a tile-part, by its number in the order of the file.
    pub(super) fn of_part(&self, number: usize) -> &[u8] {
        let range = self.parts.get(number).cloned().unwrap_or_default();
        self.bytes.get(range).unwrap_or_default()
    }
}

/// Joins what segments hold behind the first byte of each, which is its number.
///
/// # Errors
/// `Malformed` where two have one number, or one has none.
pub(super) fn joined(
    marker: &'static str,
    mut segments: Vec<Vec<u8>>,
) -> Result<Vec<u8>, CodecError> {
    segments.sort();
    let mut bytes = Vec::new();
    let mut last = None;
    for segment in &segments {
        let Some((number, rest)) =
            segment.split_first().filter(|(number, _)| last < Some(**number))
        else {
            return Err(malformed(format!("{marker}: a segment whose number is not its own")));
        };
        last = Some(*number);
        bytes.extend_from_slice(rest);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_over_the_ends_of_segments_in_the_order_of_their_numbers() {
        let segments = vec![vec![1, 7, 8, 0, 0, 0, 0, 0, 0], vec![0, 0, 0, 0, 3, 6]];
        let headers = PackedHeaders::read(segments).unwrap();
        assert_eq!(headers.of_part(0), [6, 7, 8]);
        assert!(headers.of_part(1).is_empty() && headers.of_part(2).is_empty());
        assert_eq!(headers.parts.len(), 2);
    }

    #[test]
    fn what_breaks_off_is_not_there_and_numbers_are_given_once() {
        let lying = PackedHeaders::read(vec![vec![0, 0, 0, 0, 1, 9, 0xff, 0xff, 0xff, 0xff, 1]]);
        let headers = lying.unwrap();
        assert_eq!((headers.of_part(0), headers.of_part(1)), (&[9][..], &[][..]));
        joined("PPT", vec![vec![3, 1], vec![3, 2]]).unwrap_err();
        joined("PPT", vec![vec![]]).unwrap_err();
        assert_eq!(joined("PPT", vec![vec![3, 1], vec![0]]).unwrap(), [1]);
    }
}
