//! One block of a TIFF answer, a strip or a tile, compressed.

use libdeflater::{CompressionLvl, Compressor};
use weezl::BitOrder;
use weezl::encode::Encoder;

use crate::codecs::CodecError;
use crate::codecs::encoding::Encoding;
use crate::codecs::number::{reserved, zeroed};
use crate::codecs::tiff::malformed;
use crate::codecs::{jpeg, webp};
use crate::imaging::{Raster, Sample};
use crate::model::{Format, TiffCompression};

/// A sample that can stand in a block.
pub(super) trait Block: Sample {
    /// Whether samples of this type are kept as differences to their neighbours (predictor 2) in blocks of
    /// this compression.
    fn is_differenced(compression: TiffCompression) -> bool;

    /// Appends samples, the low byte first; `step` says how far the neighbour is where differences are
    /// kept.
    fn append(row: &[Self], step: Option<usize>, bytes: &mut Vec<u8>);

    /// A block of bytes; nothing for other types.
    fn bytes(_: &Raster<Self>) -> Option<&Raster<u8>> {
        None
    }
}

const fn compresses(compression: TiffCompression) -> bool {
    matches!(compression, TiffCompression::Lzw | TiffCompression::Deflate | TiffCompression::Zstd)
}

impl Block for u8 {
    fn is_differenced(compression: TiffCompression) -> bool {
        compresses(compression)
    }

    fn append(row: &[Self], step: Option<usize>, bytes: &mut Vec<u8>) {
        let Some(step) = step else { return bytes.extend_from_slice(row) };
        let (first, _) = row.split_at_checked(step).unwrap_or((row, &[]));
        bytes.extend_from_slice(first);
        let pairs = row.iter().skip(step).zip(row);
        bytes.extend(pairs.map(|(sample, before)| sample.wrapping_sub(*before)));
    }

    fn bytes(block: &Raster<Self>) -> Option<&Raster<u8>> {
        Some(block)
    }
}

impl Block for u16 {
    fn is_differenced(compression: TiffCompression) -> bool {
        compresses(compression)
    }

    fn append(row: &[Self], step: Option<usize>, bytes: &mut Vec<u8>) {
        let step = step.unwrap_or(row.len());
        bytes.extend(row.iter().take(step).flat_map(|sample| sample.to_le_bytes()));
        let pairs = row.iter().skip(step).zip(row);
        bytes.extend(pairs.flat_map(|(sample, before)| sample.wrapping_sub(*before).to_le_bytes()));
    }
}

impl Block for f32 {
    fn is_differenced(_: TiffCompression) -> bool {
        false
    }

    fn append(row: &[Self], _: Option<usize>, bytes: &mut Vec<u8>) {
        bytes.extend(row.iter().flat_map(|sample| sample.to_le_bytes()));
    }
}

/// Compresses a block.
///
/// # Errors
/// What the compression cannot hold; `Io` where memory is short.
pub(super) fn compressed<T: Block>(
    block: &Raster<T>,
    encoding: &Encoding,
) -> Result<Vec<u8>, CodecError> {
    if encoding.compression.is_lossy() {
        return picture(block, encoding);
    }
    let step = T::is_differenced(encoding.compression).then_some(block.bands());
    let mut bytes = reserved(size_of_val(block.samples()))?;
    for row in block.samples().chunks(block.row_len()) {
        T::append(row, step, &mut bytes);
    }
    match encoding.compression {
        TiffCompression::Lzw => lzw(&bytes),
        TiffCompression::Deflate => deflate(&bytes, encoding.quality),
        TiffCompression::Zstd => {
            Ok(zstd::bulk::compress(&bytes, encoding.quality.clamp(1, 19).into())?)
        }
        TiffCompression::None | TiffCompression::Jpeg | TiffCompression::Webp => Ok(bytes),
    }
}

/// The block as a JPEG or WebP file.
fn picture<T: Block>(block: &Raster<T>, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    let block = T::bytes(block).ok_or_else(|| malformed("a block of samples that are no bytes"))?;
    let alone = |format| Encoding {
        subsampling: encoding.subsampling,
        ..Encoding::plain(format, encoding.quality)
    };
    if encoding.compression == TiffCompression::Jpeg {
        return jpeg::encode(block, &alone(Format::Jpeg));
    }
    webp::encode(block, &alone(Format::Webp))
}

fn lzw(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut encoder = Encoder::with_tiff_size_switch(BitOrder::Msb, 8);
    encoder.encode(bytes).map_err(|error| malformed(error.to_string()))
}

fn deflate(bytes: &[u8], level: i8) -> Result<Vec<u8>, CodecError> {
    let level = CompressionLvl::new(level.clamp(1, 9).into()).unwrap_or_default();
    let mut compressor = Compressor::new(level);
    let mut deflated = zeroed(compressor.zlib_compress_bound(bytes.len()))?;
    let len = compressor.zlib_compress(bytes, &mut deflated);
    // There is always room for the bound.
    deflated.truncate(len.unwrap_or(0));
    Ok(deflated)
}
