//! Every tile of every level of every fixture has the pixels that another decoder sees.

use std::fs;
use std::sync::Arc;

use tessera::codecs::jpeg2000::KeptBlocks;
use tessera::codecs::{CodecError, Decode, DecodeLimits, Decoders, Jpeg2000Decoders, open_with};
use tessera::model::{ColourModel, Selection, TileAddress};

use crate::manifest::{
    FIXTURES, Fixture, REFUSED, Refused, decode_level, fixtures, levels_in_file, numbers,
    open_bytes, open_fixture, path, raw_numbers, refused,
};

/// Fixtures of JPEG 2000.
const JPEG_2000_FIXTURES: usize = 171;

#[test]
fn every_level_has_the_pixels_that_another_decoder_sees() {
    let mut faults = Vec::new();
    let compare = |fixture: &Fixture| compare(fixture, &*open_fixture(fixture), &mut faults);
    let compared = fixtures().iter().map(compare).count();
    assert_eq!(compared, FIXTURES);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// OpenJPEG for all of it, and ourselves without room for what neighbours need too.
#[test]
fn jpeg_2000_has_the_same_pixels_whoever_decodes_it() {
    let openjpeg = Jpeg2000Decoders { all: true, ..Decoders::default().jpeg2000 };
    let kept = Arc::new(KeptBlocks::new(0));
    let without_room = Jpeg2000Decoders { kept, ..Decoders::default().jpeg2000 };
    for jpeg2000 in [openjpeg, without_room] {
        let decoders = Decoders { jpeg2000 };
        let mut faults = Vec::new();
        let fixtures = fixtures();
        let of_ours = fixtures.iter().filter(|fixture| fixture.file.starts_with("jp2-"));
        let compared = of_ours.map(|fixture| {
            let source = Arc::new(fs::read(path(&fixture.file)).unwrap());
            let (selection, limits) = (Selection::default(), DecodeLimits::default());
            let image = open_with(source, selection, &limits, &decoders).unwrap();
            compare(fixture, &*image, &mut faults);
        });
        assert_eq!(compared.count(), JPEG_2000_FIXTURES);
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }
}

#[test]
fn what_we_decode_of_jpeg_2000_is_offered_in_smaller_tiles_than_what_openjpeg_does() {
    for file in ["jp2-plain.jp2", "jp2-ht-plain.jph"] {
        for (all, side) in [(false, 256), (true, 512)] {
            let source = Arc::new(fs::read(path(file)).unwrap());
            let jpeg2000 = Jpeg2000Decoders { all, ..Decoders::default().jpeg2000 };
            let (selection, limits) = (Selection::default(), DecodeLimits::default());
            let image = open_with(source, selection, &limits, &Decoders { jpeg2000 }).unwrap();
            let tile = image.info().tile;
            assert_eq!((tile.width(), tile.height()), (side, side), "{file}");
        }
    }
}

fn compare(fixture: &Fixture, image: &dyn Decode, faults: &mut Vec<String>) {
    let info = image.info();
    let mut report = |what: String| faults.push(format!("{}: {what}", fixture.file));
    let in_file = &info.stored[..levels_in_file(image)];
    let found: Vec<(u32, u32)> =
        in_file.iter().map(|level| (level.size.width(), level.size.height())).collect();
    let expected: Vec<(u32, u32)> =
        fixture.levels.iter().map(|level| (level.width, level.height)).collect();
    if found != expected {
        return report(format!("levels {found:?}, expected {expected:?}"));
    }
    if usize::from(info.bands()) != fixture.bands {
        return report(format!("{} bands, expected {}", info.bands(), fixture.bands));
    }
    let samples = format!("{:?}", info.samples).to_lowercase();
    let colour = format!("{:?}", info.colour).to_lowercase();
    if samples != fixture.samples || fixture.colour.as_ref().is_some_and(|told| *told != colour) {
        return report(format!("samples {samples} of {colour}"));
    }
    for (stored, level) in fixture.levels.iter().enumerate() {
        let expected = raw_numbers(&level.raw, &fixture.samples);
        match decode_level(image, stored) {
            Err(error) => report(format!("level {stored}: {error}")),
            Ok(pixels) => {
                let off = difference(&numbers(&pixels), &expected);
                if fixture.tolerance < off {
                    report(format!("level {stored} is off by {off}"));
                }
            }
        }
    }
}

/// How far two buffers differ at most; without end where their lengths do, or one is no number where the
/// other is.
fn difference(found: &[f64], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let off = |(a, b): (&f64, &f64)| match (a.is_nan(), b.is_nan()) {
        (true, true) => 0.0,
        (false, false) => (a - b).abs(),
        _ => f64::INFINITY,
    };
    found.iter().zip(expected).map(off).fold(0.0, f64::max)
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let tried = refused().iter().map(refuse).count();
    assert_eq!(tried, REFUSED);
}

fn refuse(refused: &Refused) {
    let opened = open_bytes(fs::read(path(&refused.file)).unwrap());
    let error = opened.and_then(|image| decode_level(&*image, 0)).map(|_| ()).unwrap_err();
    assert!(matches!(error, CodecError::Unsupported { .. }), "{}: {error}", refused.file);
    assert!(error.to_string().contains(&refused.words), "{}: {error}", refused.file);
}

#[test]
fn the_header_is_told_as_it_is() {
    let named = |name: &str| {
        let fixtures = fixtures();
        open_fixture(fixtures.iter().find(|fixture| fixture.file == name).unwrap())
    };
    let image = named("vips-jpeg.tif");
    let info = image.info();
    assert_eq!(info.container, "TIFF");
    assert_eq!(info.icc.as_deref(), Some(&*fs::read(path("icc.raw")).unwrap()));
    // 28.34 pixels a centimetre.
    assert!((info.resolution.unwrap().x_per_metre - 2834.0).abs() < 1.0);
    assert!(named("libtiff-jpeg.tif").info().resolution.is_none());
    assert_eq!((info.tile.width(), info.tile.height()), (64, 64));
    assert!(info.levels.iter().zip(&info.stored).all(|(level, stored)| level.size == stored.size));
    assert_eq!(named("container-le-big-sub-down.tif").info().container, "BigTIFF");
    assert_eq!(named("gray-none.tif").info().colour, ColourModel::Gray);
    assert!(named("shape-rgba.tif").info().alpha);
    assert!(named("shape-rgb-one-more.tif").info().icc.is_none());
}

#[test]
fn a_tile_outside_the_grid_is_malformed_and_never_a_panic() {
    let image = open_fixture(&fixtures()[0]);
    for (stored, column, row) in
        [(0, 5, 0), (0, 0, 5), (0, u32::MAX, u32::MAX), (3, 0, 0), (usize::MAX, 0, 0)]
    {
        let at = TileAddress { stored, column, row };
        let refusals = [
            image.decode_tile(at).map(|_| ()).unwrap_err(),
            image.stored_tile(at, false).map(|_| ()).unwrap_err(),
        ];
        for error in refusals {
            assert!(matches!(error, CodecError::Malformed { .. }), "{at:?}: {error}");
        }
    }
}

#[test]
fn many_threads_read_one_image_at_once() {
    let fixtures = fixtures();
    let fixture = fixtures.iter().find(|fixture| fixture.file == "jpeg-rgb.tif").unwrap();
    let image = open_fixture(fixture);
    let expected = decode_level(&*image, 0).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(decode_level(&*image, 0).unwrap(), expected));
        }
    });
}
