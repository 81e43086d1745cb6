//! Bytes to rasters and back; the only place that names a format library. Codecs read through
//! [`ReadAt`] and never see a path.

mod avif;
mod bmp;
pub mod encoding;
pub mod error;
mod exif;
mod fields;
mod flat;
mod gif;
mod iptc;
pub mod jpeg;
pub mod jpeg2000;
mod jpegxl;
pub mod limits;
mod magic;
pub(crate) mod number;
mod pdf;
mod png;
mod rights;
mod spare_threads;
pub mod tiff;
mod upright;
mod webp;
mod window;

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;

use crate::codecs::avif::encode as encode_avif;
use crate::codecs::bmp::open as open_bmp;
use crate::codecs::gif::{encode as encode_gif, open as open_gif};
use crate::codecs::jpeg::{encode as encode_jpeg, open as open_jpeg};
use crate::codecs::jpeg2000::{CodestreamDecoder, KeptBlocks, OpenJpeg, open as open_jpeg_2000};
use crate::codecs::jpegxl::encode as encode_jpeg_xl;
use crate::codecs::magic::Magic;
use crate::codecs::number::{usize_of_bytes, zeroed};
use crate::codecs::pdf::encode as encode_pdf;
use crate::codecs::png::{encode as encode_png, open as open_png};
use crate::codecs::tiff::{encode as encode_tiff, open as open_tiff};
use crate::codecs::webp::{encode as encode_webp, open as open_webp};
use crate::imaging::{Pixels, Raster, Sample};
use crate::model::{ColourModel, Format, ImageInfo, ReadAt, Selection, Size, Slice, TileAddress};

pub use encoding::{About, Encoding};
pub use error::CodecError;
pub use limits::DecodeLimits;
pub use rights::with_rights;
pub use spare_threads::{NoneSpare, SpareThreads};

/// Suffixes of files that are offered in listings or looked for in sequences, in lower case. What a file
/// is, its first bytes decide.
pub const IMAGE_SUFFIXES: &[&str] = &[
    "tif", "tiff", "ptif", "ptiff", "btf", "tf8", "svs", "jpg", "jpeg", "jpe", "jfif", "png",
    "apng", "webp", "gif", "bmp", "dib", "jp2", "j2k", "j2c", "jpc", "jpx", "jpf", "jph", "jhc",
];

/// Whether a file of this name is likely an image that we open.
pub fn is_image_name(name: &str) -> bool {
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
    suffix
        .is_some_and(|suffix| IMAGE_SUFFIXES.iter().any(|known| suffix.eq_ignore_ascii_case(known)))
}

/// An open image. Immutable and shared: many tiles are read and decoded at once.
pub trait Decode: Debug + Send + Sync {
    /// What the header says.
    fn info(&self) -> &Arc<ImageInfo>;

    /// Decodes one stored tile, cropped to the level at its right and lower edge, with the colour
    /// model, alpha and sample type that [`Decode::info`] names. Levels that are made of others
    /// ([`crate::model::StoredLevel::made_from`]) are not asked for.
    ///
    /// # Errors
    /// Malformed, unsupported, over a limit, or IO; `Malformed` too where the grid has no such tile.
    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError>;

    /// The stored bytes of one tile made a complete file of its own (tables, markers, ICC profile as
    /// `icc` says), undecoded; `None` where the tile is cropped by the edge, or its encoding
    /// is no answer format, or its colours would not be read right from it.
    ///
    /// # Errors
    /// As [`Decode::decode_tile`].
    fn stored_tile(&self, at: TileAddress, icc: bool) -> Result<Option<StoredTile>, CodecError>;
}

/// A complete file made of a stored tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTile {
    /// What it is.
    pub format: Format,
    /// The file.
    pub bytes: Bytes,
}

/// What decodes for codecs that leave that to another: in this process, or elsewhere.
#[derive(Clone, Debug)]
pub struct Decoders {
    /// Code-blocks of JPEG 2000.
    pub jpeg2000: Jpeg2000Decoders,
}

/// What decodes code-blocks of JPEG 2000.
#[derive(Clone, Debug)]
pub struct Jpeg2000Decoders {
    /// OpenJPEG, in this process or in another.
    pub codestreams: Arc<dyn CodestreamDecoder>,
    /// Whether it decodes all, in place of ourselves.
    pub all: bool,
    /// Those that we decoded.
    pub kept: Arc<KeptBlocks>,
    /// Who helps us with those of one tile.
    pub spare: Arc<dyn SpareThreads>,
}

impl Default for Decoders {
    /// All in this process.
    fn default() -> Self {
        let jpeg2000 = Jpeg2000Decoders {
            codestreams: Arc::new(OpenJpeg),
            all: false,
            kept: Arc::default(),
            spare: Arc::new(NoneSpare),
        };
        Self { jpeg2000 }
    }
}

/// Opens a file by what its first bytes name, and reads the structure of the picture that is selected: of
/// TIFF also which bands, of JPEG 2000 how many quality layers. What is decoded, this process decodes.
///
/// # Errors
/// `Unsupported` where the format, or the way this file uses it, is not read; `Absent` where the file
/// has no such slice; `Malformed`, over a limit, or IO.
pub fn open(
    source: Arc<dyn ReadAt>,
    selection: Selection,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    open_with(source, selection, limits, &Decoders::default())
}

/// The same, with these decoders.
///
/// # Errors
/// As [`open`].
pub fn open_with(
    source: Arc<dyn ReadAt>,
    selection: Selection,
    limits: &DecodeLimits,
    decoders: &Decoders,
) -> Result<Arc<dyn Decode>, CodecError> {
    let Selection { slice, bands, layers } = selection;
    let head_len = usize_of_bytes(source.len_bytes()).min(magic::HEAD_BYTES);
    let mut head = zeroed(head_len)?;
    source.read_exact_at(&mut head, 0)?;
    match magic::recognise(&head) {
        Magic::Tiff => open_tiff(source, slice, bands, limits),
        Magic::Jpeg => only(slice).and_then(|()| open_jpeg(source, limits)),
        Magic::Png => only(slice).and_then(|()| open_png(source, limits)),
        Magic::Webp => only(slice).and_then(|()| open_webp(source, limits)),
        Magic::Gif => only(slice).and_then(|()| open_gif(source, limits)),
        Magic::Bmp => only(slice).and_then(|()| open_bmp(source, limits)),
        Magic::Jpeg2000 { is_raw } => only(slice)
            .and_then(|()| open_jpeg_2000(source, &decoders.jpeg2000, (is_raw, layers), limits)),
        Magic::Other(name) => Err(CodecError::unsupported(name, "the whole format")),
        Magic::Unknown => {
            Err(CodecError::malformed("image", "the first bytes are those of no known format"))
        }
    }
}

/// Whether a codec here reads files that begin so.
pub fn reads(head: &[u8]) -> bool {
    !matches!(magic::recognise(head), Magic::Other(_) | Magic::Unknown)
}

/// Refuses any picture but the main one of a file that has no other.
pub(crate) fn only(slice: Slice) -> Result<(), CodecError> {
    match slice {
        plain if plain.is_plain() => Ok(()),
        Slice::Main => Ok(()),
        Slice::View { horizontal, vertical: Slice::LEVEL_DEG } => {
            Err(CodecError::absent(format!("page {horizontal}: the file has 1")))
        }
        Slice::View { vertical, .. } => {
            Err(CodecError::absent(format!("vertical view {vertical}: the file has one picture")))
        }
        Slice::Associated(which) => {
            Err(CodecError::absent(format!("{}: the file has one picture", which.word())))
        }
    }
}

/// Encodes pixels as a complete file.
///
/// # Errors
/// `OverLimit` where the format cannot hold so many pixels; `Unsupported` where it cannot hold alpha
/// (JPEG: flatten first), the colours, or samples of this type; `Io` where memory is short.
pub fn encode(pixels: &Pixels, encoding: &Encoding) -> Result<Bytes, CodecError> {
    check_shown(pixels, encoding.format.suffix())?;
    let file = match encoding.format {
        Format::Jpeg => encode_jpeg(bytes_of(pixels, "JPEG")?, encoding),
        Format::Png => encode_png(pixels, encoding),
        Format::Webp => encode_webp(bytes_of(pixels, "WebP")?, encoding),
        Format::Avif => encode_avif(pixels, encoding),
        Format::Tiff => encode_tiff(pixels, encoding),
        Format::Gif => encode_gif(bytes_of(pixels, "GIF")?, &encoding.about),
        Format::Pdf => encode_pdf(bytes_of(pixels, "PDF")?, encoding),
        Format::Jxl => encode_jpeg_xl(bytes_of(pixels, "JPEG XL")?, encoding),
    }?;
    Ok(Bytes::from(file))
}

/// The raster of pixels that are bytes.
fn bytes_of<'a>(pixels: &'a Pixels, format: &'static str) -> Result<&'a Raster, CodecError> {
    let other = || CodecError::unsupported(format, format!("{:?} samples", pixels.sample_type()));
    u8::unwrap(pixels).ok_or_else(other)
}

/// Decoded samples as pixels of this shape.
///
/// # Errors
/// `Malformed` where they are too few or too many.
fn pixels_of<T: Sample>(
    format: &'static str,
    size: Size,
    (colour, alpha): (ColourModel, bool),
    samples: Vec<T>,
) -> Result<Pixels, CodecError> {
    let raster = Raster::new(size, colour, alpha, samples);
    raster.map(T::wrap).map_err(|error| CodecError::malformed(format, error.to_string()))
}

/// Refuses pixels that are neither gray nor RGB, which no answer's format holds.
fn check_shown(pixels: &Pixels, format: &'static str) -> Result<(), CodecError> {
    if pixels.colour() == pixels.colour().shown() {
        return Ok(());
    }
    Err(CodecError::unsupported(format, format!("colour model {:?}", pixels.colour())))
}

/// Refuses a picture with a side above `side_px_max`, before an encoder would.
fn check_side(size: Size, what: &'static str, side_px_max: u32) -> Result<(), CodecError> {
    let side_px = size.longer();
    if side_px <= side_px_max {
        return Ok(());
    }
    Err(CodecError::OverLimit { what, value: side_px.into(), limit: side_px_max.into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::slice::Associated;

    fn refusal(bytes: &[u8]) -> CodecError {
        open(Arc::new(bytes.to_vec()), Selection::default(), &DecodeLimits::default()).unwrap_err()
    }

    #[test]
    fn what_is_not_read_is_named() {
        let error = refusal(b"%PDF-1.7").to_string();
        assert_eq!(error, "unsupported PDF feature: the whole format");
        assert!(matches!(refusal(b""), CodecError::Malformed { .. }));
        assert!(matches!(refusal(b"some text"), CodecError::Malformed { .. }));
    }

    #[test]
    fn a_flat_file_has_one_picture() {
        for slice in [Slice::page(1), Slice::view(0, 45), Slice::Associated(Associated::Label)] {
            let source = Arc::new(b"\x89PNG\r\n\x1a\n".to_vec());
            let selection = Selection { slice, ..Selection::default() };
            let error = open(source, selection, &DecodeLimits::default()).unwrap_err();
            assert!(matches!(error, CodecError::Absent { .. }), "{error}");
        }
    }

    #[test]
    fn listings_know_images_by_their_suffix_in_any_case() {
        for name in ["a.tif", "A.JPG", "b.c.png", "scan.webp", "x.SVS", "old.gif", "o.bmp"] {
            assert!(is_image_name(name), "{name}");
        }
        for name in ["tif", "a.txt", "a.jpg.xml", "a."] {
            assert!(!is_image_name(name), "{name}");
        }
    }
}
