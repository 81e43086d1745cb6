//! CIE L*a*b* (white point D50) to sRGB bytes.
//!
//! # Source
//! CIE 15:2004, section 8.2.1.1 (Lab to XYZ); Bradford adaptation from D50 to D65 (ICC.1:2022, annex E);
//! IEC 61966-2-1, section 5.2 (primaries and curve).
#![expect(
    clippy::indexing_slicing,
    reason = "pixel loops: indices are masked, or those of equal arrays"
)]

use std::sync::LazyLock;

use crate::imaging::error::ImagingError;
use crate::imaging::pixels::Pixels;
use crate::imaging::raster::Raster;
use crate::imaging::to_bytes::byte;
use crate::model::ColourModel;

/// From XYZ, each as a share of the D50 white that ICC profiles connect by (0.9642, 1, 0.8249), to linear
/// light of the primaries of sRGB. The sum of each row is 1: white stays white.
const TO_LINEAR: [[f32; 3]; 3] = [
    [3.021_982_5, -1.617_209, -0.404_773_5],
    [-0.943_709_3, 1.916_130_1, 0.027_579_2],
    [0.069_387_6, -0.228_993_9, 1.159_606_3],
];

/// Where the cube root of the formula gives way to a straight line: 6/29.
const KNEE: f32 = 6.0 / 29.0;

/// Pixels that are worked on at once: buffers of a few kilobytes.
const BLOCK: usize = 128;

/// The last step of linear light in [`CURVE`]: where the curve is steepest, one is a fifth of a byte.
const LAST_STEP: u16 = (1 << 14) - 1;
const CURVE_LEN: usize = 1 << 14;

/// The byte for each step of linear light from 0 to 1.
static CURVE: LazyLock<Box<[u8; CURVE_LEN]>> = LazyLock::new(|| {
    let mut curve = Box::new([0; CURVE_LEN]);
    for (byte, step) in curve.iter_mut().zip(0_u16..) {
        *byte = encoded(f32::from(step) / f32::from(LAST_STEP));
    }
    curve
});

/// The raster in RGB, for samples in the units of L*a*b*: L 0 to 100, a and b about -128 to 127. What is
/// no number is black; alpha, 0 to 1 there, is kept. Colours outside of sRGB come to its border.
///
/// # Errors
/// Where samples are not floating point, or no L*a*b*.
pub fn lab_to_rgb(pixels: &Pixels) -> Result<Raster, ImagingError> {
    let lab = match pixels {
        Pixels::F32(raster) if raster.colour() == ColourModel::Lab => raster,
        other => return Err(ImagingError::NoLab { found: other.sample_type() }),
    };
    let mut shown = Raster::zeroed(lab.size(), ColourModel::Rgb, lab.alpha());
    if lab.alpha() {
        let (pixels, _) = lab.samples().as_chunks::<4>();
        let (targets, _) = shown.samples_mut().as_chunks_mut::<4>();
        convert(pixels, targets);
        for (target, pixel) in targets.iter_mut().zip(pixels) {
            target[3] = byte(pixel[3] * 255.0);
        }
    } else {
        let (pixels, _) = lab.samples().as_chunks::<3>();
        convert(pixels, shown.samples_mut().as_chunks_mut::<3>().0);
    }
    Ok(shown)
}

/// The first three samples of each pixel.
fn convert<const BANDS: usize>(pixels: &[[f32; BANDS]], targets: &mut [[u8; BANDS]]) {
    let curve = &**CURVE;
    let mut lab = [[0.0; BLOCK]; 3];
    for (pixels, targets) in pixels.chunks(BLOCK).zip(targets.chunks_mut(BLOCK)) {
        for (at, pixel) in pixels.iter().take(BLOCK).enumerate() {
            for band in 0..3 {
                lab[band][at] = pixel[band];
            }
        }
        let steps = steps(&lab);
        for (at, target) in targets.iter_mut().take(BLOCK).enumerate() {
            for band in 0..3 {
                target[band] = curve[usize::from(steps[band][at]) & (CURVE_LEN - 1)];
            }
        }
    }
}

/// The steps of red, green and blue. A loop over arrays, without a branch: compilers make vector
/// instructions of it.
fn steps([l, a, b]: &[[f32; BLOCK]; 3]) -> [[u16; BLOCK]; 3] {
    let mut steps = [[0; BLOCK]; 3];
    let [red, green, blue] = &mut steps;
    for at in 0..BLOCK {
        let y = (l[at] + 16.0) * (1.0 / 116.0);
        let x = share(y + a[at] * (1.0 / 500.0));
        let z = share(y - b[at] * (1.0 / 200.0));
        let y = share(y);
        let of = |[of_x, of_y, of_z]: [f32; 3]| step(of_x * x + of_y * y + of_z * z);
        red[at] = of(TO_LINEAR[0]);
        green[at] = of(TO_LINEAR[1]);
        blue[at] = of(TO_LINEAR[2]);
    }
    steps
}

/// The inverse of the formula's `f`: a share of white.
fn share(root: f32) -> f32 {
    if KNEE < root { root * root * root } else { (root - 4.0 / 29.0) * (3.0 * KNEE * KNEE) }
}

/// The nearest step for linear light; what is no number, which then all three are, is black.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "held to the steps before it is cast"
)]
fn step(linear: f32) -> u16 {
    let step = linear * f32::from(LAST_STEP);
    let step = if 0.0 < step { step } else { 0.0 };
    let step = if step < f32::from(LAST_STEP) { step } else { f32::from(LAST_STEP) };
    // Where a float has no bit for less than one, its lowest bits are the nearest whole number.
    (step + 8_388_608.0).to_bits() as u16
}

/// The byte for linear light from 0 to 1, by the formula.
fn encoded(linear: f32) -> u8 {
    let shown =
        if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 };
    byte(shown * 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Size;

    fn rgb(lab: [f32; 3]) -> [u8; 3] {
        let mut shown = [[0; 3]];
        convert(&[lab], &mut shown);
        shown[0]
    }

    fn curve(linear: f32) -> u8 {
        CURVE[usize::from(step(linear))]
    }

    fn is_near(found: [u8; 3], expected: [u8; 3]) -> bool {
        found.iter().zip(expected).all(|(found, expected)| found.abs_diff(expected) <= 1)
    }

    /// Printed by Little CMS 2.19 through Pillow 13.0:
    /// `ImageCms.buildTransform(createProfile("LAB"), createProfile("sRGB"), "LAB", "RGB", 1, 0x100)`
    /// (0x100: every colour by the formula, none by a table).
    const LITTLE_CMS: [([i16; 3], [u8; 3]); 34] = [
        ([20, 0, 0], [48, 48, 48]),
        ([20, 20, 10], [77, 35, 35]),
        ([20, -30, 20], [0, 58, 16]),
        ([20, 10, -40], [20, 46, 108]),
        ([20, -10, 60], [50, 52, 0]),
        ([20, 40, 30], [101, 4, 2]),
        ([20, -128, -128], [0, 85, 254]),
        ([20, 127, -50], [174, 0, 126]),
        ([40, 0, 0], [94, 94, 94]),
        ([40, 20, 10], [128, 81, 79]),
        ([40, -30, 20], [43, 107, 60]),
        ([40, 10, -40], [77, 91, 160]),
        ([40, -10, 60], [95, 98, 0]),
        ([40, 40, 30], [158, 62, 48]),
        ([40, -128, -128], [0, 135, 255]),
        ([40, 127, -50], [240, 0, 180]),
        ([60, 0, 0], [145, 145, 145]),
        ([60, 20, 10], [183, 131, 128]),
        ([60, -30, 20], [94, 159, 108]),
        ([60, 10, -40], [130, 141, 215]),
        ([60, -10, 60], [149, 148, 16]),
        ([60, 40, 30], [217, 114, 94]),
        ([60, -128, -128], [0, 194, 255]),
        ([60, 127, -50], [255, 0, 237]),
        ([80, 0, 0], [198, 198, 198]),
        ([80, 20, 10], [239, 185, 181]),
        ([80, -30, 20], [148, 214, 159]),
        ([80, 10, -40], [185, 194, 255]),
        ([80, -10, 60], [206, 202, 78]),
        ([80, 40, 30], [255, 168, 145]),
        ([80, -128, -128], [0, 255, 255]),
        ([80, 127, -50], [255, 0, 255]),
        ([0, 0, 0], [0, 0, 0]),
        ([100, 0, 0], [255, 255, 255]),
    ];

    #[test]
    fn the_numbers_are_those_of_little_cms() {
        for (lab, expected) in LITTLE_CMS {
            let found = rgb(lab.map(f32::from));
            assert!(is_near(found, expected), "{lab:?} became {found:?}, not {expected:?}");
        }
    }

    #[test]
    fn grays_are_gray_from_black_to_white() {
        let mut last = 0;
        for step in 0..=1000_u16 {
            let [red, green, blue] = rgb([f32::from(step) / 10.0, 0.0, 0.0]);
            assert!(last <= green && is_near([red, green, blue], [green; 3]), "{step}: {red}");
            last = green;
        }
        assert_eq!(rgb([0.0; 3]), [0; 3]);
        assert_eq!(rgb([100.0, 0.0, 0.0]), [255; 3]);
    }

    #[test]
    fn the_table_is_within_one_of_the_formula() {
        for step in 0..=u16::MAX {
            let linear = f32::from(step) / f32::from(u16::MAX);
            assert!(curve(linear).abs_diff(encoded(linear)) <= 1, "{linear}");
        }
        assert_eq!((curve(-1.0), curve(7.0), curve(f32::INFINITY)), (0, 255, 255));
    }

    #[test]
    fn no_number_is_black_and_alpha_is_kept() {
        let size = Size::new(2, 1).unwrap();
        let samples = vec![100.0, 0.0, 0.0, 0.5, f32::NAN, 0.0, 0.0, 1.0];
        let raster = Raster::new(size, ColourModel::Lab, true, samples).unwrap();
        let shown = lab_to_rgb(&Pixels::F32(raster)).unwrap();
        assert_eq!(shown.samples(), [255, 255, 255, 128, 0, 0, 0, 255]);
    }

    #[test]
    fn what_is_no_lab_is_refused() {
        let size = Size::new(1, 1).unwrap();
        let bytes = Pixels::U8(Raster::zeroed(size, ColourModel::Lab, false));
        assert!(matches!(lab_to_rgb(&bytes), Err(ImagingError::NoLab { .. })));
    }
}
