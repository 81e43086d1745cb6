//! What we send is read by others: stored tiles made files of their own, and encoded rasters.

use std::fs;
use std::sync::Arc;

use serde_json::json;
use tessera::codecs::{Decode, Encoding, encode};
use tessera::imaging::{Pixels, Raster, Sample};
use tessera::model::{
    ColourModel, Format, Size, Subsampling, TiffCompression, TileAddress, TileEncoding,
};

use crate::checks::Checks;
use crate::manifest::{Fixture, addresses, crop, fixtures, open_fixture, path, raw_numbers};

/// Whole tiles of the JPEG and WebP fixtures: none may stop being passed through unnoticed.
const STORED_TILES: usize = 211;

#[test]
fn stored_tiles_are_files_that_others_read_alike() {
    let mut checks = Checks::new("stored");
    let sent: usize = fixtures().iter().map(|fixture| send_tiles(fixture, &mut checks)).sum();
    assert_eq!(sent, STORED_TILES);
    checks.run();
}

fn send_tiles(fixture: &Fixture, checks: &mut Checks) -> usize {
    let image = open_fixture(fixture);
    if fixture.samples != "u8" {
        let at = TileAddress { stored: 0, column: 0, row: 0 };
        assert_eq!(image.stored_tile(at, true).unwrap(), None, "{}", fixture.file);
        return 0;
    }
    let mut sent = 0;
    for (stored, level) in fixture.levels.iter().enumerate() {
        // Deeper samples are nobody's to send as they are stored: their numbers are not looked at.
        let samples = raw_numbers(&level.raw, &fixture.samples);
        let samples = samples.into_iter().map(|sample| sample as u8).collect();
        let info = image.info();
        let expected =
            Raster::new(info.stored[stored].size, info.colour, info.alpha, samples).unwrap();
        for at in addresses(&*image, stored) {
            sent += usize::from(send_tile(fixture, &*image, at, &expected, checks));
        }
    }
    sent
}

fn send_tile(
    fixture: &Fixture,
    image: &dyn Decode,
    at: TileAddress,
    expected: &Raster,
    checks: &mut Checks,
) -> bool {
    let info = image.info();
    let (level, rect) = (info.stored[at.stored], info.tile_rect(at).unwrap());
    let tile = image.stored_tile(at, true).unwrap();
    assert_eq!(tile, image.stored_tile(at, true).unwrap(), "stable to the byte");
    let sendable = rect.size() == level.tile
        && fixture.file != "jpeg-white.tif"
        && match level.encoding {
            TileEncoding::Jpeg => !fixture.file.contains("jfif"),
            // A profile would have to be put into the container.
            TileEncoding::Webp => fixture.icc == 0,
            TileEncoding::Other => false,
        };
    assert_eq!(tile.is_some(), sendable, "{} {at:?}", fixture.file);
    if level.encoding == TileEncoding::Webp && rect.size() == level.tile {
        assert!(image.stored_tile(at, false).unwrap().is_some(), "{} {at:?}", fixture.file);
    }
    let Some(tile) = tile else { return false };
    let name = format!("{}-{}-{}-{}", fixture.file, at.stored, at.column, at.row);
    let off = (fixture.tolerance, fixture.tolerance);
    let row = checks.picture(&name, &tile.bytes, &crop(expected, rect), off);
    if fixture.icc != 0 {
        row["icc"] = json!("../../icc.raw");
        let plain = image.stored_tile(at, false).unwrap().unwrap();
        assert!(plain.bytes.len() + fixture.icc < tile.bytes.len(), "{name}: no profile unasked");
    }
    true
}

#[test]
fn encoded_rasters_are_files_that_others_read_alike() {
    let mut checks = Checks::new("encoded");
    let icc: Arc<[u8]> = fs::read(path("icc.raw")).unwrap().into();
    let mut written = 0;
    // The last is wider than one tile of AV1.
    for (width, height) in [(1, 1), (257, 3), (64, 64), (300, 200), (4200, 17)] {
        for (colour, alpha) in [
            (ColourModel::Gray, false),
            (ColourModel::Gray, true),
            (ColourModel::Rgb, false),
            (ColourModel::Rgb, true),
        ] {
            let raster = raster(Size::new(width, height).unwrap(), colour, alpha);
            for (format, quality, off) in [
                (Format::Png, 0, (0.0, 0.0)),
                (Format::Png, 1, (0.0, 0.0)),
                (Format::Png, 5, (0.0, 0.0)),
                (Format::Webp, -1, (0.0, 0.0)),
                (Format::Webp, 90, (40.0, 3.0)),
                (Format::Jpeg, 100, (40.0, 3.0)),
                (Format::Jpeg, 75, (60.0, 4.0)),
                (Format::Jpeg, 5, (128.0, 20.0)),
                (Format::Avif, -1, (12.0, 2.0)),
                (Format::Avif, 50, (60.0, 6.0)),
            ] {
                for icc in [None, Some(Arc::clone(&icc))] {
                    let encoding = Encoding::plain(format, quality).with_icc(icc);
                    written += usize::from(write(&raster, &encoding, off, &mut checks));
                }
            }
            for compression in TiffCompression::ALL {
                let off = if compression.is_lossy() { (40.0, 3.0) } else { (0.0, 0.0) };
                let plain =
                    Encoding::plain(Format::Tiff, if compression.is_lossy() { 90 } else { 5 });
                let encoding = Encoding { compression, ..plain.with_icc(Some(Arc::clone(&icc))) };
                written += usize::from(write(&raster, &encoding, off, &mut checks));
            }
        }
    }
    // JPEG, also in TIFF, has no alpha.
    assert_eq!(written, 5 * ((4 * 7 + 2 * 3) * 2 + 4 * 5 + 2));
    checks.run();
}

fn write(raster: &Raster, encoding: &Encoding, off: (f64, f64), checks: &mut Checks) -> bool {
    let pixels = Pixels::U8(raster.clone());
    let (is_tiff, compression) = (encoding.format == Format::Tiff, encoding.compression);
    let is_jpeg = encoding.format == Format::Jpeg;
    if raster.alpha() && (is_jpeg || is_tiff && compression == TiffCompression::Jpeg) {
        encode(&pixels, encoding).unwrap_err();
        return false;
    }
    let file = encode(&pixels, encoding).unwrap();
    assert_eq!(file, encode(&pixels, encoding).unwrap(), "stable to the byte");
    let (size, bands) = (raster.size(), raster.bands());
    let name = format!(
        "{}x{}x{bands}-q{}-{}-{}.{}",
        size.width(),
        size.height(),
        encoding.quality,
        encoding.about.icc.is_some(),
        if is_tiff { compression.word() } else { "" },
        encoding.format.suffix()
    );
    let row = checks.picture(&name, &file, raster, off);
    if encoding.about.icc.is_some() {
        row["icc"] = json!("../../icc.raw");
    }
    // WebP knows no gray, and of AVIF the reader gives none with alpha.
    let is_webp =
        encoding.format == Format::Webp || is_tiff && compression == TiffCompression::Webp;
    if is_webp || encoding.format == Format::Avif && raster.alpha() {
        row["mode"] = json!(if raster.alpha() { "RGBA" } else { "RGB" });
    }
    true
}

#[test]
fn samples_of_more_than_8_bits_are_files_that_others_read_alike() {
    let mut checks = Checks::new("deep");
    let mut written = 0;
    for (width, height) in [(1, 1), (257, 300)] {
        for (colour, alpha) in [
            (ColourModel::Gray, false),
            (ColourModel::Gray, true),
            (ColourModel::Rgb, false),
            (ColourModel::Rgb, true),
        ] {
            let smooth = raster(Size::new(width, height).unwrap(), colour, alpha);
            let words = each(&smooth, |sample| u16::from(sample) * 250 + 13);
            let floats = each(&smooth, |sample| f32::from(sample) * 1e3 - 0.5);
            let (lossless, lossy) = ((0.0, 0.0), (3000.0, 600.0));
            let mut write = |pixels: &Pixels, encoding: &Encoding, off| {
                let name = format!("{written}.{}", encoding.format.suffix());
                checks.deep(&name, &encode(pixels, encoding).unwrap(), pixels, off);
                written += 1;
            };
            for compression in TiffCompression::ALL {
                let encoding = Encoding { compression, ..Encoding::plain(Format::Tiff, 3) };
                if compression.is_lossy() {
                    encode(&words, &encoding).unwrap_err();
                    continue;
                }
                write(&words, &encoding, lossless);
                write(&floats, &encoding, lossless);
            }
            write(&words, &Encoding::plain(Format::Png, 1), lossless);
            write(&words, &Encoding::plain(Format::Avif, 80), lossy);
            for format in [Format::Jpeg, Format::Webp] {
                encode(&words, &Encoding::plain(format, 80)).unwrap_err();
            }
        }
    }
    assert_eq!(written, 2 * 4 * (4 * 2 + 2));
    checks.run();
}

fn each<T: Sample>(raster: &Raster, sample: impl Fn(u8) -> T) -> Pixels {
    let samples = raster.samples().iter().map(|known| sample(*known)).collect();
    T::wrap(Raster::new(raster.size(), raster.colour(), raster.alpha(), samples).unwrap())
}

#[test]
fn colours_of_jpeg_are_shared_by_as_many_pixels_as_asked() {
    let mut checks = Checks::new("subsampling");
    let raster = raster(Size::new(300, 200).unwrap(), ColourModel::Rgb, false);
    for (subsampling, factors) in
        [(Subsampling::Quarter, "2x2"), (Subsampling::Half, "2x1"), (Subsampling::Full, "1x1")]
    {
        for trellis in [false, true] {
            let encoding = Encoding { subsampling, trellis, ..Encoding::plain(Format::Jpeg, 90) };
            let file = encode(&Pixels::U8(raster.clone()), &encoding).unwrap();
            let name = format!("{factors}-{trellis}.jpg");
            checks.picture(&name, &file, &raster, (30.0, 3.0))["subsampling"] = json!(factors);
        }
    }
    checks.run();
}

/// A smooth picture, so that lossy codecs can be held to a narrow bound.
fn raster(size: Size, colour: ColourModel, alpha: bool) -> Raster {
    let bands = u32::from(colour.bands()) + u32::from(alpha);
    let sample = |x: u32, y: u32, band: u32| {
        let wave = f64::from(x * (band + 1)) / 60.0 + f64::from(y) / 45.0;
        (wave.sin() * 100.0 + 128.0) as u8
    };
    let (width, height) = (size.width(), size.height());
    let pixel = |x, y| (0..bands).map(move |band| sample(x, y, band));
    let samples =
        (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y))).collect::<Vec<u8>>();
    Raster::new(size, colour, alpha, samples).unwrap()
}
