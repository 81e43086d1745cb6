//! Samples of a wider type, without loss: bytes to 16 bits over the whole range (times 257), either to
//! floating point in the units of the image.

use crate::imaging::pixels::Pixels;
use crate::imaging::raster::Raster;
use crate::imaging::sample::Sample;
use crate::model::SampleType;

/// The pixels with samples of type `to`; as they are where theirs is that or wider.
pub fn widen(pixels: Pixels, to: SampleType) -> Pixels {
    match (pixels, to) {
        (Pixels::U8(raster), SampleType::U16) => {
            Pixels::U16(each(&raster, |sample| u16::from(sample) * 257))
        }
        (Pixels::U8(raster), SampleType::F32) => Pixels::F32(each(&raster, f32::from)),
        (Pixels::U16(raster), SampleType::F32) => Pixels::F32(each(&raster, f32::from)),
        (pixels, _) => pixels,
    }
}

fn each<T: Sample, U: Sample>(raster: &Raster<T>, convert: impl Fn(T) -> U) -> Raster<U> {
    let mut wide = Raster::zeroed(raster.size(), raster.colour(), raster.alpha());
    for (target, sample) in wide.samples_mut().iter_mut().zip(raster.samples()) {
        *target = convert(*sample);
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ColourModel, Size};

    #[test]
    fn white_stays_white_and_units_stay_units() {
        let size = Size::new(3, 1).unwrap();
        let bytes = Raster::new(size, ColourModel::Gray, false, vec![0_u8, 128, 255]).unwrap();
        let words = widen(Pixels::U8(bytes.clone()), SampleType::U16);
        assert_eq!(u16::unwrap(&words).unwrap().samples(), [0, 32_896, 65_535]);
        let floats = widen(Pixels::U8(bytes), SampleType::F32);
        assert_eq!(f32::unwrap(&floats).unwrap().samples(), [0.0, 128.0, 255.0]);
        let floats = widen(words.clone(), SampleType::F32);
        assert_eq!(f32::unwrap(&floats).unwrap().samples(), [0.0, 32_896.0, 65_535.0]);
        assert_eq!(widen(words.clone(), SampleType::U8), words);
    }
}
