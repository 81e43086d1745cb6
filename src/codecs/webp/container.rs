//! The RIFF container of WebP (RFC 9649): what is in a file, and how a profile gets into it.

use crate::codecs::CodecError;
use crate::codecs::number::{reserved, u64_of, usize_of};
use crate::codecs::webp::WEBP;
use crate::model::Size;

/// `RIFF`, length, `WEBP`.
const HEADER_BYTES: usize = 12;
/// VP8X: a profile follows.
const FLAG_ICC: u8 = 0x20;
/// VP8X: there is alpha.
const FLAG_ALPHA: u8 = 0x10;
/// VP8X: there are several frames.
const FLAG_ANIMATION: u8 = 0x02;

/// What a file says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Length of the file by its own header, in bytes.
    pub(crate) len_bytes: usize,
    /// Whether there is alpha.
    pub(crate) alpha: bool,
    /// Whether there are several frames.
    pub(crate) animation: bool,
}

/// Reads the headers of a file; nothing where it is no WebP, or shorter than it says.
pub(crate) fn summarise(file: &[u8]) -> Option<Summary> {
    let size = file.strip_prefix(b"RIFF")?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))?;
    let len_bytes = usize_of(size).checked_add(8)?;
    let chunks = file.get(..len_bytes)?.get(8..)?.strip_prefix(b"WEBP")?;
    let (name, body) = (chunks.get(..4)?, chunks.get(8..)?);
    let (alpha, animation) = match name {
        b"VP8 " => (false, false),
        // RFC 9649, section 3.4: signature, 14 + 14 bits of size, then `alpha_is_used`.
        b"VP8L" => (body.get(4)? & 0x10 != 0, false),
        b"VP8X" => (body.first()? & FLAG_ALPHA != 0, body.first()? & FLAG_ANIMATION != 0),
        _ => return None,
    };
    Some(Summary { len_bytes, alpha, animation })
}

/// The same file with a profile: in extended form, ICCP chunk before the pixels.
///
/// # Errors
/// `OverLimit` where the file would exceed RIFF's 4 GiB; `Malformed` where `file` is no WebP; `Io`
/// where memory is short.
pub(super) fn with_profile(file: &[u8], size: Size, icc: &[u8]) -> Result<Vec<u8>, CodecError> {
    let no_webp = || CodecError::malformed(WEBP, "no RIFF header");
    let summary = summarise(file).ok_or_else(no_webp)?;
    let chunks = file.get(HEADER_BYTES..summary.len_bytes).ok_or_else(no_webp)?;
    let (flags, pixels) = match chunks {
        [b'V', b'P', b'8', b'X', _, _, _, _, flags, ..] => {
            (*flags, chunks.get(18..).ok_or_else(no_webp)?)
        }
        _ => (if summary.alpha { FLAG_ALPHA } else { 0 }, chunks),
    };
    let mut out = reserved(HEADER_BYTES + 18 + 8 + icc.len() + 1 + pixels.len())?;
    out.extend_from_slice(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0");
    out.extend_from_slice(&[flags | FLAG_ICC, 0, 0, 0]);
    for side in [size.width(), size.height()] {
        let [low, middle, high, _] = (side - 1).to_le_bytes();
        out.extend_from_slice(&[low, middle, high]);
    }
    out.extend_from_slice(b"ICCP");
    out.extend_from_slice(&riff_len(icc.len())?);
    out.extend_from_slice(icc);
    // Chunks begin at even offsets.
    out.resize(out.len().next_multiple_of(2), 0);
    out.extend_from_slice(pixels);
    let len = riff_len(out.len() - 8)?;
    if let Some(field) = out.get_mut(4..8) {
        field.copy_from_slice(&len);
    }
    Ok(out)
}

fn riff_len(len: usize) -> Result<[u8; 4], CodecError> {
    let over = |_too_long| CodecError::OverLimit {
        what: "bytes of a WebP file",
        value: u64_of(len),
        limit: u32::MAX.into(),
    };
    Ok(u32::try_from(len).map_err(over)?.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_file_becomes_an_extended_one() {
        let simple = b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0abcd";
        let file = with_profile(simple, Size::new(300, 2).unwrap(), b"icc").unwrap();
        let expected =
            b"RIFF\x2e\0\0\0WEBPVP8X\x0a\0\0\0\x20\0\0\0\x2b\x01\0\x01\0\0ICCP\x03\0\0\0icc\0VP8 \x04\0\0\0abcd";
        assert_eq!(file, expected);
        assert_eq!(summarise(&file).unwrap().len_bytes, file.len());
    }

    #[test]
    fn files_that_break_off_have_no_summary() {
        let simple = b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0abcd";
        assert!(summarise(simple).is_some());
        for len in 0..simple.len() {
            assert_eq!(summarise(&simple[..len]), None, "{len}");
        }
    }
}
