//! Palettes (TIFF 6.0, section 5): indices into `ColorMap`, which has all reds, all greens, all blues.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::number::{reserved_for, usize_of_bytes};
use crate::codecs::tiff::format::{Kind, SampleFormat};
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::{malformed, unsupported};

/// Colours by index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Palette {
    colours: Box<[[u8; 3]]>,
}

impl Palette {
    /// Reads `ColorMap` of indices of this format.
    ///
    /// # Errors
    /// `Unsupported` for indices that are no whole numbers of 1 to 8 or of 16 bits; `Malformed` where
    /// the map is missing or too short.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        format: SampleFormat,
    ) -> Result<Self, CodecError> {
        if format.kind != Kind::Unsigned || !matches!(format.bits, 1..=8 | 16) {
            return Err(unsupported(format!("palette indices of {} bits", format.bits)));
        }
        let count = 1_u64 << format.bits;
        let values = structure.numbers_up_to(from, Tag::ColorMap, 3 * count)?;
        let values = values.ok_or_else(|| malformed("a palette image has no ColorMap"))?;
        Self::of(&values, usize_of_bytes(count)).ok_or_else(|| {
            malformed(format!("ColorMap has {} values for {count} colours", values.len()))
        })
    }

    /// A map of 16-bit values; some writers put 8-bit ones into it, which is seen by all of them being
    /// small, as libtiff does.
    fn of(values: &[u64], count: usize) -> Option<Self> {
        let shift = if values.iter().all(|value| *value < 256) { 0 } else { 8 };
        let byte = |value: &u64| u8::try_from(*value >> shift).unwrap_or(u8::MAX);
        let (reds, rest) = values.split_at_checked(count)?;
        let (greens, blues) = rest.split_at_checked(count)?;
        let blues = blues.get(..count)?;
        let colours = reds.iter().zip(greens).zip(blues);
        Some(Self {
            colours: colours.map(|((red, green), blue)| [red, green, blue].map(byte)).collect(),
        })
    }

    /// Pixels of an index and perhaps alpha, to red, green, blue and that alpha.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn to_rgb<T: Copy + Into<usize>>(
        &self,
        pixels: &[T],
        alpha: bool,
        alpha_byte: impl Fn(T) -> u8,
    ) -> Result<Vec<u8>, CodecError> {
        let per_pixel = 1 + usize::from(alpha);
        let mut rgb = reserved_for(pixels.len() / per_pixel * (per_pixel + 2))?;
        for pixel in pixels.chunks_exact(per_pixel) {
            let index = pixel.first().map_or(0, |index| (*index).into());
            rgb.extend(self.colours.get(index).copied().unwrap_or_default());
            rgb.extend(pixel.get(1).map(|alpha| alpha_byte(*alpha)));
        }
        Ok(rgb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_of_sixteen_and_of_eight_bits_are_told_apart() {
        let wide = Palette::of(&[0xff00, 0, 0x8080, 0, 0, 0xffff], 2).unwrap();
        assert_eq!(wide.to_rgb(&[0_u8, 1], false, |_| 0).unwrap(), [255, 128, 0, 0, 0, 255]);
        let narrow = Palette::of(&[200, 0, 100, 0, 0, 50], 2).unwrap();
        assert_eq!(narrow.to_rgb(&[0_u8, 7], true, |a| a).unwrap(), [200, 100, 0, 7]);
        assert_eq!(Palette::of(&[1, 2, 3, 4, 5], 2), None);
    }
}
