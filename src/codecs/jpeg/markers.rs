//! The marker segments before a JPEG's first scan (ITU-T T.81, annex B), without decoding anything.

/// Start of image.
pub(in crate::codecs) const SOI: [u8; 2] = [0xff, 0xd8];
/// End of image.
pub(in crate::codecs) const EOI: [u8; 2] = [0xff, 0xd9];
/// Application segment 0: JFIF.
pub(super) const APP0: u8 = 0xe0;
/// Application segment 1: Exif.
pub(super) const APP1: u8 = 0xe1;
/// Application segment 2: ICC profiles.
pub(super) const APP2: u8 = 0xe2;
/// Application segment 13: Photoshop's blocks, IPTC's records among them.
pub(super) const APP13: u8 = 0xed;
/// A comment.
pub(super) const COM: u8 = 0xfe;
/// Application segment 14: Adobe's colour transform.
pub(super) const APP14: u8 = 0xee;
/// Start of frame, baseline.
pub(in crate::codecs) const SOF0: u8 = 0xc0;
/// Define Huffman tables.
pub(in crate::codecs) const DHT: u8 = 0xc4;
/// Define arithmetic coding conditioning.
pub(super) const DAC: u8 = 0xcc;
/// Define quantization tables.
pub(in crate::codecs) const DQT: u8 = 0xdb;
/// Define restart interval.
pub(in crate::codecs) const DRI: u8 = 0xdd;
/// Start of scan.
pub(in crate::codecs) const SOS: u8 = 0xda;

/// One segment: marker, length and body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::codecs) struct Segment<'a> {
    /// The marker's second byte.
    pub(in crate::codecs) marker: u8,
    /// Marker, length and body as they stand.
    pub(in crate::codecs) whole: &'a [u8],
    /// The body alone.
    pub(in crate::codecs) body: &'a [u8],
}

/// What a frame header (SOF) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The marker's second byte: 0xc0 baseline, 0xc1 extended, 0xc2 progressive, above 0xc8 arithmetic.
    pub(crate) process: u8,
    /// Bits of a sample.
    pub(crate) bits: u8,
    /// Columns.
    pub(crate) width_px: u32,
    /// Rows; 0 where they come later (DNL).
    pub(crate) height_px: u32,
    /// Components.
    pub(crate) components: u8,
    /// Whether the first scan is all there is: sequential, with every component in it.
    pub(crate) one_scan: bool,
}

impl Frame {
    /// Whether blocks come one after the other, each whole.
    pub(super) const fn is_sequential(&self) -> bool {
        matches!(self.process, 0xc0 | 0xc1)
    }
}

/// Splits a stream into the segments before its first scan and the rest, which begins with SOS, or
/// with EOI in a stream of tables only. Nothing where the stream is no JPEG so far.
pub(in crate::codecs) fn split(stream: &[u8]) -> Option<(Vec<Segment<'_>>, &[u8])> {
    let mut rest = stream.strip_prefix(&SOI)?;
    let mut segments = Vec::new();
    loop {
        match *rest {
            // Any marker may be preceded by fill bytes.
            [0xff, 0xff, ..] => rest = rest.get(1..)?,
            [0xff, SOS | 0xd9, ..] => return Some((segments, rest)),
            _ => {
                let (segment, after) = first_segment(rest)?;
                segments.push(segment);
                rest = after;
            }
        }
    }
}

/// The segment that a stream begins with, and what follows it.
pub(in crate::codecs) fn first_segment(stream: &[u8]) -> Option<(Segment<'_>, &[u8])> {
    let [0xff, marker, high, low, ..] = *stream else { return None };
    let len = usize::from(u16::from_be_bytes([high, low]));
    let (whole, after) = stream.split_at_checked(len.checked_add(2)?)?;
    Some((Segment { marker, whole, body: whole.get(4..)? }, after))
}

/// The frame header of a stream, if it comes before the first scan.
pub(crate) fn frame_of(stream: &[u8]) -> Option<Frame> {
    let (segments, scans) = split(stream)?;
    // SOS: marker, length, number of components.
    let in_first_scan = scans.get(4).copied();
    segments.iter().find_map(|segment| frame_in(segment, in_first_scan))
}

/// The frame header in a segment.
fn frame_in(segment: &Segment<'_>, in_first_scan: Option<u8>) -> Option<Frame> {
    let frame = frame_body(segment.marker, segment.body)?;
    let one_scan = frame.is_sequential() && in_first_scan == Some(frame.components);
    Some(Frame { one_scan, ..frame })
}

/// Whether a marker is that of a frame header.
pub(super) const fn is_frame_marker(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, DHT | 0xc8 | DAC)
}

/// The frame header in the body of a segment; how many scans follow is not known there.
pub(super) fn frame_body(marker: u8, body: &[u8]) -> Option<Frame> {
    let [bits, h1, h0, w1, w0, components, ..] = *body else { return None };
    is_frame_marker(marker).then(|| Frame {
        process: marker,
        bits,
        width_px: u16::from_be_bytes([w1, w0]).into(),
        height_px: u16::from_be_bytes([h1, h0]).into(),
        components,
        one_scan: false,
    })
}

/// How many scans a stream may have, counted without decoding: `FF DA` occurs in entropy-coded data
/// never (T.81, B.1.1.5), in the body of a segment rarely.
pub(super) fn scan_count(stream: &[u8]) -> usize {
    stream.windows(2).filter(|pair| *pair == [0xff, SOS]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_end_at_the_first_scan() {
        let stream =
            b"\xff\xd8\xff\xdb\0\x03\x07\xff\xff\xc0\0\x0a\x08\0\x10\0\x20\x03xx\xff\xda\0\x02data";
        let (segments, rest) = split(stream).unwrap();
        assert_eq!(segments.len(), 2);
        assert_eq!(
            segments[0],
            Segment { marker: DQT, whole: b"\xff\xdb\0\x03\x07", body: b"\x07" }
        );
        assert_eq!(rest, b"\xff\xda\0\x02data");
        let frame = frame_of(stream).unwrap();
        assert_eq!((frame.width_px, frame.height_px, frame.components), (32, 16, 3));
    }

    #[test]
    fn streams_that_break_off_have_no_segments() {
        for stream in
            [&b""[..], b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xdb\0\x09\x07", b"\xff\xd8ab"]
        {
            assert_eq!(split(stream), None, "{stream:?}");
        }
        assert_eq!(split(b"\xff\xd8\xff\xdb\0\x01\xff\xd9"), None, "a length below 2");
    }
}
