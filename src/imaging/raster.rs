//! `Raster`: decoded pixels of one sample type, bands interleaved, top row first.

use crate::imaging::sample::Sample;
use crate::model::{ColourModel, Rect, Size};

/// A rectangle of pixels.
///
/// `samples[(y * width + x) * bands + band]`, no padding between rows. Bands are those of the colour
/// model, then alpha (unassociated) where `alpha` is set.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster<T: Sample = u8> {
    size: Size,
    colour: ColourModel,
    alpha: bool,
    samples: Vec<T>,
}

/// A buffer whose length is not `width * height * bands`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a raster of {expected} samples was given {found}")]
pub struct RasterLengthError {
    /// Samples that the shape needs.
    pub expected: usize,
    /// Samples that came.
    pub found: usize,
}

impl<T: Sample> Raster<T> {
    /// Wraps samples of this shape.
    ///
    /// # Errors
    /// Where `samples` is not exactly `width * height * bands` long.
    pub fn new(
        size: Size,
        colour: ColourModel,
        alpha: bool,
        samples: Vec<T>,
    ) -> Result<Self, RasterLengthError> {
        let expected = Self::samples_len(size, colour, alpha);
        if samples.len() == expected {
            Ok(Self { size, colour, alpha, samples })
        } else {
            Err(RasterLengthError { expected, found: samples.len() })
        }
    }

    /// A raster of this shape, every sample 0.
    pub fn zeroed(size: Size, colour: ColourModel, alpha: bool) -> Self {
        let samples = vec![T::default(); Self::samples_len(size, colour, alpha)];
        Self { size, colour, alpha, samples }
    }

    /// Samples that a shape needs: `width * height * bands`; `usize::MAX` where that overflows.
    pub fn samples_len(size: Size, colour: ColourModel, alpha: bool) -> usize {
        let bands = u64::from(colour.bands()) + u64::from(alpha);
        let samples = size.area().checked_mul(bands);
        samples.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX)
    }

    /// Width and height in pixels.
    pub const fn size(&self) -> Size {
        self.size
    }

    /// What the bands before alpha mean.
    pub const fn colour(&self) -> ColourModel {
        self.colour
    }

    /// Whether the last band is alpha.
    pub const fn alpha(&self) -> bool {
        self.alpha
    }

    /// Bands of a pixel, alpha included.
    pub fn bands(&self) -> usize {
        usize::from(self.colour.bands()) + usize::from(self.alpha)
    }

    /// All samples.
    pub fn samples(&self) -> &[T] {
        &self.samples
    }

    /// All samples, to be changed in place.
    pub fn samples_mut(&mut self) -> &mut [T] {
        &mut self.samples
    }

    /// The samples alone.
    pub fn into_samples(self) -> Vec<T> {
        self.samples
    }

    /// Samples from the start of one row to the start of the next.
    pub fn row_len(&self) -> usize {
        usize::try_from(self.size.width()).unwrap_or(usize::MAX).saturating_mul(self.bands())
    }

    /// Copies `part` of `from` so that its upper left pixel comes to (`left`, `top`) here. What would
    /// fall outside is left out.
    ///
    /// # Panics
    /// Where the two rasters differ in bands: rasters of one image never do.
    pub fn paste(&mut self, from: &Self, part: Rect, left: u32, top: u32) {
        assert_eq!(self.bands(), from.bands(), "rasters of one image have the same bands");
        let Some(part) = part.intersect(Rect::whole(from.size)) else { return };
        let Some(size) = Size::new(
            part.width().min(self.size.width().saturating_sub(left)),
            part.height().min(self.size.height().saturating_sub(top)),
        ) else {
            return;
        };
        let bands = self.bands();
        let (target_row_len, source_row_len) = (self.row_len(), from.row_len());
        let run = usize_of(size.width()) * bands;
        for row in 0..usize_of(size.height()) {
            let source =
                (usize_of(part.top()) + row) * source_row_len + usize_of(part.left()) * bands;
            let target = (usize_of(top) + row) * target_row_len + usize_of(left) * bands;
            let (Some(source), Some(target)) = (
                from.samples.get(source..source + run),
                self.samples.get_mut(target..target + run),
            ) else {
                return;
            };
            target.copy_from_slice(source);
        }
    }
}

impl<T: Sample> std::fmt::Debug for Raster<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Raster")
            .field("size", &self.size)
            .field("colour", &self.colour)
            .field("alpha", &self.alpha)
            .finish_non_exhaustive()
    }
}

/// A pixel count as an index; 32 bits always fit on the 64-bit targets that this server runs on.
pub(super) fn usize_of(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_part_lands_where_it_should_and_nowhere_else() {
        let size = Size::new(3, 2).unwrap();
        let from = Raster::new(size, ColourModel::Gray, false, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let mut to = Raster::<u8>::zeroed(size, ColourModel::Gray, false);
        let part = Rect::new(1, 0, Size::new(2, 2).unwrap()).unwrap();
        to.paste(&from, part, 2, 1);
        assert_eq!(to.samples(), [0, 0, 0, 0, 0, 2]);
        to.paste(&from, part, 0, 0);
        assert_eq!(to.samples(), [2, 3, 0, 5, 6, 2]);
    }

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused() {
        let size = Size::new(2, 2).unwrap();
        Raster::new(size, ColourModel::Rgb, true, vec![0_u8; 16]).unwrap();
        let error = Raster::new(size, ColourModel::Rgb, false, vec![0_u8; 16]).unwrap_err();
        assert_eq!(error, RasterLengthError { expected: 12, found: 16 });
    }
}
