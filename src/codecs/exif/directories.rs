//! The directories of an Exif block that a TIFF has of its own: the camera's settings, and where it stood.
//!
//! # Source
//! CIPA DC-008 (Exif 2.32), sections 4.6.2, 4.6.3.

use crate::codecs::exif::read::Block;
use crate::codecs::fields::Fields;

/// Their tags in the first directory.
const TAGS: [u16; 2] = [0x8769, 0x8825];

/// Tags that lead elsewhere in the block, which stays behind: interoperability, and a maker's notes, of
/// which only the maker knows where they lead.
const LEADING_ELSEWHERE: [u16; 2] = [0xa005, 0x927c];

/// Those that a block has, with their tags, for a TIFF whose numbers have their low byte first.
pub(in crate::codecs) fn directories(block: &[u8]) -> Vec<(u16, Fields)> {
    let Some(first) = Block::of(block) else { return Vec::new() };
    let found = TAGS.into_iter().filter_map(|tag| {
        let directory = copied(&first.directory(first.long(tag)?)?);
        (!directory.is_empty()).then_some((tag, directory))
    });
    found.collect()
}

fn copied(directory: &Block<'_>) -> Fields {
    let mut fields = Fields::new(false);
    for (tag, entry) in directory.entries() {
        if let (false, Some(value)) = (LEADING_ELSEWHERE.contains(&tag), directory.value(entry)) {
            fields.copy(tag, (entry.0, entry.1, value));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::exif::block_of;

    #[test]
    fn settings_of_both_byte_orders_are_copied_without_what_leads_elsewhere() {
        let mut copies = Vec::new();
        for big_endian in [false, true] {
            let mut settings = Fields::new(big_endian);
            settings.fractions(0x829d, &[(56, 10)]);
            settings.shorts(0x8827, &[100, 200, 300]);
            settings.ascii(0x9003, "2026:11:22 10:11:12");
            settings.longs(0xa002, &[70_000]);
            settings.bytes(0x9000, 7, b"0232".to_vec());
            settings.bytes(0x927c, 7, vec![1; 100]);
            let found = directories(&block_of(&settings));
            assert_eq!(found.len(), 1);
            let (tag, fields) = &found[0];
            assert_eq!(*tag, 0x8769);
            assert!(fields.has(0x829d) && !fields.has(0x927c));
            copies.push(fields.encode(8));
        }
        assert_eq!(copies[0], copies[1]);
    }

    #[test]
    fn damaged_blocks_have_no_directories() {
        let mut settings = Fields::new(false);
        settings.fractions(0x829d, &[(56, 10)]);
        let block = block_of(&settings);
        for cut in 0..block.len() {
            assert!(
                directories(&block[..cut]).iter().all(|(_, fields)| fields.is_empty()),
                "{cut}"
            );
        }
        let mut loops = block;
        loops[18..22].copy_from_slice(&8u32.to_le_bytes());
        assert_eq!(directories(&loops).len(), 1, "a directory is read once");
    }
}
