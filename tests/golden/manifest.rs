//! What `fixtures.py` made, and how a whole level is read through the codec.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use tessera::codecs::{CodecError, Decode, DecodeLimits, open};
use tessera::imaging::Raster;
use tessera::model::{ReadAt, Rect, TileAddress};

/// How many files `fixtures.py` makes: none may vanish unnoticed.
pub(crate) const FIXTURES: usize = 87;

/// One file and what is in it.
#[derive(Debug, Deserialize)]
pub(crate) struct Fixture {
    pub(crate) file: String,
    /// Of the expected pixels.
    pub(crate) bands: usize,
    /// How far a sample may be off: 0 but for lossy codecs and conversions of colour.
    pub(crate) tolerance: u8,
    /// Largest first.
    pub(crate) levels: Vec<ExpectedLevel>,
    /// Bytes of the embedded profile, which is then `icc.raw`.
    #[serde(default)]
    pub(crate) icc: usize,
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

/// All fixtures; fails with the remedy where they were not made.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let text = fs::read(path("manifest.json"));
    let text = text.unwrap_or_else(|error| panic!("no fixtures ({error}): run ./dev fixtures"));
    let fixtures: Vec<Fixture> = serde_json::from_slice(&text).unwrap();
    assert_eq!(fixtures.len(), FIXTURES, "fixtures.py and FIXTURES differ: run ./dev fixtures");
    fixtures
}

/// Opens an image that is wholly in memory.
pub(crate) fn open_bytes(bytes: Vec<u8>) -> Result<Arc<dyn Decode>, CodecError> {
    let source: Arc<dyn ReadAt> = Arc::new(bytes);
    open(source, &DecodeLimits::default())
}

/// Opens a fixture.
pub(crate) fn open_fixture(fixture: &Fixture) -> Arc<dyn Decode> {
    let image = open_bytes(fs::read(path(&fixture.file)).unwrap());
    image.unwrap_or_else(|error| panic!("{}: {error}", fixture.file))
}

/// The addresses of all tiles of a level.
pub(crate) fn addresses(image: &dyn Decode, stored: usize) -> Vec<TileAddress> {
    let level = image.info().stored[stored];
    let (columns, rows) = level.size.grid(level.tile);
    let row = |row| (0..columns).map(move |column| TileAddress { stored, column, row });
    (0..rows).flat_map(row).collect()
}

/// Decodes every tile of a level into one raster.
pub(crate) fn decode_level(image: &dyn Decode, stored: usize) -> Result<Raster, CodecError> {
    let info = image.info();
    let mut whole = Raster::zeroed(info.stored[stored].size, info.colour, info.alpha);
    for at in addresses(image, stored) {
        let tile = image.decode_tile(at)?;
        let rect = info.tile_rect(at).unwrap();
        assert_eq!(tile.size(), rect.size(), "{at:?}");
        whole.paste(&tile, Rect::whole(tile.size()), rect.left(), rect.top());
    }
    Ok(whole)
}

/// One rectangle of a level.
pub(crate) fn crop(level: &Raster, rect: Rect) -> Raster {
    let mut part = Raster::zeroed(rect.size(), level.colour(), level.alpha());
    part.paste(level, rect, 0, 0);
    part
}
