//! The RIFF container of WebP (RFC 9649): what is in a file, and how a profile and what the source says get
//! into it.

use crate::codecs::CodecError;
use crate::codecs::encoding::About;
use crate::codecs::exif::written;
use crate::codecs::number::{reserved, u64_of, usize_of};
use crate::codecs::webp::WEBP;
use crate::model::Size;

/// `RIFF`, length, `WEBP`.
const HEADER_BYTES: usize = 12;
/// VP8X: a profile follows.
const FLAG_ICC: u8 = 0x20;
/// VP8X: Exif follows the pixels.
const FLAG_EXIF: u8 = 0x08;
/// VP8X: XMP follows the pixels.
const FLAG_XMP: u8 = 0x04;
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

/// The same file in extended form with what goes with it, the profile before the pixels, Exif and XMP behind;
/// as it is where there is nothing.
///
/// # Errors
/// `OverLimit` where the file would exceed RIFF's 4 GiB; `Malformed` where `file` is no WebP; `Io`
/// where memory is short.
pub(super) fn with_chunks(file: Vec<u8>, size: Size, about: &About) -> Result<Vec<u8>, CodecError> {
    let (exif, xmp) = (written(about, usize_of(u32::MAX)), about.xmp());
    let before = [(FLAG_ICC, *b"ICCP", about.icc.as_deref())];
    let behind = [(FLAG_EXIF, *b"EXIF", exif.as_deref()), (FLAG_XMP, *b"XMP ", xmp.as_deref())];
    let told = || before.iter().chain(&behind);
    let Some(added) =
        told().filter(|(.., body)| body.is_some()).map(|(flag, ..)| *flag).reduce(|a, b| a | b)
    else {
        return Ok(file);
    };
    let no_webp = || CodecError::malformed(WEBP, "no RIFF header");
    let summary = summarise(&file).ok_or_else(no_webp)?;
    let chunks = file.get(HEADER_BYTES..summary.len_bytes).ok_or_else(no_webp)?;
    let (flags, pixels) = match chunks {
        [b'V', b'P', b'8', b'X', _, _, _, _, flags, ..] => {
            (*flags, chunks.get(18..).ok_or_else(no_webp)?)
        }
        _ => (if summary.alpha { FLAG_ALPHA } else { 0 }, chunks),
    };
    let mut out = reserved(HEADER_BYTES + 18 + about.len() + pixels.len())?;
    out.extend_from_slice(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0");
    out.extend_from_slice(&[flags | added, 0, 0, 0]);
    for side in [size.width(), size.height()] {
        let [low, middle, high, _] = (side - 1).to_le_bytes();
        out.extend_from_slice(&[low, middle, high]);
    }
    for (_, name, body) in before {
        add_chunk(&mut out, name, body)?;
    }
    out.extend_from_slice(pixels);
    for (_, name, body) in behind {
        add_chunk(&mut out, name, body)?;
    }
    let len = riff_len(out.len() - 8)?;
    if let Some(field) = out.get_mut(4..8) {
        field.copy_from_slice(&len);
    }
    Ok(out)
}

fn add_chunk(out: &mut Vec<u8>, name: [u8; 4], body: Option<&[u8]>) -> Result<(), CodecError> {
    let Some(body) = body else { return Ok(()) };
    out.extend_from_slice(&name);
    out.extend_from_slice(&riff_len(body.len())?);
    out.extend_from_slice(body);
    // Chunks begin at even offsets.
    out.resize(out.len().next_multiple_of(2), 0);
    Ok(())
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
    use crate::model::Metadata;

    #[test]
    fn a_simple_file_becomes_an_extended_one() {
        let simple = b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0abcd";
        let about = About { icc: Some((*b"icc").into()), ..About::default() };
        let file = with_chunks(simple.to_vec(), Size::new(300, 2).unwrap(), &about).unwrap();
        let expected =
            b"RIFF\x2e\0\0\0WEBPVP8X\x0a\0\0\0\x20\0\0\0\x2b\x01\0\x01\0\0ICCP\x03\0\0\0icc\0VP8 \x04\0\0\0abcd";
        assert_eq!(file, expected);
        assert_eq!(summarise(&file).unwrap().len_bytes, file.len());
    }

    #[test]
    fn a_file_of_pixels_alone_stays_as_it_is_and_exif_comes_behind_them() {
        let simple = b"RIFF\x10\0\0\0WEBPVP8 \x04\0\0\0abcd".to_vec();
        let size = Size::new(300, 2).unwrap();
        assert_eq!(with_chunks(simple.clone(), size, &About::default()).unwrap(), simple);
        let metadata = Metadata::of_blocks([None, Some((*b"<x/>").into()), None]);
        let about = About { metadata: Some(metadata.into()), ..About::default() };
        let file = with_chunks(simple, size, &about).unwrap();
        assert!(file.ends_with(b"VP8 \x04\0\0\0abcdXMP \x04\0\0\0<x/>"));
        assert_eq!(file[20], FLAG_XMP);
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
