//! CMYK to RGB where no profile says how: each ink takes its share of what black leaves,
//! `R = (255 - K) - round(C * (255 - K) / 255)`, and so green of magenta and blue of yellow. The numbers are
//! those of Pillow; they are brighter than print, but the same for every file.

use crate::imaging::raster::Raster;
use crate::model::ColourModel;

/// The raster in RGB; alpha is kept. One that is not CMYK comes back as it is.
pub fn cmyk_to_rgb(raster: Raster) -> Raster {
    if raster.colour() != ColourModel::Cmyk {
        return raster;
    }
    let mut shown = Raster::zeroed(raster.size(), ColourModel::Rgb, raster.alpha());
    if raster.alpha() {
        let (pixels, _) = raster.samples().as_chunks::<5>();
        let (targets, _) = shown.samples_mut().as_chunks_mut::<4>();
        for (target, &[cyan, magenta, yellow, black, alpha]) in targets.iter_mut().zip(pixels) {
            let [red, green, blue] = rgb([cyan, magenta, yellow, black]);
            *target = [red, green, blue, alpha];
        }
    } else {
        let (pixels, _) = raster.samples().as_chunks::<4>();
        let (targets, _) = shown.samples_mut().as_chunks_mut::<3>();
        for (target, pixel) in targets.iter_mut().zip(pixels) {
            *target = rgb(*pixel);
        }
    }
    shown
}

fn rgb([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    let light = 255 - black;
    [cyan, magenta, yellow].map(|ink| light - share(ink, light))
}

/// `round(ink * light / 255)`, never above `light`.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a product of two values of at most 255, divided by 255"
)]
fn share(ink: u8, light: u8) -> u8 {
    let product = u32::from(ink) * u32::from(light) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    /// Printed by Pillow 13.0: `Image.new("CMYK", (1, 1), ink).convert("RGB").getpixel((0, 0))`.
    #[test]
    fn the_numbers_are_those_of_pillow() {
        for (ink, expected) in [
            ([0, 0, 0, 0], [255, 255, 255]),
            ([0, 0, 0, 255], [0, 0, 0]),
            ([255, 255, 255, 0], [0, 0, 0]),
            ([255, 0, 0, 0], [0, 255, 255]),
            ([10, 20, 30, 40], [207, 198, 190]),
            ([128, 64, 32, 16], [119, 179, 209]),
            ([1, 254, 127, 200], [55, 0, 28]),
            ([77, 5, 250, 99], [109, 153, 3]),
        ] {
            assert_eq!(rgb(ink), expected, "{ink:?}");
        }
    }

    #[test]
    fn a_share_is_rounded_to_the_nearest() {
        for ink in 0..=255_u8 {
            for light in 0..=255_u8 {
                let exact = f64::from(ink) * f64::from(light) / 255.0;
                assert!((f64::from(share(ink, light)) - exact).abs() <= 0.5, "{ink} of {light}");
            }
        }
    }

    #[test]
    fn alpha_is_kept() {
        let size = Size::new(2, 1).unwrap();
        let samples = vec![0, 0, 0, 0, 9, 255, 0, 0, 0, 8];
        let raster = Raster::new(size, ColourModel::Cmyk, true, samples).unwrap();
        assert_eq!(cmyk_to_rgb(raster).samples(), [255, 255, 255, 9, 0, 255, 255, 8]);
    }
}
