//! One band to black or white. The threshold is fixed, or that of the whole image: one that looks at the
//! pixels at hand would differ from tile to tile and show their borders.

use crate::imaging::gray::to_gray;
use crate::imaging::raster::Raster;

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
}
