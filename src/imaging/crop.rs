//! A part of a raster, pixel by pixel.

use crate::imaging::raster::Raster;
use crate::imaging::sample::Sample;
use crate::model::Rect;

/// The pixels of `part` alone, as far as the raster goes; all of it where it has none of them.
pub fn crop<T: Sample>(raster: Raster<T>, part: Rect) -> Raster<T> {
    let whole = Rect::whole(raster.size());
    let Some(part) = part.intersect(whole).filter(|part| *part != whole) else { return raster };
    let mut cropped = Raster::zeroed(part.size(), raster.colour(), raster.alpha());
    cropped.paste(&raster, part, 0, 0);
    cropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn the_part_alone_is_left() {
        let size = |width, height| Size::new(width, height).unwrap();
        let raster = Raster::new(size(3, 2), ColourModel::Gray, false, vec![1u8, 2, 3, 4, 5, 6]);
        let raster = raster.unwrap();
        let part = Rect::new(1, 1, size(9, 1)).unwrap();
        assert_eq!(crop(raster.clone(), part).samples(), [5, 6]);
        let beyond = Rect::new(3, 0, size(1, 1)).unwrap();
        assert_eq!(crop(raster.clone(), beyond), raster);
    }
}
