//! From the bytes of stored rows to samples: bit depths, byte orders, predictors, number formats.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a pixel loop that turns numbers of all sizes into those that rasters hold"
)]

use tiff::tags::ByteOrder;

use crate::codecs::CodecError;
use crate::codecs::number::{reserved_for, usize_of};
use crate::codecs::tiff::format::{Kind, SampleFormat};
use crate::codecs::tiff::predictor::{self, Accumulate, Predictor};
use crate::imaging::Sample;

/// How the bytes of rows are samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    /// What a sample is.
    pub(super) format: SampleFormat,
    /// Order of the bytes of a sample.
    pub(super) order: ByteOrder,
    /// What was done to rows before they were compressed.
    pub(super) predictor: Predictor,
    /// Samples of a pixel that lie side by side: all, or one where planes are apart.
    pub(super) per_pixel: usize,
    /// Whether samples of few bits are stretched to the range of their type: indices are not.
    pub(super) scaled: bool,
}

/// A sample that rows of some formats decode to.
pub(super) trait Unpack: Sample {
    /// The samples of whole rows of `row_samples` each.
    ///
    /// # Errors
    /// `Io` where memory is short.
    fn unpack(
        packing: &Packing,
        row_samples: usize,
        rows: Vec<u8>,
    ) -> Result<Vec<Self>, CodecError>;
}

impl Unpack for u8 {
    fn unpack(
        packing: &Packing,
        row_samples: usize,
        mut rows: Vec<u8>,
    ) -> Result<Vec<Self>, CodecError> {
        let bits = packing.format.bits;
        if bits == 8 {
            if packing.predictor == Predictor::Differences {
                predictor::accumulate(&mut rows, row_samples, packing.per_pixel);
            }
            return Ok(rows);
        }
        let largest = (1_u32 << bits) - 1;
        let scale: [Self; 256] = std::array::from_fn(|code| {
            let code = (code as u32).min(largest);
            if packing.scaled {
                ((code * 510 + largest) / (2 * largest)) as Self
            } else {
                code as Self
            }
        });
        let mut samples = reserved_for(samples_len(packing, row_samples, &rows))?;
        each_field(&rows, packing.format, row_samples, |code| {
            samples.push(scale.get(usize_of(code)).copied().unwrap_or_default());
        });
        Ok(samples)
    }
}

impl Unpack for u16 {
    fn unpack(
        packing: &Packing,
        row_samples: usize,
        rows: Vec<u8>,
    ) -> Result<Vec<Self>, CodecError> {
        let bits = packing.format.bits;
        if bits == 16 {
            return words(packing, row_samples, rows, Self::from_le_bytes, Self::from_be_bytes);
        }
        let largest = (1_u32 << bits) - 1;
        let mut samples = reserved_for(samples_len(packing, row_samples, &rows))?;
        each_field(&rows, packing.format, row_samples, |code| {
            let scaled = (u64::from(code) * 131_070 + u64::from(largest)) / u64::from(2 * largest);
            samples.push(if packing.scaled { scaled as Self } else { code as Self });
        });
        Ok(samples)
    }
}

impl Unpack for f32 {
    fn unpack(
        packing: &Packing,
        row_samples: usize,
        mut rows: Vec<u8>,
    ) -> Result<Vec<Self>, CodecError> {
        let SampleFormat { bits, kind } = packing.format;
        match (bits, kind) {
            (8, _) => {
                if packing.predictor == Predictor::Differences {
                    predictor::accumulate(&mut rows, row_samples, packing.per_pixel);
                }
                mapped(rows, |byte| Self::from(byte as i8))
            }
            (16, _) => {
                let words =
                    words(packing, row_samples, rows, u16::from_le_bytes, u16::from_be_bytes)?;
                match kind {
                    Kind::Float => mapped(words, half),
                    Kind::Signed => mapped(words, |word| Self::from(word as i16)),
                    Kind::Unsigned => mapped(words, Self::from),
                }
            }
            (32, _) => {
                let words =
                    words(packing, row_samples, rows, u32::from_le_bytes, u32::from_be_bytes)?;
                match kind {
                    Kind::Float => mapped(words, Self::from_bits),
                    Kind::Signed => mapped(words, |word| word as i32 as Self),
                    Kind::Unsigned => mapped(words, |word| word as Self),
                }
            }
            (64, _) => {
                let words =
                    words(packing, row_samples, rows, u64::from_le_bytes, u64::from_be_bytes)?;
                match kind {
                    Kind::Float => mapped(words, |word| f64::from_bits(word) as Self),
                    Kind::Signed => mapped(words, |word| word as i64 as Self),
                    Kind::Unsigned => mapped(words, |word| word as Self),
                }
            }
            (24, _) => {
                let words = words(packing, row_samples, rows, little_24, big_24)?;
                match kind {
                    Kind::Float => mapped(words, |word| float_24(word.0)),
                    _ => mapped(words, |word| whole(word.0, packing.format)),
                }
            }
            _ => {
                let mut samples = reserved_for(samples_len(packing, row_samples, &rows))?;
                each_field(&rows, packing.format, row_samples, |code| {
                    samples.push(whole(code, packing.format));
                });
                Ok(samples)
            }
        }
    }
}

/// Samples in these rows.
fn samples_len(packing: &Packing, row_samples: usize, rows: &[u8]) -> usize {
    rows.len() / packing.format.row_bytes(row_samples).max(1) * row_samples
}

fn mapped<A, B>(from: Vec<A>, convert: impl Fn(A) -> B) -> Result<Vec<B>, CodecError> {
    let mut to = reserved_for(from.len())?;
    to.extend(from.into_iter().map(convert));
    Ok(to)
}

/// Words of `N` bytes, in the byte order of the file, their predictor undone.
fn words<W: Accumulate, const N: usize>(
    packing: &Packing,
    row_samples: usize,
    rows: Vec<u8>,
    little: impl Fn([u8; N]) -> W,
    big: impl Fn([u8; N]) -> W,
) -> Result<Vec<W>, CodecError> {
    let (rows, order) = match packing.predictor {
        // Undoing it leaves the most significant byte first.
        Predictor::FloatingPoint => (
            predictor::undo_float(rows, row_samples * N, packing.per_pixel, N)?,
            ByteOrder::BigEndian,
        ),
        _ => (rows, packing.order),
    };
    let (fields, _) = rows.as_chunks::<N>();
    let mut words = reserved_for(fields.len())?;
    match order {
        ByteOrder::LittleEndian => words.extend(fields.iter().map(|field| little(*field))),
        ByteOrder::BigEndian => words.extend(fields.iter().map(|field| big(*field))),
    }
    if packing.predictor == Predictor::Differences {
        predictor::accumulate(&mut words, row_samples, packing.per_pixel);
    }
    Ok(words)
}

/// The fields of rows that are packed without gaps, most significant bit first (TIFF 6.0, section 8);
/// each row begins at a byte.
fn each_field(rows: &[u8], format: SampleFormat, row_samples: usize, mut take: impl FnMut(u32)) {
    let mask = (1_u64 << format.bits) - 1;
    for row in rows.chunks_exact(format.row_bytes(row_samples).max(1)) {
        let (mut held, mut held_bits, mut bytes) = (0_u64, 0, row.iter());
        for _ in 0..row_samples {
            while held_bits < format.bits {
                held = held << 8 | u64::from(bytes.next().copied().unwrap_or_default());
                held_bits += 8;
            }
            held_bits -= format.bits;
            take((held >> held_bits & mask) as u32);
        }
    }
}

/// A whole number of up to 32 bits.
fn whole(code: u32, format: SampleFormat) -> f32 {
    let unused = u32::BITS - format.bits;
    match format.kind {
        Kind::Signed => ((code << unused) as i32 >> unused) as f32,
        _ => code as f32,
    }
}

/// A 16-bit float (IEEE 754 binary16).
fn half(word: u16) -> f32 {
    narrow_float(u32::from(word), 5, 10)
}

/// A 24-bit float (Adobe Photoshop TIFF Technical Note 3): 7 bits of exponent, 16 of fraction.
fn float_24(word: u32) -> f32 {
    narrow_float(word, 7, 16)
}

/// A float of 1 + `exponent_bits` + `fraction_bits` bits, built as IEEE 754 builds its own.
fn narrow_float(word: u32, exponent_bits: u32, fraction_bits: u32) -> f32 {
    let (fraction_one, exponent_all) = (1_u32 << fraction_bits, (1_u32 << exponent_bits) - 1);
    let (fraction, exponent) = (word & (fraction_one - 1), word >> fraction_bits & exponent_all);
    let bias = (exponent_all >> 1) as i32;
    let size = if exponent == exponent_all {
        if fraction == 0 { f32::INFINITY } else { f32::NAN }
    } else if exponent == 0 {
        fraction as f32 * ((1 - bias - fraction_bits as i32) as f32).exp2()
    } else {
        (fraction_one + fraction) as f32
            * ((exponent as i32 - bias - fraction_bits as i32) as f32).exp2()
    };
    if word >> (exponent_bits + fraction_bits) & 1 == 1 { -size } else { size }
}

/// Three bytes as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Word24(u32);

impl Accumulate for Word24 {
    fn plus(self, other: Self) -> Self {
        Self(self.0.wrapping_add(other.0) & 0x00ff_ffff)
    }
}

fn little_24([low, middle, high]: [u8; 3]) -> Word24 {
    Word24(u32::from_le_bytes([low, middle, high, 0]))
}

fn big_24([high, middle, low]: [u8; 3]) -> Word24 {
    Word24(u32::from_be_bytes([0, high, middle, low]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packing(bits: u32, kind: Kind, order: ByteOrder) -> Packing {
        let format = SampleFormat { bits, kind };
        Packing { format, order, predictor: Predictor::None, per_pixel: 1, scaled: true }
    }

    const LITTLE: ByteOrder = ByteOrder::LittleEndian;

    #[test]
    fn few_bits_are_stretched_and_rows_begin_at_bytes() {
        let rows = vec![0b1010_0000, 0b0100_0000];
        let samples = u8::unpack(&packing(1, Kind::Unsigned, LITTLE), 3, rows).unwrap();
        assert_eq!(samples, [255, 0, 255, 0, 255, 0]);
        let samples = u8::unpack(&packing(2, Kind::Unsigned, LITTLE), 4, vec![0b0001_1011]);
        assert_eq!(samples.unwrap(), [0, 85, 170, 255]);
        let samples = u8::unpack(&packing(6, Kind::Unsigned, LITTLE), 1, vec![0b1111_1000]);
        assert_eq!(samples.unwrap(), [251]);
        let rows = vec![0xff, 0xf0, 0x00, 0x80, 0x00, 0x01];
        let samples = u16::unpack(&packing(12, Kind::Unsigned, LITTLE), 4, rows).unwrap();
        assert_eq!(samples, [65_535, 0, 32_776, 16]);
        let raw = Packing { scaled: false, ..packing(4, Kind::Unsigned, LITTLE) };
        assert_eq!(u8::unpack(&raw, 2, vec![0x1f]).unwrap(), [1, 15]);
    }

    #[test]
    fn whole_numbers_of_both_orders_are_read() {
        let big = ByteOrder::BigEndian;
        let one = |bits, kind, order, bytes: &[u8]| {
            f32::unpack(&packing(bits, kind, order), 1, bytes.to_vec()).unwrap()[0]
        };
        let near = |found: f32, expected: f32| assert!((found - expected).abs() < 1e-9, "{found}");
        near(one(8, Kind::Signed, big, &[0xfe]), -2.0);
        near(one(16, Kind::Signed, LITTLE, &[0xfe, 0xff]), -2.0);
        near(one(16, Kind::Signed, big, &[0xff, 0xfe]), -2.0);
        near(one(24, Kind::Unsigned, LITTLE, &[1, 2, 0]), 513.0);
        near(one(24, Kind::Signed, big, &[0xff, 0xff, 0xfe]), -2.0);
        near(one(32, Kind::Unsigned, big, &[0, 1, 0, 0]), 65_536.0);
        near(one(32, Kind::Signed, LITTLE, &[0xff, 0xff, 0xff, 0xff]), -1.0);
        near(one(64, Kind::Signed, big, &[0xff; 8]), -1.0);
        near(one(64, Kind::Float, LITTLE, &1.5_f64.to_le_bytes()), 1.5);
        near(one(12, Kind::Signed, LITTLE, &[0xff, 0xe0]), -2.0);
    }

    #[test]
    fn narrow_floats_have_the_values_of_their_bits() {
        for (word, expected) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0001, 2.0_f32.powi(-24)),
            (0x8000, 0.0),
        ] {
            assert!((half(word) - expected).abs() < 1e-12, "{word:x}");
        }
        assert!(half(0x7c00).is_infinite() && half(0x7c01).is_nan());
        assert!((float_24(0x3f_0000) - 1.0).abs() < 1e-9);
        assert!((float_24(0xc0_8000) + 3.0).abs() < 1e-9);
    }
}
