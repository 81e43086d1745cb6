//! One tile: its bytes read by position, decompressed or decoded, cropped, its samples made bands.

use std::cell::RefCell;

use crate::codecs::number::{u64_of, usize_of, usize_of_bytes, zeroed};
use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::layout::Photometric;
use crate::codecs::tiff::level::{Extent, Level};
use crate::codecs::tiff::{malformed, pixels, predictor, ycbcr};
use crate::codecs::{CodecError, DecodeLimits, jpeg, webp};
use crate::model::{ReadAt, Size};

/// Compressed bytes that a thread keeps room for; most tiles are below 200 KB.
const KEPT_BYTES_MAX: usize = 4 << 20;

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

/// Decodes the upper left `area` of a tile to bands.
///
/// # Errors
/// As [`crate::codecs::Decode::decode_tile`].
pub(super) fn decode(
    level: &Level,
    source: &dyn ReadAt,
    extent: Extent,
    area: Size,
    limits: &DecodeLimits,
) -> Result<Vec<u8>, CodecError> {
    if level.compression == Compression::None {
        return plain(level, source, extent, area);
    }
    with_bytes(source, extent, limits, |bytes| match level.compression {
        Compression::Jpeg => jpeg_tile(level, bytes, area),
        Compression::Webp => webp_tile(level, bytes, area),
        _ => packed(level, bytes, area),
    })
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

/// Bytes of the first `rows` rows of a tile, uncompressed.
fn rows_bytes(level: &Level, rows: u32) -> usize {
    match level.layout.subsampling() {
        Some(subsampling) => subsampling.rows_bytes(level.tile, rows),
        None => usize_of(rows) * usize_of(level.tile.width()) * level.layout.samples,
    }
}

/// Without compression only the rows that are shown are read, straight into their place.
fn plain(
    level: &Level,
    source: &dyn ReadAt,
    extent: Extent,
    area: Size,
) -> Result<Vec<u8>, CodecError> {
    let len = rows_bytes(level, area.height());
    let end = extent.offset_bytes.checked_add(u64_of(len));
    if extent.len_bytes < u64_of(len) || end.is_none_or(|end| source.len_bytes() < end) {
        return Err(malformed(format!("its {} bytes are too few", extent.len_bytes)));
    }
    let mut samples = zeroed(len)?;
    source.read_exact_at(&mut samples, extent.offset_bytes)?;
    finish(level, samples, area)
}

fn packed(level: &Level, bytes: &[u8], area: Size) -> Result<Vec<u8>, CodecError> {
    let len = rows_bytes(level, level.tile.height());
    level.compression.check_expansion(bytes.len(), len)?;
    let mut samples = zeroed(len)?;
    level.compression.decompress(bytes, &mut samples)?;
    samples.truncate(rows_bytes(level, area.height()));
    if level.differences {
        let row_bytes = usize_of(level.tile.width()) * level.layout.samples;
        predictor::undo(&mut samples, row_bytes, level.layout.samples);
    }
    finish(level, samples, area)
}

/// From the stored rows that are shown to bands.
fn finish(level: &Level, mut samples: Vec<u8>, area: Size) -> Result<Vec<u8>, CodecError> {
    if let Photometric::Ycbcr(conversion, subsampling) = &level.layout.photometric {
        return ycbcr::to_rgb(conversion, *subsampling, &samples, level.tile, area);
    }
    pixels::crop(&mut samples, level.tile.width(), level.layout.samples, area);
    pixels::to_bands(&level.layout, samples)
}

fn jpeg_tile(level: &Level, bytes: &[u8], area: Size) -> Result<Vec<u8>, CodecError> {
    let colour = level.stream_colour();
    let len = usize_of(level.tile.width()) * usize_of(level.tile.height()) * level.layout.samples;
    level.compression.check_expansion(bytes.len(), len)?;
    let file = jpeg::complete(bytes, colour, &[&level.jpeg_tables])?;
    let mut samples = jpeg::decode(&file, level.tile, colour, area.height())?;
    pixels::crop(&mut samples, level.tile.width(), level.layout.samples, area);
    pixels::to_bands(&level.layout, samples)
}

fn webp_tile(level: &Level, bytes: &[u8], area: Size) -> Result<Vec<u8>, CodecError> {
    let mut samples = webp::decode(bytes, level.tile, level.layout.samples == 4)?;
    pixels::crop(&mut samples, level.tile.width(), level.layout.samples, area);
    pixels::to_bands(&level.layout, samples)
}
