//! Gray to three bands: `R = G = B = gray`.

use crate::imaging::raster::Raster;
use crate::model::ColourModel;

/// The raster with red, green and blue; alpha is kept. A coloured one comes back as it is.
pub fn to_colour(raster: Raster) -> Raster {
    if raster.colour() == ColourModel::Rgb {
        return raster;
    }
    let mut colour = Raster::zeroed(raster.size(), ColourModel::Rgb, raster.alpha());
    if raster.alpha() {
        let (pixels, _) = raster.samples().as_chunks::<2>();
        let (targets, _) = colour.samples_mut().as_chunks_mut::<4>();
        for (target, &[gray, alpha]) in targets.iter_mut().zip(pixels) {
            *target = [gray, gray, gray, alpha];
        }
    } else {
        let (targets, _) = colour.samples_mut().as_chunks_mut::<3>();
        for (target, &gray) in targets.iter_mut().zip(raster.samples()) {
            *target = [gray; 3];
        }
    }
    colour
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    #[test]
    fn gray_is_repeated_and_alpha_kept() {
        let size = Size::new(2, 1).unwrap();
        let gray = Raster::new(size, ColourModel::Gray, false, vec![7, 8]).unwrap();
        assert_eq!(to_colour(gray).samples(), [7, 7, 7, 8, 8, 8]);
        let gray = Raster::new(size, ColourModel::Gray, true, vec![7, 1, 8, 2]).unwrap();
        assert_eq!(to_colour(gray).samples(), [7, 7, 7, 1, 8, 8, 8, 2]);
    }
}
