//! An open TIFF: the levels' index and what is known of the picture. Nothing in it changes.

use std::fmt;
use std::sync::Arc;

use crate::codecs::tiff::channels::{CHANNELS_MAX, channels};
use crate::codecs::tiff::level::Level;
use crate::codecs::tiff::pyramid::Pyramid;
use crate::codecs::tiff::slices::Contents;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::tile::Reading;
use crate::codecs::tiff::{malformed, metadata, ranges, stored, tile};
use crate::codecs::upright::upright;
use crate::codecs::{CodecError, Decode, DecodeLimits, StoredTile, jpeg};
use crate::imaging::Pixels;
use crate::model::{Bands, ImageInfo, ReadAt, Rect, Size, Slice, StoredLevel, TileAddress};

/// The longest side of a stored tile that is offered to clients as it is. Whole images stored as one
/// tile exist; viewers want pieces.
const OFFERED_TILE_SIDE_PX_MAX: u32 = 4096;

/// The tile that is offered instead.
const OFFERED_TILE_PX: u32 = 256;

/// An open TIFF or BigTIFF.
struct TiffImage {
    source: Arc<dyn ReadAt>,
    info: Arc<ImageInfo>,
    /// As long as [`ImageInfo::stored`].
    levels: Vec<Level>,
    /// The profile as JPEG segments, empty where there is none.
    icc_segments: Vec<u8>,
    /// The number that stands for no data.
    nodata: Option<f64>,
    limits: DecodeLimits,
}

/// Opens a page of a TIFF or BigTIFF, or a picture beside it.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    slice: Slice,
    bands: Bands,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let mut structure = Structure::open(Arc::clone(&source), limits)?;
    let contents = Contents::read(&mut structure, limits)?;
    let views = contents.views();
    if bands == Bands::OfPages && slice == Slice::Main {
        let pages = views.stack.len().min(CHANNELS_MAX);
        let page = |page| open(Arc::clone(&source), Slice::page(page), Bands::Shown, limits);
        let pages = (0..).take(pages).map(page).collect::<Result<Vec<_>, _>>()?;
        if let Some(channels) = channels(pages) {
            return Ok(channels);
        }
    }
    let page = contents.page(&mut structure, slice, limits)?;
    let mut pyramid = Pyramid::read(&mut structure, &page, limits)?;
    if bands != Bands::Shown {
        for level in &mut pyramid.levels {
            level.layout.show_all_bands();
        }
    }
    let nodata = metadata::nodata(&mut structure, &pyramid.full)?;
    let reading = Reading { source: &*source, limits, nodata };
    let ranges = ranges::read(&mut structure, &pyramid, &reading)?;
    let info = ImageInfo { ranges, views, ..describe(&mut structure, &pyramid, limits)? };
    let info = Arc::new(info);
    let icc_segments = info.icc.as_deref().map_or(Ok(Vec::new()), jpeg::icc_segments)?;
    let orientation = metadata::orientation(&mut structure, &pyramid.full)?;
    let (levels, limits) = (pyramid.levels, limits.clone());
    let image = Arc::new(TiffImage { source, info, levels, icc_segments, nodata, limits });
    Ok(upright(image, orientation))
}

fn describe(
    structure: &mut Structure,
    pyramid: &Pyramid,
    limits: &DecodeLimits,
) -> Result<ImageInfo, CodecError> {
    let full = pyramid.levels.first().ok_or_else(|| malformed("there is no image"))?;
    let mut stored: Vec<StoredLevel> = pyramid
        .levels
        .iter()
        .map(|level| {
            StoredLevel::in_file(full.size, level.size, level.tile, level.encoding())
                .with_stored_bytes(level.stored_bytes())
        })
        .collect();
    let tile = offered_tile(full);
    if stored.len() == 1 {
        stored = ImageInfo::halved_to(stored, tile);
    }
    let layout = &full.layout;
    Ok(ImageInfo {
        alpha: layout.alpha.is_some(),
        samples: layout.sample_type(),
        bits: u8::try_from(layout.format.bits).unwrap_or(u8::MAX),
        bands_stored: u16::try_from(layout.samples).unwrap_or(u16::MAX),
        icc: metadata::icc(structure, &pyramid.full, limits)?,
        resolution: metadata::resolution(structure, &pyramid.full)?,
        metadata: Arc::new(metadata::about(structure, &pyramid.full, limits)?),
        ..ImageInfo::new(structure.container(), stored, tile, layout.colour())
    })
}

/// The stored tile, but pieces of strips and of whole images stored as one tile.
fn offered_tile(full: &Level) -> Size {
    if !full.strips && full.tile.longer() <= OFFERED_TILE_SIDE_PX_MAX {
        full.tile
    } else {
        Size::at_least_one(OFFERED_TILE_PX, OFFERED_TILE_PX)
    }
}

impl TiffImage {
    /// The level of a tile and the tile's pixels within it.
    fn find(&self, at: TileAddress) -> Result<(&Level, Rect), CodecError> {
        let found = self.levels.get(at.stored).zip(self.info.tile_rect(at));
        found.ok_or_else(|| malformed("there is no such tile"))
    }

    fn decode(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        let (level, rect) = self.find(at)?;
        let reading = Reading { source: &*self.source, limits: &self.limits, nodata: self.nodata };
        tile::decode(level, &reading, rect)
    }

    fn complete(&self, at: TileAddress, icc: bool) -> Result<Option<StoredTile>, CodecError> {
        let (level, rect) = self.find(at)?;
        if rect.size() != level.tile || !stored::is_possible(level) {
            return Ok(None);
        }
        let blocks = level.blocks(0, rect)?;
        let Some(extent) = blocks.first().and_then(|block| block.extent) else {
            return Ok(None);
        };
        let icc_segments = if icc { &*self.icc_segments } else { &[] };
        tile::with_bytes(&*self.source, extent, &self.limits, |bytes| {
            stored::complete(level, bytes, icc_segments)
        })
    }
}

impl Decode for TiffImage {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        self.decode(at).map_err(|error| located(error, at))
    }

    fn stored_tile(&self, at: TileAddress, icc: bool) -> Result<Option<StoredTile>, CodecError> {
        self.complete(at, icc).map_err(|error| located(error, at))
    }
}

/// Says which tile is broken: the rest of the image may be fine.
fn located(error: CodecError, at: TileAddress) -> CodecError {
    let TileAddress { stored, column, row } = at;
    match error {
        CodecError::Malformed { format, what } => {
            let what = format!("tile ({column}, {row}) of stored level {stored}: {what}");
            CodecError::Malformed { format, what }
        }
        other => other,
    }
}

impl fmt::Debug for TiffImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TiffImage")
            .field("source", &self.source)
            .field("size", &self.info.size)
            .field("levels", &self.levels.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tiff::tags::ByteOrder;

    use super::*;
    use crate::codecs::tiff::sample_file::{SampleFile, Tags};

    fn open_bytes(data: Vec<u8>) -> Result<Arc<dyn Decode>, CodecError> {
        open(Arc::new(data), Slice::Main, Bands::Shown, &DecodeLimits::default())
    }

    /// What a gray picture with these tags is refused with.
    fn refusal(tags: Tags<'_>) -> CodecError {
        open_bytes(SampleFile::gray(tags)).unwrap_err()
    }

    fn first_tile() -> TileAddress {
        TileAddress { stored: 0, column: 0, row: 0 }
    }

    #[test]
    fn both_kinds_in_both_orders_open_and_decode() {
        for order in [ByteOrder::LittleEndian, ByteOrder::BigEndian] {
            for big in [false, true] {
                let mut file = SampleFile::new(order, big);
                file.add_gray(&[]);
                file.add_gray(&[(256, &[20]), (257, &[12]), (254, &[1])]);
                let image = open_bytes(file.data).unwrap();
                assert_eq!(image.info().stored.len(), 2);
                assert_eq!(image.info().container, if big { "BigTIFF" } else { "TIFF" });
                let edge = TileAddress { column: 2, row: 1, ..first_tile() };
                let tile = image.decode_tile(edge).unwrap().into_bytes().unwrap();
                assert_eq!((tile.size().width(), tile.size().height()), (8, 8));
                assert_eq!(tile.samples()[..9], [0, 1, 2, 3, 4, 5, 6, 7, 16]);
            }
        }
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (tags, name) in [
            (&[(258, &[33_u64][..])][..], "33 bits a sample"),
            (&[(262, &[4])], "photometric transparency mask"),
            (&[(262, &[32803])], "photometric colour filter array"),
            (&[(258, &[16]), (262, &[32844]), (259, &[34676])], "compression SGI Log"),
            (&[(262, &[32844])], "photometric LogL"),
            (&[(262, &[5]), (277, &[4]), (332, &[2])], "InkSet 2 (inks other than CMYK)"),
            (&[(258, &[12]), (262, &[8]), (277, &[3])], "L*a*b* (photometric 8) of 12 bits"),
            (
                &[(258, &[5, 6, 5]), (262, &[2]), (277, &[3])],
                "samples of 5 and 6 bits (BitsPerSample) in one pixel",
            ),
            (&[(339, &[3])], "floating point samples of 8 bits"),
            (&[(339, &[6])], "complex samples"),
            (&[(259, &[34887])], "compression LERC"),
            (&[(259, &[34661])], "compression JBIG"),
            (&[(259, &[4])], "CCITT fax of other than 1 bit a pixel"),
            (&[(259, &[32809])], "ThunderScan of other than 4 bits a pixel"),
            (&[(258, &[12]), (259, &[7])], "JPEG tiles of 12 bits a sample"),
            (
                &[(258, &[12]), (259, &[5]), (317, &[2])],
                "predictor 2 with whole numbers of 12 bits",
            ),
            (&[(259, &[5]), (317, &[3])], "predictor 3 with whole numbers of 8 bits"),
            (&[(259, &[5]), (317, &[4])], "predictor 4"),
            (&[(259, &[7]), (277, &[2])], "JPEG tiles with 2 samples a pixel"),
            (&[(262, &[6]), (277, &[3]), (530, &[3, 1])], "YCbCr subsampling 3 by 1"),
            (&[(277, &[10_000])], "10000 samples a pixel"),
        ] {
            match refusal(tags) {
                CodecError::Unsupported { format: "TIFF", feature } => assert_eq!(feature, name),
                other => panic!("{name}: {other}"),
            }
        }
    }

    #[test]
    fn sizes_beyond_the_limits_are_refused_unread() {
        for tags in [
            &[(256, &[u64::from(u32::MAX)][..])][..],
            &[(256, &[10_000_000]), (257, &[10_000_000])],
            &[(322, &[100_000]), (323, &[100_000])],
            &[(256, &[9_000_000]), (257, &[9_000_000]), (322, &[1]), (323, &[1])],
            // More tiles than 64 bits count.
            &[
                (256, &[u64::from(u32::MAX)]),
                (257, &[u64::from(u32::MAX)]),
                (277, &[4]),
                (284, &[2]),
                (322, &[1]),
                (323, &[1]),
            ],
        ] {
            let error = refusal(tags);
            assert!(matches!(error, CodecError::OverLimit { .. }), "{tags:?}: {error}");
        }
    }

    #[test]
    fn an_index_that_lies_is_malformed() {
        for tags in [
            &[(324, &[8_u64, 8][..])][..],
            &[(325, &[256])],
            &[(324, &[]), (325, &[])],
            &[(256, &[0])],
            &[(322, &[0])],
            &[(256, &[])],
        ] {
            let error = refusal(tags);
            assert!(matches!(error, CodecError::Malformed { .. }), "{tags:?}: {error}");
        }
        for tag in [256, 258, 324, 325] {
            let mut file = SampleFile::new(ByteOrder::LittleEndian, false);
            let directory = file.add_gray(&[]);
            file.claim(directory, tag, u32::MAX);
            let error = open_bytes(file.data).unwrap_err();
            let refused =
                matches!(error, CodecError::Malformed { .. } | CodecError::OverLimit { .. });
            assert!(refused, "tag {tag}: {error}");
        }
    }

    #[test]
    fn circles_of_directories_end() {
        let mut file = SampleFile::new(ByteOrder::LittleEndian, false);
        let first = file.add_gray(&[]);
        file.add_gray(&[(256, &[20]), (257, &[12])]);
        file.link(first);
        let error = open_bytes(file.data).unwrap_err().to_string();
        assert!(error.contains("linked twice"), "{error}");

        // The offset of the picture's own directory, which does not depend on the value.
        let own = SampleFile::new(ByteOrder::LittleEndian, false).add_gray(&[(330, &[0])]);
        assert!(matches!(refusal(&[(330, &[own])]), CodecError::Malformed { .. }));
        assert!(matches!(refusal(&[(330, &[8, 8])]), CodecError::Malformed { .. }));
    }

    #[test]
    fn chains_and_directories_without_end_are_over_the_limit() {
        let limits = DecodeLimits { directories_max: 3, ..DecodeLimits::default() };
        let mut file = SampleFile::new(ByteOrder::BigEndian, true);
        for _ in 0..4 {
            file.add_gray(&[]);
        }
        let error = open(Arc::new(file.data), Slice::Main, Bands::Shown, &limits).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { value: 4, limit: 3, .. }), "{error}");

        let mut data = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0".to_vec();
        data.extend_from_slice(&(u64::MAX / 2).to_le_bytes());
        let error = open_bytes(data).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { .. }), "{error}");
    }

    #[test]
    fn a_tile_beyond_the_end_is_an_error_for_that_tile_only() {
        let file = SampleFile::gray(&[(324, &[1 << 31, 8, 8, 8, 8, 8])]);
        let image = open_bytes(file).unwrap();
        let error = image.decode_tile(first_tile()).unwrap_err().to_string();
        assert!(error.starts_with("malformed TIFF: tile (0, 0) of stored level 0"), "{error}");
        image.decode_tile(TileAddress { column: 1, ..first_tile() }).unwrap();
    }

    #[test]
    fn a_promise_of_pixels_costs_no_memory_before_the_bytes_are_seen() {
        let sizes: Tags<'_> = &[(256, &[8192]), (257, &[8192]), (322, &[8192]), (323, &[8192])];
        for compression in [1, 5, 8, 32773, 34925] {
            let number = [compression];
            let tags = [sizes, &[(259, &number)]].concat();
            let image = open_bytes(SampleFile::gray(&tags)).unwrap();
            let error = image.decode_tile(first_tile()).unwrap_err();
            assert!(matches!(error, CodecError::Malformed { .. }), "{compression}: {error}");
        }
    }

    #[test]
    fn compressed_bytes_over_the_limit_are_refused() {
        let limits = DecodeLimits { tile_bytes_max: 255, ..DecodeLimits::default() };
        let image =
            open(Arc::new(SampleFile::gray(&[(259, &[5])])), Slice::Main, Bands::Shown, &limits)
                .unwrap();
        let error = image.decode_tile(first_tile()).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { value: 256, limit: 255, .. }), "{error}");
    }

    #[test]
    fn a_huge_tile_is_offered_in_pieces() {
        let sizes: Tags<'_> = &[(256, &[5000]), (257, &[5000]), (322, &[5000]), (323, &[5000])];
        let image = open_bytes(SampleFile::gray(sizes)).unwrap();
        assert_eq!((image.info().tile.width(), image.info().tile.height()), (256, 256));
        assert_eq!(image.info().stored[0].tile.width(), 5000);
    }

    #[test]
    fn a_page_is_opened_without_the_tables_of_the_others() {
        #[derive(Debug)]
        struct Counting(Vec<u8>, AtomicUsize);
        impl ReadAt for Counting {
            fn len_bytes(&self) -> u64 {
                self.0.len_bytes()
            }
            fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
                self.1.fetch_add(buffer.len(), Ordering::Relaxed);
                self.0.read_exact_at(buffer, offset_bytes)
            }
        }
        let mut file = SampleFile::new(ByteOrder::LittleEndian, false);
        let (offsets, lengths) = (vec![8; 20_000], vec![256; 20_000]);
        for _ in 0..100 {
            file.add_gray(&[(324, &offsets), (325, &lengths)]);
        }
        let source = Arc::new(Counting(file.data, AtomicUsize::new(0)));
        let (file, limits) = (Arc::clone(&source), DecodeLimits::default());
        let image = open(file, Slice::page(70), Bands::Shown, &limits).unwrap();
        assert_eq!(image.info().views.horizontal.len(), 100);
        let read = source.1.load(Ordering::Relaxed);
        assert!(read < source.0.len() / 4, "{read} of {} bytes", source.0.len());
    }

    #[test]
    fn strips_are_read_together_and_offered_in_pieces() {
        let (offsets, lengths) = ([8; 50], [3000; 50]);
        let tags: Tags<'_> = &[
            (256, &[300]),
            (257, &[500]),
            (278, &[10]),
            (322, &[]),
            (323, &[]),
            (324, &offsets),
            (325, &lengths),
        ];
        let mut file = SampleFile::gray(tags);
        file.resize(4000, 7);
        let image = open_bytes(file).unwrap();
        let side = |size: Size| (size.width(), size.height());
        let info = image.info();
        assert_eq!(side(info.tile), (256, 256));
        let stored: Vec<_> = info.stored.iter().map(|l| (side(l.size), side(l.tile))).collect();
        assert_eq!(stored, [((300, 500), (300, 220)), ((150, 250), (150, 220))]);
        let last = image.decode_tile(TileAddress { row: 2, ..first_tile() }).unwrap();
        assert_eq!(side(last.size()), (300, 60));
        assert_eq!(image.stored_tile(first_tile(), false).unwrap(), None);
    }

    #[test]
    fn black_and_white_are_told_or_those_of_the_format_or_measured() {
        let one_tile: Tags<'_> = &[(256, &[8]), (257, &[16]), (322, &[8]), (323, &[16])];
        let signed: Tags<'_> = &[(339, &[2])];
        for (tags, expected) in [
            (&[][..], None),
            (&[(341, &[100_u64][..])][..], Some((0.0, 100.0))),
            (&[(341, &[0])], None),
            (&[(340, &[9]), (341, &[9])], None),
            (signed, Some((-128.0, 127.0))),
            (&[one_tile, signed, &[(258, &[16])]].concat()[..], Some((-32_384.0, 32_638.0))),
        ] {
            let image = open_bytes(SampleFile::gray(tags)).unwrap();
            let found = image.info().ranges.first().map(|range| (range.black, range.white));
            assert_eq!(found, expected, "{tags:?}");
        }
    }

    #[test]
    fn a_source_that_fails_is_no_broken_file() {
        #[derive(Debug)]
        struct Failing(Vec<u8>);
        impl ReadAt for Failing {
            fn len_bytes(&self) -> u64 {
                self.0.len_bytes()
            }
            fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
                if buffer.len() == 256 {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                self.0.read_exact_at(buffer, offset_bytes)
            }
        }
        let source = Arc::new(Failing(SampleFile::gray(&[])));
        let image = open(source, Slice::Main, Bands::Shown, &DecodeLimits::default()).unwrap();
        assert!(matches!(image.decode_tile(first_tile()).unwrap_err(), CodecError::Io(_)));
    }
}
