//! The marker segments of a JPEG file up to its first scan, read by position: what it is, how it lies,
//! its profile and resolution, and what it says. Nothing of its pixels.

use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::codecs::exif::{Exif, PREFIX, read as read_exif, text_of};
use crate::codecs::flat::read_error;
use crate::codecs::iptc;
use crate::codecs::jpeg::JPEG;
use crate::codecs::jpeg::XMP_PREFIX;
use crate::codecs::jpeg::icc::{Chunk, joined};
use crate::codecs::jpeg::markers::{
    APP0, APP1, APP2, APP13, APP14, COM, Frame, SOI, SOS, frame_body, is_frame_marker,
};
use crate::codecs::number::{u64_of, zeroed};
use crate::codecs::window::Window;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::image_info::Resolution;
use crate::model::{Field, Metadata, ReadAt};

/// Bytes before the first scan: 255 profile segments fill as much.
const HEADER_BYTES_MAX: u64 = 16 << 20;

/// What stands before the first scan.
#[derive(Clone, Debug)]
pub(super) struct Header {
    /// The frame.
    pub(super) frame: Frame,
    /// Whether Adobe's segment is there, by whose writers four components are stored inverted.
    pub(super) adobe: bool,
    /// What its Exif block says.
    pub(super) exif: Exif,
    /// What it says, Exif's texts among it.
    pub(super) metadata: Metadata,
    /// The resolution of JFIF's segment.
    pub(super) jfif: Option<Resolution>,
    /// The profile, where it is whole.
    pub(super) icc: Option<Arc<[u8]>>,
}

/// Reads all segments before the first scan.
///
/// # Errors
/// `Malformed` where they are broken, cut short, or without a frame header; `OverLimit` above 16 MiB; `Io`.
pub(super) fn read(source: Arc<dyn ReadAt>, limits: &DecodeLimits) -> Result<Header, CodecError> {
    let mut segments = Segments { window: Window::new(source) };
    if segments.bytes(2)? != SOI {
        return Err(CodecError::malformed(JPEG, "no start of image"));
    }
    let mut found = Found::default();
    loop {
        let marker = segments.next_marker()?;
        match marker {
            SOS => return found.header(&segments.body(5)?),
            0xd8 | 0xd9 => {
                return Err(CodecError::malformed(JPEG, "no frame header before the first scan"));
            }
            // Restarts and TEM stand alone.
            0x01 | 0xd0..=0xd7 => {}
            APP0 | APP1 | APP2 | APP13 | APP14 | COM => {
                found.add(marker, &segments.body(usize::MAX)?, limits);
            }
            _ if is_frame_marker(marker) => found.add(marker, &segments.body(6)?, limits),
            _ => segments.skip()?,
        }
    }
}

/// A cursor between two segments.
struct Segments {
    window: Window,
}

impl Segments {
    fn bytes(&mut self, len: usize) -> Result<Vec<u8>, CodecError> {
        let mut bytes = zeroed(len)?;
        self.window.read_exact(&mut bytes).map_err(|error| read_error(JPEG, error))?;
        Ok(bytes)
    }

    fn byte(&mut self) -> Result<u8, CodecError> {
        let mut byte = [0];
        self.window.read_exact(&mut byte).map_err(|error| read_error(JPEG, error))?;
        let value = self.position()?;
        if value <= HEADER_BYTES_MAX {
            return Ok(byte[0]);
        }
        let what = "bytes before the first scan of a JPEG";
        Err(CodecError::OverLimit { what, value, limit: HEADER_BYTES_MAX })
    }

    fn position(&mut self) -> Result<u64, CodecError> {
        Ok(self.window.stream_position()?)
    }

    /// The next marker, whatever stands before it: libjpeg reads on over it too.
    fn next_marker(&mut self) -> Result<u8, CodecError> {
        let mut last = self.byte()?;
        loop {
            let byte = self.byte()?;
            if last == 0xff && !matches!(byte, 0 | 0xff) {
                return Ok(byte);
            }
            last = byte;
        }
    }

    /// Bytes of the body that follows.
    fn body_len(&mut self) -> Result<usize, CodecError> {
        let len = self.bytes(2)?.first_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
        let short = || CodecError::malformed(JPEG, "a segment is shorter than its length");
        usize::from(len).checked_sub(2).ok_or_else(short)
    }

    /// The first `len_max` bytes of a segment's body; the cursor comes to its end.
    fn body(&mut self, len_max: usize) -> Result<Vec<u8>, CodecError> {
        let len = self.body_len()?;
        let body = self.bytes(len.min(len_max))?;
        self.forward(len - body.len())?;
        Ok(body)
    }

    fn skip(&mut self) -> Result<(), CodecError> {
        let len = self.body_len()?;
        self.forward(len)
    }

    fn forward(&mut self, len: usize) -> Result<(), CodecError> {
        let to = self.position()?.saturating_add(u64_of(len));
        self.window.seek(SeekFrom::Start(to))?;
        Ok(())
    }
}

/// What was found so far.
#[derive(Default)]
struct Found {
    frame: Option<Frame>,
    adobe: bool,
    exif: Option<Exif>,
    metadata: Metadata,
    iptc: Metadata,
    jfif: Option<Resolution>,
    icc: Vec<Chunk>,
    icc_bytes: u64,
}

impl Found {
    fn add(&mut self, marker: u8, body: &[u8], limits: &DecodeLimits) {
        match marker {
            APP0 => self.jfif = self.jfif.or_else(|| jfif_resolution(body)),
            APP1 if body.starts_with(b"Exif\0") && self.exif.is_none() => {
                self.exif = Some(read_exif(body));
                self.metadata.exif = Some(body.strip_prefix(PREFIX).unwrap_or(body).into());
            }
            APP1 => {
                let xmp = body.strip_prefix(XMP_PREFIX).filter(|xmp| !xmp.is_empty());
                self.metadata.xmp = self.metadata.xmp.take().or(xmp.map(Arc::from));
            }
            APP13 => {
                if let Some(records) = iptc::records(body).filter(|_| self.metadata.iptc.is_none())
                {
                    self.iptc = iptc::texts(records);
                    self.metadata.iptc = Some(records.into());
                }
            }
            COM => self.metadata.add(Field::Comment, &text_of(body)),
            APP2 => self.add_profile(body, limits),
            // As libjpeg recognises it: name, version, two words of flags, transform.
            APP14 => self.adobe |= body.starts_with(b"Adobe") && 12 <= body.len(),
            _ => self.frame = self.frame.or_else(|| frame_body(marker, body)),
        }
    }

    fn add_profile(&mut self, body: &[u8], limits: &DecodeLimits) {
        let Some(chunk) = Chunk::of(body) else { return };
        self.icc_bytes = self.icc_bytes.saturating_add(u64_of(chunk.bytes.len()));
        if self.icc_bytes <= limits.icc_bytes_max {
            self.icc.push(chunk);
        } else {
            // Without its first chunk no profile is whole.
            self.icc.clear();
        }
    }

    /// The header, of which `scan` is the first scan's: how many components are in it.
    fn header(self, scan: &[u8]) -> Result<Header, CodecError> {
        let no_frame = || CodecError::malformed(JPEG, "no frame header before the first scan");
        let mut frame = self.frame.ok_or_else(no_frame)?;
        let components = scan.first().copied();
        frame.one_scan = frame.is_sequential() && components == Some(frame.components);
        let icc = joined(self.icc).map(Arc::from);
        let exif = self.exif.unwrap_or_default();
        let mut metadata = self.metadata;
        metadata.add_all(&exif.texts);
        metadata.add_all(&self.iptc);
        Ok(Header { frame, adobe: self.adobe, exif, metadata, jfif: self.jfif, icc })
    }
}

/// JFIF 1.02: name, version, unit, density along x and y.
fn jfif_resolution(body: &[u8]) -> Option<Resolution> {
    let &[_, _, unit, x1, x0, y1, y0, ..] = body.strip_prefix(b"JFIF\0")? else { return None };
    let per_metre = match unit {
        1 => 1.0 / 0.0254,
        2 => 100.0,
        _ => return None,
    };
    let [x, y] = [[x1, x0], [y1, y0]].map(u16::from_be_bytes);
    let along = |density: u16| f64::from(density) * per_metre;
    (0 < x && 0 < y).then(|| Resolution { x_per_metre: along(x), y_per_metre: along(y) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(stream: &[u8]) -> Result<Header, CodecError> {
        read(Arc::new(stream.to_vec()), &DecodeLimits::default())
    }

    const FRAME: &[u8] = b"\xff\xc0\0\x0b\x08\0\x10\0\x20\x01\x01\x11\0";
    const SCAN: &[u8] = b"\xff\xda\0\x08\x01\x01\0\0\x3f\0";

    #[test]
    fn segments_are_found_between_fill_bytes_and_garbage() {
        let jfif = b"\xff\xe0\0\x10JFIF\0\x01\x02\x02\0\x64\0\x32\0\0";
        let adobe = b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\x02";
        let stream = [&SOI[..], jfif, b"\xff\xff", adobe, b"xx", FRAME, SCAN].concat();
        let header = header(&stream).unwrap();
        assert_eq!((header.frame.width_px, header.frame.height_px), (32, 16));
        assert!(header.adobe && header.frame.one_scan && header.icc.is_none());
        let jfif = header.jfif.unwrap();
        assert!((jfif.x_per_metre - 10_000.0).abs() < 1e-9);
        assert!((jfif.y_per_metre - 5_000.0).abs() < 1e-9);
    }

    #[test]
    fn streams_that_break_off_or_have_no_frame_are_malformed() {
        let stream = [&SOI[..], FRAME, SCAN].concat();
        header(&stream).unwrap();
        for len in 0..stream.len() - 5 {
            let error = header(&stream[..len]).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{len}: {error}");
        }
        for stream in [[&SOI[..], SCAN].concat(), b"\xff\xd8\xff\xd9\0\0".to_vec()] {
            assert!(matches!(header(&stream), Err(CodecError::Malformed { .. })));
        }
        let short = [&SOI[..], b"\xff\xdb\0\x01", FRAME, SCAN].concat();
        assert!(matches!(header(&short), Err(CodecError::Malformed { .. })));
    }

    #[test]
    fn garbage_without_end_is_over_the_limit() {
        let stream = [&SOI[..], &vec![0; 17 << 20]].concat();
        assert!(matches!(header(&stream), Err(CodecError::OverLimit { .. })));
    }
}
