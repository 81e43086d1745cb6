//! Bytes to a JPEG XL file without losses (ISO/IEC 18181-1, modular mode): gray or RGB, with or without alpha.
//! A bare codestream, or boxes around it where the source says something.
//!
//! # Source
//! ISO/IEC 18181-2, section 9: the boxes of the container.

use zune_core::bit_depth::BitDepth;
use zune_core::colorspace::ColorSpace;
use zune_core::options::EncoderOptions;
use zune_jpegxl::JxlSimpleEncoder;

use crate::codecs::CodecError;
use crate::codecs::encoding::{About, Encoding};
use crate::codecs::exif::written;
use crate::codecs::jpegxl::JPEG_XL;
use crate::codecs::number::{reserved, usize_of};
use crate::imaging::Raster;
use crate::model::ColourModel;

/// The sides that the encoder takes.
const SIDE_PX_MAX: u32 = 65_535;

/// Signature and file type, which every file of boxes begins with.
const HEAD: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl \0\0\0\0jxl ";

/// Encodes a raster. The samples are those of sRGB, because the encoder writes no profile.
///
/// # Errors
/// `OverLimit` above 65535 pixels a side or 4 GiB; `Unsupported` for a side of one pixel; `Io` where memory
/// is short.
pub(crate) fn encode(raster: &Raster, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    crate::codecs::check_side(raster.size(), "pixels of a JPEG XL's side", SIDE_PX_MAX)?;
    let space = match (raster.colour(), raster.alpha()) {
        (ColourModel::Gray, false) => ColorSpace::Luma,
        (ColourModel::Gray, true) => ColorSpace::LumaA,
        (_, false) => ColorSpace::RGB,
        (_, true) => ColorSpace::RGBA,
    };
    let (width, height) = (usize_of(raster.size().width()), usize_of(raster.size().height()));
    // The worker that this runs on is one thread of a pool of its own.
    let options = EncoderOptions::new(width, height, space, BitDepth::Eight).set_num_threads(1);
    let mut codestream = reserved(raster.samples().len() / 2)?;
    JxlSimpleEncoder::new(raster.samples(), options).encode(&mut codestream).map_err(|error| {
        CodecError::unsupported(JPEG_XL, format!("{error:?}").trim().to_owned())
    })?;
    in_boxes(codestream, &encoding.about)
}

/// The codestream with what the source says before it.
fn in_boxes(codestream: Vec<u8>, about: &About) -> Result<Vec<u8>, CodecError> {
    let xmp = about.xmp();
    // Exif's box begins with how far its block is from there.
    let exif = written(about, usize_of(u32::MAX)).map(|block| [&[0; 4], &block[..]].concat());
    if exif.is_none() && xmp.is_none() {
        return Ok(codestream);
    }
    let mut file = reserved(codestream.len() + about.len() + HEAD.len())?;
    file.extend_from_slice(HEAD);
    let parts = [(b"Exif", exif), (b"xml ", xmp), (b"jxlc", Some(codestream))];
    for (kind, body) in parts {
        if let Some(body) = body {
            let len = u32::try_from(body.len() + 8).ok();
            let len = len.ok_or_else(|| CodecError::unsupported(JPEG_XL, "a box of 4 GiB"))?;
            file.extend_from_slice(&len.to_be_bytes());
            file.extend_from_slice(kind);
            file.extend_from_slice(&body);
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codecs::jpegxl::decode;
    use crate::model::{Format, Metadata, Size};

    fn raster(colour: ColourModel, alpha: bool, (width, height): (u32, u32)) -> Raster {
        let size = Size::new(width, height).unwrap();
        let count = size.area() * (u64::from(colour.bands()) + u64::from(alpha));
        let samples = (0..count).map(|at| u8::try_from(at * at / 3 % 251).unwrap()).collect();
        Raster::new(size, colour, alpha, samples).unwrap()
    }

    #[test]
    fn samples_come_back_as_they_were() {
        for colour in [ColourModel::Gray, ColourModel::Rgb] {
            for alpha in [false, true] {
                for size in [(2, 2), (3, 200), (300, 2), (256, 256), (257, 255)] {
                    let raster = raster(colour, alpha, size);
                    let file = encode(&raster, &Encoding::plain(Format::Jxl, 0)).unwrap();
                    let samples = decode::<u8>(&file, raster.size(), raster.bands()).unwrap();
                    assert!(samples == raster.samples(), "{colour:?} {alpha} {size:?}");
                }
            }
        }
    }

    #[test]
    fn what_the_source_says_stands_in_boxes() {
        let raster = raster(ColourModel::Rgb, false, (20, 10));
        let metadata = Metadata::of_blocks([None, Some(b"<x/>".as_slice().into()), None]);
        let about = About { metadata: Some(Arc::new(metadata)), ..About::default() };
        let file = encode(&raster, &Encoding { about, ..Encoding::plain(Format::Jxl, 0) }).unwrap();
        assert!(file.starts_with(HEAD));
        assert!(file.windows(8).any(|window| window == b"xml <x/>"));
        assert_eq!(decode::<u8>(&file, raster.size(), 3).unwrap(), raster.samples());
        assert!(
            encode(&raster, &Encoding::plain(Format::Jxl, 0)).unwrap().starts_with(b"\xff\x0a")
        );
    }

    #[test]
    fn a_side_of_one_pixel_is_an_error() {
        let error =
            encode(&raster(ColourModel::Gray, false, (1, 9)), &Encoding::plain(Format::Jxl, 0));
        assert!(matches!(error.unwrap_err(), CodecError::Unsupported { .. }));
    }
}
