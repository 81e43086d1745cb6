//! One level's immutable index: how its samples are stored, and where each tile is.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::jpeg::{StreamColour, table_segments};
use crate::codecs::number::{u64_of, usize_of, usize_of_bytes};
use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::layout::{Layout, Photometric};
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::ycbcr::Subsampling;
use crate::codecs::tiff::{malformed, unsupported};
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::{Size, TileEncoding};

/// Bytes of `JPEGTables`: four tables of each kind are 2 KiB.
const JPEG_TABLES_BYTES_MAX: u64 = 64 << 10;

/// A level of a pyramid.
pub(super) struct Level {
    /// Pixels of the level.
    pub(super) size: Size,
    /// Pixels of a whole tile.
    pub(super) tile: Size,
    /// What its samples mean.
    pub(super) layout: Layout,
    /// How its tiles are compressed.
    pub(super) compression: Compression,
    /// Whether samples are stored as differences (predictor 2).
    pub(super) differences: bool,
    /// The segments of `JPEGTables`, empty where there are none.
    pub(super) jpeg_tables: Box<[u8]>,
    /// Offset of each tile in bytes, row by row; as long as `lengths`, at least one for each tile.
    offsets: Box<[u64]>,
    /// Length of each tile in bytes.
    lengths: Box<[u64]>,
}

/// Where a tile's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Offset in the file.
    pub(super) offset_bytes: u64,
    /// Length.
    pub(super) len_bytes: u64,
}

impl Level {
    /// Reads the index of a directory with these sizes.
    ///
    /// # Errors
    /// `Unsupported` with the name of the feature; `Malformed`; `OverLimit`; `Io`.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        size: Size,
        tile: Size,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        let compression = Compression::of(structure.number(from, Tag::Compression)?.unwrap_or(1))?;
        let layout = Layout::read(structure, from, compression)?;
        check_codec(compression, &layout)?;
        let differences = differences(structure, from, compression, &layout)?;
        let count = check_sizes(size, tile, layout.samples, limits)?;
        let offsets = tile_values(structure, from, [Tag::TileOffsets, Tag::StripOffsets], count)?;
        let lengths =
            tile_values(structure, from, [Tag::TileByteCounts, Tag::StripByteCounts], count)?;
        let jpeg_tables = match compression {
            Compression::Jpeg => structure.bytes(from, Tag::JPEGTables, JPEG_TABLES_BYTES_MAX)?,
            _ => None,
        };
        let jpeg_tables = jpeg_tables.map_or(Ok(Vec::new()), |tables| table_segments(&tables))?;
        let jpeg_tables = jpeg_tables.into_boxed_slice();
        Ok(Self { size, tile, layout, compression, differences, jpeg_tables, offsets, lengths })
    }

    /// Where a tile is; nothing where it was never written (a sparse file: no offset or no length).
    ///
    /// # Errors
    /// `Malformed` where the grid has no such tile.
    pub(super) fn extent(&self, column: u32, row: u32) -> Result<Option<Extent>, CodecError> {
        let (columns, rows) = self.size.grid(self.tile);
        let index = usize_of(row) * usize_of(columns) + usize_of(column);
        let found = self.offsets.get(index).zip(self.lengths.get(index));
        let (offset, len) = found
            .filter(|_found| column < columns && row < rows)
            .ok_or_else(|| malformed(format!("the level has {columns}x{rows} tiles")))?;
        let extent = Extent { offset_bytes: *offset, len_bytes: *len };
        Ok((*offset != 0 && *len != 0).then_some(extent))
    }

    /// What the bytes of its tiles are.
    pub(super) const fn encoding(&self) -> TileEncoding {
        match self.compression {
            Compression::Jpeg => TileEncoding::Jpeg,
            Compression::Webp => TileEncoding::Webp,
            _ => TileEncoding::Other,
        }
    }

    /// What the components of its JPEG streams mean, by TIFF's word, which wins over the stream's.
    pub(super) const fn stream_colour(&self) -> StreamColour {
        match self.layout.photometric {
            Photometric::MinIsBlack | Photometric::MinIsWhite => StreamColour::Gray,
            Photometric::Rgb => StreamColour::Rgb,
            Photometric::Ycbcr(..) => StreamColour::Ycbcr,
        }
    }
}

/// Refuses samples that the compression cannot hold, or that we cannot convert.
fn check_codec(compression: Compression, layout: &Layout) -> Result<(), CodecError> {
    let samples = layout.samples;
    match (compression, &layout.photometric) {
        (Compression::Jpeg, _) if samples != usize::from(layout.colour().bands()) => {
            Err(unsupported(format!("JPEG tiles with {samples} samples a pixel")))
        }
        (_, Photometric::Ycbcr(..)) if samples != 3 => {
            Err(unsupported(format!("YCbCr with {samples} samples a pixel")))
        }
        (Compression::Webp, Photometric::Rgb) if matches!(samples, 3 | 4) => Ok(()),
        (Compression::Webp, _) => Err(unsupported("WebP tiles other than RGB or RGBA")),
        _ => Ok(()),
    }
}

fn differences(
    structure: &mut Structure,
    from: &Directory,
    compression: Compression,
    layout: &Layout,
) -> Result<bool, CodecError> {
    if !compression.has_predictor() {
        return Ok(false);
    }
    match structure.number(from, Tag::Predictor)?.unwrap_or(1) {
        1 => Ok(false),
        2 if layout.subsampling().is_some_and(|found| found != Subsampling::NONE) => {
            Err(unsupported("predictor 2 with subsampled YCbCr"))
        }
        2 => Ok(true),
        other => Err(unsupported(format!("predictor {other}"))),
    }
}

/// Holds the sizes against the limits; how many tiles there are.
fn check_sizes(
    size: Size,
    tile: Size,
    samples: usize,
    limits: &DecodeLimits,
) -> Result<u64, CodecError> {
    let (columns, rows) = size.grid(tile);
    let count = u64::from(columns) * u64::from(rows);
    let side_px_max = u64::from(limits.side_px_max);
    // RGB with alpha is what the limit in pixels is made for; more samples count as more pixels.
    let tile_px = tile.area().saturating_mul(u64_of(samples).div_ceil(4));
    for (what, value, limit) in [
        ("pixels of a side", size.longer().into(), side_px_max),
        ("pixels of a tile", tile_px, limits.tile_px_max),
        ("tiles of a level", count, limits.tiles_max),
    ] {
        if limit < value {
            return Err(CodecError::OverLimit { what, value, limit });
        }
    }
    Ok(count)
}

/// The offsets or lengths of all tiles. Some writers use the strips' tags for tiles.
fn tile_values(
    structure: &mut Structure,
    from: &Directory,
    tags: [Tag; 2],
    count: u64,
) -> Result<Box<[u64]>, CodecError> {
    let tag = if from.contains(tags[0]) { tags[0] } else { tags[1] };
    // Never more than are needed, whatever the file claims.
    let values = structure.numbers_up_to(from, tag, count)?.unwrap_or_default();
    if values.len() < usize_of_bytes(count) {
        let (tag, found) = (tag.to_u16(), values.len());
        return Err(malformed(format!("tag {tag} has {found} values for {count} tiles")));
    }
    Ok(values)
}
