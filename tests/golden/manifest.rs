//! What `fixtures.py` made, and how a whole level is read through the codec.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tessera::codecs::{CodecError, Decode, DecodeLimits, open};
use tessera::imaging::{Pixels, Raster, Sample};
use tessera::model::{ReadAt, Rect, SampleType, Selection, Slice, TileAddress};

/// How many files `fixtures.py` makes: none may vanish unnoticed.
pub(crate) const FIXTURES: usize = 621;
/// How many of its files are refused.
pub(crate) const REFUSED: usize = 25;

/// One file and what is in it.
#[derive(Debug, Deserialize)]
pub(crate) struct Fixture {
    pub(crate) file: String,
    /// The row of docs/formats.md that it proves.
    pub(crate) feature: String,
    /// Of the expected pixels.
    pub(crate) bands: usize,
    /// `u8`, `u16` or `f32`: of the expected pixels, in the order of this machine's bytes.
    pub(crate) samples: String,
    /// `gray`, `rgb`, `cmyk` or `lab`; by the number of bands where it is left out.
    pub(crate) colour: Option<String>,
    /// How far a sample may be off: 0 but for lossy codecs and conversions of colour.
    pub(crate) tolerance: f64,
    /// Which page of the file.
    #[serde(default)]
    pub(crate) slice: u32,
    /// Largest first.
    pub(crate) levels: Vec<ExpectedLevel>,
    /// Bytes of the embedded profile, which is then `icc.raw`.
    #[serde(default)]
    pub(crate) icc: usize,
}

/// A file that is refused as unsupported.
#[derive(Debug, Deserialize)]
pub(crate) struct Refused {
    pub(crate) file: String,
    /// The row of docs/formats.md that it proves.
    pub(crate) feature: String,
    /// What the refusal says.
    pub(crate) words: String,
}

/// What `fixtures.py` has written of its files.
#[derive(Debug, Deserialize)]
struct Manifest {
    served: Vec<Fixture>,
    refused: Vec<Refused>,
}

/// A level as an independent decoder sees it.
#[derive(Debug, Deserialize)]
pub(crate) struct ExpectedLevel {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The file of its samples, interleaved, top row first.
    pub(crate) raw: String,
}

/// A path below the folder of the fixtures.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fixtures").join(name)
}

fn manifest() -> Manifest {
    let text = fs::read(path("manifest.json"));
    let text = text.unwrap_or_else(|error| panic!("no fixtures ({error}): run ./dev fixtures"));
    serde_json::from_slice(&text).unwrap()
}

/// All fixtures that are served; fails with the remedy where they were not made.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let fixtures = manifest().served;
    assert_eq!(fixtures.len(), FIXTURES, "fixtures.py and FIXTURES differ: run ./dev fixtures");
    fixtures
}

/// All fixtures that are refused.
pub(crate) fn refused() -> Vec<Refused> {
    let refused = manifest().refused;
    assert_eq!(refused.len(), REFUSED, "fixtures.py and REFUSED differ: run ./dev fixtures");
    refused
}

/// Opens the main picture of a file that is wholly in memory.
pub(crate) fn open_bytes(bytes: Vec<u8>) -> Result<Arc<dyn Decode>, CodecError> {
    open_slice(bytes, Slice::Main)
}

/// Opens one picture of such a file.
pub(crate) fn open_slice(bytes: Vec<u8>, slice: Slice) -> Result<Arc<dyn Decode>, CodecError> {
    let source: Arc<dyn ReadAt> = Arc::new(bytes);
    let selection = Selection { slice, ..Selection::default() };
    open(source, selection, &DecodeLimits::default())
}

/// Opens a fixture.
pub(crate) fn open_fixture(fixture: &Fixture) -> Arc<dyn Decode> {
    let slice = Slice::page(fixture.slice);
    let image = open_slice(fs::read(path(&fixture.file)).unwrap(), slice);
    image.unwrap_or_else(|error| panic!("{}: {error}", fixture.file))
}

/// How many levels the file itself holds; those that are made of them come after.
pub(crate) fn levels_in_file(image: &dyn Decode) -> usize {
    image.info().stored.iter().filter(|level| level.made_from.is_none()).count()
}

/// The addresses of all tiles of a level.
pub(crate) fn addresses(image: &dyn Decode, stored: usize) -> Vec<TileAddress> {
    let level = image.info().stored[stored];
    let (columns, rows) = level.size.grid(level.tile);
    let row = |row| (0..columns).map(move |column| TileAddress { stored, column, row });
    (0..rows).flat_map(row).collect()
}

/// Decodes every tile of a level into one raster.
pub(crate) fn decode_level(image: &dyn Decode, stored: usize) -> Result<Pixels, CodecError> {
    match image.info().samples {
        SampleType::U8 => decode_level_of::<u8>(image, stored),
        SampleType::U16 => decode_level_of::<u16>(image, stored),
        SampleType::F32 => decode_level_of::<f32>(image, stored),
    }
}

fn decode_level_of<T: Sample>(image: &dyn Decode, stored: usize) -> Result<Pixels, CodecError> {
    let info = image.info();
    let mut whole = Raster::<T>::zeroed(info.stored[stored].size, info.colour, info.alpha);
    for at in addresses(image, stored) {
        let tile = image.decode_tile(at)?;
        let tile = T::unwrap(&tile).unwrap();
        let rect = info.tile_rect(at).unwrap();
        assert_eq!(tile.size(), rect.size(), "{at:?}");
        whole.paste(tile, Rect::whole(tile.size()), rect.left(), rect.top());
    }
    Ok(T::wrap(whole))
}

/// All samples as numbers.
pub(crate) fn numbers(pixels: &Pixels) -> Vec<f64> {
    match pixels {
        Pixels::U8(raster) => raster.samples().iter().map(|&sample| sample.into()).collect(),
        Pixels::U16(raster) => raster.samples().iter().map(|&sample| sample.into()).collect(),
        Pixels::F32(raster) => raster.samples().iter().map(|&sample| sample.into()).collect(),
    }
}

/// The numbers in a file of raw samples of type `u8`, `u16` or `f32`.
pub(crate) fn raw_numbers(name: &str, samples: &str) -> Vec<f64> {
    let bytes = fs::read(path(name)).unwrap();
    match samples {
        "u8" => bytes.iter().map(|&byte| byte.into()).collect(),
        "u16" => bytes.as_chunks().0.iter().map(|&word| u16::from_ne_bytes(word).into()).collect(),
        "f32" => bytes.as_chunks().0.iter().map(|&word| f32::from_ne_bytes(word).into()).collect(),
        other => panic!("{name}: samples of {other}"),
    }
}

/// One rectangle of a level.
pub(crate) fn crop(level: &Raster, rect: Rect) -> Raster {
    let mut part = Raster::zeroed(rect.size(), level.colour(), level.alpha());
    part.paste(level, rect, 0, 0);
    part
}
