//! A turn by less than a quarter, clockwise, into the smallest box that holds it. Each pixel of the box is
//! looked up where it was (inverse mapping), by Catmull-Rom (R. Keys, 1981, a = -0.5) over 4 x 4 pixels of
//! the source, whose edges go on beyond it. What is outside is transparent; along the edges a pixel is as
//! opaque as it lies inside.
#![expect(clippy::indexing_slicing, reason = "pixel loops: indices are held to the picture")]

use crate::imaging::raster::{Raster, usize_of};
use crate::imaging::to_bytes::byte;
use crate::model::Tilt;

/// The raster tilted, with alpha.
pub fn tilt(raster: &Raster, tilt: Tilt) -> Raster {
    let mut tilted = Raster::zeroed(tilt.size_of(raster.size()), raster.colour(), true);
    let source = Source::of(raster);
    let (sin, cos) = tilt.radians().sin_cos();
    let (width, height) = (f64::from(raster.size().width()), f64::from(raster.size().height()));
    let (middle_x, middle_y) =
        (f64::from(tilted.size().width()) / 2.0, f64::from(tilted.size().height()) / 2.0);
    let (row_len, bands) = (tilted.row_len(), tilted.bands());
    let mut down = 0.5 - middle_y;
    for row in tilted.samples_mut().chunks_exact_mut(row_len) {
        let mut right = 0.5 - middle_x;
        for pixel in row.chunks_exact_mut(bands) {
            let x = right * cos + down * sin + width / 2.0;
            let y = down * cos - right * sin + height / 2.0;
            let inside = within(x, width) * within(y, height);
            if 0.0 < inside {
                source.sample((x - 0.5, y - 0.5), inside, pixel);
            }
            right += 1.0;
        }
        down += 1.0;
    }
    tilted
}

/// How much of a pixel around `at` lies between 0 and `side`.
fn within(at: f64, side: f64) -> f64 {
    (at.min(side - at) + 0.5).clamp(0.0, 1.0)
}

/// What is looked up in.
struct Source<'a> {
    raster: &'a Raster,
    colours: usize,
}

impl<'a> Source<'a> {
    fn of(raster: &'a Raster) -> Self {
        Self { raster, colours: raster.colour().bands().into() }
    }

    /// Writes the pixel at a place, pixel centres being whole numbers, `inside` of it opaque.
    fn sample(&self, (x, y): (f64, f64), inside: f64, pixel: &mut [u8]) {
        let (columns, across) = taps(x, self.raster.size().width());
        let (rows, along) = taps(y, self.raster.size().height());
        let (row_len, bands) = (self.raster.row_len(), self.raster.bands());
        let mut sums = [0.0_f32; 4];
        let mut opacity = 0.0;
        for (row, weight_y) in rows.into_iter().zip(along) {
            let row = &self.raster.samples()[row * row_len..][..row_len];
            for (column, weight_x) in columns.into_iter().zip(across) {
                let from = &row[column * bands..][..bands];
                let alpha = if self.raster.alpha() { f32::from(from[self.colours]) } else { 255.0 };
                let weight = weight_x * weight_y * alpha;
                opacity += weight;
                for (sum, sample) in sums.iter_mut().zip(&from[..self.colours]) {
                    *sum += weight * f32::from(*sample);
                }
            }
        }
        if 0.0 < opacity {
            for (target, sum) in pixel[..self.colours].iter_mut().zip(sums) {
                *target = byte(sum / opacity);
            }
            pixel[self.colours] = byte(opacity * narrow(inside));
        }
    }
}

/// The four places around one, held to the side, and their weights.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a whole number beside the picture, far within 64 bits"
)]
fn taps(at: f64, side: u32) -> ([usize; 4], [f32; 4]) {
    let first = at.floor();
    let t = narrow(at - first);
    let (first, last) = (first as i64, i64::from(side) - 1);
    let place =
        |by: i64| usize::try_from((first + by).clamp(0, last)).unwrap_or(usize_of(side) - 1);
    let weights = [
        ((-0.5 * t + 1.0) * t - 0.5) * t,
        (1.5 * t - 2.5) * t * t + 1.0,
        ((-1.5 * t + 2.0) * t + 0.5) * t,
        (0.5 * t - 0.5) * t * t,
    ];
    ([place(-1), place(0), place(1), place(2)], weights)
}

#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "weights between 0 and 1 need no more"
)]
fn narrow(weight: f64) -> f32 {
    weight as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    fn by(degrees: f64) -> Tilt {
        Tilt::split(degrees).unwrap().1
    }

    fn flat(side_px: u32, alpha: bool, pixel: &[u8]) -> Raster {
        let colour = if pixel.len() < 3 { ColourModel::Gray } else { ColourModel::Rgb };
        let samples = pixel.repeat(usize_of(side_px * side_px));
        Raster::new(Size::new(side_px, side_px).unwrap(), colour, alpha, samples).unwrap()
    }

    fn pixel(raster: &Raster, x: u32, y: u32) -> &[u8] {
        let at = usize_of(y * raster.size().width() + x) * raster.bands();
        &raster.samples()[at..at + raster.bands()]
    }

    #[test]
    fn a_flat_picture_stays_flat_and_its_corners_are_transparent() {
        let tilted = tilt(&flat(100, false, &[10, 200, 30]), by(45.0));
        assert_eq!((tilted.size(), tilted.bands()), (Size::new(142, 142).unwrap(), 4));
        assert_eq!(pixel(&tilted, 71, 71), [10, 200, 30, 255]);
        for (x, y) in [(0, 0), (141, 0), (0, 141), (141, 141)] {
            assert_eq!(pixel(&tilted, x, y)[3], 0);
        }
        let opaque: u32 = tilted.samples().chunks(4).map(|pixel| u32::from(pixel[3])).sum();
        assert!(opaque.abs_diff(255 * 100 * 100) < 255 * 200, "{}", opaque / 255);
        assert!(tilted.samples().chunks(4).all(|it| it[3] == 0 || it[..3] == [10, 200, 30]));
    }

    #[test]
    fn alpha_of_the_source_goes_along() {
        let tilted = tilt(&flat(9, true, &[77, 100]), by(30.0));
        let middle = tilted.size().width() / 2;
        assert_eq!(pixel(&tilted, middle, middle), [77, 100]);
    }

    #[test]
    fn a_point_moves_clockwise() {
        let mut raster = flat(101, false, &[0]);
        // Above the middle by 40 pixels: after 60 degrees right of it by 40 sin 60, above it by 40 cos 60.
        raster.samples_mut()[10 * 101 + 50] = 255;
        let tilted = tilt(&raster, by(60.0));
        let brightest =
            tilted.samples().chunks(2).enumerate().max_by_key(|(_, it)| it[0]).unwrap().0;
        let width = usize_of(tilted.size().width());
        let (x, y) = (brightest % width, brightest / width);
        let middle = width / 2;
        assert!(x.abs_diff(middle + 35) <= 1 && y.abs_diff(middle - 20) <= 1, "{x},{y} of {width}");
    }
}
