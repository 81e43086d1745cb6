//! Headers of packets that stand apart from their bodies: all of them in the main header (`PPM`), cut by
//! tile-parts, or those of a tile in the headers of its tile-parts (`PPT`), of the same or an earlier one.
//!
//! # Source
//! T.800, A.7.4 and A.7.5.

use std::ops::Range;

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::segments::Segments;
use crate::codecs::number::usize_of;

/// Bytes that say how many there are of a tile-part.
const LENGTH_BYTES: u32 = 4;

/// What `PPM` segments hold.
#[derive(Debug)]
pub(super) struct PackedHeaders {
    bytes: Vec<u8>,
    /// Those of each tile-part, in the order of the file.
    parts: Vec<Range<u32>>,
}

impl PackedHeaders {
    /// Takes the segments apart, for so many tile-parts; of what breaks off there is nothing.
    ///
    /// # Errors
    /// As [`Segments::joined`].
    pub(super) fn read(segments: Segments, parts_max: usize) -> Result<Self, CodecError> {
        let bytes = segments.joined("PPM")?;
        let (mut parts, mut start) = (Vec::new(), 0_u32);
        while let Some(length) = bytes.get(usize_of(start)..).and_then(|rest| rest.first_chunk()) {
            let own = start.saturating_add(LENGTH_BYTES);
            let end = own.saturating_add(u32::from_be_bytes(*length));
            if bytes.len() < usize_of(end) || parts.len() == parts_max {
                break;
            }
            parts.push(own..end);
            start = end;
        }
        Ok(Self { bytes, parts })
    }

    /// Those of a tile-part, by its number in the order of the file.
    pub(super) fn of_part(&self, number: u32) -> &[u8] {
        let range = self.parts.get(usize_of(number)).cloned().unwrap_or_default();
        self.bytes.get(usize_of(range.start)..usize_of(range.end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_go_over_the_ends_of_segments_in_the_order_of_their_numbers() {
        let split = Segments::of(&[&[1, 7, 8, 0, 0, 0, 0, 0, 0], &[0, 0, 0, 0, 3, 6]]);
        let headers = PackedHeaders::read(split, 9).unwrap();
        assert_eq!(headers.of_part(0), [6, 7, 8]);
        assert!(headers.of_part(1).is_empty() && headers.of_part(2).is_empty());
        assert_eq!(headers.parts.len(), 2);
    }

    #[test]
    fn what_breaks_off_or_has_no_part_is_not_there() {
        let lying = Segments::of(&[&[0, 0, 0, 0, 1, 9, 0xff, 0xff, 0xff, 0xff, 1]]);
        let headers = PackedHeaders::read(lying, 9).unwrap();
        assert_eq!((headers.of_part(0), headers.of_part(1)), (&[9][..], &[][..]));
        let headers = PackedHeaders::read(Segments::of(&[&[0; 4001]]), 9).unwrap();
        assert_eq!(headers.parts.len(), 9);
    }
}
