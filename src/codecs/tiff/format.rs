//! What a stored sample is: bits and kind, and the type that it decodes to.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::number::usize_of;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::unsupported;
use crate::model::SampleType;

/// Samples of one pixel: hyperspectral images have some hundreds.
pub(super) const SAMPLES_MAX: u64 = 4096;

/// How the bits of a sample are a number (`SampleFormat`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number from 0.
    Unsigned,
    /// A whole number in two's complement.
    Signed,
    /// IEEE 754, or 24 bit: sign, 7 of exponent, 16 of fraction.
    Float,
}

/// Bits and kind of every sample of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampleFormat {
    /// 1 to 32, or 64; of floats 16, 24, 32 or 64.
    pub(super) bits: u32,
    /// What they are.
    pub(super) kind: Kind,
}

impl SampleFormat {
    /// Reads `BitsPerSample` (by default 1) and `SampleFormat` (by default unsigned). Of CIE L*a*b*,
    /// whose code says which numbers are negative, only float or not counts, as the first sample has it.
    ///
    /// # Errors
    /// `Unsupported` where samples differ, or are numbers that are not read.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        lab: bool,
    ) -> Result<Self, CodecError> {
        let bits = structure.numbers(from, Tag::BitsPerSample, SAMPLES_MAX)?;
        let bits = same(bits.as_deref().unwrap_or_default(), 1).map_err(|(a, b)| {
            unsupported(format!("samples of {a} and {b} bits (BitsPerSample) in one pixel"))
        })?;
        let kinds = structure.numbers(from, Tag::SampleFormat, SAMPLES_MAX)?;
        let kinds = kinds.as_deref().unwrap_or_default();
        let kind = same(if lab { kinds.get(..1).unwrap_or_default() } else { kinds }, 1)
            .map_err(|(a, b)| unsupported(format!("sample formats {a} and {b} in one pixel")))?;
        let kind = match kind {
            // 4 is undefined, which everybody reads as unsigned.
            1 | 4 => Kind::Unsigned,
            2 if lab => Kind::Unsigned,
            2 => Kind::Signed,
            3 => Kind::Float,
            5 | 6 => return Err(unsupported("complex samples")),
            other => return Err(unsupported(format!("sample format {other}"))),
        };
        match (kind, bits) {
            (Kind::Float, 16 | 24 | 32 | 64) | (Kind::Unsigned | Kind::Signed, 1..=32 | 64) => {
                Ok(Self { bits: u32::try_from(bits).unwrap_or(64), kind })
            }
            (Kind::Float, _) => Err(unsupported(format!("floating point samples of {bits} bits"))),
            _ => Err(unsupported(format!("{bits} bits a sample"))),
        }
    }

    /// The type that holds decoded samples.
    pub(super) const fn sample_type(self) -> SampleType {
        match (self.kind, self.bits) {
            (Kind::Unsigned, ..=8) => SampleType::U8,
            (Kind::Unsigned, 9..=16) => SampleType::U16,
            _ => SampleType::F32,
        }
    }

    /// Whether a sample is one plain byte.
    pub(super) fn is_byte(self) -> bool {
        self == Self { bits: 8, kind: Kind::Unsigned }
    }

    /// The format of the type that holds it, where numbers are not stretched to that one's range.
    pub(super) const fn widened(self) -> Self {
        Self { bits: if self.bits <= 8 { 8 } else { 16 }, kind: self.kind }
    }

    /// Bytes of a row of so many samples: rows begin at whole bytes.
    pub(super) fn row_bytes(self, samples: usize) -> usize {
        samples.saturating_mul(usize_of(self.bits)).div_ceil(8)
    }

    /// The smallest and the largest whole number; 0 and 1 of floats.
    pub(super) fn extremes(self) -> (f64, f64) {
        let bits = f64::from(self.bits);
        match self.kind {
            Kind::Unsigned => (0.0, bits.exp2() - 1.0),
            Kind::Signed => (-(bits - 1.0).exp2(), (bits - 1.0).exp2() - 1.0),
            Kind::Float => (0.0, 1.0),
        }
    }
}

/// The one value of all, `default` where there are none; two that differ otherwise.
fn same(values: &[u64], default: u64) -> Result<u64, (u64, u64)> {
    let first = values.first().copied().unwrap_or(default);
    match values.iter().find(|value| **value != first) {
        Some(other) => Err((first, *other)),
        None => Ok(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_decode_to_the_narrowest_type() {
        for (bits, kind, expected) in [
            (1, Kind::Unsigned, SampleType::U8),
            (8, Kind::Unsigned, SampleType::U8),
            (9, Kind::Unsigned, SampleType::U16),
            (16, Kind::Unsigned, SampleType::U16),
            (17, Kind::Unsigned, SampleType::F32),
            (8, Kind::Signed, SampleType::F32),
            (16, Kind::Float, SampleType::F32),
        ] {
            assert_eq!(SampleFormat { bits, kind }.sample_type(), expected, "{bits} {kind:?}");
        }
    }

    #[test]
    fn rows_end_at_whole_bytes() {
        let row = |bits, samples| SampleFormat { bits, kind: Kind::Unsigned }.row_bytes(samples);
        assert_eq!([row(1, 9), row(12, 3), row(10, 3), row(64, 2)], [2, 5, 4, 16]);
    }
}
