//! `FileMark`: bytes at an offset by which the files of a format are known.

use std::fmt;

/// Bytes that stand at one place of every file of a format. Written in hexadecimal, and behind `@` the
/// offset where it is not 0: `0a05`, `4449434d@128`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileMark {
    offset: usize,
    bytes: Vec<u8>,
}

impl FileMark {
    /// Bytes at the start of a file within which marks lie.
    pub const HEAD_BYTES: usize = 512;

    /// Reads what is written; nothing where it is no mark, or lies behind the head.
    pub fn parse(text: &str) -> Option<Self> {
        let (digits, offset) = text.split_once('@').unwrap_or((text, "0"));
        let offset: usize = offset.parse().ok()?;
        if !digits.is_ascii() || digits.is_empty() {
            return None;
        }
        let pairs = digits.as_bytes().chunks(2);
        let bytes: Option<Vec<u8>> = pairs.map(byte).collect();
        let bytes = bytes?;
        let end = offset.checked_add(bytes.len())?;
        (end <= Self::HEAD_BYTES).then_some(Self { offset, bytes })
    }

    /// Whether a file that begins with `head` has it.
    pub fn is_on(&self, head: &[u8]) -> bool {
        head.get(self.offset..).is_some_and(|rest| rest.starts_with(&self.bytes))
    }
}

fn byte(pair: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(pair).ok()?;
    let plain = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if plain { u8::from_str_radix(digits, 16).ok() } else { None }
}

impl fmt::Display for FileMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in &self.bytes {
            write!(f, "{byte:02x}")?;
        }
        if self.offset == 0 { Ok(()) } else { write!(f, "@{}", self.offset) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_hexadecimal_and_an_offset() {
        let pcx = FileMark::parse("0A05").unwrap();
        assert!(pcx.is_on(&[10, 5, 1]) && !pcx.is_on(&[10]) && !pcx.is_on(&[0, 10, 5]));
        assert_eq!(pcx.to_string(), "0a05");
        let dicom = FileMark::parse("4449434d@128").unwrap();
        assert!(dicom.is_on(&[&[0; 128][..], b"DICM"].concat()) && !dicom.is_on(b"DICM"));
        assert_eq!(dicom.to_string(), "4449434d@128");
    }

    #[test]
    fn what_is_no_mark_is_refused() {
        for text in ["", "@3", "0", "0a0", "xy", "+1", "0a@", "0a@-1", "0a@512", "0a@x", "\u{e9}"] {
            assert_eq!(FileMark::parse(text), None, "{text}");
        }
        assert!(FileMark::parse("0a@511").is_some());
    }
}
