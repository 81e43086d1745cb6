//! Resizes a part of a raster by a separable filter that widens with the reduction, so that nothing
//! aliases: `out(x) = sum(in(i) * k((i + 0.5 - centre(x)) / scale)) / sum(k)`, `scale = max(1, in / out)`.
//! Filters after Keys 1981 (Catmull-Rom, a = -0.5) and Duchon 1979 (Lanczos); stored sample values
//! are taken as they are (no change to linear light), as viewers and pyramid makers do.

use bytemuck::{Pod, cast_slice, cast_slice_mut};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions};

use crate::imaging::crop_box::CropBox;
use crate::imaging::error::ImagingError;
use crate::imaging::raster::Raster;
use crate::imaging::sample::Sample;
use crate::imaging::scratch::Scratch;
use crate::model::{Filter, SampleType, Size};

fn algorithm(filter: Filter) -> ResizeAlg {
    match filter {
        Filter::Nearest => ResizeAlg::Nearest,
        Filter::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
        Filter::CatmullRom => ResizeAlg::Convolution(FilterType::CatmullRom),
        Filter::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
    }
}

/// Bands beyond four are never shown, and so never resized.
const fn pixel_type(samples: SampleType, bands: usize) -> PixelType {
    match (samples, bands) {
        (SampleType::U8, 1) => PixelType::U8,
        (SampleType::U8, 2) => PixelType::U8x2,
        (SampleType::U8, 3) => PixelType::U8x3,
        (SampleType::U8, _) => PixelType::U8x4,
        (SampleType::U16, 1) => PixelType::U16,
        (SampleType::U16, 2) => PixelType::U16x2,
        (SampleType::U16, 3) => PixelType::U16x3,
        (SampleType::U16, _) => PixelType::U16x4,
        (SampleType::F32, 1) => PixelType::F32,
        (SampleType::F32, 2) => PixelType::F32x2,
        (SampleType::F32, 3) => PixelType::F32x3,
        (SampleType::F32, _) => PixelType::F32x4,
    }
}

/// The part `crop` of `raster` as a picture of `to` pixels.
///
/// Pixels just outside of `crop` weigh in as neighbours, so that pictures of adjoining parts join
/// without a seam. Colours are weighted by their alpha. A crop on pixel borders that has `to` pixels
/// is copied unchanged. Of floating point samples, what rests on one that is no number is none.
///
/// # Errors
/// Where `crop` leaves the raster.
pub fn resize<T: Sample + Pod>(
    raster: &Raster<T>,
    crop: CropBox,
    to: Size,
    filter: Filter,
    scratch: &mut Scratch,
) -> Result<Raster<T>, ImagingError> {
    let pixel_type = pixel_type(T::TYPE, raster.bands());
    let size = raster.size();
    let samples = cast_slice(raster.samples());
    let source = ImageRef::new(size.width(), size.height(), samples, pixel_type)?;
    let mut resized = Raster::zeroed(to, raster.colour(), raster.alpha());
    let samples = cast_slice_mut(resized.samples_mut());
    let mut target = Image::from_slice_u8(to.width(), to.height(), samples, pixel_type)?;
    let options = ResizeOptions::new()
        .resize_alg(algorithm(filter))
        .crop(crop.left, crop.top, crop.width, crop.height)
        .use_alpha(raster.alpha());
    scratch.resizing(|resizer| resizer.resize(&source, &mut target, &options))?;
    Ok(resized)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ColourModel;

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn gray(width: u32, height: u32, at: impl Fn(u32, u32) -> u8) -> Raster {
        let samples = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let samples = samples.map(|(x, y)| at(x, y)).collect();
        Raster::new(size(width, height), ColourModel::Gray, false, samples).unwrap()
    }

    fn resized(raster: &Raster, crop: CropBox, to: Size, filter: Filter) -> Raster {
        resize(raster, crop, to, filter, &mut Scratch::new()).unwrap()
    }

    #[test]
    fn a_checkerboard_halved_is_flat_gray() {
        let board = gray(64, 64, |x, y| if (x + y) % 2 == 0 { 255 } else { 0 });
        for filter in [Filter::Bilinear, Filter::CatmullRom, Filter::Lanczos3] {
            let half = resized(&board, CropBox::whole(board.size()), size(32, 32), filter);
            // The outermost pixels have neighbours on one side only.
            let inner: Vec<u8> = (4..28)
                .flat_map(|y| half.samples()[y * 32 + 4..y * 32 + 28].iter().copied())
                .collect();
            assert!(inner.iter().all(|v| (127..=128).contains(v)), "{filter:?}: {inner:?}");
        }
    }

    #[test]
    fn a_crop_on_pixel_borders_is_copied() {
        let ramp = gray(5, 4, |x, y| u8::try_from(10 * y + x).unwrap());
        let crop = CropBox { left: 1.0, top: 2.0, width: 3.0, height: 2.0 };
        let part = resized(&ramp, crop, size(3, 2), Filter::Lanczos3);
        assert_eq!(part.samples(), [21, 22, 23, 31, 32, 33]);
    }

    #[test]
    fn nearest_takes_the_pixel_under_the_centre() {
        let ramp = gray(6, 1, |x, _| u8::try_from(x).unwrap());
        let part = resized(&ramp, CropBox::whole(ramp.size()), size(2, 1), Filter::Nearest);
        assert_eq!(part.samples(), [1, 4]);
    }

    #[test]
    fn invisible_colours_do_not_bleed() {
        // One opaque black pixel beside one of transparent white.
        let pair = Raster::new(size(2, 1), ColourModel::Gray, true, vec![0, 255, 255, 0]).unwrap();
        let one = resized(&pair, CropBox::whole(pair.size()), size(1, 1), Filter::Bilinear);
        assert_eq!(one.samples()[0], 0);
        assert!((127..=128).contains(&one.samples()[1]), "{:?}", one.samples());
    }

    /// The same picture in wider samples.
    fn as_type<T: Sample>(raster: &Raster, widened: impl Fn(u8) -> T) -> Raster<T> {
        let samples = raster.samples().iter().map(|sample| widened(*sample)).collect();
        Raster::new(raster.size(), raster.colour(), raster.alpha(), samples).unwrap()
    }

    #[test]
    fn samples_of_every_type_become_the_same_picture() {
        // Slopes, so that no filter overshoots, which bytes would cut off. A byte of little alpha leaves a
        // colour rounded to some shades.
        let slope =
            |x: u32, y: u32, band: u32| u8::try_from(50 + 3 * x + 2 * y + 10 * band).unwrap();
        let shades = gray(40, 30, |x, y| slope(x, y, 0));
        let places = (0..30).flat_map(|y| (0..40).map(move |x| (x, y)));
        let values = places.flat_map(|(x, y)| (0..4).map(move |band| slope(x, y, band))).collect();
        let colours = Raster::new(size(40, 30), ColourModel::Rgb, true, values).unwrap();
        let crop = CropBox { left: 1.5, top: 2.0, width: 33.0, height: 25.5 };
        for raster in [shades, colours] {
            for filter in [Filter::Nearest, Filter::Bilinear, Filter::CatmullRom, Filter::Lanczos3]
            {
                let tools = &mut Scratch::new();
                let bytes = resize(&raster, crop, size(17, 50), filter, tools).unwrap();
                let words = as_type(&raster, |byte| u16::from(byte) * 257);
                let words = resize(&words, crop, size(17, 50), filter, tools).unwrap();
                let floats = as_type(&raster, |byte| f32::from(byte) / 255.0);
                let floats = resize(&floats, crop, size(17, 50), filter, tools).unwrap();
                let pixels = words.samples().iter().zip(floats.samples());
                for (byte, (word, float)) in bytes.samples().iter().zip(pixels) {
                    let expected = f32::from(*byte);
                    let found = f32::from(*word) / 257.0;
                    assert!((found - expected).abs() < 4.0, "{filter:?}: {found}, not {expected}");
                    let found = float * 255.0;
                    assert!((found - expected).abs() < 4.0, "{filter:?}: {found}, not {expected}");
                }
            }
        }
    }

    #[test]
    fn a_crop_outside_of_the_raster_is_refused() {
        let dot = gray(1, 1, |_, _| 7);
        let crop = CropBox { left: 0.5, top: 0.0, width: 1.0, height: 1.0 };
        let error = resize(&dot, crop, size(1, 1), Filter::Bilinear, &mut Scratch::new());
        assert!(matches!(error, Err(ImagingError::Resize(_))), "{error:?}");
    }
}
