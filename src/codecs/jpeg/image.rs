//! A JPEG file as an image: its full level, and those at 1/2, 1/4 and 1/8 that libjpeg decodes for less.

use std::sync::Arc;

use crate::codecs::flat::{OFFERED_TILE, Picture, check_whole, flat, read_whole, size};
use crate::codecs::jpeg::JPEG;
use crate::codecs::jpeg::decoder::check_scans;
use crate::codecs::jpeg::header::{Header, read};
use crate::codecs::jpeg::markers::Frame;
use crate::codecs::jpeg::scaled::{Part, decode};
use crate::codecs::upright::upright;
use crate::codecs::{CodecError, Decode, DecodeLimits, pixels_of};
use crate::imaging::{Pixels, read_profile};
use crate::model::{ColourModel, ImageInfo, ReadAt, Rect, Size, StoredLevel};

/// The most times that libjpeg halves while it decodes.
const HALVINGS_MAX: u32 = 3;

/// Bytes of samples up to which a level is one tile: that much stays among the decoded tiles by their
/// default limit. Rows of larger ones are decoded in bands.
const WHOLE_BYTES_MAX: u64 = 96 << 20;

/// Bytes of samples of such a band.
const BAND_BYTES: u64 = 24 << 20;

/// Rows of a band are a multiple of this: two of the largest units that are coded together, so that
/// a band begins where one begins, at every scale.
const BAND_ROWS_STEP: u32 = 128;

/// Pixels that a byte of the file can stand for: a block of 64 takes a bit at least, in the component
/// that has all pixels.
const PIXELS_A_BYTE_MAX: u64 = 512;

/// An open JPEG file.
#[derive(Debug)]
struct JpegPicture {
    source: Arc<dyn ReadAt>,
    frame: Frame,
    size: Size,
    colour: ColourModel,
    /// Four components are stored as what is left of the paper's white.
    inverted: bool,
    limits: DecodeLimits,
}

/// Opens a JPEG file; reads its header alone.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let header = read(Arc::clone(&source), limits)?;
    let frame = header.frame;
    let colour = colour(frame)?;
    let size = size(JPEG, (frame.width_px, frame.height_px), limits)?;
    if source.len_bytes() < size.area() / PIXELS_A_BYTE_MAX {
        return Err(CodecError::malformed(JPEG, "the file is too short for its pixels"));
    }
    if !frame.one_scan {
        // All its coefficients are held at once.
        check_whole(size, limits)?;
    }
    let info = info(&header, size, colour, limits);
    let inverted = colour == ColourModel::Cmyk && header.adobe;
    let limits = limits.clone();
    let picture = JpegPicture { source, frame, size, colour, inverted, limits };
    Ok(upright(flat(info, picture), header.exif.orientation))
}

/// What the components mean, where the process is one that is read.
fn colour(frame: Frame) -> Result<ColourModel, CodecError> {
    let unsupported = |feature: &str| Err(CodecError::unsupported(JPEG, feature));
    match frame.process {
        0xc0..=0xc2 => {}
        0xc3 => return unsupported("the lossless process (SOF3)"),
        0xc9..=0xcb => return unsupported("arithmetic coding"),
        _ => return unsupported("a hierarchical or differential process"),
    }
    if frame.bits != 8 {
        return unsupported(&format!("{} bits a sample", frame.bits));
    }
    if frame.height_px == 0 {
        return unsupported("a number of lines that comes after the first scan (DNL)");
    }
    match frame.components {
        1 => Ok(ColourModel::Gray),
        3 => Ok(ColourModel::Rgb),
        4 => Ok(ColourModel::Cmyk),
        other => unsupported(&format!("{other} components")),
    }
}

fn info(header: &Header, full: Size, colour: ColourModel, limits: &DecodeLimits) -> ImageInfo {
    let whole_px_max = limits.tile_px_max.min(WHOLE_BYTES_MAX / u64::from(colour.bands()));
    let stored = levels(full, header.frame.one_scan, whole_px_max, colour);
    // A coefficient for each sample, 16 bits each, where scans refine what others have begun.
    let coefficients = 2 * full.area() * u64::from(colour.bands());
    ImageInfo {
        held_bytes: if header.frame.one_scan { 0 } else { coefficients },
        icc: header.icc.clone().map(read_profile),
        resolution: header.jfif.or(header.exif.resolution),
        metadata: Arc::new(header.metadata.clone()),
        ..ImageInfo::new(JPEG, stored, OFFERED_TILE, colour)
    }
}

/// The levels that are decoded, and those that are made of the last of them.
fn levels(full: Size, in_bands: bool, whole_px_max: u64, colour: ColourModel) -> Vec<StoredLevel> {
    let rows = |halvings: u32| {
        let size = full.halved_up(halvings);
        let whole = !in_bands || size.area() <= whole_px_max;
        if whole { size.height() } else { band_rows(size, colour) }
    };
    let scaled = |halvings| StoredLevel::scaled(full, halvings, rows(halvings));
    let mut stored = vec![StoredLevel { scaled: false, ..scaled(0) }];
    stored.extend(
        (1..=HALVINGS_MAX)
            .take_while(|halvings| !full.halved_up(halvings - 1).fits(OFFERED_TILE))
            .map(scaled),
    );
    ImageInfo::halved_to(stored, OFFERED_TILE)
}

fn band_rows(size: Size, colour: ColourModel) -> u32 {
    let row_bytes = u64::from(size.width()) * u64::from(colour.bands());
    let rows = u32::try_from(BAND_BYTES / row_bytes).unwrap_or(u32::MAX);
    (rows - rows % BAND_ROWS_STEP).max(BAND_ROWS_STEP)
}

impl Picture for JpegPicture {
    const FORMAT: &'static str = JPEG;

    fn decode(&self, stored: usize, rect: Rect) -> Result<Pixels, CodecError> {
        let halvings = u32::try_from(stored).unwrap_or(u32::MAX).min(HALVINGS_MAX);
        let file = read_whole(&*self.source, &self.limits)?;
        check_scans(&file, self.frame)?;
        let part = Part {
            size: self.size.halved_up(halvings),
            halvings,
            top: rect.top(),
            rows: rect.height(),
            colour: self.colour,
        };
        let mut samples = decode(&file, part)?;
        if self.inverted {
            for sample in &mut samples {
                *sample = !*sample;
            }
        }
        pixels_of(JPEG, rect.size(), (self.colour, false), samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::Encoding;
    use crate::codecs::jpeg::encode;
    use crate::imaging::Raster;
    use crate::model::{Format, TileAddress};

    fn open_bytes(bytes: Vec<u8>, limits: &DecodeLimits) -> Result<Arc<dyn Decode>, CodecError> {
        open(Arc::new(bytes), limits)
    }

    fn file(width: u32, height: u32) -> Vec<u8> {
        let size = Size::new(width, height).unwrap();
        let raster = Raster::zeroed(size, ColourModel::Rgb, false);
        encode(&raster, &Encoding::plain(Format::Jpeg, 75)).unwrap()
    }

    /// A file that ends behind its first scan's header, with this frame.
    fn header(process: u8, bits: u8, (width, height): (u16, u16), components: u8) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8, 0xff, process];
        file.extend((8 + 3 * u16::from(components)).to_be_bytes());
        file.push(bits);
        file.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
        file.push(components);
        file.extend((1..=components).flat_map(|id| [id, 0x11, 0]));
        file.extend([0xff, 0xda, 0, 6 + 2 * components, components]);
        file.extend((1..=components).flat_map(|id| [id, 0]));
        file.extend([0, 63, 0]);
        file
    }

    #[test]
    fn levels_are_halved_by_libjpeg_three_times_and_then_by_us() {
        let image = open_bytes(file(5001, 300), &DecodeLimits::default()).unwrap();
        let info = image.info();
        let widths: Vec<_> =
            info.stored.iter().map(|level| (level.size.width(), level.made_from)).collect();
        let expected =
            [(5001, None), (2501, None), (1251, None), (626, None), (313, Some(3)), (157, Some(4))];
        assert_eq!(widths, expected);
        let offered: Vec<_> = info.levels.iter().map(|level| level.size.width()).collect();
        assert_eq!(offered, [5001, 2500, 1250, 625, 312, 156]);
        let factors: Vec<_> = info.stored.iter().map(|level| level.factor.log2()).collect();
        assert_eq!(factors, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        let small = open_bytes(file(256, 256), &DecodeLimits::default()).unwrap();
        assert_eq!(small.info().stored.len(), 1);
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (file, words) in [
            (header(0xc3, 8, (16, 16), 1), "lossless process (SOF3)"),
            (header(0xc9, 8, (16, 16), 1), "arithmetic coding"),
            (header(0xc5, 8, (16, 16), 1), "hierarchical"),
            (header(0xc1, 12, (16, 16), 1), "12 bits a sample"),
            (header(0xc0, 8, (16, 0), 1), "DNL"),
            (header(0xc0, 8, (16, 16), 2), "2 components"),
        ] {
            match open_bytes(file, &DecodeLimits::default()).unwrap_err() {
                CodecError::Unsupported { format: "JPEG", feature } => {
                    assert!(feature.contains(words), "{feature}");
                }
                other => panic!("{words}: {other}"),
            }
        }
    }

    #[test]
    fn a_promise_of_pixels_costs_nothing() {
        let error = open_bytes(header(0xc0, 8, (65_500, 65_500), 3), &DecodeLimits::default());
        assert!(matches!(error.unwrap_err(), CodecError::Malformed { .. }));
        let limits = DecodeLimits { tile_px_max: 1000, ..DecodeLimits::default() };
        let error = open_bytes(header(0xc2, 8, (40, 40), 3), &limits).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { value: 1600, limit: 1000, .. }));
    }

    #[test]
    fn large_files_of_one_scan_come_in_bands_that_join_without_a_seam() {
        let size = Size::new(200, 1000).unwrap();
        let samples = (0..200 * 1000 * 3_usize).map(|i| u8::try_from(i * i / 511 % 256).unwrap());
        let raster = Raster::new(size, ColourModel::Rgb, false, samples.collect()).unwrap();
        let file = encode(&raster, &Encoding::plain(Format::Jpeg, 85)).unwrap();
        let limits = DecodeLimits { tile_px_max: 30_000, ..DecodeLimits::default() };
        let banded = levels(size, true, 30_000, ColourModel::Rgb);
        assert_eq!(banded[0].tile, size, "24 MiB are more than this picture");
        let rows = |rows| StoredLevel { tile: Size::new(200, rows).unwrap(), ..banded[0] };
        let whole = open_bytes(file.clone(), &limits).unwrap();
        let at = TileAddress { stored: 0, column: 0, row: 0 };
        let expected = whole.decode_tile(at).unwrap().into_bytes().unwrap();
        let info = ImageInfo::new(JPEG, vec![rows(128)], OFFERED_TILE, ColourModel::Rgb);
        let header = read(Arc::new(file.clone()), &limits).unwrap();
        let (frame, colour) = (header.frame, ColourModel::Rgb);
        let source = Arc::new(file);
        let cut = flat(info, JpegPicture { source, frame, size, colour, inverted: false, limits });
        let mut joined = Raster::zeroed(size, ColourModel::Rgb, false);
        for row in 0..8 {
            let band = cut.decode_tile(TileAddress { row, ..at }).unwrap().into_bytes().unwrap();
            joined.paste(&band, Rect::whole(band.size()), 0, row * 128);
        }
        assert!(joined == expected);
    }

    #[test]
    fn bands_hold_whole_units_and_a_bounded_number_of_bytes() {
        let full = Size::new(20_000, 15_000).unwrap();
        let stored = levels(full, true, 32 << 20, ColourModel::Rgb);
        let tiles: Vec<_> = stored.iter().map(|level| level.tile.height()).collect();
        assert_eq!(tiles[..4], [384, 768, 3750, 1875]);
        assert!(stored.iter().take(2).all(|level| level.tile.height() % BAND_ROWS_STEP == 0));
        let whole = levels(full, false, 32 << 20, ColourModel::Rgb);
        assert_eq!(whole[0].tile, full);
    }
}
