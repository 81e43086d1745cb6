//! One block of the image: painted tile by tile, halved again and again, encoded. A block depends on
//! nothing but the world and its place, so blocks can be made in any order and on any core.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "pixel loops over rasters whose sides are even"
)]

use crate::cli::terrain::layout::{Layout, TILE_PX, grid};
use crate::cli::terrain::paint::Painter;
use crate::cli::terrain::relief::Relief;
use crate::codecs::CodecError;
use crate::codecs::jpeg::abbreviated::AbbreviatedEncoder;
use crate::imaging::Raster;
use crate::model::{ColourModel, Rect, Size};

/// A finished block.
#[derive(Debug)]
pub(super) struct Block {
    /// Encoded tiles, level by level, row by row.
    pub(super) tiles: Vec<Vec<u8>>,
    /// Its last level halved once more: 128x128 pixels for the levels above.
    pub(super) rest: Raster,
}

/// Makes block `index` of the layout.
///
/// # Errors
/// Where a tile cannot be encoded.
pub(super) fn make(
    painter: &Painter,
    encoder: &AbbreviatedEncoder,
    layout: Layout,
    index: u32,
) -> Result<Block, CodecError> {
    let (left, top) = layout.block_at(index);
    let block_px = layout.block_px();
    let relief = Relief::compute(painter.world(), left, top, block_px);
    let mut tiles = Vec::new();
    let mut half = blank(block_px / 2);
    for (row, column) in grid(block_px / TILE_PX) {
        let at = (left + column * TILE_PX, top + row * TILE_PX);
        let tile = painter.tile(&relief, at);
        tiles.push(encoder.encode(&tile)?);
        let small = halved(&tile);
        half.paste(&small, Rect::whole(small.size()), column * TILE_PX / 2, row * TILE_PX / 2);
    }
    let rest = reduce(half, encoder, &mut |level| tiles.extend(level))?;
    Ok(Block { tiles, rest })
}

/// Encodes a square raster and its halves, each as a level of tiles, as long as they fill a tile; hands
/// back the first that does not.
pub(super) fn reduce(
    mut raster: Raster,
    encoder: &AbbreviatedEncoder,
    keep: &mut dyn FnMut(Vec<Vec<u8>>),
) -> Result<Raster, CodecError> {
    while TILE_PX <= raster.size().width() {
        keep(encode_level(&raster, encoder)?);
        raster = halved(&raster);
    }
    Ok(raster)
}

fn encode_level(level: &Raster, encoder: &AbbreviatedEncoder) -> Result<Vec<Vec<u8>>, CodecError> {
    let size = Size::at_least_one(TILE_PX, TILE_PX);
    let mut tile = blank(TILE_PX);
    grid(level.size().width() / TILE_PX)
        .map(|(row, column)| {
            if let Some(part) = Rect::new(column * TILE_PX, row * TILE_PX, size) {
                tile.paste(level, part, 0, 0);
            }
            encoder.encode(&tile)
        })
        .collect()
}

/// A square of nothing.
pub(super) fn blank(side_px: u32) -> Raster {
    Raster::zeroed(Size::at_least_one(side_px, side_px), ColourModel::Rgb, false)
}

/// Each pixel the mean of four, rounded; both sides must be even.
pub(super) fn halved(raster: &Raster) -> Raster {
    let size = raster.size();
    assert!(
        size.width().is_multiple_of(2) && size.height().is_multiple_of(2),
        "only even sides are halved"
    );
    let mut half = Raster::zeroed(size.halved_down(1), ColourModel::Rgb, false);
    let (row_len, half_row_len) = (raster.row_len(), half.row_len());
    let rows = raster.samples().chunks_exact(row_len * 2);
    for (pair, target) in rows.zip(half.samples_mut().chunks_exact_mut(half_row_len)) {
        let (upper, lower) = pair.split_at(row_len);
        let quads = upper.chunks_exact(6).zip(lower.chunks_exact(6));
        for ((above, below), pixel) in quads.zip(target.chunks_exact_mut(3)) {
            for band in 0..3 {
                let sum = u16::from(above[band])
                    + u16::from(above[band + 3])
                    + u16::from(below[band])
                    + u16::from(below[band + 3]);
                pixel[band] = ((sum + 2) / 4) as u8;
            }
        }
    }
    half
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_is_the_mean_of_four_rounded() {
        let samples = vec![0, 10, 255, 1, 20, 255, 1, 30, 255, 1, 41, 254];
        let size = Size::new(2, 2).unwrap();
        let raster = Raster::new(size, ColourModel::Rgb, false, samples).unwrap();
        assert_eq!(halved(&raster).samples(), [1, 25, 255]);
    }

    #[test]
    fn reduction_ends_below_a_tile() {
        let encoder = AbbreviatedEncoder::new(75).unwrap();
        let mut counts = Vec::new();
        let rest = reduce(blank(1024), &encoder, &mut |level| counts.push(level.len())).unwrap();
        assert_eq!(counts, [16, 4, 1]);
        assert_eq!(rest.size().width(), 128);
    }
}
