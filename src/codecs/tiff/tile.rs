//! One tile: the bytes of its blocks read by position, decompressed or decoded, cropped, its samples made
//! bands.

use std::cell::RefCell;

use crate::codecs::number::{reserved_for, u64_of, usize_of, usize_of_bytes, zeroed};
use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::extent::Extent;
use crate::codecs::tiff::layout::Photometric;
use crate::codecs::tiff::level::{Block, Level};
use crate::codecs::tiff::picture::{self, FromPicture};
use crate::codecs::tiff::pixels::{self, Stored};
use crate::codecs::tiff::predictor::Predictor;
use crate::codecs::tiff::unpack::Unpack;
use crate::codecs::tiff::{malformed, ycbcr};
use crate::codecs::{CodecError, DecodeLimits};
use crate::imaging::Pixels;
use crate::model::{ReadAt, Rect, SampleType, Size};

/// Compressed bytes that a thread keeps room for; most tiles are below 200 KB.
const KEPT_BYTES_MAX: usize = 4 << 20;

/// What tiles are read with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    /// The file.
    pub(super) source: &'a dyn ReadAt,
    /// What one tile may take.
    pub(super) limits: &'a DecodeLimits,
    /// The number that stands for no data.
    pub(super) nodata: Option<f64>,
}

/// Reads a tile's bytes and hands them to `use_bytes`.
///
/// # Errors
/// `OverLimit` where it is longer than the limit; `Malformed` where it lies outside the file; `Io`;
/// whatever `use_bytes` returns.
pub(super) fn with_bytes<T>(
    source: &dyn ReadAt,
    extent: Extent,
    limits: &DecodeLimits,
    use_bytes: impl FnOnce(&[u8]) -> Result<T, CodecError>,
) -> Result<T, CodecError> {
    thread_local! {
        static BYTES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    check_extent(source, extent, limits)?;
    let len = usize_of_bytes(extent.len_bytes);
    // Taken out, so that nothing stays borrowed while a decoder runs, or unwinds.
    let mut bytes = BYTES.take();
    if bytes.len() < len {
        bytes = zeroed(len)?;
    }
    let tile = bytes.get_mut(..len).unwrap_or_default();
    source.read_exact_at(tile, extent.offset_bytes)?;
    let result = use_bytes(tile);
    if bytes.len() <= KEPT_BYTES_MAX {
        BYTES.set(bytes);
    }
    result
}

/// Decodes the pixels of `rect`, which begins where a tile of the level does and lies within it.
///
/// # Errors
/// As [`crate::codecs::Decode::decode_tile`].
pub(super) fn decode(
    level: &Level,
    reading: &Reading<'_>,
    rect: Rect,
) -> Result<Pixels, CodecError> {
    match level.layout.format.sample_type() {
        SampleType::U8 => decode_of::<u8>(level, reading, rect),
        SampleType::U16 => decode_of::<u16>(level, reading, rect),
        SampleType::F32 => decode_of::<f32>(level, reading, rect),
    }
}

fn decode_of<T: FromPicture>(
    level: &Level,
    reading: &Reading<'_>,
    rect: Rect,
) -> Result<Pixels, CodecError> {
    let samples = if level.layout.planar {
        let planes = level.layout.shown().map(|plane| shown::<T>(level, reading, plane, rect));
        pixels::interleave(&planes.collect::<Result<Vec<_>, _>>()?)?
    } else {
        shown::<T>(level, reading, 0, rect)?
    };
    pixels::to_pixels(&level.layout, reading.nodata, rect.size(), samples)
}

/// The samples of `rect` that are shown, of one plane where these are apart.
fn shown<T: FromPicture>(
    level: &Level,
    reading: &Reading<'_>,
    plane: usize,
    rect: Rect,
) -> Result<Vec<T>, CodecError> {
    let blocks = level.blocks(plane, rect)?;
    let per_pixel = level.layout.per_pixel();
    let all_are_shown = level.layout.planar || level.layout.is_dense();
    let read = |block: &Block| -> Result<Vec<T>, CodecError> {
        let mut samples = read_block::<T>(level, reading, plane, block)?;
        let area = Size::at_least_one(rect.width(), block.rows_shown);
        pixels::crop(&mut samples, level.block.width(), per_pixel, area);
        Ok(samples)
    };
    if let ([block], true) = (&*blocks, all_are_shown) {
        return read(block);
    }
    let bands = if level.layout.planar { 1 } else { level.layout.shown().count() };
    let mut together = reserved_for(usize_of_bytes(rect.size().area()) * bands)?;
    for block in &blocks {
        let samples = read(block)?;
        if all_are_shown {
            together.extend_from_slice(&samples);
        } else {
            pixels::keep_shown(&level.layout, &samples, &mut together);
        }
    }
    Ok(together)
}

/// All samples of the rows of a block that are shown.
fn read_block<T: FromPicture>(
    level: &Level,
    reading: &Reading<'_>,
    plane: usize,
    block: &Block,
) -> Result<Vec<T>, CodecError> {
    let Some(extent) = block.extent else { return missing(level, reading, plane, block) };
    if level.compression == Compression::None {
        return plain(level, reading.source, extent, block);
    }
    let extent = picture::better_extent(level).unwrap_or(extent);
    with_bytes(reading.source, extent, reading.limits, |bytes| {
        if level.compression.is_picture() {
            return picture::decode(level, bytes, block);
        }
        if level.reversed_bits {
            let turned: Vec<u8> = bytes.iter().map(|byte| byte.reverse_bits()).collect();
            return packed(level, &turned, block);
        }
        packed(level, bytes, block)
    })
}

/// A block that was never written: its colours the value for no data, its alpha 0.
fn missing<T: Stored>(
    level: &Level,
    reading: &Reading<'_>,
    plane: usize,
    block: &Block,
) -> Result<Vec<T>, CodecError> {
    let layout = &level.layout;
    let format = if level.packing.scaled { layout.format } else { layout.format.widened() };
    let value = T::missing(reading.nodata, format);
    let alpha = layout.alpha.map(|alpha| alpha.index);
    let pixel: Vec<T> = (plane..plane + layout.per_pixel())
        .map(|index| if alpha == Some(index) { T::default() } else { value })
        .collect();
    let pixels = usize_of(level.block.width()) * usize_of(block.rows_shown);
    let mut samples = reserved_for(pixels * pixel.len())?;
    (0..pixels).for_each(|_| samples.extend_from_slice(&pixel));
    Ok(samples)
}

fn check_extent(
    source: &dyn ReadAt,
    extent: Extent,
    limits: &DecodeLimits,
) -> Result<(), CodecError> {
    let end = extent.offset_bytes.checked_add(extent.len_bytes);
    if end.is_none_or(|end| source.len_bytes() < end) {
        return Err(malformed("its data lies beyond the end of the file"));
    }
    if limits.tile_bytes_max < extent.len_bytes {
        let (value, limit) = (extent.len_bytes, limits.tile_bytes_max);
        return Err(CodecError::OverLimit { what: "compressed bytes of a tile", value, limit });
    }
    Ok(())
}

/// Bytes of the first `rows` rows of a block, uncompressed.
fn rows_bytes(level: &Level, rows: u32) -> usize {
    match level.layout.subsampling() {
        Some(subsampling) => subsampling.rows_bytes(level.block, rows),
        None => usize_of(rows) * level.layout.format.row_bytes(row_samples(level)),
    }
}

/// Samples of a row of a block.
fn row_samples(level: &Level) -> usize {
    usize_of(level.block.width()) * level.layout.per_pixel()
}

/// Without compression only the rows that are shown are read, straight into their place.
fn plain<T: FromPicture>(
    level: &Level,
    source: &dyn ReadAt,
    extent: Extent,
    block: &Block,
) -> Result<Vec<T>, CodecError> {
    let len = rows_bytes(level, block.rows_shown);
    let end = extent.offset_bytes.checked_add(u64_of(len));
    if extent.len_bytes < u64_of(len) || end.is_none_or(|end| source.len_bytes() < end) {
        return Err(malformed(format!("its {} bytes are too few", extent.len_bytes)));
    }
    let mut bytes = zeroed(len)?;
    source.read_exact_at(&mut bytes, extent.offset_bytes)?;
    if level.reversed_bits {
        for byte in &mut bytes {
            *byte = byte.reverse_bits();
        }
    }
    samples_of(level, bytes, block)
}

fn packed<T: FromPicture>(
    level: &Level,
    packed: &[u8],
    block: &Block,
) -> Result<Vec<T>, CodecError> {
    let needed = rows_bytes(level, block.rows);
    level.compression.check_expansion(packed.len(), needed)?;
    // Some writers fill the last strip up.
    let mut bytes = zeroed(rows_bytes(level, level.block.height()))?;
    let row_bytes = level.layout.format.row_bytes(row_samples(level));
    let width = usize_of(level.block.width());
    let filled = level.compression.decompress(packed, &mut bytes, width, row_bytes)?;
    if filled < needed {
        return Err(malformed(format!("the tile's data gives {filled} of {needed} bytes")));
    }
    bytes.truncate(rows_bytes(level, block.rows_shown));
    samples_of(level, bytes, block)
}

/// The samples of stored rows, with luma and colour differences made red, green, blue.
fn samples_of<T: FromPicture>(
    level: &Level,
    bytes: Vec<u8>,
    block: &Block,
) -> Result<Vec<T>, CodecError> {
    let Photometric::Ycbcr(conversion, subsampling) = &level.layout.photometric else {
        return T::unpack(&level.packing, row_samples(level), bytes);
    };
    let bytes = match level.packing.predictor {
        Predictor::None => bytes,
        _ => u8::unpack(&level.packing, row_samples(level), bytes)?,
    };
    let area = Size::at_least_one(level.block.width(), block.rows_shown);
    T::of_bytes(ycbcr::to_rgb(conversion, *subsampling, &bytes, level.block, area)?)
}
