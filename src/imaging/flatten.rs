//! Alpha over one colour, for formats and qualities without alpha: `out = (c * a + under * (255 - a)) /
//! 255`, rounded (Porter and Duff 1984, "over", with an opaque backdrop).

use crate::imaging::gray::luma;
use crate::imaging::raster::Raster;

/// The raster laid over a colour, without its alpha band. One without alpha comes back as it is.
pub fn flatten(raster: Raster, under: [u8; 3]) -> Raster {
    if !raster.alpha() {
        return raster;
    }
    let mut flat = Raster::zeroed(raster.size(), raster.colour(), false);
    if raster.bands() == 2 {
        let under = luma(under);
        let (pixels, _) = raster.samples().as_chunks::<2>();
        for (target, &[gray, alpha]) in flat.samples_mut().iter_mut().zip(pixels) {
            *target = over(gray, alpha, under);
        }
    } else {
        let (pixels, _) = raster.samples().as_chunks::<4>();
        let (targets, _) = flat.samples_mut().as_chunks_mut::<3>();
        for (target, &[red, green, blue, alpha]) in targets.iter_mut().zip(pixels) {
            let [below_red, below_green, below_blue] = under;
            *target = [
                over(red, alpha, below_red),
                over(green, alpha, below_green),
                over(blue, alpha, below_blue),
            ];
        }
    }
    flat
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a mean of two values of at most 255"
)]
fn over(sample: u8, alpha: u8, under: u8) -> u8 {
    let (sample, alpha, under) = (u32::from(sample), u32::from(alpha), u32::from(under));
    ((sample * alpha + under * (255 - alpha) + 127) / 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn the_transparent_becomes_what_is_under_it_and_the_opaque_stays() {
        for (sample, alpha, under, expected) in [
            (0, 0, 255, 255),
            (0, 255, 255, 0),
            (200, 255, 0, 200),
            (0, 128, 255, 127),
            (100, 51, 255, 224),
            (100, 51, 0, 20),
        ] {
            assert_eq!(over(sample, alpha, under), expected, "{sample} at {alpha} over {under}");
        }
    }

    #[test]
    fn the_alpha_band_is_gone() {
        let size = Size::new(2, 1).unwrap();
        let samples = vec![1, 2, 3, 255, 1, 2, 3, 0];
        let raster = Raster::new(size, ColourModel::Rgb, true, samples).unwrap();
        assert_eq!(flatten(raster, [7, 8, 9]).samples(), [1, 2, 3, 7, 8, 9]);
        let raster = Raster::new(size, ColourModel::Gray, true, vec![9, 0, 9, 255]).unwrap();
        assert_eq!(flatten(raster, [255; 3]).samples(), [255, 9]);
    }
}
