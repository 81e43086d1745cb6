//! One band to black or white. The threshold is fixed, or that of the whole image: one that looks at the
//! pixels at hand would differ from tile to tile and show their borders.

use crate::imaging::gray::to_gray;
use crate::imaging::raster::Raster;

/// How black and white are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Threshold {
    /// At the middle of the range.
    Middle,
    /// Where the image's own grays part best.
    OfImage,
    /// By a pattern that leaves areas their gray.
    Dithered,
}

/// B. E. Bayer's pattern of 8 x 8 (1973): each number from 0 to 63 once.
const PATTERN: [[u8; 8]; 8] = [
    [0, 32, 8, 40, 2, 34, 10, 42],
    [48, 16, 56, 24, 50, 18, 58, 26],
    [12, 44, 4, 36, 14, 46, 6, 38],
    [60, 28, 52, 20, 62, 30, 54, 22],
    [3, 35, 11, 43, 1, 33, 9, 41],
    [51, 19, 59, 27, 49, 17, 57, 25],
    [15, 47, 7, 39, 13, 45, 5, 37],
    [63, 31, 55, 23, 61, 29, 53, 21],
];

/// The darkest white: the upper half of the range.
pub const WHITE_FROM: u8 = 128;

/// The raster in gray, every sample 0 or 255: white from `white_from` on. Alpha is left alone.
pub fn to_bitonal(raster: Raster, white_from: u8) -> Raster {
    let mut gray = to_gray(raster);
    let bands = gray.bands();
    for sample in gray.samples_mut().iter_mut().step_by(bands) {
        *sample = if *sample < white_from { 0 } else { 255 };
    }
    gray
}

/// The raster in gray, every sample 0 or 255, by a pattern that begins anew every 8 pixels: tiles whose sides
/// are multiples of that join without a seam, which no diffusion of errors would. Alpha is left alone.
pub fn dithered(raster: Raster) -> Raster {
    let mut gray = to_gray(raster);
    let (bands, row_len) = (gray.bands(), gray.row_len());
    for (row, pattern) in gray.samples_mut().chunks_exact_mut(row_len).zip(PATTERN.iter().cycle()) {
        for (sample, step) in row.iter_mut().step_by(bands).zip(pattern.iter().cycle()) {
            // 64 thresholds, 2 to 254: black stays black and white white.
            *sample = if *sample < 4 * step + 2 { 0 } else { 255 };
        }
    }
    gray
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn the_upper_half_is_white_and_alpha_is_left_alone() {
        let size = Size::new(4, 1).unwrap();
        let gray = Raster::new(size, ColourModel::Gray, false, vec![0, 127, 128, 255]).unwrap();
        assert_eq!(to_bitonal(gray, WHITE_FROM).samples(), [0, 0, 255, 255]);
        let size = Size::new(2, 1).unwrap();
        let with_alpha = vec![255, 255, 255, 5, 0, 0, 255, 200];
        let raster = Raster::new(size, ColourModel::Rgb, true, with_alpha).unwrap();
        assert_eq!(to_bitonal(raster, WHITE_FROM).samples(), [255, 5, 0, 200]);
    }

    #[test]
    fn a_dithered_area_keeps_its_gray() {
        for (gray, white) in [(0, 0), (1, 0), (64, 16), (128, 32), (254, 64), (255, 64)] {
            let size = Size::new(16, 8).unwrap();
            let area = Raster::new(size, ColourModel::Gray, false, vec![gray; 128]).unwrap();
            let found = dithered(area);
            let sum: u32 = found.samples().iter().copied().map(u32::from).sum();
            assert_eq!(sum, 255 * 2 * white, "{gray}");
            assert!(found.samples().iter().all(|sample| matches!(sample, 0 | 255)));
        }
    }
}
