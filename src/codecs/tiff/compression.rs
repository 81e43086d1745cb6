//! The table of compressions: tag value, what it is called, how a tile's bytes become samples.

use std::cell::RefCell;
use std::io::{ErrorKind, Read};

use libdeflater::{DecompressionError, Decompressor};
use lzma_rust2::XzReader;
use tiff::Directory;
use tiff::tags::Tag;
use weezl::decode::Configuration;
use weezl::{BitOrder, LzwStatus};

use crate::codecs::CodecError;
use crate::codecs::tiff::fax::{self, FaxCode};
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::{malformed, packbits, thunder, unsupported};

/// How the bytes of a tile are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Not at all.
    None,
    /// LZW, in TIFF's variant or an older one.
    Lzw,
    /// zlib, under either of its two numbers.
    Deflate,
    /// Runs of bytes.
    PackBits,
    /// Zstandard.
    Zstd,
    /// LZMA2 in an XZ stream.
    Lzma,
    /// A fax code of one bit a pixel.
    Fax(FaxCode),
    /// Runs and differences of 4 bit.
    ThunderScan,
    /// A JPEG stream; its tables may stand in the directory.
    Jpeg,
    /// As TIFF 6.0 had it: a JPEG stream in pieces.
    OldJpeg,
    /// A WebP file.
    Webp,
    /// A JPEG 2000 codestream.
    Jpeg2000 {
        /// Whether its components are luma and colour differences whatever else is told.
        ycbcr: bool,
    },
    /// A JPEG XL codestream.
    JpegXl,
}

/// `T4Options`, and its bit for rows in two dimensions.
const T4_OPTIONS: Tag = Tag::Unknown(292);
const T4_TWO_DIMENSIONAL: u64 = 1;

impl Compression {
    /// Reads `Compression`, by default none, and what else tells its variant.
    ///
    /// # Errors
    /// As [`Compression::of`].
    pub(super) fn read(structure: &mut Structure, from: &Directory) -> Result<Self, CodecError> {
        let compression = Self::of(structure.number(from, Tag::Compression)?.unwrap_or(1))?;
        if let Self::Fax(FaxCode::Group3 { .. }) = compression {
            let options = structure.number(from, T4_OPTIONS)?.unwrap_or(0);
            let two_dimensional = options & T4_TWO_DIMENSIONAL != 0;
            return Ok(Self::Fax(FaxCode::Group3 { two_dimensional }));
        }
        Ok(compression)
    }

    /// The compression with this number.
    ///
    /// # Errors
    /// `Unsupported` with its name, or its number where it has none.
    fn of(number: u64) -> Result<Self, CodecError> {
        let name = match number {
            1 => return Ok(Self::None),
            2 => return Ok(Self::Fax(FaxCode::Rle)),
            3 => return Ok(Self::Fax(FaxCode::Group3 { two_dimensional: false })),
            4 => return Ok(Self::Fax(FaxCode::Group4)),
            5 => return Ok(Self::Lzw),
            6 => return Ok(Self::OldJpeg),
            7 => return Ok(Self::Jpeg),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            32809 => return Ok(Self::ThunderScan),
            33003 => return Ok(Self::Jpeg2000 { ycbcr: true }),
            33005 | 34712 => return Ok(Self::Jpeg2000 { ycbcr: false }),
            34925 => return Ok(Self::Lzma),
            50000 => return Ok(Self::Zstd),
            50001 => return Ok(Self::Webp),
            50002 | 52546 => return Ok(Self::JpegXl),
            32766 => "NeXT",
            32771 => "CCITT RLE, word aligned",
            34661 => "JBIG",
            34676 | 34677 => "SGI Log",
            34887 => "LERC",
            34892 => "lossy JPEG of DNG",
            other => return Err(unsupported(format!("compression {other}"))),
        };
        Err(unsupported(format!("compression {name}")))
    }

    /// What it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "no compression",
            Self::Lzw => "LZW",
            Self::Deflate => "Deflate",
            Self::PackBits => "PackBits",
            Self::Zstd => "Zstandard",
            Self::Lzma => "LZMA",
            Self::Fax(_) => "CCITT fax",
            Self::ThunderScan => "ThunderScan",
            Self::Jpeg => "JPEG",
            Self::OldJpeg => "old-style JPEG",
            Self::Webp => "WebP",
            Self::Jpeg2000 { .. } => "JPEG 2000",
            Self::JpegXl => "JPEG XL",
        }
    }

    /// Whether it is a codec of whole pictures, which knows of samples and colours itself.
    pub(super) const fn is_picture(self) -> bool {
        matches!(
            self,
            Self::Jpeg | Self::OldJpeg | Self::Webp | Self::Jpeg2000 { .. } | Self::JpegXl
        )
    }

    /// Whether predictors apply: codecs of whole pictures have none.
    pub(super) const fn has_predictor(self) -> bool {
        matches!(self, Self::Lzw | Self::Deflate | Self::Zstd | Self::Lzma)
    }

    /// How many bytes one compressed byte can become at most, where the format bounds it: a tile that
    /// promises more is broken, and is refused before its buffer is made.
    const fn expansion_max(self) -> Option<usize> {
        match self {
            Self::None => Some(1),
            // A run of 128 in two bytes.
            Self::PackBits => Some(64),
            // 258 bytes in two bits.
            Self::Deflate => Some(1032),
            // The longest string, 3837 bytes, in a code of 9 bits or more.
            Self::Lzw => Some(3840),
            // A block of 128 KiB that repeats one byte, in 4 bytes; matches of 273 bytes that cost a tenth
            // of a bit where nothing else occurs.
            Self::Zstd | Self::Lzma => Some(32 << 10),
            // 1536 bytes of RGB in 10 blocks of one bit or more, with room for what is cleverer.
            Self::Jpeg | Self::OldJpeg => Some(4096),
            // A run of 63 nibbles in a byte.
            Self::ThunderScan => Some(32),
            // A row of any width in one bit, and what no one has bounded.
            Self::Fax(_) | Self::Webp | Self::Jpeg2000 { .. } | Self::JpegXl => None,
        }
    }

    /// Refuses a tile whose compressed bytes cannot hold `expected` bytes of samples.
    ///
    /// # Errors
    /// `Malformed`.
    pub(super) fn check_expansion(self, packed: usize, expected: usize) -> Result<(), CodecError> {
        match self.expansion_max() {
            Some(factor) if packed.saturating_mul(factor) < expected => Err(malformed(format!(
                "{packed} compressed bytes cannot hold a tile of {expected} bytes"
            ))),
            _ => Ok(()),
        }
    }

    /// Fills `samples`, rows of `width_px` samples in `row_bytes` bytes, from compressed bytes; what would
    /// exceed it is left out. How many bytes were filled.
    ///
    /// # Errors
    /// `Malformed` where the bytes are damaged. Pictures, which are not decompressed but decoded, are
    /// `Unsupported` here.
    pub(super) fn decompress(
        self,
        packed: &[u8],
        samples: &mut [u8],
        width_px: usize,
        row_bytes: usize,
    ) -> Result<usize, CodecError> {
        match self {
            Self::None => Ok(copy(packed, samples)),
            Self::PackBits => Ok(packbits::unpack(packed, samples)),
            Self::Lzw => lzw(packed, samples),
            Self::Deflate => deflate(packed, samples),
            Self::Zstd => zstd(packed, samples),
            Self::Lzma => lzma(packed, samples),
            Self::Fax(code) => fax::decode(code, packed, samples, width_px, row_bytes),
            Self::ThunderScan => Ok(thunder::unpack(packed, samples, width_px, row_bytes)),
            Self::Jpeg | Self::OldJpeg | Self::Webp | Self::Jpeg2000 { .. } | Self::JpegXl => {
                Err(unsupported("a picture codec as compression"))
            }
        }
    }
}

fn copy(packed: &[u8], samples: &mut [u8]) -> usize {
    let len = packed.len().min(samples.len());
    if let (Some(packed), Some(samples)) = (packed.get(..len), samples.get_mut(..len)) {
        samples.copy_from_slice(packed);
    }
    len
}

fn lzw(packed: &[u8], samples: &mut [u8]) -> Result<usize, CodecError> {
    // Stops as soon as the tile is full: some writers leave the end code out.
    let mut decoder = match packed {
        // Before TIFF 5.0 codes began at the lowest bit and grew one code later: the first one, the clear
        // code 256, tells.
        [0, second, ..] if second & 1 == 1 => Configuration::new(BitOrder::Lsb, 8),
        _ => Configuration::with_tiff_size_switch(BitOrder::Msb, 8),
    }
    .with_yield_on_full_buffer(true)
    .build();
    let (mut packed, mut filled) = (packed, 0);
    while let Some(room) = samples.get_mut(filled..).filter(|room| !room.is_empty()) {
        let step = decoder.decode_bytes(packed, room);
        let status = step.status.map_err(|error| malformed(format!("LZW: {error}")))?;
        packed = packed.get(step.consumed_in..).unwrap_or_default();
        filled += step.consumed_out;
        if !matches!(status, LzwStatus::Ok) {
            break;
        }
    }
    Ok(filled)
}

fn deflate(packed: &[u8], samples: &mut [u8]) -> Result<usize, CodecError> {
    thread_local! {
        // 11 KB of tables that need not be allocated for every tile.
        static DECOMPRESSOR: RefCell<Decompressor> = RefCell::new(Decompressor::new());
    }
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor.zlib_decompress(packed, samples).map_err(|error| match error {
            DecompressionError::BadData => malformed("Deflate: the data is damaged or cut short"),
            DecompressionError::InsufficientSpace => {
                malformed("Deflate: more data than a tile holds")
            }
        })
    })
}

fn zstd(packed: &[u8], samples: &mut [u8]) -> Result<usize, CodecError> {
    thread_local! {
        // A context of 96 KB and more, which costs more to make than a small tile to decode.
        static DECOMPRESSOR: RefCell<Option<::zstd::bulk::Decompressor<'static>>> =
            const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(::zstd::bulk::Decompressor::new()?),
        };
        decompressor
            .decompress_to_buffer(packed, samples)
            .map_err(|error| malformed(format!("Zstandard: {error}")))
    })
}

fn lzma(packed: &[u8], samples: &mut [u8]) -> Result<usize, CodecError> {
    // Dictionaries are as large as the writer says: libtiff's largest preset has 64 MiB.
    const MEMORY_KIB_MAX: u32 = 96 << 10;
    let mut reader = XzReader::new_mem_limit(packed, false, MEMORY_KIB_MAX);
    let mut filled = 0;
    while let Some(room) = samples.get_mut(filled..).filter(|room| !room.is_empty()) {
        match reader.read(room) {
            Ok(0) => break,
            Ok(len) => filled += len,
            Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(error.into()),
            Err(error) => return Err(malformed(format!("LZMA: {error}"))),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_compressions() {
        assert_eq!(Compression::of(8).unwrap(), Compression::of(32946).unwrap());
        let error = Compression::of(34887).unwrap_err().to_string();
        assert_eq!(error, "unsupported TIFF feature: compression LERC");
        Compression::of(12345).unwrap_err();
    }

    #[test]
    fn damaged_and_short_data_are_malformed_or_too_short() {
        for compression in [
            Compression::None,
            Compression::Lzw,
            Compression::Deflate,
            Compression::PackBits,
            Compression::Zstd,
            Compression::Lzma,
            Compression::ThunderScan,
            Compression::Fax(FaxCode::Rle),
            Compression::Fax(FaxCode::Group3 { two_dimensional: true }),
            Compression::Fax(FaxCode::Group4),
        ] {
            for packed in [&b""[..], b"\0", b"\xf1\0\0\0", b"\x78\x9c\x01", b"\0\x01"] {
                match compression.decompress(packed, &mut [0; 100], 80, 10) {
                    Ok(filled) => assert!(filled < 100, "{compression:?} {packed:?}"),
                    Err(CodecError::Malformed { .. }) => {}
                    Err(other) => panic!("{compression:?} {packed:?}: {other}"),
                }
            }
        }
    }

    #[test]
    fn both_variants_of_lzw_are_read() {
        // Clear, 7, 7 7 (258), end, in codes of 9 bits; from the highest bit, and from the lowest.
        for packed in [&[0x80, 0x01, 0xe0, 0x50, 0x10][..], &[0x00, 0x0f, 0x08, 0x0c, 0x08]] {
            let mut samples = [0; 3];
            let filled = Compression::Lzw.decompress(packed, &mut samples, 3, 3).unwrap();
            assert_eq!((filled, samples), (3, [7, 7, 7]));
        }
    }

    #[test]
    fn a_promise_that_no_data_could_keep_is_refused_before_allocation() {
        Compression::Deflate.check_expansion(1000, 1_032_000).unwrap();
        Compression::Deflate.check_expansion(1000, 1_032_001).unwrap_err();
        Compression::Webp.check_expansion(1, usize::MAX).unwrap();
    }
}
