//! What a WebP file says before its pixels, read by position: size, alpha, profile, and how it lies.
//!
//! # Source
//! RFC 9649, sections 2.5 to 2.7, 3.4; RFC 6386, section 9.1.

use std::sync::Arc;

use crate::codecs::exif::{Exif, PREFIX, read as read_exif};
use crate::codecs::flat::{read_error, size};
use crate::codecs::number::{usize_of, zeroed};
use crate::codecs::webp::WEBP;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::{Metadata, ReadAt, Size};

/// Name and length of a chunk.
const CHUNK_HEADER_BYTES: u64 = 8;
/// Chunks that are looked at: an animation has one for each frame, Exif comes after them.
const CHUNKS_MAX: u64 = 10_000;
/// Bytes of an Exif block that is too long to be kept; what is of use stands at its beginning.
const EXIF_BYTES_MAX: u32 = 64 << 10;

/// VP8X: profile, alpha, Exif, XMP, animation.
const FLAG_ICC: u8 = 0x20;
const FLAG_ALPHA: u8 = 0x10;
const FLAG_EXIF: u8 = 0x08;
const FLAG_XMP: u8 = 0x04;
const FLAG_ANIMATION: u8 = 0x02;

/// What a file says of itself.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// Pixels of the picture, or of an animation's canvas.
    pub(super) size: Size,
    /// Whether there is alpha: always in an animation, whose first frame may leave parts free.
    pub(super) alpha: bool,
    /// Whether there are several frames.
    pub(super) animation: bool,
    /// The profile.
    pub(super) icc: Option<Arc<[u8]>>,
    /// How it lies.
    pub(super) exif: Exif,
    /// What it says.
    pub(super) metadata: Metadata,
}

/// Reads the headers of a file's chunks.
///
/// # Errors
/// `Malformed` where it is no WebP or shorter than it says; `OverLimit`; `Io`.
pub(super) fn read(source: &dyn ReadAt, limits: &DecodeLimits) -> Result<Header, CodecError> {
    let head: [u8; 12] = array(source, 0)?;
    let (riff, webp) = (head.starts_with(b"RIFF"), head.ends_with(b"WEBP"));
    let len = head.get(4..).and_then(<[u8]>::first_chunk).map_or(0, |len| u32::from_le_bytes(*len));
    let end = u64::from(len) + CHUNK_HEADER_BYTES;
    if !riff || !webp || source.len_bytes() < end {
        return Err(malformed("no RIFF file of its full length"));
    }
    let first = Chunk::at(source, 12)?;
    // What each of the three forms begins with: size and flags stand in ten bytes.
    let start: [u8; 10] = array(source, first.body)?;
    let (sides, flags) = match &first.name {
        b"VP8X" => (canvas(&start), start[0]),
        b"VP8L" => lossless(&start)?,
        b"VP8 " => (lossy(&start)?, 0),
        _ => return Err(malformed("the first chunk is no picture")),
    };
    let animation = flags & FLAG_ANIMATION != 0;
    let mut header = Header {
        size: size(WEBP, sides, limits)?,
        alpha: animation || flags & FLAG_ALPHA != 0,
        animation,
        icc: None,
        exif: Exif::default(),
        metadata: Metadata::default(),
    };
    if flags & (FLAG_ICC | FLAG_EXIF | FLAG_XMP) != 0 {
        header.add_metadata(source, (first.end(), end), limits)?;
    }
    Ok(header)
}

impl Header {
    /// Takes profile, Exif and XMP from the chunks between two places.
    fn add_metadata(
        &mut self,
        source: &dyn ReadAt,
        (mut at, end): (u64, u64),
        limits: &DecodeLimits,
    ) -> Result<(), CodecError> {
        for _ in 0..CHUNKS_MAX {
            if end < at.saturating_add(CHUNK_HEADER_BYTES) {
                return Ok(());
            }
            let chunk = Chunk::at(source, at)?;
            match &chunk.name {
                b"ICCP" if 0 < chunk.len && u64::from(chunk.len) <= limits.icc_bytes_max => {
                    self.icc = Some(Arc::from(chunk.bytes(source, chunk.len)?));
                }
                b"EXIF" => {
                    let is_kept = u64::from(chunk.len) <= limits.metadata_bytes_max;
                    let len = if is_kept { chunk.len } else { EXIF_BYTES_MAX };
                    let block = chunk.bytes(source, len)?;
                    self.exif = read_exif(&block);
                    self.metadata.add_all(&self.exif.texts);
                    let tiff = block.strip_prefix(PREFIX).unwrap_or(&block);
                    self.metadata.exif = is_kept.then(|| tiff.into());
                }
                b"XMP " if 0 < chunk.len && u64::from(chunk.len) <= limits.metadata_bytes_max => {
                    self.metadata.xmp = Some(chunk.bytes(source, chunk.len)?.into());
                }
                _ => {}
            }
            at = chunk.end();
        }
        let (value, limit) = (CHUNKS_MAX + 1, CHUNKS_MAX);
        Err(CodecError::OverLimit { what: "chunks of a WebP (at least)", value, limit })
    }
}

/// A chunk: its name, and where its body is.
struct Chunk {
    name: [u8; 4],
    body: u64,
    len: u32,
}

impl Chunk {
    fn at(source: &dyn ReadAt, at: u64) -> Result<Self, CodecError> {
        let [n0, n1, n2, n3, len @ ..]: [u8; 8] = array(source, at)?;
        let len = u32::from_le_bytes(len);
        Ok(Self { name: [n0, n1, n2, n3], body: at + CHUNK_HEADER_BYTES, len })
    }

    /// Chunks begin at even offsets.
    fn end(&self) -> u64 {
        self.body.saturating_add(u64::from(self.len).next_multiple_of(2))
    }

    fn bytes(&self, source: &dyn ReadAt, len: u32) -> Result<Vec<u8>, CodecError> {
        if source.len_bytes() < self.body.saturating_add(len.into()) {
            return Err(malformed("a chunk ends behind the file"));
        }
        let mut bytes = zeroed(usize_of(len))?;
        source.read_exact_at(&mut bytes, self.body).map_err(|error| read_error(WEBP, error))?;
        Ok(bytes)
    }
}

/// VP8X: flags, three bytes, and the sides less one in 24 bits each.
fn canvas(start: &[u8; 10]) -> (u32, u32) {
    let &[_, _, _, _, w0, w1, w2, h0, h1, h2] = start;
    let side = |bytes: [u8; 3]| {
        let [low, middle, high] = bytes;
        u32::from_le_bytes([low, middle, high, 0]) + 1
    };
    (side([w0, w1, w2]), side([h0, h1, h2]))
}

/// VP8L: signature, sides less one in 14 bits each, whether alpha is used.
fn lossless(start: &[u8; 10]) -> Result<((u32, u32), u8), CodecError> {
    let &[0x2f, b0, b1, b2, b3, ..] = start else {
        return Err(malformed("a lossless picture without its signature"));
    };
    let bits = u32::from_le_bytes([b0, b1, b2, b3]);
    let side = |shift: u32| (bits >> shift & 0x3fff) + 1;
    Ok(((side(0), side(14)), if bits & 1 << 28 == 0 { 0 } else { FLAG_ALPHA }))
}

/// VP8: a frame tag, a start code, and sides of 14 bits each, with two of scaling above.
fn lossy(start: &[u8; 10]) -> Result<(u32, u32), CodecError> {
    let &[_, _, _, 0x9d, 0x01, 0x2a, w0, w1, h0, h1] = start else {
        return Err(malformed("a lossy picture without its start code"));
    };
    let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3fff);
    Ok((side([w0, w1]), side([h0, h1])))
}

fn array<const LEN: usize>(source: &dyn ReadAt, at: u64) -> Result<[u8; LEN], CodecError> {
    let mut bytes = [0; LEN];
    source.read_exact_at(&mut bytes, at).map_err(|error| read_error(WEBP, error))?;
    Ok(bytes)
}

fn malformed(what: &str) -> CodecError {
    CodecError::malformed(WEBP, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::Encoding;
    use crate::codecs::webp::encode;
    use crate::imaging::Raster;
    use crate::model::{ColourModel, Format};

    #[test]
    fn every_form_tells_size_alpha_and_profile() {
        let size = Size::new(300, 20).unwrap();
        let mut told = 0;
        for (quality, alpha, icc) in [
            (80, false, None),
            (80, true, None),
            (-1, false, None),
            (-1, true, Some(&b"odd"[..])),
            (80, false, Some(b"profile!")),
        ] {
            let mut raster = Raster::zeroed(size, ColourModel::Rgb, alpha);
            raster.samples_mut()[7] = 9;
            let encoding = Encoding::plain(Format::Webp, quality).with_icc(icc.map(Arc::from));
            let file = encode(&raster, &encoding).unwrap();
            let header = read(&file, &DecodeLimits::default()).unwrap();
            assert_eq!((header.size, header.alpha, header.animation), (size, alpha, false));
            assert_eq!(header.icc.as_deref(), icc);
            for len in 0..file.len() {
                let error = read(&file[..len].to_vec(), &DecodeLimits::default()).unwrap_err();
                assert!(matches!(error, CodecError::Malformed { .. }), "{len}: {error}");
            }
            told += 1;
        }
        assert_eq!(told, 5);
    }

    #[test]
    fn a_canvas_lies_as_its_exif_block_says() {
        let mut file = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0\x09\0\0\x13\0\0".to_vec();
        file.extend(b"VP8 \x03\0\0\0abc\0EXIF\x18\0\0\0II\x2a\0\x08\0\0\0\x01\0");
        file.extend(b"\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0");
        let len = u32::try_from(file.len() - 8).unwrap();
        file[4..8].copy_from_slice(&len.to_le_bytes());
        let header = read(&file, &DecodeLimits::default()).unwrap();
        assert_eq!((header.size.width(), header.size.height()), (10, 20));
        assert_ne!(header.exif, Exif::default());
    }
}
