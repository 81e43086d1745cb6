//! An open TIFF: the levels' index and what is known of the picture. Nothing in it changes.

use std::fmt;
use std::sync::Arc;

use crate::codecs::number::zeroed;
use crate::codecs::tiff::level::Level;
use crate::codecs::tiff::pyramid::Pyramid;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::{malformed, metadata, stored, tile};
use crate::codecs::{CodecError, Decode, DecodeLimits, StoredTile, jpeg};
use crate::imaging::Raster;
use crate::model::{ImageInfo, ReadAt, Rect, Size, StoredLevel, TileAddress};

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
    /// The sample that stands for tiles that were never written.
    nodata: u8,
    limits: DecodeLimits,
}

/// Opens a TIFF or BigTIFF that holds a tiled image.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let mut structure = Structure::open(Arc::clone(&source), limits)?;
    let pyramid = Pyramid::read(&mut structure, limits)?;
    let nodata = metadata::nodata(&mut structure, &pyramid.full)?;
    let info = Arc::new(describe(&mut structure, &pyramid, limits)?);
    let icc_segments = info.icc.as_deref().map_or(Ok(Vec::new()), jpeg::icc_segments)?;
    let (levels, limits) = (pyramid.levels, limits.clone());
    Ok(Arc::new(TiffImage { source, info, levels, icc_segments, nodata, limits }))
}

fn describe(
    structure: &mut Structure,
    pyramid: &Pyramid,
    limits: &DecodeLimits,
) -> Result<ImageInfo, CodecError> {
    let full = pyramid.levels.first().ok_or_else(|| malformed("there is no image"))?;
    let stored: Vec<StoredLevel> = pyramid
        .levels
        .iter()
        .map(|level| StoredLevel {
            size: level.size,
            tile: level.tile,
            factor: ImageInfo::nominal_factor(full.size, level.size),
            encoding: level.encoding(),
        })
        .collect();
    let tile = offered_tile(full.tile);
    Ok(ImageInfo {
        container: structure.container(),
        size: full.size,
        tile,
        levels: ImageInfo::ladder(&stored, tile),
        stored,
        colour: full.layout.colour(),
        alpha: full.layout.alpha.is_some(),
        bits: 8,
        icc: metadata::icc(structure, &pyramid.full, limits)?,
        resolution: metadata::resolution(structure, &pyramid.full)?,
    })
}

fn offered_tile(stored: Size) -> Size {
    if stored.longer() <= OFFERED_TILE_SIDE_PX_MAX {
        stored
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

    fn decode(&self, at: TileAddress) -> Result<Raster, CodecError> {
        let (level, rect) = self.find(at)?;
        let (colour, alpha) = (self.info.colour, self.info.alpha);
        let samples = match level.extent(at.column, at.row)? {
            Some(extent) => tile::decode(level, &*self.source, extent, rect.size(), &self.limits)?,
            None => self.missing(Raster::samples_len(rect.size(), colour, alpha))?,
        };
        Raster::new(rect.size(), colour, alpha, samples)
            .map_err(|error| malformed(error.to_string()))
    }

    /// A tile that was never written: its colours the nodata value, its alpha 0.
    fn missing(&self, len: usize) -> Result<Vec<u8>, CodecError> {
        let mut samples = zeroed(len)?;
        if self.nodata != 0 {
            let colours = usize::from(self.info.colour.bands());
            for pixel in samples.chunks_exact_mut(usize::from(self.info.bands())) {
                pixel.iter_mut().take(colours).for_each(|sample| *sample = self.nodata);
            }
        }
        Ok(samples)
    }

    fn complete(&self, at: TileAddress, icc: bool) -> Result<Option<StoredTile>, CodecError> {
        let (level, rect) = self.find(at)?;
        let extent = level.extent(at.column, at.row)?;
        let Some(extent) =
            extent.filter(|_| rect.size() == level.tile && stored::is_possible(level))
        else {
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

    fn decode_tile(&self, at: TileAddress) -> Result<Raster, CodecError> {
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
