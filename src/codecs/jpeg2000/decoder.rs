//! A codestream to interleaved samples, as many bits as it holds.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a pixel loop; samples are held to the range of their bits"
)]

use hayro_jpeg2000::{ComponentData, DecodeSettings, DecoderContext, Image};

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::JPEG_2000;
use crate::codecs::number::{reserved_for, usize_of};
use crate::model::Size;

/// What a container promised of a codestream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Codestream {
    /// Pixels.
    pub(crate) size: Size,
    /// Samples of a pixel.
    pub(crate) components: usize,
    /// Bits of a sample, at most 16.
    pub(crate) bits: u32,
    /// Whether the components are luma and colour differences, to be made RGB.
    pub(crate) ycbcr: bool,
}

/// Markers of start and size, which every codestream begins with.
const HEAD: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];

/// Decodes all samples: `samples[(y * width + x) * components + component]`, from 0 to the largest number
/// of `expected.bits`.
///
/// # Errors
/// `Malformed` where the stream is damaged or not what was promised.
pub(crate) fn decode(file: &[u8], expected: &Codestream) -> Result<Vec<u16>, CodecError> {
    let broken = |what: String| CodecError::malformed(JPEG_2000, what);
    let settings =
        DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let image = Image::new(file, &settings).map_err(|error| broken(error.to_string()))?;
    let found = (image.width(), image.height());
    if found != (expected.size.width(), expected.size.height()) {
        let (width, height) = found;
        let size = expected.size;
        let what = format!(
            "{width}x{height} pixels where the container says {}x{}",
            size.width(),
            size.height()
        );
        return Err(broken(what));
    }
    let components =
        usize::from(image.color_space().num_channels()) + usize::from(image.has_alpha());
    if components != expected.components {
        let what =
            format!("{components} components where the container says {}", expected.components);
        return Err(broken(what));
    }
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(|error| broken(error.to_string()))?;
    let planes: Vec<&[f32]> = decoded.components().iter().map(ComponentData::samples).collect();
    let bits = decoded.components().iter().map(|plane| u32::from(plane.bit_depth()));
    let pixels = usize_of(expected.size.width()) * usize_of(expected.size.height());
    if planes.len() != components || planes.iter().any(|plane| plane.len() != pixels) {
        return Err(broken("its components differ in size".to_owned()));
    }
    if let Some(bits) = bits.into_iter().find(|bits| *bits != expected.bits) {
        return Err(broken(format!("{bits} bits where the container says {}", expected.bits)));
    }
    // Subsampled differences were made RGB by the decoder.
    let convert = expected.ycbcr && components == 3 && !is_subsampled(file);
    interleave(&planes, expected.bits, convert)
}

fn interleave(planes: &[&[f32]], bits: u32, ycbcr: bool) -> Result<Vec<u16>, CodecError> {
    let largest = (bits as f32).exp2() - 1.0;
    let held = |sample: f32| (sample.clamp(0.0, largest) + 0.5) as u16;
    let pixels = planes.first().map_or(0, |plane| plane.len());
    let mut samples = reserved_for(pixels * planes.len())?;
    if let ([luma, cb, cr], true) = (planes, ycbcr) {
        let middle = (bits as f32 - 1.0).exp2();
        // ITU-R BT.601, full range.
        for ((y, cb), cr) in luma.iter().zip(*cb).zip(*cr) {
            let (cb, cr) = (cb - middle, cr - middle);
            let green = y - 0.344_136 * cb - 0.714_136 * cr;
            samples.extend([y + 1.402 * cr, green, y + 1.772 * cb].map(held));
        }
        return Ok(samples);
    }
    samples.resize(pixels * planes.len(), 0);
    for (component, plane) in planes.iter().enumerate() {
        let places = samples.iter_mut().skip(component).step_by(planes.len());
        for (place, sample) in places.zip(*plane) {
            *place = held(*sample);
        }
    }
    Ok(samples)
}

/// Whether the second component of a codestream has fewer columns or rows than the first (T.800, A.5.1).
fn is_subsampled(file: &[u8]) -> bool {
    // Length, capabilities, eight sizes and offsets, number of components; then three bytes each.
    const COMPONENTS_AT: usize = 38;
    let steps = |component: usize| {
        let at = HEAD.len() + COMPONENTS_AT + component * 3;
        file.get(at + 1..at + 3)
    };
    file.starts_with(&HEAD) && steps(0) != steps(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_laid_side_by_side_and_held_to_their_bits() {
        let planes: [&[f32]; 2] = [&[-3.0, 254.6], &[0.4, 300.0]];
        assert_eq!(interleave(&planes, 8, false).unwrap(), [0, 0, 255, 255]);
        let gray: [&[f32]; 3] = [&[100.0], &[128.0], &[128.0]];
        assert_eq!(interleave(&gray, 8, true).unwrap(), [100, 100, 100]);
    }

    #[test]
    fn what_is_no_codestream_is_malformed() {
        let size = Size::new(8, 8).unwrap();
        let expected = Codestream { size, components: 3, bits: 8, ycbcr: false };
        for file in [&b""[..], b"\xff\x4f\xff\x51", b"no codestream"] {
            let error = decode(file, &expected).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{error}");
        }
    }
}
