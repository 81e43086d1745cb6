//! IPTC's records (IIM): found in and put into Photoshop's frame, and what we use of them in words.
//!
//! # Source
//! IPTC-NAA Information Interchange Model 4.2, sections 1.5 and 6; Adobe Photoshop file formats, "image
//! resource blocks".

use crate::codecs::exif::text_of;
use crate::codecs::number::usize_of;
use crate::model::{Field, Metadata};

/// What a segment or tag of Photoshop's blocks begins with.
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
/// What a block begins with, and its number where it holds IPTC's records.
const BLOCK: &[u8] = b"8BIM";
const RECORDS: [u8; 2] = [4, 4];

/// Datasets of record 2, and what they say.
const DATASETS: [(u8, Field); 5] = [
    (5, Field::Title),
    (25, Field::Keywords),
    (80, Field::Creator),
    (116, Field::Rights),
    (120, Field::Description),
];

/// The records in the body of a JPEG's APP13 segment.
pub(super) fn records(segment: &[u8]) -> Option<&[u8]> {
    let mut blocks = segment.strip_prefix(PHOTOSHOP)?;
    loop {
        let block = blocks.strip_prefix(BLOCK)?;
        let (number, rest) = block.split_first_chunk::<2>()?;
        // A name with its length before it, as long as an even number.
        let name_len = usize::from(*rest.first()?) + 1;
        let (len, data) = rest.get(name_len.next_multiple_of(2)..)?.split_first_chunk::<4>()?;
        let len = usize_of(u32::from_be_bytes(*len));
        let records = data.get(..len)?;
        if *number == RECORDS {
            return Some(records).filter(|records| !records.is_empty());
        }
        blocks = data.get(len.checked_next_multiple_of(2)?..)?;
    }
}

/// The body of an APP13 segment with these records.
pub(super) fn framed(records: &[u8]) -> Vec<u8> {
    let len = u32::try_from(records.len()).unwrap_or(u32::MAX).to_be_bytes();
    let padding = if records.len().is_multiple_of(2) { &[][..] } else { &[0] };
    [PHOTOSHOP, BLOCK, &RECORDS, &[0, 0], &len, records, padding].concat()
}

/// What records say in words; several keywords are joined by commas.
pub(super) fn texts(records: &[u8]) -> Metadata {
    let mut texts = Metadata::default();
    let mut keywords: Vec<String> = Vec::new();
    let mut rest = records;
    // Marker, record, dataset, length: lengths of more than 15 bits are no texts, and end the walk.
    while let [0x1c, record, dataset, high @ 0..=0x7f, low, data @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, after)) = data.split_at_checked(len) else { break };
        rest = after;
        let field = DATASETS.iter().find(|(known, _)| *record == 2 && known == dataset);
        match field {
            Some((_, Field::Keywords)) => keywords.push(text_of(value)),
            Some((_, field)) => texts.add(*field, &text_of(value)),
            None => {}
        }
    }
    texts.add(Field::Keywords, &keywords.join(", "));
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: &[u8] =
        b"\x1c\x02\x05\0\x05Title\x1c\x02\x19\0\x01a\x1c\x02\x19\0\x02bc\x1c\x02\x74\0\x02\xa9x";

    #[test]
    fn records_are_found_behind_other_blocks_and_read() {
        let other = b"8BIM\x03\xed\x03abc\0\0\0\x03xyz\0";
        let framed = framed(LETTERS);
        let segment = [PHOTOSHOP, other, &framed[PHOTOSHOP.len()..]].concat();
        assert_eq!(records(&segment), Some(LETTERS));
        let texts = texts(LETTERS);
        assert_eq!(texts.text(Field::Title), Some("Title"));
        assert_eq!(texts.text(Field::Keywords), Some("a, bc"));
        assert_eq!(texts.text(Field::Rights), Some("\u{a9}x"));
    }

    #[test]
    fn what_breaks_off_says_nothing_and_never_panics() {
        let segment = framed(LETTERS);
        for len in 0..segment.len() - 1 {
            assert_eq!(records(&segment[..len]), None, "{len}");
        }
        for len in 0..LETTERS.len() {
            texts(&LETTERS[..len]);
        }
        assert_eq!(records(b"Photoshop 3.0\08BIM\x04\x04\0\0\xff\xff\xff\xff"), None);
    }
}
