//! From a tile's samples as stored to bands as a raster holds them: cropped, without further samples,
//! black as 0, colours not multiplied by alpha.

use crate::codecs::CodecError;
use crate::codecs::number::{reserved, usize_of};
use crate::codecs::tiff::layout::{Layout, Photometric};
use crate::model::Size;

/// Keeps the upper left `area` of rows of `stored_width_px` pixels, in place.
pub(super) fn crop(samples: &mut Vec<u8>, stored_width_px: u32, bands: usize, area: Size) {
    let (stored, row) = (usize_of(stored_width_px) * bands, usize_of(area.width()) * bands);
    let rows = usize_of(area.height());
    if row < stored {
        for y in 1..rows {
            // Ranges of whole rows that lie within the buffer, which holds `rows` stored rows.
            samples.copy_within(y * stored..y * stored + row, y * row);
        }
    }
    samples.truncate(rows * row);
}

/// Turns stored samples into bands: gray or RGB, alpha last where there is one.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn to_bands(layout: &Layout, samples: Vec<u8>) -> Result<Vec<u8>, CodecError> {
    let mut bands = if layout.is_dense() { samples } else { keep_bands(layout, &samples)? };
    let colours = usize::from(layout.colour().bands());
    if layout.photometric == Photometric::MinIsWhite {
        invert(&mut bands, colours + usize::from(layout.alpha.is_some()));
    }
    if layout.alpha.is_some_and(|alpha| alpha.associated) {
        unassociate(&mut bands, colours + 1);
    }
    Ok(bands)
}

/// Drops the samples that are neither colour nor alpha.
fn keep_bands(layout: &Layout, samples: &[u8]) -> Result<Vec<u8>, CodecError> {
    let colours = usize::from(layout.colour().bands());
    let pixels = samples.len() / layout.samples;
    let mut bands = reserved(pixels * (colours + usize::from(layout.alpha.is_some())))?;
    for pixel in samples.chunks_exact(layout.samples) {
        bands.extend(pixel.iter().take(colours));
        bands.extend(layout.alpha.and_then(|alpha| pixel.get(alpha.index)));
    }
    Ok(bands)
}

/// Gray where 0 was white; alpha stays.
fn invert(samples: &mut [u8], bands: usize) {
    if bands == 1 {
        // Apart, because this one is vectorised.
        for sample in samples {
            *sample = !*sample;
        }
    } else {
        for sample in samples.iter_mut().step_by(bands) {
            *sample = !*sample;
        }
    }
}

/// Divides colours by alpha, rounding; what is wholly transparent stays as it is.
fn unassociate(samples: &mut [u8], bands: usize) {
    for pixel in samples.chunks_exact_mut(bands) {
        let Some((alpha, colours)) = pixel.split_last_mut() else { continue };
        if matches!(*alpha, 0 | 255) {
            continue;
        }
        let alpha = u32::from(*alpha);
        for colour in colours {
            let plain = (u32::from(*colour) * 255 + alpha / 2) / alpha;
            *colour = u8::try_from(plain).unwrap_or(255);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::tiff::layout::Alpha;

    #[test]
    fn a_crop_keeps_the_upper_left_corner() {
        let mut samples: Vec<u8> = (0..24).collect();
        crop(&mut samples, 4, 2, Size::new(3, 2).unwrap());
        assert_eq!(samples, [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13]);
    }

    #[test]
    fn further_samples_are_dropped_and_alpha_is_found() {
        let alpha = Some(Alpha { index: 4, associated: false });
        let layout = Layout { photometric: Photometric::Rgb, samples: 5, alpha };
        let bands = to_bands(&layout, vec![1, 2, 3, 99, 4, 5, 6, 7, 99, 8]).unwrap();
        assert_eq!(bands, [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn white_is_turned_and_alpha_is_not() {
        let alpha = Some(Alpha { index: 1, associated: false });
        let layout = Layout { photometric: Photometric::MinIsWhite, samples: 2, alpha };
        assert_eq!(to_bands(&layout, vec![0, 10, 255, 20]).unwrap(), [255, 10, 0, 20]);
    }

    #[test]
    fn associated_colours_are_divided_by_alpha() {
        let alpha = Some(Alpha { index: 1, associated: true });
        let layout = Layout { photometric: Photometric::MinIsBlack, samples: 2, alpha };
        let bands = to_bands(&layout, vec![64, 128, 7, 0, 9, 255, 200, 100]).unwrap();
        assert_eq!(bands, [128, 128, 7, 0, 9, 255, 255, 100]);
    }
}
