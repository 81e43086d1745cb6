//! Operations on bytes by a table: where no sample depends on another one of its pixel, all that can come
//! out of a band is known once it is worked out for 256 values.

#![expect(clippy::indexing_slicing, reason = "tables of 256 entries, looked up by bytes")]

use crate::imaging::raster::Raster;
use crate::imaging::science::Operation;
use crate::model::Size;

/// Pixels from which the table is the shorter way.
const PIXELS_MIN: u64 = 2048;

/// Pixels whose bands all are 0, 1 and so on to 255, where a raster's pixels can be looked up in what becomes
/// of these.
pub(super) fn ramp(raster: &Raster, operations: &[Operation]) -> Option<Raster> {
    let is_gray_alone = raster.bands() == 1;
    let mixes = |operation: &Operation| match operation {
        Operation::Convolve(_) | Operation::Light(_) => true,
        Operation::Twist(_) | Operation::ColourMap(_) => !is_gray_alone,
        Operation::Normalise(_) | Operation::Power(_) | Operation::Log | Operation::Invert => false,
    };
    if raster.size().area() < PIXELS_MIN || operations.iter().any(mixes) {
        return None;
    }
    let samples = (0..=u8::MAX).flat_map(|value| vec![value; raster.bands()]).collect();
    let size = Size::new(256, 1)?;
    Raster::new(size, raster.colour(), raster.alpha(), samples).ok()
}

/// The raster's pixels, looked up in what became of its [`ramp`].
pub(super) fn look_up(raster: &Raster, table: &Raster) -> Raster {
    let mut found = Raster::zeroed(raster.size(), table.colour(), table.alpha());
    let (samples, targets) = (raster.samples(), found.samples_mut());
    match (raster.bands(), table.bands()) {
        (1, 1) => by_bands::<1>(samples, table.samples(), targets),
        (1, 3) => {
            let (colours, _) = table.samples().as_chunks::<3>();
            let (pixels, _) = targets.as_chunks_mut::<3>();
            for (pixel, gray) in pixels.iter_mut().zip(samples) {
                *pixel = colours.get(usize::from(*gray)).copied().unwrap_or_default();
            }
        }
        (1, bands) => {
            for (pixel, gray) in targets.chunks_exact_mut(bands).zip(samples) {
                let at = usize::from(*gray) * bands;
                pixel.copy_from_slice(table.samples().get(at..at + bands).unwrap_or_default());
            }
        }
        (2, _) => by_bands::<2>(samples, table.samples(), targets),
        (3, _) => by_bands::<3>(samples, table.samples(), targets),
        _ => by_bands::<4>(samples, table.samples(), targets),
    }
    found
}

/// Each band by its own column of the table.
fn by_bands<const BANDS: usize>(samples: &[u8], table: &[u8], targets: &mut [u8]) {
    let (table, _) = table.as_chunks::<BANDS>();
    let mut columns = [[0; 256]; BANDS];
    for (value, row) in table.iter().take(256).enumerate() {
        for (column, entry) in columns.iter_mut().zip(row) {
            column[value] = *entry;
        }
    }
    let (pixels, _) = samples.as_chunks::<BANDS>();
    let (targets, _) = targets.as_chunks_mut::<BANDS>();
    for (target, pixel) in targets.iter_mut().zip(pixels) {
        for ((target, sample), column) in target.iter_mut().zip(pixel).zip(&columns) {
            *target = column[usize::from(*sample)];
        }
    }
}
