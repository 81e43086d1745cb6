//! `Fields`: one directory of a classic TIFF, to be written: of TIFF answers, and of Exif, which is a TIFF
//! without pixels.
//!
//! # Source
//! TIFF 6.0, section 2.

use std::collections::BTreeMap;

/// Tags of the first directory that TIFF and Exif share.
pub(super) const ORIENTATION: u16 = 0x112;
/// Columns to a unit.
pub(super) const X_RESOLUTION: u16 = 0x11a;
/// Rows to a unit.
pub(super) const Y_RESOLUTION: u16 = 0x11b;
/// The unit: 2 is an inch, 3 a centimetre.
pub(super) const RESOLUTION_UNIT: u16 = 0x128;

/// An inch in metres.
pub(super) const INCH_M: f64 = 0.0254;

/// A field's value.
#[derive(Clone, Debug)]
enum Value {
    /// As it stands in the entry: up to four bytes, or the offset of more.
    Here([u8; 4]),
    /// Put behind the directory.
    Apart(Vec<u8>),
}

/// The fields of a directory, in the order of their tags.
#[derive(Debug)]
pub(super) struct Fields {
    big_endian: bool,
    entries: BTreeMap<u16, (u16, u32, Value)>,
}

impl Fields {
    /// No fields yet.
    pub(super) const fn new(big_endian: bool) -> Self {
        Self { big_endian, entries: BTreeMap::new() }
    }

    /// No fields yet, of the same file.
    pub(super) const fn beside(&self) -> Self {
        Self::new(self.big_endian)
    }

    /// Whether numbers have their high byte first.
    pub(super) const fn is_big_endian(&self) -> bool {
        self.big_endian
    }

    /// Whether a tag is there.
    pub(super) fn has(&self, tag: u16) -> bool {
        self.entries.contains_key(&tag)
    }

    /// Whether there is no field.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes a tag away.
    pub(super) fn remove(&mut self, tag: u16) {
        self.entries.remove(&tag);
    }

    /// A field as it stands in another directory of the same file: type, count, and value or offset.
    pub(super) fn keep(&mut self, tag: u16, (kind, count, value): (u16, u32, [u8; 4])) {
        self.entries.insert(tag, (kind, count, Value::Here(value)));
    }

    /// A value as it stands in a file of the same order: type, count, bytes.
    pub(super) fn copy(&mut self, tag: u16, (kind, count, bytes): (u16, u32, Vec<u8>)) {
        self.put(tag, kind, count, bytes);
    }

    /// Text, with its NUL.
    pub(super) fn ascii(&mut self, tag: u16, text: &str) {
        let bytes: Vec<u8> = text.bytes().filter(|byte| *byte != 0).chain([0]).collect();
        self.bytes(tag, 2, bytes);
    }

    /// Bytes of type 1 (BYTE) or 7 (UNDEFINED), or text with its NUL (2).
    pub(super) fn bytes(&mut self, tag: u16, kind: u16, bytes: Vec<u8>) {
        let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.put(tag, kind, count, bytes);
    }

    /// 16-bit numbers.
    pub(super) fn shorts(&mut self, tag: u16, values: &[u16]) {
        let bytes = values.iter().flat_map(|value| self.u16(*value)).collect();
        self.put(tag, 3, u32::try_from(values.len()).unwrap_or(u32::MAX), bytes);
    }

    /// 32-bit numbers.
    pub(super) fn longs(&mut self, tag: u16, values: &[u32]) {
        let bytes = values.iter().flat_map(|value| self.u32(*value)).collect();
        self.put(tag, 4, u32::try_from(values.len()).unwrap_or(u32::MAX), bytes);
    }

    /// Fractions, each given as numerator and denominator.
    pub(super) fn fractions(&mut self, tag: u16, values: &[(u32, u32)]) {
        let halves = values.iter().flat_map(|(over, under)| [*over, *under]);
        let bytes = halves.flat_map(|half| self.u32(half)).collect();
        self.put(tag, 5, u32::try_from(values.len()).unwrap_or(u32::MAX), bytes);
    }

    /// The three fields of a resolution, in inches.
    pub(super) fn resolution(&mut self, x_per_metre: f64, y_per_metre: f64) {
        self.fractions(X_RESOLUTION, &[fraction(x_per_metre * INCH_M)]);
        self.fractions(Y_RESOLUTION, &[fraction(y_per_metre * INCH_M)]);
        self.shorts(RESOLUTION_UNIT, &[2]);
    }

    fn put(&mut self, tag: u16, kind: u16, count: u32, bytes: Vec<u8>) {
        let value = if bytes.len() <= 4 {
            let mut here = [0; 4];
            for (target, byte) in here.iter_mut().zip(bytes) {
                *target = byte;
            }
            Value::Here(here)
        } else {
            Value::Apart(bytes)
        };
        self.entries.insert(tag, (kind, count, value));
    }

    /// The directory as it stands at byte `at` of its file, an even number, with nothing after it; the
    /// values that do not fit an entry follow at even offsets.
    pub(super) fn encode(&self, at: u32) -> Vec<u8> {
        let count = u16::try_from(self.entries.len()).unwrap_or(u16::MAX);
        let values_at = at.saturating_add(2 + 12 * u32::from(count) + 4);
        let mut directory = self.u16(count).to_vec();
        let mut values: Vec<u8> = Vec::new();
        for (tag, (kind, count, value)) in &self.entries {
            directory.extend(self.u16(*tag));
            directory.extend(self.u16(*kind));
            directory.extend(self.u32(*count));
            match value {
                Value::Here(bytes) => directory.extend(bytes),
                Value::Apart(bytes) => {
                    let len = u32::try_from(values.len()).unwrap_or(u32::MAX);
                    directory.extend(self.u32(values_at.saturating_add(len)));
                    values.extend(bytes);
                    values.resize(values.len().next_multiple_of(2), 0);
                }
            }
        }
        directory.extend([0; 4]);
        directory.extend(values);
        directory
    }

    /// A number in the file's order.
    pub(super) const fn u16(&self, value: u16) -> [u8; 2] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// A number in the file's order.
    pub(super) const fn u32(&self, value: u32) -> [u8; 4] {
        if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

/// A number above 0 as a fraction of thousandths, or of wholes where it is large.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a conversion of floats saturates"
)]
fn fraction(value: f64) -> (u32, u32) {
    if value < 1e6 { ((value * 1e3).round() as u32, 1000) } else { (value.round() as u32, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_values_stand_in_their_entries_and_long_ones_behind() {
        let mut fields = Fields::new(true);
        fields.ascii(0x10e, "abcd");
        fields.shorts(0x102, &[8]);
        let expected = b"\0\x02\x01\x02\0\x03\0\0\0\x01\0\x08\0\0\
            \x01\x0e\0\x02\0\0\0\x05\0\0\0\x26\0\0\0\0abcd\0\0";
        assert_eq!(fields.encode(8), expected);
        assert!(fields.has(0x10e) && !fields.has(0x10f));
    }

    #[test]
    fn a_resolution_keeps_its_decimals() {
        assert_eq!(fraction(300.0), (300_000, 1000));
        assert_eq!(fraction(0.0723), (72, 1000));
        assert_eq!(fraction(5e6), (5_000_000, 1));
    }
}
