//! Colour to one band: `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601, the luma of JPEG), rounded.

use crate::imaging::raster::Raster;
use crate::model::ColourModel;

/// The weights in 1/65536; their sum is exactly one, so that white stays white.
const WEIGHTS: [u32; 3] = [19_595, 38_470, 7_471];

/// The raster with one colour band; alpha is kept. A gray one comes back as it is.
pub fn to_gray(raster: Raster) -> Raster {
    if raster.colour() == ColourModel::Gray {
        return raster;
    }
    let mut gray = Raster::zeroed(raster.size(), ColourModel::Gray, raster.alpha());
    if raster.alpha() {
        let (pixels, _) = raster.samples().as_chunks::<4>();
        let (targets, _) = gray.samples_mut().as_chunks_mut::<2>();
        for (target, &[red, green, blue, alpha]) in targets.iter_mut().zip(pixels) {
            *target = [luma([red, green, blue]), alpha];
        }
    } else {
        let (pixels, _) = raster.samples().as_chunks::<3>();
        for (target, pixel) in gray.samples_mut().iter_mut().zip(pixels) {
            *target = luma(*pixel);
        }
    }
    gray
}

/// The luma of one pixel.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "at most 255 after the shift, since the weights add up to 65536"
)]
pub(super) fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let [of_red, of_green, of_blue] = WEIGHTS;
    let sum = of_red * u32::from(red) + of_green * u32::from(green) + of_blue * u32::from(blue);
    ((sum + (1 << 15)) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    #[test]
    fn luma_is_that_of_jpeg() {
        for (pixel, expected) in [
            ([255, 255, 255], 255),
            ([0, 0, 0], 0),
            ([255, 0, 0], 76),
            ([0, 255, 0], 150),
            ([0, 0, 255], 29),
            ([77, 77, 77], 77),
        ] {
            assert_eq!(luma(pixel), expected, "{pixel:?}");
        }
    }

    #[test]
    fn alpha_stays_beside_the_luma() {
        let size = Size::new(2, 1).unwrap();
        let samples = vec![255, 0, 0, 9, 0, 0, 255, 8];
        let raster = Raster::new(size, ColourModel::Rgb, true, samples).unwrap();
        assert_eq!(to_gray(raster).samples(), [76, 9, 29, 8]);
    }
}
