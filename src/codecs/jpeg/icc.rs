//! ICC profiles in JPEG, both ways: APP2 segments numbered from 1 (ICC.1, annex B.4). libjpeg readers refuse
//! numbers from 0, which mozjpeg's own writer gives.

use crate::codecs::CodecError;
use crate::codecs::jpeg::markers::APP2;
use crate::codecs::number::u64_of;

/// Profile bytes that one segment holds: 65533 less the name and the two numbers.
const CHUNK_BYTES: usize = 65_519;
/// Segments that one byte can number.
const CHUNKS_MAX: usize = 255;

/// What such a segment begins with.
const NAME: &[u8] = b"ICC_PROFILE\0";

/// The bodies of the APP2 segments of a profile.
///
/// # Errors
/// `OverLimit` above 255 segments (16.7 MB).
pub(super) fn icc_bodies(profile: &[u8]) -> Result<impl Iterator<Item = Vec<u8>>, CodecError> {
    let chunks = profile.chunks(CHUNK_BYTES);
    let count = u8::try_from(chunks.len()).map_err(|_too_many| CodecError::OverLimit {
        what: "ICC profile bytes in a JPEG",
        value: u64_of(profile.len()),
        limit: u64_of(CHUNKS_MAX * CHUNK_BYTES),
    })?;
    Ok((1..=count).zip(chunks).map(move |(number, chunk)| {
        let mut body = Vec::with_capacity(chunk.len() + 14);
        body.extend_from_slice(NAME);
        body.extend_from_slice(&[number, count]);
        body.extend_from_slice(chunk);
        body
    }))
}

/// The APP2 segments of a profile, marker and length included.
///
/// # Errors
/// As [`icc_bodies`].
pub(crate) fn icc_segments(profile: &[u8]) -> Result<Vec<u8>, CodecError> {
    let mut segments = Vec::new();
    for body in icc_bodies(profile)? {
        let len = u16::try_from(body.len() + 2).unwrap_or(u16::MAX);
        segments.extend_from_slice(&[0xff, APP2]);
        segments.extend_from_slice(&len.to_be_bytes());
        segments.extend_from_slice(&body);
    }
    Ok(segments)
}

/// What one segment holds of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    number: u8,
    count: u8,
    /// The profile's bytes.
    pub(super) bytes: Vec<u8>,
}

impl Chunk {
    /// The chunk in the body of an APP2 segment, if it is one.
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let &[number, count, ref bytes @ ..] = body.strip_prefix(NAME)? else { return None };
        Some(Self { number, count, bytes: bytes.to_vec() })
    }
}

/// The profile whose chunks these are, in any order; nothing where one is missing or there twice.
pub(super) fn joined(mut chunks: Vec<Chunk>) -> Option<Vec<u8>> {
    chunks.sort_by_key(|chunk| chunk.number);
    let whole = chunks.iter().map(|chunk| usize::from(chunk.number)).eq(1..=chunks.len());
    let agreed = chunks.iter().all(|chunk| usize::from(chunk.count) == chunks.len());
    let profile: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
    (whole && agreed && !profile.is_empty()).then_some(profile)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_profile_is_numbered_from_one() {
        let segments = icc_segments(&vec![7; CHUNK_BYTES + 1]).unwrap();
        assert_eq!(&segments[..18], b"\xff\xe2\xff\xffICC_PROFILE\0\x01\x02");
        assert_eq!(&segments[CHUNK_BYTES + 18..], b"\xff\xe2\0\x11ICC_PROFILE\0\x02\x02\x07");
    }

    #[test]
    fn a_profile_that_cannot_be_numbered_is_refused() {
        let error = icc_segments(&vec![0; CHUNKS_MAX * CHUNK_BYTES + 1]).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { .. }));
        assert_eq!(icc_segments(b"").unwrap(), b"");
    }

    #[test]
    fn chunks_in_any_order_are_joined_and_damaged_profiles_are_none() {
        let profile: Vec<u8> = (0..150_000_u32).map(|i| i.to_le_bytes()[0]).collect();
        let chunks: Vec<Chunk> =
            icc_bodies(&profile).unwrap().filter_map(|body| Chunk::of(&body)).collect();
        assert_eq!(chunks.len(), 3);
        let turned = vec![chunks[2].clone(), chunks[0].clone(), chunks[1].clone()];
        assert_eq!(joined(turned), Some(profile));
        assert_eq!(joined(chunks[..2].to_vec()), None);
        assert_eq!(joined(vec![chunks[0].clone(), chunks[0].clone(), chunks[2].clone()]), None);
        assert_eq!(joined(Vec::new()), None);
        assert_eq!(Chunk::of(b"ICC_PROFILE\0\x01"), None);
        assert_eq!(Chunk::of(b"another segment"), None);
    }
}
