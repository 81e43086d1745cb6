//! From a tile's samples as stored to bands as a raster holds them: cropped, without further samples,
//! black as 0, palettes looked up, colours not multiplied by alpha, no number where there is no data.

use crate::codecs::CodecError;
use crate::codecs::number::{filled, usize_of};
use crate::codecs::tiff::format::{Kind, SampleFormat};
use crate::codecs::tiff::layout::{Layout, Photometric};
use crate::codecs::tiff::palette::Palette;
use crate::codecs::tiff::unpack::Unpack;
use crate::codecs::tiff::{malformed, unsupported};
use crate::imaging::{Pixels, Raster};
use crate::model::{ColourModel, Size};

/// A sample as stored, and what is done to it.
pub(super) trait Stored: Unpack + Into<f32> {
    /// The sample that stands for tiles that were never written: `nodata` where the format has it, else 0.
    fn missing(nodata: Option<f64>, format: SampleFormat) -> Self;

    /// Whatever else sets this type apart: floats know of no data, and their alpha goes from 0 to 1.
    fn settle(_samples: &mut [Self], _layout: &Layout, _nodata: Option<f64>) {}

    /// What is white becomes black.
    fn inverted(self, format: SampleFormat) -> Self;

    /// Whether nothing is to be divided by this alpha: it is whole, or nothing.
    fn is_plain_alpha(self) -> bool;

    /// A colour without the alpha that it was multiplied by, rounded.
    fn divided_by(self, alpha: Self) -> Self;

    /// Divides colours by alpha, the last of `bands`; what is wholly transparent stays as it is.
    fn unassociate(samples: &mut [Self], bands: usize) {
        for pixel in samples.chunks_exact_mut(bands) {
            let Some((alpha, colours)) = pixel.split_last_mut() else { continue };
            if alpha.is_plain_alpha() {
                continue;
            }
            for colour in colours {
                *colour = colour.divided_by(*alpha);
            }
        }
    }

    /// Red, green, blue of indices.
    fn look_up(palette: &Palette, samples: &[Self], alpha: bool) -> Result<Vec<u8>, CodecError>;
}

impl Stored for u8 {
    fn missing(nodata: Option<f64>, format: SampleFormat) -> Self {
        let code = whole(nodata, format);
        let largest = (1_u32 << format.bits) - 1;
        Self::try_from((code * 510 + largest) / (2 * largest)).unwrap_or(Self::MAX)
    }

    fn inverted(self, _: SampleFormat) -> Self {
        !self
    }

    fn is_plain_alpha(self) -> bool {
        matches!(self, 0 | Self::MAX)
    }

    fn divided_by(self, alpha: Self) -> Self {
        let (colour, alpha) = (u32::from(self), u32::from(alpha));
        Self::try_from((colour * 255 + alpha / 2) / alpha).unwrap_or(Self::MAX)
    }

    fn look_up(palette: &Palette, samples: &[Self], alpha: bool) -> Result<Vec<u8>, CodecError> {
        palette.to_rgb(samples, alpha, |alpha| alpha)
    }
}

impl Stored for u16 {
    fn missing(nodata: Option<f64>, format: SampleFormat) -> Self {
        let code = u64::from(whole(nodata, format));
        let largest = (1_u64 << format.bits) - 1;
        Self::try_from((code * 131_070 + largest) / (2 * largest)).unwrap_or(Self::MAX)
    }

    fn inverted(self, _: SampleFormat) -> Self {
        !self
    }

    fn is_plain_alpha(self) -> bool {
        matches!(self, 0 | Self::MAX)
    }

    fn divided_by(self, alpha: Self) -> Self {
        let (colour, alpha) = (u64::from(self), u64::from(alpha));
        Self::try_from((colour * 65_535 + alpha / 2) / alpha).unwrap_or(Self::MAX)
    }

    fn look_up(palette: &Palette, samples: &[Self], alpha: bool) -> Result<Vec<u8>, CodecError> {
        palette.to_rgb(samples, alpha, |alpha| alpha.to_be_bytes()[0])
    }
}

impl Stored for f32 {
    fn missing(nodata: Option<f64>, _: SampleFormat) -> Self {
        nodata.map_or(0.0, narrow)
    }

    fn settle(samples: &mut [Self], layout: &Layout, nodata: Option<f64>) {
        let alpha = layout.alpha.is_some();
        let bands = layout.photometric.stored_samples() + usize::from(alpha);
        if let Some(nodata) = nodata.map(narrow) {
            let colours = bands - usize::from(alpha);
            for pixel in samples.chunks_exact_mut(bands) {
                for sample in pixel.iter_mut().take(colours) {
                    // To the bit: it was written as the same number.
                    if sample.total_cmp(&nodata).is_eq() {
                        *sample = Self::NAN;
                    }
                }
            }
        }
        let (_, full) = layout.format.extremes();
        if alpha && layout.format.kind != Kind::Float {
            for alpha in samples.iter_mut().skip(bands - 1).step_by(bands) {
                *alpha /= narrow(full);
            }
        }
    }

    fn inverted(self, format: SampleFormat) -> Self {
        match format.kind {
            // No largest one is known of these, so that only the order is turned.
            Kind::Float => -self,
            Kind::Signed => -1.0 - self,
            Kind::Unsigned => narrow(format.extremes().1) - self,
        }
    }

    fn is_plain_alpha(self) -> bool {
        self.is_nan() || self <= 0.0
    }

    fn divided_by(self, alpha: Self) -> Self {
        self / alpha
    }

    fn look_up(_: &Palette, _: &[Self], _: bool) -> Result<Vec<u8>, CodecError> {
        Err(unsupported("palette indices that are no whole numbers"))
    }
}

/// `nodata` where it is a number of the format, else 0.
fn whole(nodata: Option<f64>, format: SampleFormat) -> u32 {
    let (_, largest) = format.extremes();
    let found =
        nodata.filter(|value| (0.0..=largest).contains(value) && value.fract().abs() < 1e-9);
    found.map_or(0, rounded)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from float saturates"
)]
const fn rounded(value: f64) -> u32 {
    value as u32
}

/// A number of the file as decoded samples have it.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "to the nearest, as the samples were"
)]
pub(super) const fn narrow(value: f64) -> f32 {
    value as f32
}

/// Keeps the upper left `area` of rows of `stored_width_px` pixels, in place.
pub(super) fn crop<T: Copy>(
    samples: &mut Vec<T>,
    stored_width_px: u32,
    per_pixel: usize,
    area: Size,
) {
    let (stored, row) = (usize_of(stored_width_px) * per_pixel, usize_of(area.width()) * per_pixel);
    let rows = usize_of(area.height());
    if row < stored {
        for y in 1..rows {
            // Ranges of whole rows that lie within the buffer, which holds `rows` stored rows.
            samples.copy_within(y * stored..y * stored + row, y * row);
        }
    }
    samples.truncate(rows * row);
}

/// Adds the samples that are shown, of whole pixels, to `shown`.
pub(super) fn keep_shown<T: Copy>(layout: &Layout, samples: &[T], shown: &mut Vec<T>) {
    if layout.is_dense() {
        shown.extend_from_slice(samples);
        return;
    }
    let indices: Vec<usize> = layout.shown().collect();
    for pixel in samples.chunks_exact(layout.samples) {
        shown.extend(indices.iter().filter_map(|index| pixel.get(*index)));
    }
}

/// Turns the stored samples that are shown into the bands of a raster of `size` pixels.
///
/// # Errors
/// `Io` where memory is short; `Malformed` where they are too few.
pub(super) fn to_pixels<T: Stored>(
    layout: &Layout,
    nodata: Option<f64>,
    size: Size,
    mut samples: Vec<T>,
) -> Result<Pixels, CodecError> {
    let (colour, alpha) = (layout.colour(), layout.alpha.is_some());
    let associated = layout.alpha.is_some_and(|alpha| alpha.associated);
    match &layout.photometric {
        Photometric::Palette(palette) => {
            return wrap(size, colour, alpha, T::look_up(palette, &samples, alpha)?);
        }
        Photometric::Lab(code) => {
            let mut units = code.to_units(samples.iter().map(|sample| (*sample).into()), alpha)?;
            if associated {
                f32::unassociate(&mut units, 4);
            }
            return wrap(size, colour, alpha, units);
        }
        _ => T::settle(&mut samples, layout, nodata),
    }
    let bands = usize::from(colour.bands()) + usize::from(alpha);
    if layout.photometric == Photometric::MinIsWhite {
        invert(&mut samples, bands, layout.format);
    }
    if associated {
        T::unassociate(&mut samples, bands);
    }
    wrap(size, colour, alpha, samples)
}

fn invert<T: Stored>(samples: &mut [T], bands: usize, format: SampleFormat) {
    if bands == 1 {
        // Apart, because this one is vectorised.
        for sample in samples {
            *sample = sample.inverted(format);
        }
    } else {
        for sample in samples.iter_mut().step_by(bands) {
            *sample = sample.inverted(format);
        }
    }
}

fn wrap<T: Stored>(
    size: Size,
    colour: ColourModel,
    alpha: bool,
    samples: Vec<T>,
) -> Result<Pixels, CodecError> {
    let raster = Raster::new(size, colour, alpha, samples);
    raster.map(T::wrap).map_err(|error| malformed(error.to_string()))
}

/// Pixels of planes that hold one sample of each.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn interleave<T: Copy + Default>(planes: &[Vec<T>]) -> Result<Vec<T>, CodecError> {
    let (count, len) = (planes.len(), planes.iter().map(Vec::len).min().unwrap_or_default());
    let mut pixels = filled(count * len, T::default())?;
    for (band, plane) in planes.iter().enumerate() {
        for (sample, place) in plane.iter().zip(pixels.iter_mut().skip(band).step_by(count)) {
            *place = *sample;
        }
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::tiff::layout::{Alpha, sample_layout};

    fn bytes(layout: &Layout, samples: Vec<u8>) -> Vec<u8> {
        let pixels = samples.len() / layout.shown().count();
        let size = Size::new(u32::try_from(pixels).unwrap(), 1).unwrap();
        to_pixels(layout, None, size, samples).unwrap().into_bytes().unwrap().into_samples()
    }

    const fn alpha(index: usize, associated: bool) -> Alpha {
        Alpha { index, associated }
    }

    #[test]
    fn a_crop_keeps_the_upper_left_corner() {
        let mut samples: Vec<u8> = (0..24).collect();
        crop(&mut samples, 4, 2, Size::new(3, 2).unwrap());
        assert_eq!(samples, [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13]);
    }

    #[test]
    fn further_samples_are_dropped_and_alpha_is_found() {
        let layout = sample_layout(Photometric::Rgb, 5, Some(alpha(4, false)));
        let mut shown = Vec::new();
        keep_shown(&layout, &[1, 2, 3, 99, 4, 5, 6, 7, 99, 8], &mut shown);
        assert_eq!(shown, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(interleave(&[vec![1, 4], vec![2, 5], vec![3, 6]]).unwrap(), [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn white_is_turned_and_alpha_is_not() {
        let layout = sample_layout(Photometric::MinIsWhite, 2, Some(alpha(1, false)));
        assert_eq!(bytes(&layout, vec![0, 10, 255, 20]), [255, 10, 0, 20]);
    }

    #[test]
    fn associated_colours_are_divided_by_alpha() {
        let layout = sample_layout(Photometric::MinIsBlack, 2, Some(alpha(1, true)));
        let bands = bytes(&layout, vec![64, 128, 7, 0, 9, 255, 200, 100]);
        assert_eq!(bands, [128, 128, 7, 0, 9, 255, 255, 100]);
        let mut words = [16_384_u16, 32_768, 7, 0];
        u16::unassociate(&mut words, 2);
        assert_eq!(words, [32_768, 32_768, 7, 0]);
    }

    #[test]
    fn floats_have_no_number_where_there_is_no_data() {
        let kind = Kind::Signed;
        let layout = Layout {
            format: SampleFormat { bits: 16, kind },
            ..sample_layout(Photometric::MinIsBlack, 2, Some(alpha(1, false)))
        };
        let mut samples = [-9999.0, 32_767.0, 5.0, -9999.0];
        f32::settle(&mut samples, &layout, Some(-9999.0));
        assert!(samples[0].is_nan());
        assert!((samples[1] - 1.0).abs() < 1e-9 && (samples[2] - 5.0).abs() < 1e-9);
    }

    #[test]
    fn a_value_that_the_format_lacks_stands_for_nothing() {
        let format = |bits| SampleFormat { bits, kind: Kind::Unsigned };
        assert_eq!(u8::missing(Some(255.0), format(8)), 255);
        assert_eq!(u8::missing(Some(-9999.0), format(8)), 0);
        assert_eq!(u8::missing(Some(0.5), format(8)), 0);
        assert_eq!(u16::missing(Some(4095.0), format(12)), 65_535);
        assert_eq!(u8::missing(Some(f64::NAN), format(8)), 0);
    }
}
