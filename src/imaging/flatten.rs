//! Alpha over white, for formats and qualities without alpha: `out = (c * a + 255 * (255 - a)) / 255`,
//! rounded (Porter and Duff 1984, "over", with an opaque white backdrop).

use crate::imaging::raster::Raster;

/// The raster laid over white, without its alpha band. One without alpha comes back as it is.
pub fn flatten(raster: Raster) -> Raster {
    if !raster.alpha() {
        return raster;
    }
    let mut flat = Raster::zeroed(raster.size(), raster.colour(), false);
    if raster.bands() == 2 {
        let (pixels, _) = raster.samples().as_chunks::<2>();
        for (target, &[gray, alpha]) in flat.samples_mut().iter_mut().zip(pixels) {
            *target = over_white(gray, alpha);
        }
    } else {
        let (pixels, _) = raster.samples().as_chunks::<4>();
        let (targets, _) = flat.samples_mut().as_chunks_mut::<3>();
        for (target, &[red, green, blue, alpha]) in targets.iter_mut().zip(pixels) {
            *target = [red, green, blue].map(|sample| over_white(sample, alpha));
        }
    }
    flat
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a mean of two values of at most 255"
)]
fn over_white(sample: u8, alpha: u8) -> u8 {
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    ((sample * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn the_transparent_becomes_white_and_the_opaque_stays() {
        for (sample, alpha, expected) in
            [(0, 0, 255), (0, 255, 0), (200, 255, 200), (0, 128, 127), (100, 51, 224)]
        {
            assert_eq!(over_white(sample, alpha), expected, "{sample} at {alpha}");
        }
    }

    #[test]
    fn the_alpha_band_is_gone() {
        let size = Size::new(1, 1).unwrap();
        let raster = Raster::new(size, ColourModel::Rgb, true, vec![1, 2, 3, 255]).unwrap();
        assert_eq!(flatten(raster).samples(), [1, 2, 3]);
        let raster = Raster::new(size, ColourModel::Gray, true, vec![9, 0]).unwrap();
        assert_eq!(flatten(raster).samples(), [255]);
    }
}
