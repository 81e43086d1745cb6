//! A mark on an answer: `p + (m - p) * a`, or `min(255, p + m * a)`, rounded, with `a` the mark's alpha
//! times the opacity. The answer's own alpha stays as it is, and an answer of one band takes the mark's luma.

use crate::imaging::error::ImagingError;
use crate::imaging::gray::luma;
use crate::imaging::mark::{Mark, Watermark};
use crate::imaging::placement::{Imprint, Spread, imprints};
use crate::imaging::raster::{Raster, usize_of};
use crate::model::{Blend, ColourModel};

/// One in the fixed-point numbers of [`Weights`].
const ONE: u32 = 1 << 16;

/// What is kept of an answer's sample, and how much of the mark's is added, for each alpha.
struct Weights([(u32, u32); 256]);

impl Weights {
    fn new(opacity: f64, blend: Blend) -> Self {
        Self(std::array::from_fn(|alpha| {
            let alpha = u8::try_from(alpha).unwrap_or(u8::MAX);
            let added = share(f64::from(alpha) / 255.0 * opacity);
            match blend {
                Blend::Normal => (ONE - added, added),
                Blend::Additive => (ONE, added),
            }
        }))
    }

    fn of(&self, alpha: u8) -> (u32, u32) {
        self.0.get(usize::from(alpha)).copied().unwrap_or((ONE, 0))
    }
}

/// A number of 0 to 1 in 1/65536, to the nearest.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held to 0..65536 by the clamp; NaN is 0, as casts have it"
)]
fn share(value: f64) -> u32 {
    (value.clamp(0.0, 1.0) * f64::from(ONE) + 0.5) as u32
}

/// Puts the marks on. What of them lies outside of their blocks is cut.
///
/// # Errors
/// Where the raster is neither gray nor RGB; no answer is.
pub fn watermark(
    mut raster: Raster,
    watermark: &Watermark,
    spread: &Spread,
) -> Result<Raster, ImagingError> {
    let lay = match (raster.colour(), raster.alpha()) {
        (ColourModel::Gray, false) => lay::<1>,
        (ColourModel::Gray, true) => lay::<2>,
        (ColourModel::Rgb, false) => lay::<3>,
        (ColourModel::Rgb, true) => lay::<4>,
        (found, _) => return Err(ImagingError::MarkColour { found }),
    };
    let weights = Weights::new(watermark.opacity, watermark.blend);
    for imprint in imprints(raster.size(), watermark, spread) {
        lay(&mut raster, &watermark.mark, imprint, &weights);
    }
    Ok(raster)
}

/// Lays one part of the mark on pixels of so many bands: one or two are gray, with alpha or without.
fn lay<const BANDS: usize>(raster: &mut Raster, mark: &Mark, imprint: Imprint, weights: &Weights) {
    let Imprint { across, down } = imprint;
    let row_len = raster.row_len();
    let rows = raster.samples_mut().chunks_exact_mut(row_len).skip(usize_of(down.at));
    for (row, mark_top) in rows.zip(down.from..down.from.saturating_add(down.length)) {
        let (pixels, _) = row.as_chunks_mut::<BANDS>();
        let pixels = pixels.iter_mut().skip(usize_of(across.at));
        let run = mark.run(across.from, mark_top, across.length);
        for (pixel, &[red, green, blue, alpha]) in pixels.zip(run) {
            let (kept, added) = weights.of(alpha);
            if added == 0 {
                continue;
            }
            let over = |sample: &mut u8, mark: u8| {
                let sum = u32::from(*sample) * kept + u32::from(mark) * added;
                *sample = u8::try_from((sum + ONE / 2) / ONE).unwrap_or(u8::MAX);
            };
            if BANDS < 3 {
                pixel.iter_mut().take(1).for_each(|gray| over(gray, luma([red, green, blue])));
            } else {
                pixel.iter_mut().zip([red, green, blue]).for_each(|(sample, mark)| {
                    over(sample, mark);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::model::{Position, Size};

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn rgba(of: Size, samples: Vec<u8>) -> Arc<Mark> {
        Arc::new(Mark::of(Raster::new(of, ColourModel::Rgb, true, samples).unwrap()))
    }

    fn in_corner(mark: Arc<Mark>, blend: Blend, opacity: f64) -> Watermark {
        Watermark { mark, blend, position: Position::TopLeft, probability: 1.0, opacity }
    }

    fn marked(raster: Raster, watermark_: &Watermark) -> Vec<u8> {
        watermark(raster, watermark_, &Spread::whole(512)).unwrap().into_samples()
    }

    #[test]
    fn a_pixel_over_another_is_what_the_formula_says() {
        for (blend, opacity, alpha, expected) in [
            (Blend::Normal, 1.0, 255, [200, 0, 50]),
            (Blend::Normal, 0.5, 255, [150, 50, 75]),
            (Blend::Normal, 1.0, 51, [120, 80, 90]),
            (Blend::Normal, 0.5, 51, [110, 90, 95]),
            (Blend::Normal, 1.0, 0, [100, 100, 100]),
            (Blend::Normal, 0.0, 255, [100, 100, 100]),
            (Blend::Additive, 1.0, 255, [255, 100, 150]),
            (Blend::Additive, 0.5, 255, [200, 100, 125]),
            (Blend::Additive, 1.0, 51, [140, 100, 110]),
        ] {
            let raster = Raster::new(size(1, 1), ColourModel::Rgb, false, vec![100; 3]).unwrap();
            let mark = rgba(size(1, 1), vec![200, 0, 50, alpha]);
            let found = marked(raster, &in_corner(mark, blend, opacity));
            assert_eq!(found, expected, "{blend:?} {opacity} {alpha}");
        }
    }

    #[test]
    fn iipsrvs_sum_comes_out_and_leaves_alpha_alone() {
        let raster = Raster::new(size(1, 1), ColourModel::Rgb, true, vec![128; 4]).unwrap();
        let mark = rgba(size(1, 1), vec![100, 100, 200, 255]);
        let found = marked(raster, &in_corner(mark, Blend::Additive, 1.0));
        assert_eq!(found, [228, 228, 255, 128]);
    }

    #[test]
    fn one_band_takes_the_marks_luma_and_keeps_its_alpha() {
        let mark = rgba(size(1, 1), vec![255, 0, 0, 255]);
        let red = in_corner(mark, Blend::Normal, 1.0);
        let gray = Raster::new(size(1, 1), ColourModel::Gray, false, vec![9]).unwrap();
        assert_eq!(marked(gray, &red), [76]);
        let gray = Raster::new(size(1, 1), ColourModel::Gray, true, vec![9, 7]).unwrap();
        assert_eq!(marked(gray, &red), [76, 7]);
    }

    #[test]
    fn a_mark_larger_than_the_answer_is_cut() {
        let mark = rgba(size(3, 2), (0..24).map(|at| if at % 4 == 3 { 255 } else { at }).collect());
        let raster = Raster::zeroed(size(2, 1), ColourModel::Rgb, false);
        let found = marked(raster, &in_corner(mark, Blend::Normal, 1.0));
        assert_eq!(found, [0, 1, 2, 4, 5, 6]);
    }

    #[test]
    fn inks_are_refused() {
        let mark = rgba(size(1, 1), vec![0; 4]);
        let inks = Raster::zeroed(size(1, 1), ColourModel::Cmyk, false);
        let error = watermark(inks, &in_corner(mark, Blend::Normal, 1.0), &Spread::whole(512));
        assert_eq!(error.unwrap_err(), ImagingError::MarkColour { found: ColourModel::Cmyk });
    }

    proptest! {
        #[test]
        fn no_mark_anywhere_panics_or_changes_alpha(
            (answer, of_mark) in ((1..40_u32, 1..40_u32), (1..40_u32, 1..40_u32)),
            position in prop::sample::select(vec![
                Position::Random, Position::Centre, Position::Tiled, Position::TopLeft,
                Position::TopRight, Position::BottomLeft, Position::BottomRight,
            ]),
            (side_px, seed, left_px, top_px) in
                (0..50_u32, any::<u64>(), any::<u32>(), any::<u32>()),
            (probability, opacity) in (-0.5..1.5, -0.5..1.5),
        ) {
            let of_mark = size(of_mark.0, of_mark.1);
            let len = Raster::<u8>::samples_len(of_mark, ColourModel::Rgb, true);
            let mark = rgba(of_mark, vec![200; len]);
            let blend = Blend::Normal;
            let with = Watermark { mark, blend, position, probability, opacity };
            let spread = Spread { side_px, seed, left_px, top_px };
            let raster = Raster::zeroed(size(answer.0, answer.1), ColourModel::Gray, true);
            let done = watermark(raster, &with, &spread).unwrap();
            prop_assert!(done.samples().iter().skip(1).step_by(2).all(|alpha| *alpha == 0));
        }
    }
}
