//! Bytes to a GIF of one picture (GIF89a): grays by a palette of grays, colours by one of 256 that is made
//! for the picture (A. Dekker's neural quantization, 1994) where it has more. A pixel is opaque or not at all: the border is
//! half opaque.

use gif::{Encoder, EncodingError, Frame};

use crate::codecs::CodecError;
use crate::codecs::encoding::About;
use crate::codecs::number::reserved;
use crate::imaging::Raster;
use crate::model::{ColourModel, Field};

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
pub(crate) fn encode(raster: &Raster, about: &About) -> Result<Vec<u8>, CodecError> {
    let size = raster.size();
    crate::codecs::check_side(size, "pixels of a GIF's side", SIDE_PX_MAX)?;
    let narrow = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let (width, height) = (narrow(size.width()), narrow(size.height()));
    let frame = frame(raster, width, height)?;
    let mut file = reserved(raster.samples().len() / 2 + about.len())?;
    let written = Encoder::new(&mut file, width, height, &[])
        .and_then(|mut encoder| encoder.write_frame(&frame));
    let place = head_len(&file);
    file.splice(place..place, extensions(about));
    match written {
        Ok(()) => Ok(file),
        Err(EncodingError::Io(error)) => Err(error.into()),
        Err(error) => Err(CodecError::malformed("GIF", error.to_string())),
    }
}

/// Bytes of signature, version, the screen's description and the colours of all pictures (sections 17 to 19).
fn head_len(file: &[u8]) -> usize {
    let flags = file.get(10).copied().unwrap_or_default();
    13 + if flags & 0x80 == 0 { 0 } else { 6 << (flags & 7) }
}

/// What the source says: rights as a comment (section 24), and XMP (XMP part 3, section 1.1.2), whose
/// bytes are no blocks, so that 256 bytes follow which lead whoever takes them for such to the end.
fn extensions(about: &About) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(rights) = about.text(Field::Rights) {
        extensions.extend([0x21, 0xfe]);
        for block in rights.as_bytes().chunks(255) {
            extensions.push(u8::try_from(block.len()).unwrap_or(u8::MAX));
            extensions.extend(block);
        }
        extensions.push(0);
    }
    if let Some(xmp) = about.xmp() {
        extensions.extend(b"\x21\xff\x0bXMP DataXMP");
        extensions.extend(xmp);
        extensions.push(1);
        extensions.extend((0..=u8::MAX).rev());
        extensions.push(0);
    }
    extensions
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
    use crate::model::{Metadata, Selection, Size, TileAddress};

    fn again(raster: &Raster) -> Raster {
        let file = Arc::new(encode(raster, &About::default()).unwrap());
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
    fn what_the_source_says_stands_before_the_picture() {
        let raster = raster(ColourModel::Gray, false, &[0, 9, 255]);
        let xmp = b"<x/>".as_slice().into();
        let mut metadata = Metadata::of_blocks([None, Some(xmp), None]);
        metadata.add(Field::Rights, &"r".repeat(300));
        let about = About { metadata: Some(Arc::new(metadata)), ..About::default() };
        let file = encode(&raster, &about).unwrap();
        let head = head_len(&file);
        assert_eq!(file[head..head + 3], [0x21, 0xfe, 255]);
        assert_eq!(file[head + 3 + 255], 45);
        let image = open(Arc::new(file), Selection::default(), &DecodeLimits::default()).unwrap();
        let tile = image.decode_tile(TileAddress { stored: 0, column: 0, row: 0 }).unwrap();
        assert_eq!(tile.into_bytes().unwrap(), again(&raster));
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
