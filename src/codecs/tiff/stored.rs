//! A stored tile sent as it is: made a file of its own without being decoded, where its format and its
//! colours allow it.

use bytes::Bytes;

use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::layout::Photometric;
use crate::codecs::tiff::level::Level;
use crate::codecs::{CodecError, StoredTile, jpeg, webp};
use crate::model::{Format, TileEncoding};

/// The tile's bytes as a file; `icc_segments` is the profile as JPEG segments, empty for none.
/// Nothing where only a decoder could make an answer of them.
///
/// # Errors
/// `Malformed` where a JPEG tile does not begin as one; `Io` where memory is short.
pub(super) fn complete(
    level: &Level,
    bytes: &[u8],
    icc_segments: &[u8],
) -> Result<Option<StoredTile>, CodecError> {
    match level.compression {
        Compression::Jpeg => jpeg_file(level, bytes, icc_segments),
        Compression::Webp if icc_segments.is_empty() => Ok(webp_file(level, bytes)),
        _ => Ok(None),
    }
}

/// Whether tiles of a level can be sent at all.
pub(super) fn is_possible(level: &Level) -> bool {
    match level.encoding() {
        // Readers take 0 for black.
        TileEncoding::Jpeg => level.layout.photometric != Photometric::MinIsWhite,
        // Alpha that readers would take for something else, or see where there is none.
        TileEncoding::Webp => match level.layout.alpha {
            Some(alpha) => !alpha.associated,
            None => level.layout.is_dense(),
        },
        TileEncoding::Other => false,
    }
}

fn jpeg_file(
    level: &Level,
    bytes: &[u8],
    icc_segments: &[u8],
) -> Result<Option<StoredTile>, CodecError> {
    let Some(bytes) = jpeg::trimmed_to_end(bytes) else { return Ok(None) };
    let colour = level.stream_colour();
    // What browsers read: 8 bit, Huffman-coded, sequential or progressive, of the size that is promised.
    let is_plain = jpeg::frame_of(bytes).is_some_and(|frame| {
        matches!(frame.process, 0xc0..=0xc2)
            && frame.bits == 8
            && (frame.width_px, frame.height_px) == (level.tile.width(), level.tile.height())
            && frame.components == colour.components()
    });
    if !is_plain {
        return Ok(None);
    }
    let file = jpeg::complete(bytes, colour, &[icc_segments, &level.jpeg_tables])?;
    Ok(Some(StoredTile { format: Format::Jpeg, bytes: Bytes::from(file) }))
}

fn webp_file(level: &Level, bytes: &[u8]) -> Option<StoredTile> {
    let summary = webp::summarise(bytes)?;
    let is_plain = !summary.animation && (!summary.alpha || level.layout.alpha.is_some());
    let file = bytes.get(..summary.len_bytes).filter(|_file| is_plain)?;
    Some(StoredTile { format: Format::Webp, bytes: Bytes::copy_from_slice(file) })
}
