//! The tiles of an area, from wherever they come, as one raster of the image's sample type.

use std::borrow::Borrow;

use crate::imaging::error::ImagingError;
use crate::imaging::mosaic::{Mosaic, Shrink};
use crate::imaging::pixels::Pixels;
use crate::imaging::sample::Sample;
use crate::model::{ImageInfo, Rect, SampleType, TileAddress};

/// The pixels of `area`, in pixels of the level that the tiles are of, reduced while they arrive; `tile`
/// gives each.
///
/// # Errors
/// What `tile` reports; tiles that are missing, or not of the image's shape and type.
pub fn assemble<P: Borrow<Pixels>, E: From<ImagingError>>(
    info: &ImageInfo,
    (area, shrink): (Rect, Shrink),
    tiles: impl Iterator<Item = TileAddress>,
    tile: impl FnMut(TileAddress) -> Result<P, E>,
) -> Result<Pixels, E> {
    match info.samples {
        SampleType::U8 => assemble_of::<u8, P, E>(info, (area, shrink), tiles, tile),
        SampleType::U16 => assemble_of::<u16, P, E>(info, (area, shrink), tiles, tile),
        SampleType::F32 => assemble_of::<f32, P, E>(info, (area, shrink), tiles, tile),
    }
}

fn assemble_of<T: Sample, P: Borrow<Pixels>, E: From<ImagingError>>(
    info: &ImageInfo,
    (area, shrink): (Rect, Shrink),
    tiles: impl Iterator<Item = TileAddress>,
    mut tile: impl FnMut(TileAddress) -> Result<P, E>,
) -> Result<Pixels, E> {
    let mut mosaic = Mosaic::<T>::new(area, shrink, info.colour, info.alpha);
    for at in tiles {
        let Some(rect) = info.tile_rect(at) else { continue };
        let tile = tile(at)?;
        let found = tile.borrow().sample_type();
        mosaic.add(T::unwrap(tile.borrow()).ok_or(ImagingError::SampleType { found })?, rect)?;
    }
    Ok(T::wrap(mosaic.finish()?))
}
