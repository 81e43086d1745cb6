//! Pixels to a TIFF file: one picture in a strip or in tiles, of every depth, with what its source says as tags.
//!
//! # Source
//! TIFF 6.0, sections 2 to 8, 14, 15, 18, 21; Exif 2.32, section 4.6.3; Technical Note 2 (JPEG); Adobe's registered tags of Deflate (8),
//! Zstandard (50000) and WebP (50001).

use crate::codecs::CodecError;
use crate::codecs::encoding::{About, Encoding};
use crate::codecs::exif::{TEXT_TAGS, directories};
use crate::codecs::fields::Fields;
use crate::codecs::number::{reserved, u64_of};
use crate::codecs::tiff::block::{Block, compressed};
use crate::codecs::tiff::blocks::Blocks;
use crate::codecs::tiff::unsupported;
use crate::imaging::{Pixels, Raster};
use crate::model::{ColourModel, Field, SampleType, Subsampling, TiffCompression};

/// What this program is called.
const SOFTWARE: &str = concat!("tessera ", env!("CARGO_PKG_VERSION"));

/// Encodes pixels.
///
/// # Errors
/// `Unsupported` for alpha in JPEG, and for other than 8 bits in JPEG and WebP; `OverLimit` above 4 GiB, or
/// what JPEG and WebP can hold; `Io` where memory is short.
pub(in crate::codecs) fn encode(
    pixels: &Pixels,
    encoding: &Encoding,
) -> Result<Vec<u8>, CodecError> {
    let is_bytes = pixels.sample_type() == SampleType::U8;
    if encoding.compression.is_lossy() && !is_bytes {
        return Err(unsupported("JPEG and WebP of other than 8 bit"));
    }
    match pixels {
        Pixels::U8(raster) => encode_raster(raster, encoding),
        Pixels::U16(raster) => encode_raster(raster, encoding),
        Pixels::F32(raster) => encode_raster(raster, encoding),
    }
}

fn encode_raster<T: Block>(raster: &Raster<T>, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    let blocks = Blocks::of(raster.size());
    let samples_bytes = raster.samples().len().saturating_mul(size_of::<T>());
    let room = if encoding.compression == TiffCompression::None { 1 } else { 3 };
    let mut file = reserved(samples_bytes / room + encoding.about.len())?;
    // The offset of the directory follows.
    file.extend(b"II\x2a\0\0\0\0\0");
    let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
    for corner in blocks.corners() {
        let bytes = compressed(&blocks.cut(raster, corner)?, encoding)?;
        offsets.push(place(&file, bytes.len())?);
        lengths.push(place(&bytes, 0)?);
        file.extend(bytes);
    }
    file.resize(file.len().next_multiple_of(2), 0);
    let at = place(&file, encoding.about.len())?;
    let mut fields = Fields::new(false);
    shape(&mut fields, raster, encoding);
    let (width, height) = (blocks.block.width(), blocks.block.height());
    if blocks.is_strip() {
        fields.longs(273, &offsets);
        fields.longs(278, &[height]);
        fields.longs(279, &lengths);
    } else {
        fields.longs(322, &[width]);
        fields.longs(323, &[height]);
        fields.longs(324, &offsets);
        fields.longs(325, &lengths);
    }
    about(&mut fields, &encoding.about);
    file.extend(with_exif(fields, at, &encoding.about));
    if let Some(offset) = file.get_mut(4..8) {
        offset.copy_from_slice(&at.to_le_bytes());
    }
    Ok(file)
}

/// The length so far, as long as there is room for so many bytes more.
fn place(bytes: &[u8], more: usize) -> Result<u32, CodecError> {
    let len = u64_of(bytes.len()).saturating_add(u64_of(more));
    let limit = u32::MAX.into();
    if limit < len {
        return Err(CodecError::OverLimit { what: "bytes of a TIFF answer", value: len, limit });
    }
    Ok(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}

/// What a pixel is made of, and how blocks are compressed.
fn shape<T: Block>(fields: &mut Fields, raster: &Raster<T>, encoding: &Encoding) {
    let compression = encoding.compression;
    let is_gray = raster.colour() == ColourModel::Gray && compression != TiffCompression::Webp;
    let bands = u16::from(!is_gray) * 2 + 1 + u16::from(raster.alpha());
    let bits = u16::from(T::TYPE.bytes()) * 8;
    let each = |value: u16| vec![value; bands.into()];
    fields.longs(254, &[0]);
    fields.longs(256, &[raster.size().width()]);
    fields.longs(257, &[raster.size().height()]);
    fields.shorts(258, &each(bits));
    fields.shorts(
        259,
        &[match compression {
            TiffCompression::None => 1,
            TiffCompression::Lzw => 5,
            TiffCompression::Deflate => 8,
            TiffCompression::Jpeg => 7,
            TiffCompression::Webp => 50_001,
            TiffCompression::Zstd => 50_000,
        }],
    );
    let is_ycbcr = compression == TiffCompression::Jpeg && !is_gray;
    // Black is zero, RGB, YCbCr.
    fields.shorts(
        262,
        &[if is_gray {
            1
        } else if is_ycbcr {
            6
        } else {
            2
        }],
    );
    fields.shorts(277, &[bands]);
    fields.shorts(284, &[1]);
    if T::is_differenced(compression) {
        fields.shorts(317, &[2]);
    }
    if raster.alpha() {
        // Not multiplied with the colours.
        fields.shorts(338, &[2]);
    }
    if T::TYPE == SampleType::F32 {
        fields.shorts(339, &each(3));
    }
    if is_ycbcr {
        fields.shorts(
            530,
            &match encoding.subsampling {
                Subsampling::Quarter => [2, 2],
                Subsampling::Half => [2, 1],
                Subsampling::Full => [1, 1],
            },
        );
        fields.fractions(532, &[(0, 1), (255, 1), (128, 1), (255, 1), (128, 1), (255, 1)]);
    }
}

/// What the source says.
fn about(fields: &mut Fields, about: &About) {
    if let Some(resolution) = about.resolution {
        fields.resolution(resolution.x_per_metre, resolution.y_per_metre);
    }
    for (tag, field) in TEXT_TAGS {
        if let Some(text) = about.text(field) {
            fields.ascii(tag, text);
        }
    }
    if about.text(Field::Software).is_none() {
        fields.ascii(305, SOFTWARE);
    }
    if let Some(xmp) = about.xmp() {
        fields.bytes(700, 1, xmp);
    }
    if let Some(iptc) = about.iptc() {
        fields.bytes(33_723, 7, iptc.to_vec());
    }
    if let Some(icc) = &about.icc {
        fields.bytes(34_675, 7, icc.to_vec());
    }
}

/// The directory at byte `at`, and behind it those of Exif that it leads to.
fn with_exif(mut fields: Fields, at: u32, about: &About) -> Vec<u8> {
    let block = about.metadata.as_ref().and_then(|metadata| metadata.exif.as_deref());
    let found = block.map_or_else(Vec::new, directories);
    // An entry is as long as any other, wherever it leads.
    for (tag, _) in &found {
        fields.longs(*tag, &[0]);
    }
    let end = |bytes: usize| at.saturating_add(u32::try_from(bytes).unwrap_or(u32::MAX));
    let first_bytes = fields.encode(at).len();
    let mut behind = Vec::new();
    for (tag, directory) in &found {
        let place = end(first_bytes + behind.len());
        fields.longs(*tag, &[place]);
        behind.extend(directory.encode(place));
    }
    [fields.encode(at), behind].concat()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codecs::tiff::open;
    use crate::codecs::{Decode, DecodeLimits};
    use crate::imaging::Sample;
    use crate::model::{Bands, Format, Rect, Size, Slice, TileAddress};

    fn opened(file: Vec<u8>) -> Arc<dyn Decode> {
        open(Arc::new(file), Slice::Main, Bands::Shown, &DecodeLimits::default()).unwrap()
    }

    /// The whole picture of a file in strips.
    fn whole<T: Sample>(image: &dyn Decode) -> Raster<T> {
        let info = image.info();
        let mut whole = Raster::zeroed(info.size, info.colour, info.alpha);
        let (columns, rows) = info.size.grid(info.stored[0].tile);
        for row in 0..rows {
            for column in 0..columns {
                let at = TileAddress { stored: 0, column, row };
                let (tile, rect) = (image.decode_tile(at).unwrap(), info.tile_rect(at).unwrap());
                let tile = T::unwrap(&tile).unwrap();
                whole.paste(tile, Rect::whole(tile.size()), rect.left(), rect.top());
            }
        }
        whole
    }

    fn check<T: Block>(sample: impl Fn(usize) -> T) {
        let size = Size::new(301, 700).unwrap();
        for (colour, alpha) in [
            (ColourModel::Gray, false),
            (ColourModel::Gray, true),
            (ColourModel::Rgb, false),
            (ColourModel::Rgb, true),
        ] {
            let len = Raster::<T>::samples_len(size, colour, alpha);
            let samples = (0..len).map(&sample).collect();
            let raster = Raster::new(size, colour, alpha, samples).unwrap();
            let pixels = T::wrap(raster.clone());
            for compression in TiffCompression::ALL {
                let encoding = Encoding { compression, ..Encoding::plain(Format::Tiff, 1) };
                if compression.is_lossy() {
                    let fits = T::TYPE == SampleType::U8
                        && (compression == TiffCompression::Webp || !alpha);
                    assert_eq!(encode(&pixels, &encoding).is_ok(), fits, "{compression:?}");
                    continue;
                }
                let image = opened(encode(&pixels, &encoding).unwrap());
                assert_eq!((image.info().colour, image.info().alpha), (colour, alpha));
                assert!(whole::<T>(&*image) == raster, "{compression:?} {colour:?} {alpha}");
            }
        }
    }

    #[test]
    fn every_depth_shape_and_lossless_compression_comes_back_as_it_was() {
        check(|at| u8::try_from(at * at / 511 % 256).unwrap());
        check(|at| u16::try_from(at * at / 511 % 65_536).unwrap());
        check(|at| f32::from(u16::try_from(at * at / 511 % 65_536).unwrap()) / 7.0 - 100.0);
    }

    #[test]
    fn lossy_strips_come_back_about_as_they_were() {
        let size = Size::new(301, 700).unwrap();
        for compression in [TiffCompression::Jpeg, TiffCompression::Webp] {
            for colour in [ColourModel::Gray, ColourModel::Rgb] {
                let len = Raster::<u8>::samples_len(size, colour, false);
                let raster = Raster::new(size, colour, false, vec![200; len]).unwrap();
                let encoding = Encoding { compression, ..Encoding::plain(Format::Tiff, 90) };
                let image = opened(encode(&Pixels::U8(raster), &encoding).unwrap());
                let found = whole::<u8>(&*image);
                let off = found.samples().iter().map(|sample| sample.abs_diff(200)).max();
                assert!(off <= Some(2), "{compression:?} {colour:?}: {off:?}");
            }
        }
    }
}
