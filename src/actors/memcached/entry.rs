//! An answer as memcached keeps it: what it is, which key it belongs to, a check sum, and its bytes.
//! Whatever does not fit in every point is no entry.
//!
//! ```text
//! 4  mark, the form's number last     1  format of the answer
//! 16 key, which is the ETag too       8  XXH3 over all of the rest
//! .. the answer
//! ```

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use crate::actors::memcached::purge_log::Epoch;
use crate::actors::order::Rendered;
use crate::actors::stopwatch::Spent;
use crate::model::Format;
use crate::plan::PlanKey;

/// What every entry begins with. Its last byte is the number of this form: count it up with each change.
const MARK: [u8; 4] = *b"TSR\x01";

const KEY_AT: usize = 5;
const SUM_AT: usize = 21;

/// Bytes before the answer.
pub(super) const HEAD_BYTES: usize = 29;

/// What the servers call an answer: our own prefix, the form's number, the key in hexadecimal, and the
/// purges of its image, where there were any.
pub(super) fn name(key: PlanKey, epoch: Epoch) -> String {
    format!("tessera:{}:{key}{}", MARK[3], epoch.suffix())
}

/// An answer as an entry.
pub(super) fn write(key: PlanKey, rendered: &Rendered) -> Vec<u8> {
    let mut entry = Vec::with_capacity(HEAD_BYTES + rendered.bytes.len());
    entry.extend_from_slice(&MARK);
    entry.push(number_of(rendered.format));
    entry.extend_from_slice(&key.as_u128().to_le_bytes());
    let sum = sum(&entry, &rendered.bytes);
    entry.extend_from_slice(&sum.to_le_bytes());
    entry.extend_from_slice(&rendered.bytes);
    entry
}

/// The answer of an entry; nothing where it is none, or another key's, or damaged.
pub(super) fn read(key: PlanKey, entry: &Bytes) -> Option<Rendered> {
    let head = entry.get(..SUM_AT)?;
    let is_ours = head.starts_with(&MARK) && head.get(KEY_AT..)? == key.as_u128().to_le_bytes();
    let told = u64::from_le_bytes(entry.get(SUM_AT..HEAD_BYTES)?.try_into().ok()?);
    let bytes = entry.slice(HEAD_BYTES..);
    let format = format_of(*head.get(MARK.len())?)?;
    (is_ours && told == sum(head, &bytes)).then_some(Rendered {
        bytes,
        format,
        passed: false,
        spent: Spent::default(),
    })
}

fn sum(head: &[u8], body: &[u8]) -> u64 {
    let mut digest = Xxh3::new();
    digest.update(head);
    digest.update(body);
    digest.digest()
}

/// Numbers that stay as they are: entries outlive releases.
const FORMATS: [(Format, u8); 8] = [
    (Format::Jpeg, 1),
    (Format::Png, 2),
    (Format::Webp, 3),
    (Format::Avif, 4),
    (Format::Tiff, 5),
    (Format::Gif, 6),
    (Format::Pdf, 7),
    (Format::Jxl, 8),
];

fn number_of(format: Format) -> u8 {
    FORMATS.iter().find(|(known, _)| *known == format).map_or(0, |(_, number)| *number)
}

fn format_of(number: u8) -> Option<Format> {
    FORMATS.iter().find(|(_, known)| *known == number).map(|(format, _)| *format)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: PlanKey = PlanKey::from_u128(0x0123_4567);

    fn entry() -> Vec<u8> {
        let bytes = Bytes::from_static(b"the answer");
        let spent = Spent::default();
        write(KEY, &Rendered { bytes, format: Format::Webp, passed: false, spent })
    }

    #[test]
    fn an_entry_comes_back_as_it_was() {
        for format in Format::ALL {
            let (bytes, spent) = (Bytes::from_static(b"x"), Spent::default());
            let rendered = Rendered { bytes, format, passed: false, spent };
            assert_eq!(read(KEY, &Bytes::from(write(KEY, &rendered))), Some(rendered));
        }
        assert_eq!(name(KEY, Epoch::default()), "tessera:1:00000000000000000000000001234567");
    }

    #[test]
    fn an_entry_that_differs_in_any_bit_or_is_cut_or_longer_is_none() {
        let good = entry();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bad = good.clone();
                bad[at] ^= 1 << bit;
                assert_eq!(read(KEY, &Bytes::from(bad)), None, "byte {at}, bit {bit}");
            }
            assert_eq!(read(KEY, &Bytes::copy_from_slice(&good[..at])), None, "cut at {at}");
        }
        assert_eq!(read(KEY, &Bytes::from([&good[..], b"!"].concat())), None);
    }

    #[test]
    fn the_entry_of_another_key_is_none() {
        assert_eq!(read(PlanKey::from_u128(7), &Bytes::from(entry())), None);
    }
}
