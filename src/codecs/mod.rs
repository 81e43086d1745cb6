//! Bytes to rasters and back; the only place that names a format library. Codecs read through
//! [`ReadAt`] and never see a path.

pub mod error;
pub mod jpeg;
pub mod limits;
pub mod tiff;

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;

use crate::imaging::Raster;
use crate::model::{Format, ImageInfo, TileAddress};

pub use error::CodecError;
pub use limits::DecodeLimits;

/// An open image. Immutable and shared: many tiles are read and decoded at once.
pub trait Decode: Debug + Send + Sync {
    /// What the header says.
    fn info(&self) -> &Arc<ImageInfo>;

    /// Decodes one stored tile, cropped to the level at its right and lower edge, as gray or RGB with
    /// or without alpha ([`ImageInfo::colour`], [`ImageInfo::alpha`]), 8 bit.
    ///
    /// # Errors
    /// Malformed, unsupported, over a limit, or IO; `Malformed` too where the grid has no such tile.
    fn decode_tile(&self, at: TileAddress) -> Result<Raster, CodecError>;

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
