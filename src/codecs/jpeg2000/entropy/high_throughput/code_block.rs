//! A code-block of part 15: its cleanup pass, and those that refine it.
//!
//! # Source
//! T.814, 7.1.1, 7.1.6 and annex B.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::entropy::code_block::PLANES_MAX;
use crate::codecs::jpeg2000::entropy::high_throughput::magnitudes::Magnitudes;
use crate::codecs::jpeg2000::entropy::high_throughput::quads::Quads;
use crate::codecs::jpeg2000::entropy::high_throughput::refinement::{propagate, refine};
use crate::codecs::jpeg2000::packet_header::Segment;
use crate::codecs::jpeg2000::{malformed, unsupported};
use crate::codecs::number::usize_of;

/// Bytes of a cleanup pass's two streams at its end: at least those that say how many they are, at most
/// what OpenJPEG and the standard let them say.
const SUFFIX_BYTES: std::ops::RangeInclusive<usize> = 2..=4079;

/// What a code-block is.
#[derive(Clone, Copy, Debug)]
pub(in crate::codecs::jpeg2000) struct CodeBlock {
    /// Columns and rows of coefficients.
    pub(in crate::codecs::jpeg2000) size: [usize; 2],
    /// Planes of bits that its sub-band can have.
    pub(in crate::codecs::jpeg2000) planes: u32,
    /// Those above the last that the cleanup pass covers.
    pub(in crate::codecs::jpeg2000) planes_above: u32,
    /// Whether stripes may not know of those below.
    pub(in crate::codecs::jpeg2000) is_causal: bool,
}

/// Decodes a code-block of its segments, whose bytes are all in `bytes`.
///
/// # Errors
/// `Malformed` where it says what cannot be; `Unsupported` where it has too many planes of bits; `Io` where
/// memory is short.
pub(in crate::codecs::jpeg2000) fn decode(
    block: CodeBlock,
    mut segments: impl Iterator<Item = Segment>,
    bytes: &[u8],
) -> Result<Magnitudes, CodecError> {
    let Some(cleanup) = segments.next().filter(|_| block.planes != 0) else {
        return Magnitudes::zero(block.size);
    };
    if PLANES_MAX < block.planes {
        return Err(unsupported(format!("HT code-blocks with {} planes of bits", block.planes)));
    }
    let plane = block.planes.checked_sub(block.planes_above + 1);
    let plane = plane.ok_or_else(|| malformed("an HT code-block has no planes of bits"))?;
    let (cleanup, rest) = split(bytes, cleanup.bytes)?;
    let (stream, suffix) = halves(cleanup)?;
    let quads = Quads::read(block.size, suffix)?;
    let planes = (plane, block.planes_above + 1);
    let mut magnitudes = Magnitudes::read(block.size, &quads, stream, planes)?;
    // Below the last plane there is nothing to refine, and what has no bytes is left out, as by OpenJPEG.
    let below = plane.checked_sub(1);
    let refining = segments.next().filter(|segment| segment.bytes != 0);
    if let Some((refining, plane)) = refining.zip(below) {
        let (stream, _) = split(rest, refining.bytes)?;
        if 1 < refining.passes {
            refine(&mut magnitudes, &quads, (stream, plane))?;
        }
        propagate(&mut magnitudes, &quads, (stream, plane), block.is_causal)?;
    }
    Ok(magnitudes)
}

/// So many bytes, and the rest.
fn split(bytes: &[u8], len: u32) -> Result<(&[u8], &[u8]), CodecError> {
    let split = bytes.split_at_checked(usize_of(len));
    split.ok_or_else(|| malformed("an HT code-block breaks off"))
}

/// The stream at the head of a cleanup pass, and both at its end, with the twelve bits that say how long
/// those are.
fn halves(cleanup: &[u8]) -> Result<(&[u8], &[u8]), CodecError> {
    let [.., low, high] = cleanup else {
        return Err(malformed("a cleanup pass of an HT code-block has fewer than two bytes"));
    };
    let len = usize::from(*high) << 4 | usize::from(low & 0x0f);
    let start = cleanup.len().checked_sub(len).filter(|_| SUFFIX_BYTES.contains(&len));
    let halves = start.and_then(|start| cleanup.split_at_checked(start));
    halves.ok_or_else(|| {
        let all = cleanup.len();
        malformed(format!("{len} of the {all} bytes of an HT code-block are to be its end"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::CodecError;
    use crate::codecs::jpeg2000::entropy::noise::Noise;

    /// Five columns and three rows, as `ojph_compress` codes them without loss.
    const CODED: [u8; 15] =
        [2, 2, 0x0f, 0xff, 0x7b, 0xcf, 0, 0xff, 0x8f, 0xe2, 7, 0xc4, 0x1d, 0xa9, 0];
    const COEFFICIENTS: [[i32; 5]; 3] =
        [[0, 1, -1, 16, -112], [0, 0, 2, 127, -128], [3, 0, 0, 0, -2]];

    fn block(planes: u32, planes_above: u32) -> CodeBlock {
        CodeBlock { size: [5, 3], planes, planes_above, is_causal: false }
    }

    fn rows(block: CodeBlock, segments: &[(u32, u32)], bytes: &[u8]) -> Vec<Vec<i32>> {
        let segments =
            segments.iter().map(|(passes, bytes)| Segment { passes: *passes, bytes: *bytes });
        let decoded = decode(block, segments, bytes).unwrap();
        decoded.rows().map(Iterator::collect).collect()
    }

    #[test]
    fn coefficients_are_those_that_were_coded_in_halves() {
        let halves = |shift: u32| {
            let of = move |value: i32| (value.signum() * (value.abs() * 2 + 1)) << shift;
            COEFFICIENTS.map(|row| row.map(of).to_vec()).to_vec()
        };
        assert_eq!(rows(block(9, 8), &[(1, 15)], &CODED), halves(0));
        // Three planes more, of which nothing is said.
        assert_eq!(rows(block(12, 8), &[(1, 15)], &CODED), halves(3));
        // Passes without bytes are none.
        assert_eq!(rows(block(12, 8), &[(1, 15), (2, 0)], &CODED), halves(3));
    }

    #[test]
    fn passes_that_refine_add_a_bit_to_what_is_there_and_find_what_is_beside_it() {
        // The first stripe has ones for all that is looked at, and for its signs.
        let bytes: Vec<u8> = CODED.iter().copied().chain([0xff, 0x7f, 0xff, 0x7f]).collect();
        let found = rows(block(10, 8), &[(1, 15), (2, 4)], &bytes);
        for (found, coded) in found.iter().zip(&COEFFICIENTS) {
            for (found, coded) in found.iter().zip(coded) {
                // A bit in the plane below, and the middle of what is below that.
                let expected = match coded {
                    0 => -0b11,
                    coded => coded.signum() * (coded.abs() << 2 | 0b11),
                };
                assert_eq!(*found, expected, "{coded}");
            }
        }
        // Nothing but the middle is said by zeros.
        let bytes: Vec<u8> = CODED.iter().copied().chain([0; 4]).collect();
        let found = rows(block(10, 8), &[(1, 15), (2, 4)], &bytes);
        let expected = |coded: i32| coded.signum() * (coded.abs() << 2 | 0b01);
        assert_eq!(found, COEFFICIENTS.map(|row| row.map(expected).to_vec()));
        // Without MagRef what is there stays as it is.
        let found = rows(block(10, 8), &[(1, 15), (1, 4)], &bytes);
        let expected = |coded: i32| coded.signum() * (coded.abs() << 2 | 0b10);
        assert_eq!(found, COEFFICIENTS.map(|row| row.map(expected).to_vec()));
    }

    #[test]
    fn what_has_no_passes_or_no_planes_is_zero() {
        for (block, segments) in [(block(9, 8), &[][..]), (block(0, 0), &[(1, 15)])] {
            assert!(rows(block, segments, &CODED).iter().flatten().all(|half| *half == 0));
        }
    }

    #[test]
    fn what_cannot_be_is_refused_in_words() {
        let with_end = |low: u8, high: u8| {
            let mut bytes = CODED;
            bytes[13..].copy_from_slice(&[low, high]);
            bytes
        };
        let narrow = CodeBlock { size: [3, 3], ..block(9, 8) };
        let low = CodeBlock { size: [5, 1], ..block(9, 8) };
        for (block, len, bytes, words) in [
            (block(9, 8), 1, CODED, "fewer than two bytes"),
            (block(9, 8), 16, CODED, "breaks off"),
            (block(9, 8), 15, with_end(0xa1, 0), "1 of the 15 bytes"),
            (block(9, 8), 15, with_end(0xa0, 1), "16 of the 15 bytes"),
            (block(9, 9), 15, CODED, "no planes of bits"),
            (block(9, 40), 15, CODED, "no planes of bits"),
            (block(9, 5), 15, CODED, "more planes than there are"),
            (block(31, 8), 15, CODED, "31 planes of bits"),
            (narrow, 15, CODED, "outside of it"),
            (low, 15, CODED, "outside of it"),
        ] {
            let segments = [Segment { passes: 1, bytes: len }].into_iter();
            let error = decode(block, segments, &bytes).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
            let is_of_us = matches!(error, CodecError::Unsupported { .. });
            assert_eq!(is_of_us, block.planes == 31, "{error}");
        }
    }

    #[test]
    fn whatever_the_bytes_are_there_is_an_error_or_as_many_coefficients_as_there_should_be() {
        let mut noise = Noise(1);
        let mut decoded = 0;
        for _ in 0..20_000 {
            let size = [1 + noise.below(40), 1 + noise.below(40)].map(usize_of);
            let planes = noise.below(PLANES_MAX + 2);
            let planes_above = noise.below(planes + 1);
            let block = CodeBlock { size, planes, planes_above, is_causal: noise.below(2) == 0 };
            let len = 2 + noise.below(300);
            let mut bytes: Vec<u8> = (0..len + noise.below(300)).map(|_| noise.byte()).collect();
            // Lengths that can be, mostly.
            let suffix = 2 + noise.below(len);
            bytes[usize_of(len) - 1] = u8::try_from(suffix >> 4).unwrap();
            bytes[usize_of(len) - 2] |= u8::try_from(suffix & 15).unwrap();
            let rest = u32::try_from(bytes.len()).unwrap() - len;
            let segments = [
                Segment { passes: 1, bytes: len },
                Segment { passes: 1 + noise.below(2), bytes: rest + noise.below(10) / 9 },
            ];
            let Ok(magnitudes) = decode(block, segments.into_iter(), &bytes) else { continue };
            let rows: Vec<Vec<i32>> = magnitudes.rows().map(Iterator::collect).collect();
            assert_eq!((rows[0].len(), rows.len()), size.into());
            decoded += 1;
        }
        assert!(1000 < decoded, "{decoded}");
    }
}
