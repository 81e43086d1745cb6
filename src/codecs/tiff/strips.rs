//! One strip of a TIFF answer, compressed.

use libdeflater::{CompressionLvl, Compressor};
use weezl::BitOrder;
use weezl::encode::Encoder;

use crate::codecs::CodecError;
use crate::codecs::encoding::Encoding;
use crate::codecs::number::{reserved, zeroed};
use crate::codecs::tiff::malformed;
use crate::codecs::{jpeg, webp};
use crate::imaging::{Raster, Sample};
use crate::model::{Format, Size, TiffCompression};

/// A sample that can stand in a strip.
pub(super) trait Strip: Sample {
    /// Whether samples of this type are kept as differences to their neighbours (predictor 2) in strips of
    /// this compression.
    fn is_differenced(compression: TiffCompression) -> bool;

    /// Appends samples, the low byte first; `step` says how far the neighbour is where differences are
    /// kept.
    fn append(row: &[Self], step: Option<usize>, bytes: &mut Vec<u8>);

    /// A strip of bytes as a raster; nothing for other types.
    fn raster(_: &[Self], _: Size, _: &Raster<Self>) -> Option<Raster<u8>> {
        None
    }
}

const fn compresses(compression: TiffCompression) -> bool {
    matches!(compression, TiffCompression::Lzw | TiffCompression::Deflate | TiffCompression::Zstd)
}

impl Strip for u8 {
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

    fn raster(samples: &[Self], size: Size, of: &Raster<Self>) -> Option<Raster<u8>> {
        Raster::new(size, of.colour(), of.alpha(), samples.to_vec()).ok()
    }
}

impl Strip for u16 {
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

impl Strip for f32 {
    fn is_differenced(_: TiffCompression) -> bool {
        false
    }

    fn append(row: &[Self], _: Option<usize>, bytes: &mut Vec<u8>) {
        bytes.extend(row.iter().flat_map(|sample| sample.to_le_bytes()));
    }
}

/// Compresses whole rows of `of`.
///
/// # Errors
/// What the compression cannot hold; `Io` where memory is short.
pub(super) fn compressed<T: Strip>(
    samples: &[T],
    of: &Raster<T>,
    encoding: &Encoding,
) -> Result<Vec<u8>, CodecError> {
    if encoding.compression.is_lossy() {
        return picture(samples, of, encoding);
    }
    let step = T::is_differenced(encoding.compression).then_some(of.bands());
    let mut bytes = reserved(size_of_val(samples))?;
    for row in samples.chunks(of.row_len()) {
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

/// The strip as a JPEG or WebP file.
fn picture<T: Strip>(
    samples: &[T],
    of: &Raster<T>,
    encoding: &Encoding,
) -> Result<Vec<u8>, CodecError> {
    let rows = u32::try_from(samples.len() / of.row_len()).unwrap_or(u32::MAX);
    let size = Size::at_least_one(of.size().width(), rows);
    let raster = T::raster(samples, size, of);
    let raster = raster.ok_or_else(|| malformed("a strip of samples that are no bytes"))?;
    let alone = |format| Encoding {
        subsampling: encoding.subsampling,
        ..Encoding::plain(format, encoding.quality)
    };
    if encoding.compression == TiffCompression::Jpeg {
        return jpeg::encode(&raster, &alone(Format::Jpeg));
    }
    webp::encode(&raster, &alone(Format::Webp))
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
