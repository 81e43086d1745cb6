//! Bytes by a table: each colour sample `v` becomes `table[v]`, alpha is left alone.

use crate::imaging::raster::Raster;

/// The raster, every colour by the same table.
pub fn look_up(mut raster: Raster, table: &[u8; 256]) -> Raster {
    let (bands, colours) = (raster.bands(), usize::from(raster.colour().bands()));
    for pixel in raster.samples_mut().chunks_exact_mut(bands) {
        for sample in pixel.iter_mut().take(colours) {
            *sample = table.get(usize::from(*sample)).copied().unwrap_or(*sample);
        }
    }
    raster
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn colours_go_by_the_table_and_alpha_stays() {
        let mut table = [0; 256];
        table[7] = 70;
        let size = Size::new(2, 1).unwrap();
        let raster = Raster::new(size, ColourModel::Gray, true, vec![7, 7, 8, 9]).unwrap();
        assert_eq!(look_up(raster, &table).samples(), [70, 7, 0, 9]);
    }
}
