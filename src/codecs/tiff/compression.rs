//! The table of compressions: tag value, what it is called, how a tile's bytes become samples.

use std::cell::RefCell;

use libdeflater::{DecompressionError, Decompressor};
use weezl::decode::Configuration;
use weezl::{BitOrder, LzwStatus};

use crate::codecs::CodecError;
use crate::codecs::tiff::{malformed, packbits, unsupported};

/// How the bytes of a tile are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    /// Not at all.
    None,
    /// LZW, in TIFF's variant.
    Lzw,
    /// zlib, under either of its two numbers.
    Deflate,
    /// Runs of bytes.
    PackBits,
    /// Zstandard.
    Zstd,
    /// A JPEG stream; its tables may stand in the directory.
    Jpeg,
    /// A WebP file.
    Webp,
}

impl Compression {
    /// The compression with this number.
    ///
    /// # Errors
    /// `Unsupported` with its name, or its number where it has none.
    pub(super) fn of(number: u64) -> Result<Self, CodecError> {
        let name = match number {
            1 => return Ok(Self::None),
            5 => return Ok(Self::Lzw),
            7 => return Ok(Self::Jpeg),
            8 | 32946 => return Ok(Self::Deflate),
            32773 => return Ok(Self::PackBits),
            50000 => return Ok(Self::Zstd),
            50001 => return Ok(Self::Webp),
            2 => "CCITT RLE",
            3 => "CCITT Group 3 fax",
            4 => "CCITT Group 4 fax",
            6 => "old-style JPEG",
            32809 => "ThunderScan",
            33003 | 33005 | 34712 => "JPEG 2000",
            34676 | 34677 => "SGI Log",
            34887 => "LERC",
            34925 => "LZMA",
            50002 | 52546 => "JPEG XL",
            other => return Err(unsupported(format!("compression {other}"))),
        };
        Err(unsupported(format!("compression {name}")))
    }

    /// Whether predictors apply: codecs of whole pictures have none.
    pub(super) const fn has_predictor(self) -> bool {
        matches!(self, Self::Lzw | Self::Deflate | Self::Zstd)
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
            // A block of 128 KiB that repeats one byte, in 4 bytes.
            Self::Zstd => Some(32 << 10),
            // 1536 bytes of RGB in 10 blocks of one bit or more, with room for what is cleverer.
            Self::Jpeg => Some(4096),
            Self::Webp => None,
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

    /// Fills `samples` from compressed bytes; what would exceed it is left out.
    ///
    /// # Errors
    /// `Malformed` where the bytes are damaged or too few.
    /// JPEG and WebP, which are not decompressed but decoded, are `Unsupported` here.
    pub(super) fn decompress(self, packed: &[u8], samples: &mut [u8]) -> Result<(), CodecError> {
        let filled = match self {
            Self::None => copy(packed, samples),
            Self::PackBits => packbits::unpack(packed, samples),
            Self::Lzw => lzw(packed, samples)?,
            Self::Deflate => deflate(packed, samples)?,
            Self::Zstd => zstd(packed, samples)?,
            Self::Jpeg | Self::Webp => return Err(unsupported("a picture codec as compression")),
        };
        if filled == samples.len() {
            return Ok(());
        }
        Err(malformed(format!("the tile's data gives {filled} of {} bytes", samples.len())))
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
    let mut decoder = Configuration::with_tiff_size_switch(BitOrder::Msb, 8)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_compressions() {
        assert_eq!(Compression::of(8).unwrap(), Compression::of(32946).unwrap());
        let error = Compression::of(4).unwrap_err().to_string();
        assert_eq!(error, "unsupported TIFF feature: compression CCITT Group 4 fax");
        Compression::of(12345).unwrap_err();
    }

    #[test]
    fn damaged_and_short_data_are_malformed() {
        for compression in [
            Compression::None,
            Compression::Lzw,
            Compression::Deflate,
            Compression::PackBits,
            Compression::Zstd,
        ] {
            for packed in [&b""[..], b"\0", b"\xff\xff\xff\xff", b"\x78\x9c\x01"] {
                let error = compression.decompress(packed, &mut [0; 100]).unwrap_err();
                assert!(
                    matches!(error, CodecError::Malformed { .. }),
                    "{compression:?} {packed:?}"
                );
            }
        }
    }

    #[test]
    fn a_promise_that_no_data_could_keep_is_refused_before_allocation() {
        Compression::Deflate.check_expansion(1000, 1_032_000).unwrap();
        Compression::Deflate.check_expansion(1000, 1_032_001).unwrap_err();
        Compression::Webp.check_expansion(1, usize::MAX).unwrap();
    }
}
