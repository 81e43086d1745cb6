//! A raster to an AVIF file: gray as one plane, colour with 4:2:0 (4:4:4 where nothing is to be lost), alpha
//! as a second picture.
//!
//! # Source
//! AV1 Image File Format (AVIF) 1.1, sections 2 and 4.

use rav1e::prelude::{
    ChromaSampling, ColorDescription, ColorPrimaries, Config, Context, EncoderConfig,
    EncoderStatus, MatrixCoefficients, PixelRange, Plane, SceneDetectionSpeed,
    TransferCharacteristics,
};

use crate::codecs::CodecError;
use crate::codecs::avif::AVIF;
use crate::codecs::avif::container::{Av1, Parts, file};
use crate::codecs::avif::planes::{Coded, Samples, band, luma_and_colours};
use crate::codecs::encoding::Encoding;
use crate::codecs::exif::written;
use crate::codecs::number::usize_of;
use crate::imaging::{Pixels, Raster};
use crate::model::{ColourModel, Size};

/// The longest side that AV1 can code (AV1 specification, section 5.5.1), less what rav1e keeps back.
const SIDE_PX_MAX: u32 = 65_535;

/// rav1e's fastest: a tile of 256 x 256 has to be there within a blink.
const SPEED: u8 = 10;

/// The finest quantizer that rav1e takes: it has no lossless mode.
const QUANTIZER_MIN: usize = 1;

/// Encodes pixels of 8 bit, or of 16 as 10 bit; quality 0 to 100, and as near to lossless as AV1 by rav1e
/// comes below 0.
///
/// # Errors
/// `OverLimit` above 65535 pixels a side or 4 GiB; `Unsupported` for floating point samples.
pub(crate) fn encode(pixels: &Pixels, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    match pixels {
        Pixels::U8(raster) => encode_raster(raster, encoding),
        Pixels::U16(raster) => encode_raster(raster, encoding),
        Pixels::F32(_) => Err(CodecError::unsupported(AVIF, "floating point samples")),
    }
}

fn encode_raster<S: Coded>(raster: &Raster<S>, encoding: &Encoding) -> Result<Vec<u8>, CodecError> {
    crate::codecs::check_side(raster.size(), "pixels of an AVIF's side", SIDE_PX_MAX)?;
    let size = raster.size();
    let quality = encoding.quality;
    let is_gray = raster.colour() == ColourModel::Gray;
    let colour = if is_gray {
        av1::<S>(size, quality, ChromaSampling::Cs400, &[band(raster, 0)?])?
    } else {
        let (sampling, block) =
            if quality < 0 { (ChromaSampling::Cs444, 1) } else { (ChromaSampling::Cs420, 2) };
        av1::<S>(size, quality, sampling, &luma_and_colours(raster, block)?)?
    };
    let alpha = if raster.alpha() {
        let plane = band(raster, raster.bands() - 1)?;
        Some(av1::<S>(size, quality, ChromaSampling::Cs400, &[plane])?)
    } else {
        None
    };
    let about = &encoding.about;
    file(&Parts {
        size,
        bits: S::BITS,
        is_gray,
        colour,
        alpha,
        icc: about.icc.as_deref(),
        exif: written(about, usize_of(u32::MAX)),
        xmp: about.xmp(),
    })
}

/// One still picture as AV1.
fn av1<S: Coded>(
    size: Size,
    quality: i8,
    sampling: ChromaSampling,
    planes: &[Samples<S::Coded>],
) -> Result<Av1, CodecError> {
    let failed = |what: String| CodecError::unsupported(AVIF, what);
    let config = Config::new().with_encoder_config(settings(size, quality, sampling, S::BITS));
    let mut context: Context<S::Coded> =
        config.new_context().map_err(|error| failed(error.to_string()))?;
    let mut frame = context.new_frame();
    for (target, source) in frame.planes.iter_mut().zip(planes) {
        fill(target, source);
    }
    let config = context.container_sequence_header();
    context.send_frame(frame).map_err(|error| failed(error.to_string()))?;
    context.flush();
    let mut data = Vec::new();
    loop {
        match context.receive_packet() {
            Ok(packet) => data.extend(packet.data),
            Err(EncoderStatus::Encoded) => {}
            Err(EncoderStatus::LimitReached) => return Ok(Av1 { config, data }),
            Err(error) => return Err(failed(error.to_string())),
        }
    }
}

fn fill<T: rav1e::prelude::Pixel>(target: &mut Plane<T>, source: &Samples<T>) {
    let stride = target.cfg.stride;
    let rows = target.data_origin_mut().chunks_mut(stride);
    for (target, row) in rows.zip(source.samples.chunks_exact(source.width)) {
        if let Some(target) = target.get_mut(..row.len()) {
            target.copy_from_slice(row);
        }
    }
}

fn settings(size: Size, quality: i8, sampling: ChromaSampling, bits: u8) -> EncoderConfig {
    let quantizer = match u8::try_from(quality) {
        Ok(quality) => usize::from(100 - quality.min(100)) * 255 / 100,
        Err(_) => 0,
    };
    let mut settings = EncoderConfig::with_speed_preset(SPEED);
    settings.width = usize_of(size.width());
    settings.height = usize_of(size.height());
    settings.bit_depth = bits.into();
    settings.chroma_sampling = sampling;
    settings.pixel_range = PixelRange::Full;
    settings.color_description = Some(ColorDescription {
        color_primaries: ColorPrimaries::BT709,
        transfer_characteristics: TransferCharacteristics::SRGB,
        matrix_coefficients: MatrixCoefficients::BT601,
    });
    settings.still_picture = true;
    settings.quantizer = quantizer.max(QUANTIZER_MIN);
    // There is but one frame.
    settings.speed_settings.scene_detection_mode = SceneDetectionSpeed::None;
    settings.speed_settings.rdo_lookahead_frames = 1;
    settings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Format;

    #[test]
    fn every_shape_down_to_a_pixel_is_a_file_of_its_kind() {
        for (width, height) in [(1, 1), (3, 1), (16, 17), (65, 130)] {
            for (colour, alpha) in
                [(ColourModel::Gray, false), (ColourModel::Gray, true), (ColourModel::Rgb, true)]
            {
                let size = Size::new(width, height).unwrap();
                let eight = Pixels::U8(Raster::zeroed(size, colour, alpha));
                let sixteen = Pixels::U16(Raster::zeroed(size, colour, alpha));
                for pixels in [eight, sixteen] {
                    for quality in [-1, 0, 50, 100] {
                        let file =
                            encode(&pixels, &Encoding::plain(Format::Avif, quality)).unwrap();
                        assert_eq!(&file[4..12], b"ftypavif");
                    }
                }
            }
        }
    }

    #[test]
    fn what_the_format_cannot_hold_is_refused() {
        let plain = Encoding::plain(Format::Avif, 50);
        let wide = Raster::<u8>::zeroed(Size::new(65_536, 1).unwrap(), ColourModel::Gray, false);
        let error = encode(&Pixels::U8(wide), &plain).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { .. }));
        let float = Raster::zeroed(Size::ONE, ColourModel::Gray, false);
        let error = encode(&Pixels::F32(float), &plain).unwrap_err();
        assert!(matches!(error, CodecError::Unsupported { .. }));
    }
}
