//! `tessera terrain`: a gigapixel world that the program computes and writes as a tiled pyramid, so that a
//! newcomer has something to zoom. The same seed gives the same bytes, whatever interrupted the work.
//!
//! ```text
//! world -> relief (coarse grid of a block) -> paint (tiles) -> block (levels, JPEG) -> partial (disk)
//!       -> upper levels -> directories -> rename
//! ```

mod block;
mod crew;
pub mod error;
mod journal;
mod layout;
mod noise;
mod paint;
mod palette;
mod partial;
pub mod progress;
mod relief;
mod spline;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;

use crate::cli::terrain::block::{blank, make, reduce};
use crate::cli::terrain::layout::{Layout, REST_PX, TILE_PX, grid};
use crate::cli::terrain::paint::Painter;
use crate::cli::terrain::partial::Partial;
use crate::cli::terrain::relief::World;
use crate::codecs::jpeg::abbreviated::AbbreviatedEncoder;
use crate::codecs::tiff::writer::{ALIGNMENT_BYTES, JpegPyramid, WrittenLevel, header};
use crate::imaging::Raster;
use crate::model::{Rect, Size};

pub use crate::cli::terrain::error::TerrainError;
pub use crate::cli::terrain::progress::{Console, Progress};

/// Part of every journal: counts up when the same seed no longer gives the same bytes.
const WORLD_VERSION: u32 = 1;

/// Computes a gigapixel terrain and writes it as a tiled JPEG pyramid (BigTIFF).
///
/// An interrupted run goes on where it stopped when it is started again. A file that is there is left
/// as it is.
#[derive(Args, Clone, Debug)]
pub struct TerrainArgs {
    /// Where to write it.
    #[arg(long, value_name = "FILE", default_value = "terrain.tif")]
    pub out: PathBuf,
    /// Width and height in pixels: a power of two from 256 to 131072.
    #[arg(long, value_name = "PIXELS", default_value_t = TerrainOptions::default().side_px)]
    pub side_px: u32,
    /// Another number is another world.
    #[arg(long, value_name = "NUMBER", default_value_t = TerrainOptions::default().seed)]
    pub seed: u32,
}

/// Which terrain to make, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TerrainOptions {
    /// Width and height in pixels: a power of two from 256 to 131072.
    pub side_px: u32,
    /// What makes it another world.
    pub seed: u32,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// Threads that compute; the picture does not depend on it.
    pub threads: NonZeroUsize,
}

impl Default for TerrainOptions {
    /// 1.07 gigapixels, on all cores.
    fn default() -> Self {
        Self {
            side_px: 32_768,
            seed: 1,
            quality: 75,
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Runs `tessera terrain`.
///
/// # Errors
/// As [`ensure`].
pub fn run(args: &TerrainArgs) -> Result<(), TerrainError> {
    let options =
        TerrainOptions { side_px: args.side_px, seed: args.seed, ..TerrainOptions::default() };
    ensure(&args.out, &options, &Console::new(&args.out))
}

/// Makes the terrain at `path`, unless a file of that name is there already. What an earlier run of the
/// same options left unfinished is gone on with.
///
/// # Errors
/// Options out of range; the disk full or not writable; another process at the same file; stopped by
/// `progress`.
pub fn ensure(
    path: &Path,
    options: &TerrainOptions,
    progress: &dyn Progress,
) -> Result<(), TerrainError> {
    if path.try_exists().map_err(|error| TerrainError::io("look for", path, error))? {
        return partial::remove_journal(path);
    }
    let layout = Layout::new(options.side_px).ok_or(TerrainError::Side(options.side_px))?;
    if !(1..=100).contains(&options.quality) {
        return Err(TerrainError::Quality(options.quality));
    }
    let encoder = AbbreviatedEncoder::new(options.quality)?;
    let mut partial = Partial::open(path, &signature(options), layout)?;
    make_blocks(&mut partial, layout, options, &encoder, progress)?;
    finish(partial, layout, options, &encoder)?;
    progress.end();
    Ok(())
}

/// Names a terrain in its journal: all that its bytes depend on.
fn signature(options: &TerrainOptions) -> String {
    let TerrainOptions { side_px, seed, quality, threads: _ } = options;
    format!("tessera terrain {WORLD_VERSION} side {side_px} seed {seed} quality {quality}\n")
}

fn make_blocks(
    partial: &mut Partial,
    layout: Layout,
    options: &TerrainOptions,
    encoder: &AbbreviatedEncoder,
    progress: &dyn Progress,
) -> Result<(), TerrainError> {
    let block_area_px = u64::from(layout.block_px()) * u64::from(layout.block_px());
    let area_px = |blocks: u32| u64::from(blocks) * block_area_px;
    let painter = Painter::new(World { side_px: options.side_px, seed: options.seed });
    progress.begin(area_px(partial.blocks_done()), area_px(layout.blocks()));
    crew::make_in_order(
        partial.blocks_done()..layout.blocks(),
        options.threads,
        &|index| Ok(make(&painter, encoder, layout, index)?),
        &mut |block| {
            partial.append(&block)?;
            match progress.advance(area_px(partial.blocks_done())) {
                std::ops::ControlFlow::Continue(()) => Ok(()),
                std::ops::ControlFlow::Break(()) => Err(TerrainError::Stopped),
            }
        },
    )
}

/// Adds the levels above the blocks and the directories, and gives the file its name.
fn finish(
    mut partial: Partial,
    layout: Layout,
    options: &TerrainOptions,
    encoder: &AbbreviatedEncoder,
) -> Result<(), TerrainError> {
    let incomplete = || TerrainError::Worker("not all blocks are there".to_owned());
    let mut levels = layout.lower_levels(|block| partial.spans(block)).ok_or_else(incomplete)?;
    levels.extend(upper_levels(&mut partial, layout, encoder)?);
    let at_bytes = partial.data_bytes().next_multiple_of(ALIGNMENT_BYTES);
    let padding = usize::try_from(at_bytes - partial.data_bytes()).unwrap_or(0);
    partial.extend(&vec![0; padding])?;
    let directories = JpegPyramid {
        tile: Size::at_least_one(TILE_PX, TILE_PX),
        levels: &levels,
        tables: encoder.tables(),
        description: &format!("Tessera terrain, seed {}", options.seed),
    }
    .directories(at_bytes)?;
    partial.extend(&directories)?;
    partial.publish(&header(at_bytes))
}

/// Writes the levels that span blocks, made of what each block left for them.
fn upper_levels(
    partial: &mut Partial,
    layout: Layout,
    encoder: &AbbreviatedEncoder,
) -> Result<Vec<WrittenLevel>, TerrainError> {
    let base = joined_rests(partial, layout);
    let mut encoded = Vec::new();
    let mut size = base.size();
    reduce(base, encoder, &mut |tiles| encoded.push(tiles))?;
    let mut levels = Vec::new();
    for tiles in encoded {
        let spans: Result<_, _> = tiles.iter().map(|tile| partial.extend(tile)).collect();
        levels.push(WrittenLevel { size, tiles: spans? });
        size = size.halved_down(1);
    }
    Ok(levels)
}

fn joined_rests(partial: &Partial, layout: Layout) -> Raster {
    let per_side = layout.blocks_per_side();
    let mut joined = blank(per_side * REST_PX);
    for ((row, column), record) in grid(per_side).zip(partial.records()) {
        if let Some(rest) = record.rest_raster() {
            joined.paste(&rest, Rect::whole(rest.size()), column * REST_PX, row * REST_PX);
        }
    }
    joined
}

#[cfg(test)]
mod tests;
