//! Bytes to a GIF of one picture (GIF89a): grays by a palette of grays, colours by one of 256 that is made
//! for the picture (A. Dekker's neural quantization, 1994) where it has more. A pixel is opaque or not at all: the border is
//! half opaque.

use gif::{Encoder, EncodingError, Frame};

use crate::codecs::CodecError;
use crate::codecs::number::reserved;
use crate::imaging::Raster;
use crate::model::ColourModel;

/// The longest side: 16 bits.
const SIDE_PX_MAX: u32 = 65_535;

/// Of so many pixels one is looked at for the palette, 1 to 30: the difference is not seen.
const SPEED: i32 = 30;

/// The least alpha that counts as opaque.
const OPAQUE_FROM: u8 = 128;

/// Encodes a raster.
///
/// # Errors
/// `OverLimit` above 65535 pixels a side, `Io` where memory is short.
pub(crate) fn encode(raster: &Raster) -> Result<Vec<u8>, CodecError> {
    let size = raster.size();
    crate::codecs::check_side(size, "pixels of a GIF's side", SIDE_PX_MAX)?;
    let narrow = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let (width, height) = (narrow(size.width()), narrow(size.height()));
    let frame = frame(raster, width, height)?;
    let mut file = reserved(raster.samples().len() / 2)?;
    let written = Encoder::new(&mut file, width, height, &[])
        .and_then(|mut encoder| encoder.write_frame(&frame));
    match written {
        Ok(()) => Ok(file),
        Err(EncodingError::Io(error)) => Err(error.into()),
        Err(error) => Err(CodecError::malformed("GIF", error.to_string())),
    }
}

fn frame(raster: &Raster, width: u16, height: u16) -> Result<Frame<'static>, CodecError> {
    let samples = raster.samples();
    Ok(match (raster.colour(), raster.alpha()) {
        (ColourModel::Gray, false) => {
            Frame::from_palette_pixels(width, height, copied(samples)?, grays(255), None)
        }
        (ColourModel::Gray, true) => {
            let mut indices = reserved(samples.len() / 2)?;
            indices.extend(samples.as_chunks::<2>().0.iter().copied().map(index));
            Frame::from_palette_pixels(width, height, indices, grays(254), Some(255))
        }
        (_, false) => Frame::from_rgb_speed(width, height, samples, SPEED),
        (_, true) => {
            let mut pixels = copied(samples)?;
            for [.., alpha] in pixels.as_chunks_mut::<4>().0 {
                *alpha = if OPAQUE_FROM <= *alpha { 255 } else { 0 };
            }
            Frame::from_rgba_speed(width, height, &mut pixels, SPEED)
        }
    })
}

fn copied(samples: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut copy = reserved(samples.len())?;
    copy.extend_from_slice(samples);
    Ok(copy)
}

/// Grays from black to white, which is colour number `white`.
fn grays(white: u8) -> Vec<u8> {
    (0..=white).flat_map(|index| [scaled(index, white, 255); 3]).collect()
}

/// A gray's number among 255 of them, or that of the transparent.
fn index([gray, alpha]: [u8; 2]) -> u8 {
    if OPAQUE_FROM <= alpha { scaled(gray, 255, 254) } else { 255 }
}

/// `value / of * to`, rounded.
fn scaled(value: u8, of: u8, to: u8) -> u8 {
    let (value, of, to) = (u16::from(value), u16::from(of), u16::from(to));
    u8::try_from((u32::from(value) * u32::from(to) + u32::from(of) / 2) / u32::from(of))
        .unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codecs::{DecodeLimits, open};
    use crate::model::{Selection, Size, TileAddress};

    fn again(raster: &Raster) -> Raster {
        let file = Arc::new(encode(raster).unwrap());
        let image = open(file, Selection::default(), &DecodeLimits::default()).unwrap();
        let tile = image.decode_tile(TileAddress { stored: 0, column: 0, row: 0 }).unwrap();
        tile.into_bytes().unwrap()
    }

    fn raster(colour: ColourModel, alpha: bool, pixels: &[u8]) -> Raster {
        let bands = usize::from(colour.bands()) + usize::from(alpha);
        let width = u32::try_from(pixels.len() / bands).unwrap();
        Raster::new(Size::new(width, 1).unwrap(), colour, alpha, pixels.to_vec()).unwrap()
    }

    #[test]
    fn grays_and_few_colours_lose_nothing() {
        let grays: Vec<u8> = (0..=255).collect();
        let shown = again(&raster(ColourModel::Gray, false, &grays));
        let bands = shown.bands();
        let first: Vec<u8> = shown.samples().iter().step_by(bands).copied().collect();
        assert_eq!(first, grays);
        let colours = [1, 2, 3, 250, 0, 9, 77, 78, 79];
        let shown = again(&raster(ColourModel::Rgb, false, &colours));
        let found: Vec<u8> =
            shown.samples().chunks(shown.bands()).flat_map(|pixel| pixel[..3].to_vec()).collect();
        assert_eq!(found, colours);
    }

    #[test]
    fn a_pixel_is_opaque_or_not_at_all() {
        for (colour, pixels) in [
            (ColourModel::Gray, vec![0, 255, 255, 128, 9, 127]),
            (ColourModel::Rgb, vec![0, 0, 0, 255, 255, 255, 255, 128, 9, 9, 9, 127]),
        ] {
            let shown = again(&raster(colour, true, &pixels));
            assert!(shown.alpha());
            let bands = shown.bands();
            let alphas: Vec<u8> =
                shown.samples().iter().skip(bands - 1).step_by(bands).copied().collect();
            assert_eq!(alphas, [255, 255, 0]);
            assert_eq!((shown.samples()[0], shown.samples()[bands]), (0, 255));
        }
    }
}
