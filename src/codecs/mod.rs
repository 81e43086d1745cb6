//! Bytes to rasters and back; the only place that names a format library. Codecs read through
//! [`ReadAt`] and never see a path.

pub mod error;
pub mod jpeg;
pub mod limits;
mod magic;
mod number;
mod png;
pub mod tiff;
mod upright;
mod webp;

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;

use crate::codecs::jpeg::encode as encode_jpeg;
use crate::codecs::magic::Magic;
use crate::codecs::number::{usize_of_bytes, zeroed};
use crate::codecs::png::encode as encode_png;
use crate::codecs::tiff::open as open_tiff;
use crate::codecs::webp::encode as encode_webp;
use crate::imaging::{Pixels, Raster};
use crate::model::{Format, ImageInfo, ReadAt, Slice, TileAddress};

pub use error::CodecError;
pub use limits::DecodeLimits;

/// Suffixes of files that are offered in listings or looked for in sequences, in lower case. What a file
/// is, its first bytes decide.
pub const IMAGE_SUFFIXES: &[&str] = &["tif", "tiff", "ptif", "ptiff", "btf", "tf8", "svs"];

/// Whether a file of this name is likely an image that we open.
pub fn is_image_name(name: &str) -> bool {
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
    suffix
        .is_some_and(|suffix| IMAGE_SUFFIXES.iter().any(|known| suffix.eq_ignore_ascii_case(known)))
}

/// An open image. Immutable and shared: many tiles are read and decoded at once.
pub trait Decode: Debug + Send + Sync {
    /// What the header says.
    fn info(&self) -> &Arc<ImageInfo>;

    /// Decodes one stored tile, cropped to the level at its right and lower edge, with the colour
    /// model, alpha and sample type that [`Decode::info`] names. Levels that are made of others
    /// ([`crate::model::StoredLevel::made_from`]) are not asked for.
    ///
    /// # Errors
    /// Malformed, unsupported, over a limit, or IO; `Malformed` too where the grid has no such tile.
    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError>;

    /// The stored bytes of one tile made a complete file of its own (tables, markers, ICC profile as
    /// `icc` says), undecoded; `None` where the tile is cropped by the edge, or its encoding
    /// is no answer format, or its colours would not be read right from it.
    ///
    /// # Errors
    /// As [`Decode::decode_tile`].
    fn stored_tile(&self, at: TileAddress, icc: bool) -> Result<Option<StoredTile>, CodecError>;
}

/// A complete file made of a stored tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTile {
    /// What it is.
    pub format: Format,
    /// The file.
    pub bytes: Bytes,
}

/// How a raster is to be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    /// The format.
    pub format: Format,
    /// Quality: JPEG 1 to 100, WebP 0 to 100 (-1 lossless), PNG level 0 to 9.
    pub quality: i8,
    /// The profile to embed.
    pub icc: Option<Arc<[u8]>>,
}

/// Opens one picture of a file, which its first bytes name, and reads its structure.
///
/// # Errors
/// `Unsupported` where the format, or the way this file uses it, is not read; `Absent` where the file
/// has no such slice; `Malformed`, over a limit, or IO.
pub fn open(
    source: Arc<dyn ReadAt>,
    slice: Slice,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let head_len = usize_of_bytes(source.len_bytes()).min(magic::HEAD_BYTES);
    let mut head = zeroed(head_len)?;
    source.read_exact_at(&mut head, 0)?;
    match magic::recognise(&head) {
        Magic::Tiff => open_tiff(source, slice, limits),
        Magic::Other(name) => {
            Err(CodecError::unsupported(name, "the whole format (tiled TIFF pyramids are read)"))
        }
        Magic::Unknown => {
            Err(CodecError::malformed("image", "the first bytes are those of no known format"))
        }
    }
}

/// Encodes a raster as a complete file.
///
/// # Errors
/// `OverLimit` where the format cannot hold so many pixels; `Unsupported` where it cannot hold alpha
/// (JPEG: flatten first); `Io` where memory is short.
pub fn encode(raster: &Raster, encoding: &Encoding) -> Result<Bytes, CodecError> {
    check_shown(raster, encoding.format.suffix())?;
    let icc = encoding.icc.as_deref();
    let file = match encoding.format {
        Format::Jpeg => encode_jpeg(raster, encoding.quality, icc),
        Format::Png => encode_png(raster, encoding.quality, icc),
        Format::Webp => encode_webp(raster, encoding.quality, icc),
    }?;
    Ok(Bytes::from(file))
}

/// Refuses a raster that is neither gray nor RGB, which no answer's format holds.
fn check_shown(raster: &Raster, format: &'static str) -> Result<(), CodecError> {
    if raster.colour() == raster.colour().shown() {
        return Ok(());
    }
    Err(CodecError::unsupported(format, format!("colour model {:?}", raster.colour())))
}

/// Refuses a raster with a side above `side_px_max`, before an encoder would.
fn check_side(raster: &Raster, what: &'static str, side_px_max: u32) -> Result<(), CodecError> {
    let side_px = raster.size().longer();
    if side_px <= side_px_max {
        return Ok(());
    }
    Err(CodecError::OverLimit { what, value: side_px.into(), limit: side_px_max.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> CodecError {
        open(Arc::new(bytes.to_vec()), Slice::Main, &DecodeLimits::default()).unwrap_err()
    }

    #[test]
    fn what_is_no_tiff_is_named() {
        let error = refusal(b"\x89PNG\r\n\x1a\n").to_string();
        assert!(error.starts_with("unsupported PNG feature"), "{error}");
        assert!(matches!(refusal(b""), CodecError::Malformed { .. }));
        assert!(matches!(refusal(b"some text"), CodecError::Malformed { .. }));
    }
}
