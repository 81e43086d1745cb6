//! `Histogram`: how often each gray occurs in an image. Made once of a small level, and used for every tile, so
//! that tiles meet without a seam.

use crate::imaging::raster::Raster;

/// Counts of the 256 grays, each the rounded mean of a pixel's colours; what is invisible is not counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; 256],
}

impl Histogram {
    /// The histogram of a small picture.
    pub fn of(raster: &Raster) -> Self {
        let colours = usize::from(raster.colour().bands());
        let mut counts = [0; 256];
        for pixel in raster.samples().chunks_exact(raster.bands()) {
            let (colour, alpha) = pixel.split_at(colours);
            if alpha.first() != Some(&0) {
                count(&mut counts, colour);
            }
        }
        Self { counts }
    }

    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Grays with their counts.
    fn grays(&self) -> impl DoubleEndedIterator<Item = (u8, u64)> {
        (0..=u8::MAX).zip(self.counts)
    }

    /// The darkest and the brightest gray that occur; 0 and 255 where none does or only one.
    pub fn extremes(&self) -> (u8, u8) {
        let mut occurring = self.grays().filter(|(_, count)| *count != 0).map(|(gray, _)| gray);
        let darkest = occurring.next();
        let brightest = occurring.next_back();
        darkest.zip(brightest).unwrap_or((0, u8::MAX))
    }

    /// For each gray the share of pixels that are no brighter, as a byte, rounded: equalisation.
    pub fn equalising(&self) -> Box<[u8; 256]> {
        let total = self.total().max(1);
        let mut sum = 0;
        Box::new(self.counts.map(|count| {
            sum += count;
            u8::try_from((sum * 510 + total) / (2 * total)).unwrap_or(u8::MAX)
        }))
    }

    /// The darkest white: where the variance between black and white is largest.
    ///
    /// # Source
    /// N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems, Man and
    /// Cybernetics 9(1), 1979.
    #[expect(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "counts of pixels of a small level"
    )]
    pub fn otsu(&self) -> u8 {
        let moment = |gray: u8, count: u64| f64::from(gray) * count as f64;
        let total = self.total() as f64;
        let all: f64 = self.grays().map(|(gray, count)| moment(gray, count)).sum();
        let (mut below, mut below_moment) = (0.0, 0.0);
        let (mut best, mut white_from) = (-1.0, u8::MAX);
        for (gray, count) in self.grays() {
            below += count as f64;
            below_moment += moment(gray, count);
            let above = total - below;
            if below <= 0.0 || above <= 0.0 {
                continue;
            }
            let difference = below_moment / below - (all - below_moment) / above;
            let between = below * above * difference * difference;
            if best < between {
                (best, white_from) = (between, gray.saturating_add(1));
            }
        }
        if best < 0.0 { 128 } else { white_from }
    }
}

fn count(counts: &mut [u64; 256], colour: &[u8]) {
    let sum: usize = colour.iter().map(|sample| usize::from(*sample)).sum();
    let len = colour.len().max(1);
    if let Some(count) = counts.get_mut((sum + len / 2) / len) {
        *count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    fn gray(samples: Vec<u8>) -> Histogram {
        let size = Size::new(u32::try_from(samples.len()).unwrap(), 1).unwrap();
        Histogram::of(&Raster::new(size, ColourModel::Gray, false, samples).unwrap())
    }

    /// iipsrv looked at one tile of 64 columns, x mod 256 at a quarter of the size: 0, 4, 8 to 252.
    #[test]
    fn a_ramp_is_treated_as_iipsrv_does() {
        let ramp = gray((0..64).map(|step| step * 4).collect());
        assert_eq!(ramp.extremes(), (0, 252));
        let table = ramp.equalising();
        let grays = [0, 100, 200, 255, 50, 75];
        assert_eq!(grays.map(|gray| table[gray]), [4, 104, 203, 255, 52, 76]);
        let white_from = usize::from(ramp.otsu());
        assert_eq!(grays.map(|gray| white_from <= gray), [false, false, true, true, false, false]);
    }

    #[test]
    fn two_grays_are_parted_between_them() {
        assert!((11..=200).contains(&gray(vec![10, 10, 10, 200]).otsu()));
        let flat = gray(vec![77; 5]);
        assert_eq!((flat.otsu(), flat.extremes()), (128, (0, 255)));
        assert_eq!(flat.equalising()[77], 255);
    }

    #[test]
    fn colours_count_by_their_mean_and_the_invisible_not_at_all() {
        let size = Size::new(3, 1).unwrap();
        let samples = vec![0, 30, 60, 255, 9, 9, 9, 0, 90, 90, 90, 1];
        let histogram = Histogram::of(&Raster::new(size, ColourModel::Rgb, true, samples).unwrap());
        assert_eq!(histogram.extremes(), (30, 90));
    }
}
