//! The texts of a PNG file, both ways, and its XMP: read chunk by chunk up to the pixels, since a library
//! refuses a whole file for one long text.
//!
//! # Source
//! W3C PNG, third edition, sections 11.3.3; XMP part 3, section 1.1.5.

use std::borrow::Cow;

use libdeflater::Decompressor;

use crate::codecs::CodecError;
use crate::codecs::DecodeLimits;
use crate::codecs::exif::text_of;
use crate::codecs::flat::read_error;
use crate::codecs::number::{u64_of, usize_of, usize_of_bytes, zeroed};
use crate::codecs::png::{INFLATED_A_BYTE_MAX, PNG};
use crate::model::{Field, Metadata, ReadAt};

/// Keywords, and what their texts say.
pub(super) const KEYWORDS: [(&str, Field); 8] = [
    ("Title", Field::Title),
    ("Author", Field::Creator),
    ("Description", Field::Description),
    ("Copyright", Field::Rights),
    ("Creation Time", Field::Date),
    ("Software", Field::Software),
    ("Comment", Field::Comment),
    ("Keywords", Field::Keywords),
];

/// The keyword of XMP.
pub(super) const XMP_KEYWORD: &str = "XML:com.adobe.xmp";

/// Chunks that are looked at: a file may have thousands of texts, and any number of others.
const CHUNKS_MAX: usize = 1000;

/// Takes the texts and XMP that stand before the pixels.
///
/// # Errors
/// `Io`; `Malformed` where the file ends early.
pub(super) fn read(
    source: &dyn ReadAt,
    limits: &DecodeLimits,
    metadata: &mut Metadata,
) -> Result<(), CodecError> {
    // Behind the signature.
    let mut at = 8_u64;
    for _ in 0..CHUNKS_MAX {
        let mut head = [0; 8];
        source.read_exact_at(&mut head, at).map_err(|error| read_error(PNG, error))?;
        let [l3, l2, l1, l0, name @ ..] = head;
        let len = u32::from_be_bytes([l3, l2, l1, l0]);
        let is_text = matches!(&name, b"tEXt" | b"zTXt" | b"iTXt");
        if &name == b"IDAT" {
            break;
        }
        if is_text && u64::from(len) <= limits.metadata_bytes_max {
            let mut body = zeroed(usize_of(len))?;
            source.read_exact_at(&mut body, at + 8).map_err(|error| read_error(PNG, error))?;
            take(&body, name, limits, metadata);
        }
        // Length, name, and the checksum behind the body.
        at = at.saturating_add(12 + u64::from(len));
    }
    Ok(())
}

fn take(body: &[u8], name: [u8; 4], limits: &DecodeLimits, metadata: &mut Metadata) {
    let Some((keyword, rest)) = split(body) else { return };
    let is_xmp = keyword == XMP_KEYWORD.as_bytes();
    let known = KEYWORDS.iter().find(|(known, _)| known.as_bytes() == keyword);
    if !is_xmp && known.is_none() {
        return;
    }
    let Some(text) = text(rest, name, limits) else { return };
    if is_xmp {
        metadata.xmp = Some(text.as_ref().into()).filter(|_| !text.is_empty());
    }
    if let Some((_, field)) = known {
        metadata.add(*field, &text_of(&text));
    }
}

/// What stands behind the keyword of a chunk, as text; nothing where it is damaged, or too long.
fn text<'a>(rest: &'a [u8], name: [u8; 4], limits: &DecodeLimits) -> Option<Cow<'a, [u8]>> {
    match (&name, rest) {
        (b"tEXt", text) => Some(text.into()),
        // Method 0 is the only one.
        (b"zTXt", [0, text @ ..]) => inflated(text, limits).map(Cow::Owned),
        // Whether compressed; method; language; translated keyword.
        (b"iTXt", [compressed, _, rest @ ..]) => {
            let (_, text) = split(rest).and_then(|(_, rest)| split(rest))?;
            if *compressed == 0 {
                Some(text.into())
            } else {
                inflated(text, limits).map(Cow::Owned)
            }
        }
        _ => None,
    }
}

/// A text that was compressed, of at most [`DecodeLimits::metadata_bytes_max`] bytes.
fn inflated(zlib: &[u8], limits: &DecodeLimits) -> Option<Vec<u8>> {
    let bytes_max = u64_of(zlib.len()).saturating_mul(INFLATED_A_BYTE_MAX);
    let mut text = zeroed(usize_of_bytes(bytes_max.min(limits.metadata_bytes_max))).ok()?;
    let len = Decompressor::new().zlib_decompress(zlib, &mut text).ok()?;
    text.truncate(len);
    Some(text)
}

/// What stands before and behind the first NUL.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use libdeflater::{CompressionLvl, Compressor};

    use super::*;

    #[test]
    fn texts_of_all_kinds_are_read_and_others_are_not() {
        let mut metadata = Metadata::default();
        let deflated = |start: &[u8], text: &[u8]| {
            let mut zlib = vec![0; 1000];
            let mut compressor = Compressor::new(CompressionLvl::default());
            let len = compressor.zlib_compress(text, &mut zlib).unwrap();
            [start, &zlib[..len]].concat()
        };
        let long = vec![b'x'; 3000];
        let limits = DecodeLimits { metadata_bytes_max: 2000, ..DecodeLimits::default() };
        for (name, body) in [
            (b"tEXt", b"Title\0A title".to_vec()),
            (b"tEXt", b"Copyright\0\xa9 2026".to_vec()),
            (b"iTXt", b"Author\0\0\0en\0Autorin\0Zo\xc3\xab".to_vec()),
            (b"iTXt", b"Comment\0\x01\0\0\0not compressed".to_vec()),
            (b"iTXt", deflated(b"Keywords\0\x01\0en\0\0", b"one, two")),
            (b"zTXt", deflated(b"Description\0\0", b"What \xe9t it shows")),
            (b"zTXt", deflated(b"Comment\0\0", &long)),
            (b"zTXt", deflated(b"Comment\0\x01", b"of another method")),
            (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>".to_vec()),
            (b"tEXt", b"Software".to_vec()),
            (b"iTXt", b"Software\0\0\0".to_vec()),
            (b"tEXt", b"Raw profile type exif\0abc".to_vec()),
        ] {
            take(&body, *name, &limits, &mut metadata);
        }
        let texts: Vec<_> = metadata.texts().map(|(field, text)| (field.name(), text)).collect();
        assert_eq!(
            texts,
            [
                ("creator", "Zo\u{eb}"),
                ("description", "What \u{e9}t it shows"),
                ("keywords", "one, two"),
                ("rights", "\u{a9} 2026"),
                ("title", "A title"),
            ]
        );
        assert_eq!(metadata.xmp.as_deref(), Some(&b"<x/>"[..]));
    }
}
