//! Blocks that are pictures of another format: handed to its codec with what TIFF promised of them.

use crate::codecs::CodecError;
use crate::codecs::jpeg::StreamColour;
use crate::codecs::jpeg2000::Codestream;
use crate::codecs::number::{reserved_for, usize_of};
use crate::codecs::tiff::compression::Compression;
use crate::codecs::tiff::extent::Extent;
use crate::codecs::tiff::layout::Photometric;
use crate::codecs::tiff::level::{Block, Level};
use crate::codecs::tiff::old_jpeg::OldJpeg;
use crate::codecs::tiff::pixels::Stored;
use crate::codecs::tiff::{unsupported, ycbcr};
use crate::codecs::{jpeg, jpeg2000, jpegxl, webp};
use crate::model::Size;

/// A sample that picture codecs give, where they give such.
pub(super) trait FromPicture: Stored {
    /// Samples of 8 bit.
    fn of_bytes(samples: Vec<u8>) -> Result<Vec<Self>, CodecError>;

    /// Samples of so many bits, stretched to the range of the type where they are fewer than it has.
    fn of_words(samples: Vec<u16>, bits: u32) -> Result<Vec<Self>, CodecError>;

    /// The samples of a JPEG XL picture.
    fn of_jpeg_xl(file: &[u8], size: Size, bands: usize) -> Result<Vec<Self>, CodecError>;
}

impl FromPicture for u8 {
    fn of_bytes(samples: Vec<u8>) -> Result<Vec<Self>, CodecError> {
        Ok(samples)
    }

    fn of_words(samples: Vec<u16>, bits: u32) -> Result<Vec<Self>, CodecError> {
        let largest = (1_u32 << bits) - 1;
        let mut bytes = reserved_for(samples.len())?;
        bytes.extend(samples.into_iter().map(|sample| {
            let scaled = (u32::from(sample) * 510 + largest) / (2 * largest);
            Self::try_from(scaled).unwrap_or(Self::MAX)
        }));
        Ok(bytes)
    }

    fn of_jpeg_xl(file: &[u8], size: Size, bands: usize) -> Result<Vec<Self>, CodecError> {
        jpegxl::decode(file, size, bands)
    }
}

impl FromPicture for u16 {
    fn of_bytes(_: Vec<u8>) -> Result<Vec<Self>, CodecError> {
        Err(unsupported("pictures of 8 bit in tiles of more"))
    }

    fn of_words(mut samples: Vec<u16>, bits: u32) -> Result<Vec<Self>, CodecError> {
        let largest = (1_u64 << bits) - 1;
        if bits < Self::BITS {
            for sample in &mut samples {
                let scaled = (u64::from(*sample) * 131_070 + largest) / (2 * largest);
                *sample = Self::try_from(scaled).unwrap_or(Self::MAX);
            }
        }
        Ok(samples)
    }

    fn of_jpeg_xl(file: &[u8], size: Size, bands: usize) -> Result<Vec<Self>, CodecError> {
        jpegxl::decode(file, size, bands)
    }
}

impl FromPicture for f32 {
    fn of_bytes(_: Vec<u8>) -> Result<Vec<Self>, CodecError> {
        Err(unsupported("pictures of 8 bit in tiles of more"))
    }

    fn of_words(_: Vec<u16>, _: u32) -> Result<Vec<Self>, CodecError> {
        Err(unsupported("pictures of whole numbers in tiles of others"))
    }

    fn of_jpeg_xl(_: &[u8], _: Size, _: usize) -> Result<Vec<Self>, CodecError> {
        Err(unsupported("JPEG XL tiles of floating point samples"))
    }
}

/// Where the data of an image of one block is, if the file tells that better than by the block's offset.
pub(super) fn better_extent(level: &Level) -> Option<Extent> {
    let found = level.old_jpeg.as_ref().and_then(OldJpeg::data);
    found.filter(|_found| level.size.fits(level.block))
}

/// Decodes the rows of a block that are shown: all samples of a pixel, luma and colour differences made
/// red, green, blue.
///
/// # Errors
/// `Malformed` where the picture is damaged or not what was promised; `Unsupported` in its codec's words.
pub(super) fn decode<T: FromPicture>(
    level: &Level,
    bytes: &[u8],
    block: &Block,
) -> Result<Vec<T>, CodecError> {
    let per_pixel = level.layout.per_pixel();
    let whole = Size::at_least_one(level.block.width(), block.rows);
    let bits = level.layout.format.bits;
    let mut samples = match level.compression {
        Compression::Webp => T::of_bytes(webp::decode(bytes, whole, per_pixel == 4)?)?,
        Compression::Jpeg2000 { ycbcr } => {
            let ycbcr = ycbcr || matches!(level.layout.photometric, Photometric::Ycbcr(..));
            let expected = Codestream { size: whole, components: per_pixel, bits, ycbcr };
            T::of_words(jpeg2000::decode(bytes, &expected)?, bits)?
        }
        Compression::JpegXl => T::of_jpeg_xl(bytes, whole, per_pixel)?,
        _ => T::of_bytes(jpeg_block(level, bytes, block)?)?,
    };
    samples.truncate(usize_of(whole.width()) * usize_of(block.rows_shown) * per_pixel);
    Ok(samples)
}

fn jpeg_block(level: &Level, bytes: &[u8], block: &Block) -> Result<Vec<u8>, CodecError> {
    let mut size = Size::at_least_one(level.block.width(), block.rows);
    let samples = usize_of(size.width()) * usize_of(size.height()) * level.layout.per_pixel();
    level.compression.check_expansion(bytes.len(), samples)?;
    if let Some(old) = &level.old_jpeg {
        return old_jpeg_block(level, &old.stream(size, bytes)?, size, block.rows_shown);
    }
    // Some writers fill the last strip up.
    if jpeg::frame_of(bytes).is_some_and(|frame| frame.height_px == level.block.height()) {
        size = level.block;
    }
    let colour = level.stream_colour();
    let file = jpeg::complete(bytes, colour, &[&level.jpeg_tables])?;
    jpeg::decode(&file, size, colour, block.rows_shown)
}

/// Here TIFF's own tags say what luma and colour differences are.
fn old_jpeg_block(
    level: &Level,
    stream: &[u8],
    size: Size,
    rows: u32,
) -> Result<Vec<u8>, CodecError> {
    let Photometric::Ycbcr(conversion, subsampling) = &level.layout.photometric else {
        let colour = level.stream_colour();
        return jpeg::decode(&jpeg::complete(stream, colour, &[])?, size, colour, rows);
    };
    // Called RGB, so that they come as they are.
    let colour = StreamColour::Rgb;
    let samples = jpeg::decode(&jpeg::complete(stream, colour, &[])?, size, colour, rows)?;
    ycbcr::to_rgb(conversion, *subsampling, &samples, size, Size::at_least_one(size.width(), rows))
}
