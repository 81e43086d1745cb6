//! One level's immutable index: how its samples are stored, and where each tile or strip is.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::jpeg::{StreamColour, table_segments};
use crate::codecs::number::{u64_of, usize_of, usize_of_bytes};
use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::extent::Extent;
use crate::codecs::tiff::format::Kind;
use crate::codecs::tiff::layout::{Layout, Photometric};
use crate::codecs::tiff::old_jpeg::OldJpeg;
use crate::codecs::tiff::predictor::Predictor;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::unpack::Packing;
use crate::codecs::tiff::ycbcr::Subsampling;
use crate::codecs::tiff::{malformed, unsupported};
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::{Rect, Size, TileEncoding};

/// Bytes of `JPEGTables`: four tables of each kind are 2 KiB.
const JPEG_TABLES_BYTES_MAX: u64 = 64 << 10;

/// Strips are read together until they have so many pixels, those of a tile of 256 x 256: one alone is
/// often a few rows.
const STRIPS_PX_MIN: u64 = 64 << 10;

/// A level of a pyramid.
///
/// A file stores blocks: tiles, or strips as wide as the image, and of separate planes one for each
/// sample. Blocks of a tile lie one below the other; there are several of strips only.
pub(super) struct Level {
    /// Pixels of the level.
    pub(super) size: Size,
    /// Pixels of a whole tile.
    pub(super) tile: Size,
    /// Pixels of a stored block: a tile, or a strip.
    pub(super) block: Size,
    /// Whether blocks are strips, the last of which has only the rows that are left.
    pub(super) strips: bool,
    /// What its samples mean.
    pub(super) layout: Layout,
    /// How its blocks are compressed.
    pub(super) compression: Compression,
    /// How their bytes are samples.
    pub(super) packing: Packing,
    /// Whether the bits of each stored byte are in reverse (`FillOrder` 2).
    pub(super) reversed_bits: bool,
    /// The segments of `JPEGTables`, empty where there are none.
    pub(super) jpeg_tables: Box<[u8]>,
    /// What goes before the data of an old-style JPEG.
    pub(super) old_jpeg: Option<OldJpeg>,
    /// Offset of each block in bytes, row by row, plane after plane; as long as `lengths`, at least one
    /// for each block.
    offsets: Box<[u64]>,
    /// Length of each block in bytes.
    lengths: Box<[u64]>,
}

/// One block of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Where it is; nothing where it was never written (a sparse file: no offset or no length).
    pub(super) extent: Option<Extent>,
    /// Rows that it must have: all of a tile's, of a strip's those that the level has.
    pub(super) rows: u32,
    /// Rows of it that are shown, the first ones.
    pub(super) rows_shown: u32,
}

impl Level {
    /// Bytes of all its blocks, as the file tells.
    pub(super) fn stored_bytes(&self) -> u64 {
        self.lengths.iter().fold(0, |sum, length| sum.saturating_add(*length))
    }

    /// Reads the index of a directory with these sizes; without a tile it is one of strips.
    ///
    /// # Errors
    /// `Unsupported` with the name of the feature; `Malformed`; `OverLimit`; `Io`.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        size: Size,
        tile: Option<Size>,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        let compression = Compression::read(structure, from)?;
        let layout = Layout::read(structure, from, compression)?;
        check_codec(compression, &layout)?;
        let packing = packing(structure, from, compression, &layout)?;
        let reversed = structure.number(from, Tag::FillOrder)?.unwrap_or(1) == 2;
        let strips = tile.is_none();
        let block = tile.map_or_else(|| strip(structure, from, size), Ok)?;
        let tile = tile.unwrap_or_else(|| strips_together(size, block));
        let count = check_sizes(size, tile, block, &layout, limits)?;
        let offsets = block_values(structure, from, [Tag::TileOffsets, Tag::StripOffsets], count)?;
        let lengths =
            block_values(structure, from, [Tag::TileByteCounts, Tag::StripByteCounts], count)?;
        let jpeg_tables = match compression {
            Compression::Jpeg => structure.bytes(from, Tag::JPEGTables, JPEG_TABLES_BYTES_MAX)?,
            _ => None,
        };
        let jpeg_tables = jpeg_tables.map_or(Ok(Vec::new()), |tables| table_segments(&tables))?;
        let old_jpeg = match compression {
            Compression::OldJpeg => Some(OldJpeg::read(structure, from, layout.per_pixel())?),
            _ => None,
        };
        Ok(Self {
            size,
            tile,
            block,
            strips,
            layout,
            compression,
            packing,
            reversed_bits: reversed && !compression.is_picture(),
            jpeg_tables: jpeg_tables.into_boxed_slice(),
            old_jpeg,
            offsets,
            lengths,
        })
    }

    /// The blocks of one plane (0 where planes are not apart) of a tile that shows `rect`, from top to
    /// bottom.
    ///
    /// # Errors
    /// `Malformed` where the grid has no such tile.
    pub(super) fn blocks(&self, plane: usize, rect: Rect) -> Result<Vec<Block>, CodecError> {
        let (columns, rows) = self.size.grid(self.block);
        let column = rect.left() / self.block.width();
        let height = self.block.height();
        let first = rect.top() / height;
        let end = rect.bottom().div_ceil(height).min(rows);
        (first..end)
            .map(|row| {
                let index = (plane * usize_of(rows) + usize_of(row)) * usize_of(columns);
                let index = index + usize_of(column);
                let found = self.offsets.get(index).zip(self.lengths.get(index));
                let (offset, len) = found
                    .filter(|_found| column < columns)
                    .ok_or_else(|| malformed(format!("the level has {columns}x{rows} tiles")))?;
                let extent = Extent { offset_bytes: *offset, len_bytes: *len };
                let left = self.size.height().saturating_sub(row.saturating_mul(height));
                let shown = rect.bottom().saturating_sub(row.saturating_mul(height));
                Ok(Block {
                    extent: (*offset != 0 && *len != 0).then_some(extent),
                    rows: if self.strips { height.min(left) } else { height },
                    rows_shown: height.min(left).min(shown),
                })
            })
            .collect()
    }

    /// What the bytes of its tiles are.
    pub(super) fn encoding(&self) -> TileEncoding {
        let plain = matches!(
            self.layout.photometric,
            Photometric::MinIsBlack
                | Photometric::MinIsWhite
                | Photometric::Rgb
                | Photometric::Ycbcr(..)
        );
        match self.compression {
            _ if self.strips || self.layout.planar || !plain => TileEncoding::Other,
            Compression::Jpeg if self.layout.is_dense() && self.layout.alpha.is_none() => {
                TileEncoding::Jpeg
            }
            Compression::Webp => TileEncoding::Webp,
            _ => TileEncoding::Other,
        }
    }

    /// What the components of its JPEG streams mean, by TIFF's word, which wins over the stream's.
    pub(super) const fn stream_colour(&self) -> StreamColour {
        match (&self.layout.photometric, self.layout.per_pixel()) {
            (_, 1) => StreamColour::Gray,
            (Photometric::Ycbcr(..), _) => StreamColour::Ycbcr,
            (_, 4) => StreamColour::Four,
            _ => StreamColour::Rgb,
        }
    }
}

/// Refuses samples that the compression cannot hold, or that we cannot convert.
fn check_codec(compression: Compression, layout: &Layout) -> Result<(), CodecError> {
    let (samples, format, per_pixel) = (layout.samples, layout.format, layout.per_pixel());
    let name = compression.name();
    let ycbcr = matches!(layout.photometric, Photometric::Ycbcr(..));
    if ycbcr && (samples != 3 || layout.planar || !format.is_byte()) {
        let planes = if layout.planar { " in separate planes" } else { "" };
        return Err(unsupported(format!(
            "YCbCr with {samples} samples a pixel{planes} of {} bits",
            format.bits
        )));
    }
    match compression {
        Compression::Jpeg | Compression::OldJpeg | Compression::Webp if !format.is_byte() => {
            Err(unsupported(format!("{name} tiles of {} bits a sample", format.bits)))
        }
        Compression::Jpeg | Compression::OldJpeg if !matches!(per_pixel, 1 | 3 | 4) => {
            Err(unsupported(format!("{name} tiles with {per_pixel} samples a pixel")))
        }
        Compression::Webp
            if !matches!(per_pixel, 3 | 4) || layout.photometric != Photometric::Rgb =>
        {
            Err(unsupported("WebP tiles other than RGB or RGBA"))
        }
        Compression::Jpeg2000 { .. } | Compression::JpegXl
            if format.kind != Kind::Unsigned || 16 < format.bits =>
        {
            Err(unsupported(format!("{name} tiles of {} bits a sample, or signed", format.bits)))
        }
        Compression::JpegXl if ycbcr => Err(unsupported("JPEG XL tiles of YCbCr")),
        Compression::Fax(_) if (format.bits, per_pixel) != (1, 1) => {
            Err(unsupported(format!("{name} of other than 1 bit a pixel")))
        }
        Compression::ThunderScan if (format.bits, per_pixel) != (4, 1) => {
            Err(unsupported("ThunderScan of other than 4 bits a pixel"))
        }
        _ => Ok(()),
    }
}

fn packing(
    structure: &mut Structure,
    from: &Directory,
    compression: Compression,
    layout: &Layout,
) -> Result<Packing, CodecError> {
    let number = if compression.has_predictor() {
        structure.number(from, Tag::Predictor)?.unwrap_or(1)
    } else {
        1
    };
    let bits = layout.format.bits;
    let predictor = match (number, layout.format.kind) {
        (1, _) => Predictor::None,
        (2, _) if layout.subsampling().is_some_and(|found| found != Subsampling::NONE) => {
            return Err(unsupported("predictor 2 with subsampled YCbCr"));
        }
        (2, _) if matches!(bits, 8 | 16 | 32 | 64) => Predictor::Differences,
        (3, Kind::Float) => Predictor::FloatingPoint,
        (2 | 3, kind) => {
            let kind = if kind == Kind::Float { "floating point" } else { "whole numbers" };
            return Err(unsupported(format!("predictor {number} with {kind} of {bits} bits")));
        }
        (other, _) => return Err(unsupported(format!("predictor {other}"))),
    };
    let scaled = !matches!(layout.photometric, Photometric::Palette(_));
    let (format, order) = (layout.format, structure.order());
    Ok(Packing { format, order, predictor, per_pixel: layout.per_pixel(), scaled })
}

/// Pixels of a strip: as wide as the image, by default as high.
fn strip(structure: &mut Structure, from: &Directory, size: Size) -> Result<Size, CodecError> {
    let rows = structure.number(from, Tag::RowsPerStrip)?.unwrap_or(u64::MAX);
    let rows = u32::try_from(rows).unwrap_or(u32::MAX).min(size.height());
    Size::new(size.width(), rows).ok_or_else(|| malformed("its strips have no rows"))
}

/// As many strips together as make a tile.
fn strips_together(size: Size, strip: Size) -> Size {
    let count = u32::try_from(STRIPS_PX_MIN.div_ceil(strip.area())).unwrap_or(u32::MAX);
    let rows = strip.height().saturating_mul(count).min(size.height());
    Size::at_least_one(size.width(), rows)
}

/// Holds the sizes against the limits; how many blocks there are.
fn check_sizes(
    size: Size,
    tile: Size,
    block: Size,
    layout: &Layout,
    limits: &DecodeLimits,
) -> Result<u64, CodecError> {
    let (columns, rows) = size.grid(block);
    let planes = if layout.planar { layout.samples } else { 1 };
    let count = (u64::from(columns) * u64::from(rows)).saturating_mul(u64_of(planes));
    let side_px_max = u64::from(limits.side_px_max);
    // RGB with alpha is what the limit in pixels is made for; more samples, or longer ones, count as
    // more pixels.
    let words = u64::from(layout.format.bits.div_ceil(16));
    let weight = u64_of(layout.per_pixel()).saturating_mul(words).div_ceil(4);
    let tile_px = tile.area().max(block.area()).saturating_mul(weight);
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

/// The offsets or lengths of all blocks. Some writers use the strips' tags for tiles.
fn block_values(
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
