//! The first picture of a GIF file (version 89a) as an image: RGB, with alpha where it has a
//! transparent colour or leaves part of the screen free.

use std::sync::Arc;

use gif::{ColorOutput, DecodeOptions, Decoder, DecodingError, Frame};

use crate::codecs::flat::{Picture, check_whole, flat, profile, read_error, size, whole};
use crate::codecs::number::{usize_of_bytes, zeroed};
use crate::codecs::window::Window;
use crate::codecs::{CodecError, Decode, DecodeLimits, pixels_of};
use crate::imaging::{Pixels, Raster};
use crate::model::{ColourModel, ImageInfo, ReadAt, Rect, Size};

/// The format's name in errors.
const GIF: &str = "GIF";

/// Pixels that a byte of the file can stand for: a code of twelve bits at most repeats 4096 pixels, and
/// none has fewer than two.
const PIXELS_A_BYTE_MAX: u64 = 4 * 4096;

/// An open GIF file.
#[derive(Debug)]
struct GifPicture {
    source: Arc<dyn ReadAt>,
    alpha: bool,
    limits: DecodeLimits,
}

/// Opens a GIF file; reads up to its first picture.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let first = First::read(&source, limits)?;
    let info = ImageInfo {
        alpha: first.alpha,
        bands_stored: 1,
        icc: profile(first.decoder.icc_profile(), limits),
        ..whole(GIF, first.screen, ColourModel::Rgb)
    };
    let picture = GifPicture { source, alpha: first.alpha, limits: limits.clone() };
    Ok(flat(info, picture))
}

/// A file read up to its first picture's pixels.
struct First {
    decoder: Decoder<Window>,
    screen: Size,
    /// Where the picture lies on the screen, or beyond it.
    rect: Rect,
    alpha: bool,
}

impl First {
    fn read(source: &Arc<dyn ReadAt>, limits: &DecodeLimits) -> Result<Self, CodecError> {
        let mut options = DecodeOptions::new();
        options.set_color_output(ColorOutput::RGBA);
        let mut decoder = options.read_info(Window::new(Arc::clone(source))).map_err(error_of)?;
        let sides = (decoder.width().into(), decoder.height().into());
        let screen = size(GIF, sides, limits)?;
        check_whole(screen, limits)?;
        let frame = decoder.next_frame_info().map_err(error_of)?;
        let frame = frame.ok_or_else(|| CodecError::malformed(GIF, "there is no picture"))?;
        let rect = rect(frame).ok_or_else(|| CodecError::malformed(GIF, "an empty picture"))?;
        let alpha = frame.transparent.is_some()
            || rect.intersect(Rect::whole(screen)) != Some(Rect::whole(screen));
        check_whole(rect.size(), limits)?;
        if source.len_bytes() < rect.size().area() / PIXELS_A_BYTE_MAX {
            return Err(CodecError::malformed(GIF, "the file is too short for its pixels"));
        }
        Ok(Self { decoder, screen, rect, alpha })
    }

    /// The pixels of the picture alone, as RGBA.
    fn pixels(&mut self) -> Result<Raster, CodecError> {
        let mut samples = zeroed(usize_of_bytes(self.rect.size().area() * 4))?;
        self.decoder.read_into_buffer(&mut samples).map_err(error_of)?;
        raster(self.rect.size(), true, samples)
    }
}

fn rect(frame: &Frame<'_>) -> Option<Rect> {
    let size = Size::new(frame.width.into(), frame.height.into())?;
    Rect::new(frame.left.into(), frame.top.into(), size)
}

fn raster(size: Size, alpha: bool, samples: Vec<u8>) -> Result<Raster, CodecError> {
    Raster::new(size, ColourModel::Rgb, alpha, samples)
        .map_err(|error| CodecError::malformed(GIF, error.to_string()))
}

impl Picture for GifPicture {
    const FORMAT: &'static str = GIF;

    fn decode(&self, _: usize, rect: Rect) -> Result<Pixels, CodecError> {
        let mut first = First::read(&self.source, &self.limits)?;
        if (first.screen, first.alpha) != (rect.size(), self.alpha) {
            return Err(CodecError::malformed(GIF, "its header is no longer what it was"));
        }
        let picture = first.pixels()?;
        let screen = if first.rect == Rect::whole(first.screen) {
            picture
        } else {
            let samples = zeroed(usize_of_bytes(first.screen.area() * 4))?;
            let mut screen = raster(first.screen, true, samples)?;
            let (left, top) = (first.rect.left(), first.rect.top());
            screen.paste(&picture, Rect::whole(picture.size()), left, top);
            screen
        };
        if first.alpha {
            return Ok(screen.into());
        }
        let size = screen.size();
        let (pixels, _) = screen.samples().as_chunks::<4>();
        let mut samples = zeroed(usize_of_bytes(size.area() * 3))?;
        let (targets, _) = samples.as_chunks_mut::<3>();
        for ([red, green, blue], from) in targets.iter_mut().zip(pixels) {
            [*red, *green, *blue, _] = *from;
        }
        pixels_of(GIF, size, (ColourModel::Rgb, false), samples)
    }
}

fn error_of(error: DecodingError) -> CodecError {
    match error {
        DecodingError::Io(error) => read_error(GIF, error),
        DecodingError::OutOfMemory => CodecError::Io(std::io::ErrorKind::OutOfMemory.into()),
        other => CodecError::malformed(GIF, other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TileAddress;

    const FIRST: TileAddress = TileAddress { stored: 0, column: 0, row: 0 };

    /// A screen of 4 x 3 with a picture of 2 x 2, black and white.
    fn file(left: u8, transparent: bool) -> Vec<u8> {
        let mut file = b"GIF89a\x04\0\x03\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        if transparent {
            file.extend(b"\x21\xf9\x04\x01\0\0\0\0");
        }
        file.extend([0x2c, left, 0, 1, 0, 2, 0, 2, 0, 0]);
        // Codes: clear, 1, 0, 1 of three bits, then 1 and end of four.
        file.extend([2, 3, 0x0c, 0x12, 0x05, 0, 0x3b]);
        file
    }

    fn decode(bytes: Vec<u8>) -> Result<Raster, CodecError> {
        let image = open(Arc::new(bytes), &DecodeLimits::default())?;
        Ok(image.decode_tile(FIRST)?.into_bytes().unwrap())
    }

    #[test]
    fn a_picture_smaller_than_the_screen_leaves_the_rest_transparent() {
        let raster = decode(file(1, false)).unwrap();
        assert!(raster.alpha());
        assert_eq!((raster.size().width(), raster.size().height()), (4, 3));
        let alphas: Vec<u8> = raster.samples().iter().skip(3).step_by(4).copied().collect();
        assert_eq!(alphas, [0, 0, 0, 0, 0, 255, 255, 0, 0, 255, 255, 0]);
    }

    #[test]
    fn what_lies_beyond_the_screen_is_left_out() {
        let raster = decode(file(3, true)).unwrap();
        let alphas: Vec<u8> = raster.samples().iter().skip(3).step_by(4).copied().collect();
        assert_eq!(alphas, [0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 255]);
    }

    #[test]
    fn a_file_cut_short_is_malformed() {
        let whole = file(1, true);
        for len in 0..whole.len() - 3 {
            let error = decode(whole[..len].to_vec()).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{len}: {error}");
        }
    }
}
