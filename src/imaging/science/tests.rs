//! The operations against the bytes that iipsrv was seen to send (its grays 0, 100, 200, 255, 50, 75).

use super::{Operation, process};
use crate::imaging::Raster;
use crate::imaging::pixels::Pixels;
use crate::model::processing::{ColourMap, Kernel, Light, Twist};
use crate::model::{ColourModel, SampleRange, Size};

const GRAYS: [u8; 6] = [0, 100, 200, 255, 50, 75];

fn range(black: f32, white: f32) -> Operation {
    Operation::Normalise(vec![SampleRange { black, white }])
}

fn row<T: crate::imaging::Sample>(colour: ColourModel, alpha: bool, samples: &[T]) -> Pixels {
    let bands = usize::from(colour.bands()) + usize::from(alpha);
    let size = Size::new(u32::try_from(samples.len() / bands).unwrap(), 1).unwrap();
    T::wrap(Raster::new(size, colour, alpha, samples.to_vec()).unwrap())
}

fn gray(operations: &[Operation], contrast: f32) -> Vec<u8> {
    let mut all = vec![range(0.0, 255.0)];
    all.extend_from_slice(operations);
    process(&row(ColourModel::Gray, false, &GRAYS), &all, contrast).into_samples()
}

#[test]
fn curves_over_grays_are_those_of_iipsrv() {
    use Operation::{Invert, Log, Power};
    for (operations, contrast, expected) in [
        (vec![], 1.0, GRAYS),
        (vec![Invert], 1.0, [255, 154, 54, 0, 205, 179]),
        (vec![], 2.0, [0, 200, 255, 255, 100, 150]),
        (vec![], 0.5, [0, 50, 100, 127, 25, 37]),
        (vec![Power(2.0)], 1.0, [0, 39, 156, 255, 9, 22]),
        (vec![Power(0.5)], 1.0, [0, 159, 225, 255, 112, 138]),
        (vec![Power(0.0)], 1.0, [255; 6]),
        (vec![Log], 1.0, [0, 212, 243, 255, 180, 199]),
    ] {
        assert_eq!(gray(&operations, contrast), expected, "{operations:?} {contrast}");
    }
}

#[test]
fn ranges_are_stretched_in_every_type() {
    let bytes = |pixels: Pixels, black, white| process(&pixels, &[range(black, white)], 1.0);
    let grays = || row(ColourModel::Gray, false, &GRAYS);
    assert_eq!(bytes(grays(), 50.0, 100.0).samples(), [0, 255, 255, 255, 0, 127]);
    assert_eq!(bytes(grays(), 0.0, 252.0).samples(), [0, 101, 202, 255, 50, 75]);
    let words = row(ColourModel::Gray, false, &[20_000_u16, 65_535]);
    assert_eq!(
        process(&words, &[range(0.0, 65_535.0), Operation::Invert], 1.0).samples(),
        [177, 0]
    );
    let floats = row(ColourModel::Gray, false, &[f32::NAN, f32::INFINITY, -1.0, 0.5, 7.0]);
    assert_eq!(bytes(floats.clone(), 0.0, 1.0).samples(), [0, 0, 0, 127, 255]);
    assert_eq!(bytes(floats, 7.0, 7.0).samples(), [0, 0, 0, 0, 0]);
}

#[test]
fn maps_give_the_colours_of_iipsrv() {
    for (map, expected) in [
        (
            ColourMap::Hot,
            [[0, 0, 0], [255, 45, 0], [255, 255, 90], [255, 255, 255], [150, 0, 0], [225, 0, 0]],
        ),
        (
            ColourMap::Cold,
            [[0, 0, 0], [0, 45, 255], [90, 255, 255], [255, 255, 255], [0, 0, 150], [0, 0, 225]],
        ),
        (
            ColourMap::Jet,
            [[0, 0, 127], [17, 255, 237], [255, 92, 0], [127, 0, 0], [0, 72, 255], [0, 172, 255]],
        ),
    ] {
        let found = gray(&[Operation::ColourMap(map.clone())], 1.0);
        assert_eq!(found, expected.concat(), "{map:?}");
    }
}

/// The ends and the middle, as matplotlib's tables of these maps have them.
#[test]
fn perceptual_maps_are_the_known_ones() {
    let ends = row(ColourModel::Gray, false, &[0_u8, 255]);
    for (map, first, last) in [
        (ColourMap::Viridis, [68, 1, 84], [253, 231, 37]),
        (ColourMap::Magma, [0, 0, 4], [252, 253, 191]),
        (ColourMap::Inferno, [0, 0, 4], [252, 255, 164]),
    ] {
        let operations = [range(0.0, 255.0), Operation::ColourMap(map.clone())];
        let found = process(&ends, &operations, 1.0);
        let expected = [first, last].concat();
        let near = found.samples().iter().zip(&expected).all(|(a, b)| a.abs_diff(*b) <= 1);
        assert!(near, "{map:?}: {:?}, not {expected:?}", found.samples());
    }
    let stops = [[0, 0, 0], [255, 0, 0], [255, 255, 255]];
    let found = gray(&[Operation::ColourMap(ColourMap::Custom(stops.into()))], 1.0);
    assert_eq!(found[..6], [0, 0, 0, 200, 0, 0]);
    assert_eq!(found[9..12], [255, 255, 255]);
}

#[test]
fn a_matrix_mixes_bands_and_may_make_more_or_fewer() {
    let pixel = row(ColourModel::Rgb, false, &[100_u8, 0, 77]);
    let by = |rows: &[&[f32]]| {
        let rows = rows.iter().map(|row| row.to_vec()).collect();
        let operations = [range(0.0, 255.0), Operation::Twist(Twist::new(rows).unwrap())];
        process(&pixel, &operations, 1.0)
    };
    let swapped = by(&[&[0.0, 0.0, 1.0], &[0.0, 1.0, 0.0], &[1.0, 0.0, 0.0]]);
    assert_eq!(swapped.samples(), [77, 0, 100]);
    let one = by(&[&[0.5, 1.0, 0.0, 9.0, 9.0]]);
    assert_eq!((one.colour(), one.samples()), (ColourModel::Gray, [50].as_slice()));
    let short = by(&[&[1.0], &[], &[1.0]]);
    assert_eq!(short.samples(), [100, 0, 100]);
    let with_alpha = by(&[&[1.0], &[1.0], &[1.0], &[0.0, 0.0, 1.0]]);
    assert_eq!((with_alpha.alpha(), with_alpha.samples()), (true, [100, 100, 100, 77].as_slice()));
}

#[test]
fn light_falls_as_in_iipsrv() {
    let normals: Vec<u8> = [0, 100, 200, 255].into_iter().flat_map(|x| [x, 0, 77]).collect();
    let light = Light { azimuth_deg: 45.0, elevation_deg: 30.0 };
    let operations = [range(0.0, 255.0), Operation::Light(light)];
    let shaded = process(&row(ColourModel::Rgb, false, &normals), &operations, 1.0);
    assert_eq!(
        (shaded.colour(), shaded.samples()),
        (ColourModel::Gray, [138, 75, 12, 0].as_slice())
    );
    let void = process(&row(ColourModel::Rgb, false, &[0_u8; 3]), &operations, 1.0);
    assert_eq!(void.samples(), [0]);
}

#[test]
fn a_kernel_sums_neighbours_and_goes_on_beyond_the_edge() {
    let ramp: Vec<u8> = (0..=255).collect();
    let size = Size::new(256, 2).unwrap();
    let raster = Raster::new(size, ColourModel::Gray, false, [ramp.clone(), ramp].concat());
    let raster = Pixels::from(raster.unwrap());
    let by = |kernel| process(&raster, &[range(0.0, 255.0), Operation::Convolve(kernel)], 1.0);
    let mean = by(Kernel::new(&[1.0; 9]).unwrap());
    // (0 + 0 + 1) / 3 is cut off, as is (254 + 255 + 255) / 3.
    assert_eq!([mean.samples()[0], mean.samples()[100], mean.samples()[255]], [0, 100, 254]);
    let wide = by(Kernel::new(&[1.0; 25]).unwrap());
    assert!(wide.samples()[300 - 256].abs_diff(44) <= 1);
    assert!((7..=8).contains(&by(Kernel::of_name("sobel").unwrap()).samples()[100]));
    let one = row(ColourModel::Rgb, true, &[10_u8, 20, 30, 40]);
    let alone = process(
        &one,
        &[range(0.0, 255.0), Operation::Convolve(Kernel::new(&[1.0; 25]).unwrap())],
        1.0,
    );
    assert!(alone.samples()[..3].iter().zip([10, 20, 30]).all(|(a, b)| a.abs_diff(b) <= 1));
    assert_eq!(alone.samples()[3], 40);
}

#[test]
fn alpha_is_left_alone() {
    let pixel = row(ColourModel::Rgb, true, &[0_u8, 100, 255, 128]);
    let found = process(&pixel, &[range(0.0, 255.0), Operation::Invert], 1.0);
    assert_eq!(found.samples(), [255, 154, 0, 128]);
    let words = row(ColourModel::Gray, true, &[0_u16, 32_896]);
    assert_eq!(process(&words, &[range(0.0, 65_535.0)], 3.0).samples(), [0, 128]);
}

#[test]
fn runs_of_any_length_and_any_number_of_bands_are_done() {
    for colours in [1_u8, 2, 5, 17] {
        let samples: Vec<u8> =
            (0..1000 * u32::from(colours)).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let bands = row(ColourModel::Multi(colours), false, &samples);
        let mut rows = vec![vec![0.0; colours.into()]; 3];
        for row in &mut rows {
            row[usize::from(colours) - 1] = 1.0;
        }
        let operations = [range(0.0, 255.0), Operation::Twist(Twist::new(rows).unwrap())];
        let found = process(&bands, &operations, 1.0);
        let last = samples.iter().skip(usize::from(colours) - 1).step_by(colours.into());
        assert!(found.samples().iter().step_by(3).eq(last), "{colours}");
    }
}
