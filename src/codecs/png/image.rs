//! A PNG file (W3C PNG, third edition) as an image: every colour type, depth and interlace, palettes and
//! transparent colours made RGB and alpha. Of an animation, its first picture.

use std::io::{BufReader, ErrorKind};
use std::sync::Arc;

use png::{
    BitDepth, ColorType, Decoder, DecodingError, Info, Limits, Reader, Transformations, Unit,
};

use crate::codecs::exif::{Exif, read as read_exif};
use crate::codecs::flat::{Picture, check_whole, flat, profile, read_error, size, whole};
use crate::codecs::number::{u64_of, usize_of_bytes, zeroed};
use crate::codecs::png::{INFLATED_A_BYTE_MAX, PNG, texts};
use crate::codecs::upright::upright;
use crate::codecs::window::Window;
use crate::codecs::{CodecError, Decode, DecodeLimits, pixels_of};
use crate::imaging::{Pixels, Raster};
use crate::model::image_info::Resolution;
use crate::model::{ColourModel, ImageInfo, Metadata, ReadAt, Rect, SampleType, Size};

/// Bytes of what libraries may keep beside the profile and the rows that are being unfiltered.
const CHUNKS_BYTES_MAX: u64 = 4 << 20;

/// An open PNG file.
#[derive(Debug)]
struct PngPicture {
    source: Arc<dyn ReadAt>,
    limits: DecodeLimits,
    shape: Shape,
}

/// What a decoded pixel is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    colour: ColourModel,
    alpha: bool,
    samples: SampleType,
}

type PngReader = Reader<BufReader<Window>>;

/// Opens a PNG file; reads what stands before its pixels.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let (reader, size) = start(&source, limits, false)?;
    let shape = Shape::of(&reader);
    let header = reader.info();
    let block = header.exif_metadata.as_deref();
    let exif = block.map_or_else(Exif::default, read_exif);
    let metadata = metadata(&*source, limits, (block, &exif))?;
    let info = ImageInfo {
        alpha: shape.alpha,
        samples: shape.samples,
        bits: bits(header.bit_depth),
        bands_stored: u16::try_from(header.color_type.samples()).unwrap_or(u16::MAX),
        icc: profile(header.icc_profile.as_deref(), limits),
        resolution: resolution(header).or(exif.resolution),
        metadata: Arc::new(metadata),
        ..whole(PNG, size, shape.colour)
    };
    let picture = PngPicture { source, limits: limits.clone(), shape };
    Ok(upright(flat(info, picture), exif.orientation))
}

/// What the file says in texts and blocks.
fn metadata(
    source: &dyn ReadAt,
    limits: &DecodeLimits,
    (block, exif): (Option<&[u8]>, &Exif),
) -> Result<Metadata, CodecError> {
    let fits = |block: &&[u8]| u64_of(block.len()) <= limits.metadata_bytes_max;
    let mut metadata = Metadata::of_blocks([block.filter(fits).map(Arc::from), None, None]);
    texts::read(source, limits, &mut metadata)?;
    metadata.add_all(&exif.texts);
    Ok(metadata)
}

/// Reads up to the pixels, with every limit held before anything is allocated for them.
fn start(
    source: &Arc<dyn ReadAt>,
    limits: &DecodeLimits,
    without_profile: bool,
) -> Result<(PngReader, Size), CodecError> {
    let mut decoder = Decoder::new(BufReader::new(Window::new(Arc::clone(source))));
    decoder.set_transformations(Transformations::EXPAND);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(without_profile);
    let header = decoder.read_header_info().map_err(error_of)?;
    let size = size(PNG, (header.width, header.height), limits)?;
    check_whole(size, limits)?;
    let pixel_bits = u64_of(header.color_type.samples()) * u64::from(bits(header.bit_depth));
    if source.len_bytes() < size.area() * pixel_bits / 8 / INFLATED_A_BYTE_MAX {
        return Err(CodecError::malformed(PNG, "the file is too short for its pixels"));
    }
    // Rows are unfiltered one beside the last, of at most 8 bytes a pixel.
    let rows_bytes = 4 * 8 * u64::from(size.width());
    let bytes = usize_of_bytes(rows_bytes + limits.icc_bytes_max + CHUNKS_BYTES_MAX);
    decoder.set_limits(Limits { bytes });
    Ok((decoder.read_info().map_err(error_of)?, size))
}

const fn bits(depth: BitDepth) -> u8 {
    match depth {
        BitDepth::One => 1,
        BitDepth::Two => 2,
        BitDepth::Four => 4,
        BitDepth::Eight => 8,
        BitDepth::Sixteen => 16,
    }
}

/// Pixels a metre, where the file says so in metres.
fn resolution(header: &Info<'_>) -> Option<Resolution> {
    let density = header.pixel_dims.filter(|density| density.unit == Unit::Meter)?;
    let positive = 0 < density.xppu && 0 < density.yppu;
    positive
        .then(|| Resolution { x_per_metre: density.xppu.into(), y_per_metre: density.yppu.into() })
}

impl Shape {
    fn of(reader: &PngReader) -> Self {
        let (colour_type, depth) = reader.output_color_type();
        let (colour, alpha) = match colour_type {
            ColorType::Grayscale => (ColourModel::Gray, false),
            ColorType::GrayscaleAlpha => (ColourModel::Gray, true),
            // Palettes are expanded.
            ColorType::Rgb | ColorType::Indexed => (ColourModel::Rgb, false),
            ColorType::Rgba => (ColourModel::Rgb, true),
        };
        let samples = if depth == BitDepth::Sixteen { SampleType::U16 } else { SampleType::U8 };
        Self { colour, alpha, samples }
    }
}

impl Picture for PngPicture {
    const FORMAT: &'static str = PNG;

    fn decode(&self, _: usize, rect: Rect) -> Result<Pixels, CodecError> {
        let (mut reader, size) = start(&self.source, &self.limits, true)?;
        let changed = || CodecError::malformed(PNG, "its header is no longer what it was");
        let shape = Shape::of(&reader);
        let len = reader.output_buffer_size().ok_or_else(changed)?;
        let samples = Raster::<u8>::samples_len(size, shape.colour, shape.alpha);
        let bytes = samples.saturating_mul(usize::from(shape.samples.bytes()));
        if (size, shape, len) != (rect.size(), self.shape, bytes) {
            return Err(changed());
        }
        let mut bytes = zeroed(len)?;
        let frame = reader.next_frame(&mut bytes).map_err(error_of)?;
        if (frame.width, frame.height) != (size.width(), size.height()) {
            return Err(CodecError::malformed(PNG, "its first frame is not the whole picture"));
        }
        let bands = (shape.colour, shape.alpha);
        if shape.samples == SampleType::U16 {
            return pixels_of(PNG, size, bands, words(&bytes)?);
        }
        pixels_of(PNG, size, bands, bytes)
    }
}

/// The 16-bit numbers that stand in `bytes`, the high byte first.
fn words(bytes: &[u8]) -> Result<Vec<u16>, CodecError> {
    let (pairs, _) = bytes.as_chunks();
    let mut words = Vec::new();
    words
        .try_reserve_exact(pairs.len())
        .map_err(|error| std::io::Error::new(ErrorKind::OutOfMemory, error))?;
    words.extend(pairs.iter().map(|pair| u16::from_be_bytes(*pair)));
    Ok(words)
}

fn error_of(error: DecodingError) -> CodecError {
    match error {
        DecodingError::IoError(error) => read_error(PNG, error),
        DecodingError::LimitsExceeded => {
            let limit = CHUNKS_BYTES_MAX;
            let what = "bytes of a PNG's chunks, without pixels and profile (at least)";
            CodecError::OverLimit { what, value: limit + 1, limit }
        }
        other => CodecError::malformed(PNG, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::Encoding;
    use crate::codecs::png::encode;
    use crate::model::{Format, TileAddress};

    const FIRST: TileAddress = TileAddress { stored: 0, column: 0, row: 0 };

    fn open_bytes(bytes: Vec<u8>) -> Result<Arc<dyn Decode>, CodecError> {
        open(Arc::new(bytes), &DecodeLimits::default())
    }

    /// 300 x 20 pixels, and their file.
    fn sample(icc: Option<&[u8]>) -> (Raster, Vec<u8>) {
        let size = Size::new(300, 20).unwrap();
        let samples = (0..300 * 20 * 3).map(|i| u8::try_from(i * 7 % 253).unwrap()).collect();
        let raster = Raster::new(size, ColourModel::Rgb, false, samples).unwrap();
        let encoding = Encoding::plain(Format::Png, 1).with_icc(icc.map(Arc::from));
        let file = encode(&Pixels::U8(raster.clone()), &encoding).unwrap();
        (raster, file)
    }

    #[test]
    fn what_is_written_is_read_with_its_profile() {
        let (raster, file) = sample(Some(b"a profile"));
        let image = open_bytes(file).unwrap();
        assert_eq!(image.info().icc.as_deref(), Some(&b"a profile"[..]));
        assert_eq!(image.decode_tile(FIRST).unwrap().into_bytes().unwrap(), raster);
    }

    #[test]
    fn a_file_cut_short_is_malformed_be_it_by_its_end_chunk() {
        let (_, file) = sample(None);
        for len in (0..file.len() - 16).step_by(61).chain([file.len() - 12]) {
            let result =
                open_bytes(file[..len].to_vec()).and_then(|image| image.decode_tile(FIRST));
            assert!(matches!(result, Err(CodecError::Malformed { .. })), "{len}: {result:?}");
        }
    }

    #[test]
    fn a_profile_that_inflates_without_end_is_left_out() {
        let (raster, _) = sample(None);
        let encoding = Encoding::plain(Format::Png, 1).with_icc(Some(vec![0; 64 << 20].into()));
        let file = encode(&Pixels::U8(raster), &encoding).unwrap();
        assert!(file.len() < 1 << 20);
        let image = open_bytes(file).unwrap();
        assert_eq!(image.info().icc, None);
        image.decode_tile(FIRST).unwrap();
    }

    #[test]
    fn a_promise_of_pixels_costs_nothing() {
        let (_, mut file) = sample(None);
        file[16..24].copy_from_slice(&[0, 0, 0x1f, 0, 0, 0, 0x1f, 0]);
        open_bytes(file).unwrap_err();
    }
}
