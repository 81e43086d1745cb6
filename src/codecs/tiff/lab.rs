//! CIE L*a*b* as TIFF codes it, to real units: L* 0 to 100, a* and b* about -128 to 127.
//!
//! Source: TIFF 6.0, section 23 (CIELAB); Adobe Photoshop TIFF Technical Notes (ICCLAB, as ICC.1:2001
//! codes it); TIFF-FX, RFC 2301, section 4 (ITULAB and `Decode`).

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::number::reserved_for;
use crate::codecs::tiff::format::{Kind, SampleFormat};
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::{metadata, unsupported};

/// `Decode`: what the smallest and the largest code of each band stand for.
const DECODE: Tag = Tag::Unknown(433);

/// ITU-T T.42's own ranges: L* from 0 to 100, a* 170 wide with its zero at 128 of 255, b* 200 wide with
/// its zero at 96.
const T42_RANGES: [f64; 6] = [
    0.0,
    100.0,
    -128.0 * 170.0 / 255.0,
    127.0 * 170.0 / 255.0,
    -96.0 * 200.0 / 255.0,
    159.0 * 200.0 / 255.0,
];

/// How a band's codes are numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct BandCode {
    /// Codes at or above this stand for negative numbers, in two's complement.
    wraps_at: f32,
    /// What is subtracted of those: the number of codes.
    codes: f32,
    /// A step between codes.
    step: f32,
    /// What code 0 stands for.
    start: f32,
}

/// How pixels are L*, a*, b*.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct LabCode {
    bands: [BandCode; 3],
    /// The code of full alpha.
    alpha_full: f32,
}

impl LabCode {
    /// The code of photometric 8, 9 or 10.
    ///
    /// # Errors
    /// `Unsupported` for depths that the code is not defined for.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        photometric: u64,
        format: SampleFormat,
    ) -> Result<Self, CodecError> {
        let decode = metadata::reals(structure, from, DECODE, 6)?;
        let ranges = decode.and_then(|values| <[f64; 6]>::try_from(values).ok());
        Self::of(photometric, format, ranges.unwrap_or(T42_RANGES)).ok_or_else(|| {
            let SampleFormat { bits, .. } = format;
            unsupported(format!("L*a*b* (photometric {photometric}) of {bits} bits"))
        })
    }

    fn of(photometric: u64, format: SampleFormat, decode: [f64; 6]) -> Option<Self> {
        let (codes, per_unit) = match (format.kind, format.bits) {
            (Kind::Float, _) if photometric == 8 => {
                let plain = BandCode { wraps_at: f32::INFINITY, codes: 0.0, step: 1.0, start: 0.0 };
                return Some(Self { bands: [plain; 3], alpha_full: 1.0 });
            }
            (Kind::Float, _) => return None,
            (_, 8) => (256.0, 1.0),
            (_, 16) => (65_536.0, 256.0),
            _ => return None,
        };
        let full = codes - 1.0;
        let band = |step: f32, start: f32| BandCode { wraps_at: f32::INFINITY, codes, step, start };
        let bands = match photometric {
            8 => {
                let difference = BandCode { wraps_at: codes / 2.0, ..band(1.0 / per_unit, 0.0) };
                [band(100.0 / full, 0.0), difference, difference]
            }
            // The largest L* of 16 bit is 0xff00.
            9 => [
                band(100.0 / (255.0 * per_unit), 0.0),
                band(1.0 / per_unit, -128.0),
                band(1.0 / per_unit, -128.0),
            ],
            _ => {
                let [l_low, l_high, a_low, a_high, b_low, b_high] = decode.map(narrow);
                [(l_low, l_high), (a_low, a_high), (b_low, b_high)]
                    .map(|(low, high)| band((high - low) / full, low))
            }
        };
        Some(Self { bands, alpha_full: full })
    }

    /// Pixels of codes and perhaps alpha, to L*, a*, b* and alpha from 0 to 1.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn to_units(
        self,
        codes: impl ExactSizeIterator<Item = f32>,
        alpha: bool,
    ) -> Result<Vec<f32>, CodecError> {
        let bands = 3 + usize::from(alpha);
        let mut units = reserved_for(codes.len())?;
        for (at, code) in codes.enumerate() {
            units.push(match self.bands.get(at % bands) {
                Some(band) => {
                    let number = if band.wraps_at <= code { code - band.codes } else { code };
                    band.start + band.step * number
                }
                None => code / self.alpha_full,
            });
        }
        Ok(units)
    }
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a bound of a range, to the nearest"
)]
const fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(photometric: u64, bits: u32, codes: [u16; 3]) -> Vec<f32> {
        let format = SampleFormat { bits, kind: Kind::Unsigned };
        let code = LabCode::of(photometric, format, T42_RANGES).unwrap();
        code.to_units(codes.map(f32::from).into_iter(), false).unwrap()
    }

    #[test]
    fn every_code_has_the_units_of_its_standard() {
        for (photometric, bits, codes, expected) in [
            (8, 8, [255, 0xff, 0x7f], [100.0, -1.0, 127.0]),
            (8, 16, [65_535, 0xff00, 0x0080], [100.0, -1.0, 0.5]),
            (9, 8, [255, 128, 0], [100.0, 0.0, -128.0]),
            (9, 16, [0xff00, 0x8000, 0xffff], [100.0, 0.0, 127.996]),
            (10, 8, [255, 128, 96], [100.0, 0.0, 0.0]),
        ] {
            let found = units(photometric, bits, codes);
            let near = found.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 0.01);
            assert!(near, "{photometric} {bits}: {found:?}");
        }
    }

    #[test]
    fn depths_without_a_code_are_refused() {
        let of = |bits, kind, photometric| {
            LabCode::of(photometric, SampleFormat { bits, kind }, T42_RANGES)
        };
        assert!(of(12, Kind::Unsigned, 8).is_none());
        assert!(of(32, Kind::Float, 9).is_none());
        assert!(of(32, Kind::Float, 8).is_some());
    }
}
