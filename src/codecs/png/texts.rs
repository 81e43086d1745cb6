//! The texts of a PNG file, both ways, and its XMP: read chunk by chunk up to the pixels, since a library
//! refuses a whole file for one long text.
//!
//! # Source
//! W3C PNG, third edition, sections 11.3.3; XMP part 3, section 1.1.5.

use crate::codecs::CodecError;
use crate::codecs::DecodeLimits;
use crate::codecs::exif::text_of;
use crate::codecs::flat::read_error;
use crate::codecs::number::{usize_of, zeroed};
use crate::codecs::png::PNG;
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

/// Takes the texts and XMP that stand before the pixels, as far as they are not compressed.
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
        let is_text = matches!(&name, b"tEXt" | b"iTXt");
        if &name == b"IDAT" {
            break;
        }
        if is_text && u64::from(len) <= limits.metadata_bytes_max {
            let mut body = zeroed(usize_of(len))?;
            source.read_exact_at(&mut body, at + 8).map_err(|error| read_error(PNG, error))?;
            take(&body, &name == b"iTXt", metadata);
        }
        // Length, name, and the checksum behind the body.
        at = at.saturating_add(12 + u64::from(len));
    }
    Ok(())
}

fn take(body: &[u8], international: bool, metadata: &mut Metadata) {
    let Some((keyword, rest)) = split(body) else { return };
    let text = if international {
        // Not compressed, whatever method; language; translated keyword.
        let [0, _, rest @ ..] = rest else { return };
        let Some((_, text)) = split(rest).and_then(|(_, rest)| split(rest)) else { return };
        text
    } else {
        rest
    };
    if keyword == XMP_KEYWORD.as_bytes() {
        metadata.xmp = Some(text.into()).filter(|_| !text.is_empty());
    }
    let known = KEYWORDS.iter().find(|(known, _)| known.as_bytes() == keyword);
    if let Some((_, field)) = known {
        metadata.add(*field, &text_of(text));
    }
}

/// What stands before and behind the first NUL.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_both_kinds_are_read_and_others_are_not() {
        let mut metadata = Metadata::default();
        for (body, international) in [
            (&b"Title\0A title"[..], false),
            (b"Copyright\0\xa9 2026", false),
            (b"Author\0\0\0en\0Autorin\0Zo\xc3\xab", true),
            (b"Comment\0\x01\0\0\0compressed", true),
            (b"XML:com.adobe.xmp\0\0\0\0\0<x/>", true),
            (b"Software", false),
            (b"Software\0\0\0", true),
            (b"Raw profile type exif\0abc", false),
        ] {
            take(body, international, &mut metadata);
        }
        let texts: Vec<_> = metadata.texts().map(|(field, text)| (field.name(), text)).collect();
        assert_eq!(
            texts,
            [("creator", "Zo\u{eb}"), ("rights", "\u{a9} 2026"), ("title", "A title")]
        );
        assert_eq!(metadata.xmp.as_deref(), Some(&b"<x/>"[..]));
    }
}
