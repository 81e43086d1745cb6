//! JPEG tiles as TIFF keeps them: each an abbreviated stream (ITU-T T.81, annex B.5), the tables that
//! all of them share once in the file (TIFF Technical Note 2, `JPEGTables`).

use std::panic;

use mozjpeg::{ColorSpace, Compress};

use crate::codecs::error::CodecError;
use crate::imaging::Raster;
use crate::model::{ColourModel, Size};

/// Encodes RGB tiles of one quality as YCbCr 4:2:0 with mozjpeg's fastest settings: fixed Huffman
/// tables, which is what lets all tiles share one copy, and about 0.12 ms a tile of 256x256.
#[derive(Clone, Debug)]
pub struct AbbreviatedEncoder {
    quality: u8,
    tables: Vec<u8>,
}

/// A whole JPEG stream taken apart.
struct Split {
    /// SOI, every DQT and DHT segment, EOI.
    tables: Vec<u8>,
    /// SOI, what a decoder needs beside the tables, the entropy-coded data, EOI.
    image: Vec<u8>,
}

impl AbbreviatedEncoder {
    /// An encoder of this quality, 1 to 100.
    ///
    /// # Errors
    /// Where libjpeg refuses the quality.
    pub fn new(quality: u8) -> Result<Self, CodecError> {
        let probe = Raster::zeroed(Size::ONE, ColourModel::Rgb, false);
        let tables = split(&encode_whole(&probe, quality)?)?.tables;
        Ok(Self { quality, tables })
    }

    /// The value of `JPEGTables`: a stream of tables alone.
    pub fn tables(&self) -> &[u8] {
        &self.tables
    }

    /// One tile, RGB without alpha, as a stream that needs [`AbbreviatedEncoder::tables`].
    ///
    /// # Errors
    /// `Unsupported` for a raster that is not plain RGB; IO where libjpeg gives up.
    pub fn encode(&self, tile: &Raster) -> Result<Vec<u8>, CodecError> {
        if tile.colour() != ColourModel::Rgb || tile.alpha() {
            return Err(CodecError::unsupported(
                "JPEG",
                "tiles of other bands than red, green, blue",
            ));
        }
        let split = split(&encode_whole(tile, self.quality)?)?;
        if split.tables == self.tables {
            Ok(split.image)
        } else {
            Err(CodecError::malformed("JPEG", "a tile came with tables of its own"))
        }
    }
}

fn encode_whole(tile: &Raster, quality: u8) -> Result<Vec<u8>, CodecError> {
    let pixels = |px: u32| usize::try_from(px).unwrap_or(usize::MAX);
    let size = tile.size();
    // mozjpeg reports libjpeg's errors by unwinding.
    let outcome = panic::catch_unwind(|| {
        let mut encoder = Compress::new(ColorSpace::JCS_RGB);
        // First, because it resets everything else.
        encoder.set_fastest_defaults();
        encoder.set_size(pixels(size.width()), pixels(size.height()));
        encoder.set_quality(f32::from(quality));
        encoder.set_chroma_sampling_pixel_sizes((2, 2), (2, 2));
        let mut started = encoder.start_compress(Vec::with_capacity(32 << 10))?;
        started.write_scanlines(tile.samples())?;
        started.finish()
    });
    let bytes = outcome.map_err(|cause| {
        let text = cause.downcast_ref::<String>().map_or("libjpeg gave up", String::as_str);
        std::io::Error::other(text.to_owned())
    })??;
    Ok(bytes)
}

const SOI: [u8; 2] = [0xFF, 0xD8];
const EOI: [u8; 2] = [0xFF, 0xD9];
const DQT: u8 = 0xDB;
const DHT: u8 = 0xC4;
const SOS: u8 = 0xDA;
const APP0: u8 = 0xE0;

/// Sorts the segments before the scan: tables to one side, JFIF's header away (TIFF says its own),
/// the rest to the other.
fn split(stream: &[u8]) -> Result<Split, CodecError> {
    let broken = || CodecError::malformed("JPEG", "segments do not follow one another");
    let mut tables = SOI.to_vec();
    let mut image = SOI.to_vec();
    let mut rest = stream.strip_prefix(&SOI).ok_or_else(broken)?;
    while let [0xFF, marker, high, low, ..] = *rest {
        let len_bytes = 2 + usize::from(u16::from_be_bytes([high, low]));
        match marker {
            SOS => {
                image.extend_from_slice(rest);
                tables.extend_from_slice(&EOI);
                return Ok(Split { tables, image });
            }
            DQT | DHT => tables.extend_from_slice(rest.get(..len_bytes).ok_or_else(broken)?),
            APP0 => {}
            _ => image.extend_from_slice(rest.get(..len_bytes).ok_or_else(broken)?),
        }
        rest = rest.get(len_bytes..).ok_or_else(broken)?;
    }
    Err(broken())
}

#[cfg(test)]
mod tests {
    use mozjpeg::Decompress;

    use super::*;

    fn gradient(side_px: u32) -> Raster {
        let samples = (0..side_px * side_px)
            .flat_map(|at| [at % side_px, at / side_px, 128].map(|v| u8::try_from(v).unwrap()))
            .collect();
        Raster::new(Size::new(side_px, side_px).unwrap(), ColourModel::Rgb, false, samples).unwrap()
    }

    #[test]
    fn tables_and_tile_together_are_a_picture() {
        let encoder = AbbreviatedEncoder::new(80).unwrap();
        let tile = gradient(64);
        let stream = encoder.encode(&tile).unwrap();
        let tables = encoder.tables();
        let whole = [&tables[..tables.len() - 2], &stream[2..]].concat();
        let mut decoder = Decompress::new_mem(&whole).unwrap().rgb().unwrap();
        let samples: Vec<u8> = decoder.read_scanlines::<[u8; 3]>().unwrap().concat();
        decoder.finish().unwrap();
        let worst = samples.iter().zip(tile.samples()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst.unwrap() < 12, "{worst:?}");
    }

    #[test]
    fn a_tile_carries_no_tables_and_no_jfif_header() {
        let stream = AbbreviatedEncoder::new(75).unwrap().encode(&gradient(16)).unwrap();
        let scan = stream.windows(2).position(|pair| pair == [0xFF, SOS]).unwrap();
        for marker in [DQT, DHT, APP0] {
            assert!(!stream[..scan].windows(2).any(|pair| pair == [0xFF, marker]), "{marker:x}");
        }
    }

    #[test]
    fn other_bands_are_refused() {
        let gray = Raster::zeroed(Size::ONE, ColourModel::Gray, false);
        let error = AbbreviatedEncoder::new(75).unwrap().encode(&gray).unwrap_err();
        assert!(matches!(error, CodecError::Unsupported { .. }), "{error}");
    }

    #[test]
    fn streams_that_are_none_are_malformed() {
        for stream in
            [&b""[..], b"\xFF\xD8", b"\xFF\xD8\xFF\xDB\x00", b"\xFF\xD8\xFF\xDB\x00\x43\x00"]
        {
            assert!(matches!(split(stream), Err(CodecError::Malformed { .. })), "{stream:?}");
        }
    }
}
