//! A Windows or OS/2 bitmap as an image: palettes, 16, 24 and 32 bit, run lengths and bit fields.

use std::io::BufReader;
use std::sync::Arc;

use image::codecs::bmp::BmpDecoder;
use image::error::ImageError;
use image::{ColorType, ImageDecoder};

use crate::codecs::flat::{Picture, check_whole, flat, read_error, size, whole};
use crate::codecs::number::{usize_of_bytes, zeroed};
use crate::codecs::window::Window;
use crate::codecs::{CodecError, Decode, DecodeLimits, pixels_of};
use crate::imaging::Pixels;
use crate::model::image_info::Resolution;
use crate::model::{ColourModel, ImageInfo, ReadAt, Rect, Size};

/// The format's name in errors.
const BMP: &str = "BMP";

/// Length of the file's header and of the shortest information header that tells compression and
/// resolution.
const INFO_END: usize = 14 + 40;

/// An open bitmap.
#[derive(Debug)]
struct BmpPicture {
    source: Arc<dyn ReadAt>,
    alpha: bool,
    limits: DecodeLimits,
}

/// Opens a bitmap; reads its header alone.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let header = Header::read(&*source)?;
    let (decoder, size) = start(&source, &header, limits)?;
    let alpha = is_alpha(&decoder)?;
    let info = ImageInfo {
        alpha,
        bits: header.pixel_bits.min(8),
        bands_stored: if header.pixel_bits <= 8 { 1 } else { 3 + u16::from(alpha) },
        resolution: header.resolution,
        ..whole(BMP, size, ColourModel::Rgb)
    };
    Ok(flat(info, BmpPicture { source, alpha, limits: limits.clone() }))
}

/// What is of use in the header beside what the decoder tells.
struct Header {
    pixel_bits: u8,
    /// Whether every pixel takes its bits in the file.
    plain: bool,
    resolution: Option<Resolution>,
}

impl Header {
    /// # Errors
    /// `Unsupported` where other formats are packed into the file.
    fn read(source: &dyn ReadAt) -> Result<Self, CodecError> {
        let mut bytes = [0; INFO_END];
        let len = usize_of_bytes(source.len_bytes()).min(INFO_END);
        if let Some(bytes) = bytes.get_mut(..len) {
            source.read_exact_at(bytes, 0)?;
        }
        let u32_at = |at: usize| {
            let field = bytes.get(at..).and_then(<[u8]>::first_chunk);
            field.map_or(0, |field| u32::from_le_bytes(*field))
        };
        // OS/2's first header has sides of 16 bits, and neither compression nor resolution.
        let short = u32_at(14) < 40;
        let bits = bytes.get(if short { 24 } else { 28 }).copied().unwrap_or_default();
        let compression = if short { 0 } else { u32_at(30) };
        match compression {
            4 => return Err(CodecError::unsupported(BMP, "compression BI_JPEG")),
            5 => return Err(CodecError::unsupported(BMP, "compression BI_PNG")),
            11..=13 => return Err(CodecError::unsupported(BMP, "colour model CMYK")),
            _ => {}
        }
        let (x, y) = if short { (0, 0) } else { (u32_at(38), u32_at(42)) };
        let told = (1..=1_000_000).contains(&x) && (1..=1_000_000).contains(&y);
        let resolution = Resolution { x_per_metre: x.into(), y_per_metre: y.into() };
        Ok(Self {
            pixel_bits: bits,
            plain: matches!(compression, 0 | 3),
            resolution: told.then_some(resolution),
        })
    }
}

type Bitmap = BmpDecoder<BufReader<Window>>;

/// Reads up to the pixels, and holds their number against the limits and the file's length.
fn start(
    source: &Arc<dyn ReadAt>,
    header: &Header,
    limits: &DecodeLimits,
) -> Result<(Bitmap, Size), CodecError> {
    let window = BufReader::new(Window::new(Arc::clone(source)));
    let decoder = BmpDecoder::new(window).map_err(error_of)?;
    let size = size(BMP, decoder.dimensions(), limits)?;
    check_whole(size, limits)?;
    let stored_bytes = size.area() * u64::from(header.pixel_bits) / 8;
    if header.plain && source.len_bytes() < stored_bytes {
        return Err(CodecError::malformed(BMP, "the file is too short for its pixels"));
    }
    Ok((decoder, size))
}

fn is_alpha(decoder: &Bitmap) -> Result<bool, CodecError> {
    match decoder.color_type() {
        ColorType::Rgb8 => Ok(false),
        ColorType::Rgba8 => Ok(true),
        other => Err(CodecError::unsupported(BMP, format!("samples {other:?}"))),
    }
}

impl Picture for BmpPicture {
    const FORMAT: &'static str = BMP;

    fn decode(&self, _: usize, rect: Rect) -> Result<Pixels, CodecError> {
        let header = Header::read(&*self.source)?;
        let (decoder, size) = start(&self.source, &header, &self.limits)?;
        if (size, is_alpha(&decoder)?) != (rect.size(), self.alpha) {
            return Err(CodecError::malformed(BMP, "its header is no longer what it was"));
        }
        let mut samples = zeroed(usize_of_bytes(decoder.total_bytes()))?;
        decoder.read_image(&mut samples).map_err(error_of)?;
        pixels_of(BMP, size, (ColourModel::Rgb, self.alpha), samples)
    }
}

fn error_of(error: ImageError) -> CodecError {
    match error {
        ImageError::IoError(error) => read_error(BMP, error),
        ImageError::Unsupported(error) => CodecError::unsupported(BMP, error.to_string()),
        other => CodecError::malformed(BMP, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Raster;
    use crate::model::TileAddress;

    const FIRST: TileAddress = TileAddress { stored: 0, column: 0, row: 0 };

    /// 3 x 2 pixels of 24 bits, 2835 a metre; the lower row first, each of 12 bytes.
    fn file(compression: u8) -> Vec<u8> {
        let mut file =
            b"BM\x4e\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x03\0\0\0\x02\0\0\0\x01\0\x18\0".to_vec();
        file.extend([compression, 0, 0, 0, 24, 0, 0, 0, 0x13, 0x0b, 0, 0, 0x13, 0x0b, 0, 0]);
        file.extend([0; 8]);
        file.extend((1..=24_u8).map(|i| if (i - 1) % 12 < 9 { i } else { 0 }));
        file
    }

    fn decode(bytes: Vec<u8>) -> Result<Raster, CodecError> {
        let image = open(Arc::new(bytes), &DecodeLimits::default())?;
        Ok(image.decode_tile(FIRST)?.into_bytes().unwrap())
    }

    #[test]
    fn the_header_tells_the_resolution() {
        let image = open(Arc::new(file(0)), &DecodeLimits::default()).unwrap();
        assert!((image.info().resolution.unwrap().x_per_metre - 2835.0).abs() < 1e-9);
        assert_eq!((image.info().bits, image.info().bands_stored), (8, 3));
    }

    #[test]
    fn rows_are_turned_and_colours_put_in_order() {
        let raster = decode(file(0)).unwrap();
        let expected = [15, 14, 13, 18, 17, 16, 21, 20, 19, 3, 2, 1, 6, 5, 4, 9, 8, 7];
        assert_eq!(raster.samples(), expected);
    }

    #[test]
    fn what_is_packed_into_a_bitmap_is_named() {
        for (compression, words) in [(4, "BI_JPEG"), (5, "BI_PNG"), (11, "CMYK")] {
            let error = decode(file(compression)).unwrap_err();
            assert!(matches!(error, CodecError::Unsupported { .. }), "{error}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_file_cut_short_is_malformed() {
        let whole = file(0);
        for len in 0..whole.len() - 3 {
            let error = decode(whole[..len].to_vec()).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{len}: {error}");
        }
    }
}
