//! From components as they were decoded to bands as a raster holds them: brought to full size, scaled to
//! the type, looked up, made RGB, not multiplied by alpha.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a pixel loop; samples are held to the range of their type"
)]

use crate::codecs::jpeg2000::channels::{Channel, Channels, Space, place};
use crate::codecs::jpeg2000::component_samples::ComponentSamples;
use crate::codecs::jpeg2000::grid::Span;
use crate::codecs::jpeg2000::{JPEG_2000, malformed};
use crate::codecs::number::{filled, usize_of};
use crate::codecs::{CodecError, pixels_of};
use crate::imaging::{Pixels, Sample};
use crate::model::{SampleType, Size};

/// A type of samples that channels are scaled to.
trait Target: Sample {
    /// Full alpha, and white of an unsigned type.
    const FULL: f32;

    /// A number of `0..=FULL`, rounded to the nearest; any, of a float.
    fn near(number: f32) -> Self;

    /// A sample as stored to one of this type.
    fn scaled(bits: u8) -> impl Fn(i32) -> Self;
}

impl Target for u8 {
    const FULL: f32 = 255.0;

    fn near(number: f32) -> Self {
        (number + 0.5) as Self
    }

    fn scaled(bits: u8) -> impl Fn(i32) -> Self {
        let largest = (1_i32 << bits.min(8)) - 1;
        move |sample| match sample.clamp(0, largest) {
            // A division is dearer than all else here.
            sample if largest == 255 => sample as Self,
            sample => ((sample * 510 + largest) / (2 * largest)) as Self,
        }
    }
}

impl Target for u16 {
    const FULL: f32 = 65_535.0;

    fn near(number: f32) -> Self {
        (number + 0.5) as Self
    }

    fn scaled(bits: u8) -> impl Fn(i32) -> Self {
        let largest = (1_i64 << bits.min(16)) - 1;
        move |sample| match i64::from(sample).clamp(0, largest) {
            sample if largest == 65_535 => sample as Self,
            sample => ((sample * 131_070 + largest) / (2 * largest)) as Self,
        }
    }
}

impl Target for f32 {
    const FULL: Self = 1.0;

    fn near(number: f32) -> Self {
        number
    }

    fn scaled(_: u8) -> impl Fn(i32) -> Self {
        |sample| sample as Self
    }
}

/// The pixels of an area, given the samples of all components that its channels come from.
///
/// # Errors
/// `Malformed` where a component has no samples; `Io` where memory is short.
pub(super) fn pixels(
    channels: &Channels,
    area: [Span; 2],
    components: &[ComponentSamples],
) -> Result<Pixels, CodecError> {
    match channels.sample_type() {
        SampleType::U8 => pixels_of_type::<u8>(channels, area, components),
        SampleType::U16 => pixels_of_type::<u16>(channels, area, components),
        SampleType::F32 => pixels_of_type::<f32>(channels, area, components),
    }
}

fn pixels_of_type<T: Target>(
    channels: &Channels,
    area: [Span; 2],
    components: &[ComponentSamples],
) -> Result<Pixels, CodecError> {
    let [width, height] = area.map(Span::len);
    let size = Size::new(width, height).ok_or_else(|| malformed("an area without pixels"))?;
    let (bands, count) = (channels.all().count(), usize_of(width) * usize_of(height));
    let mut samples = filled(count * bands, T::default())?;
    for (band, channel) in channels.all().enumerate() {
        let component = components.iter().find(|found| found.component == channel.component);
        let component = component.ok_or_else(|| malformed("a component is missing"))?;
        let to = Band { samples: &mut samples, place: band, count: bands };
        let bits = channel.stated.bits;
        match (&channel.table, channels.space) {
            (Some(table), _) => {
                let last = table.last().copied().unwrap_or(0);
                let scale = T::scaled(8);
                fill(component, area, to, |index| {
                    scale(table.get(place(index)).copied().unwrap_or(last).into())
                });
            }
            (None, Space::Lab(codes)) if band < codes.len() => {
                let (start, step) = codes.get(band).copied().unwrap_or_default();
                fill(component, area, to, |sample| T::near(start + step * sample as f32));
            }
            (None, Space::SYcc) if matches!(band, 1 | 2) && channel.stated.signed => {
                let half = 1_i32 << (bits - 1);
                let scale = T::scaled(bits);
                fill(component, area, to, |sample| scale(sample.saturating_add(half)));
            }
            (None, _) if T::TYPE == SampleType::F32 && band == channels.colours.len() => {
                let full = full_alpha(channel);
                fill(component, area, to, |sample| T::near((sample as f32 / full).clamp(0.0, 1.0)));
            }
            (None, _) => fill(component, area, to, T::scaled(bits)),
        }
    }
    if channels.space == Space::SYcc {
        samples.chunks_exact_mut(bands).for_each(to_rgb);
    }
    if channels.is_associated && channels.alpha.is_some() {
        samples.chunks_exact_mut(bands).for_each(unassociate);
    }
    pixels_of(JPEG_2000, size, (channels.space.model(), channels.alpha.is_some()), samples)
}

/// The largest sample of a channel.
fn full_alpha(channel: &Channel) -> f32 {
    let bits = i32::from(channel.stated.bits) - i32::from(channel.stated.signed);
    (2_f32.powi(bits) - 1.0).max(1.0)
}

/// One band of pixels.
struct Band<'a, T> {
    samples: &'a mut [T],
    /// Its place in a pixel.
    place: usize,
    /// Samples of a pixel.
    count: usize,
}

impl<T> Band<'_, T> {
    /// The samples of rows of so many pixels.
    fn rows(&mut self, width: usize) -> impl Iterator<Item = impl Iterator<Item = &mut T>> {
        let (place, count) = (self.place, self.count);
        let rows = self.samples.chunks_exact_mut(width * count);
        rows.map(move |row| {
            row.chunks_exact_mut(count).filter_map(move |pixel| pixel.get_mut(place))
        })
    }
}

/// Puts the samples of a component at the pixels that they stand for: each up to the next one.
fn fill<T>(
    from: &ComponentSamples,
    [columns, rows]: [Span; 2],
    mut to: Band<'_, T>,
    convert: impl Fn(i32) -> T,
) {
    let [across, down] = from.spans;
    let [step_x, step_y] = from.step;
    let at = |pixel: u32, step: u32, span: Span| {
        let last = span.end.saturating_sub(1);
        usize_of((pixel / step).clamp(span.start, last.max(span.start)) - span.start)
    };
    let width = usize_of(across.len());
    for (row, to) in (rows.start..rows.end).zip(to.rows(usize_of(columns.len()))) {
        let start = at(row, step_y, down) * width;
        let line = from.samples.get(start..start + width).unwrap_or_default();
        if step_x == 1 {
            let first = at(columns.start, 1, across);
            let samples = line.get(first..).unwrap_or_default().iter();
            to.zip(samples).for_each(|(to, sample)| *to = convert(*sample));
        } else {
            let samples = (columns.start..columns.end)
                .map(|column| line.get(at(column, step_x, across)).copied().unwrap_or(0));
            to.zip(samples).for_each(|(to, sample)| *to = convert(sample));
        }
    }
}

/// Luma and colour differences to red, green, blue.
///
/// # Source
/// ITU-R BT.601, full range, as IEC 61966-2-1, amendment 1, has it.
fn to_rgb<T: Target>(pixel: &mut [T]) {
    let [luma, blue, red, ..] = pixel else { return };
    let middle = f32::midpoint(T::FULL, 1.0).floor();
    let (y, cb, cr) = ((*luma).into(), (*blue).into() - middle, (*red).into() - middle);
    let held = |number: f32| T::near(number.clamp(0.0, T::FULL));
    *luma = held(y + 1.402 * cr);
    *red = held(y + 1.772 * cb);
    *blue = held(y - 0.344_136 * cb - 0.714_136 * cr);
}

/// Divides colours by the alpha that they were multiplied by; the invisible stays as it is.
fn unassociate<T: Target>(pixel: &mut [T]) {
    let Some((alpha, colours)) = pixel.split_last_mut() else { return };
    let alpha: f32 = (*alpha).into();
    if 0.0 < alpha && alpha < T::FULL {
        for colour in colours {
            let divided = (*colour).into() * T::FULL / alpha;
            *colour =
                T::near(if T::TYPE == SampleType::F32 { divided } else { divided.min(T::FULL) });
        }
    }
}
