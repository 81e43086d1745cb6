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
use std::ops::ControlFlow;
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
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(TerrainError::Stopped),
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
    let mut tiles_by_level = Vec::new();
    let mut size = base.size();
    reduce(base, encoder, &mut |tiles| tiles_by_level.push(tiles))?;
    let mut levels = Vec::new();
    for tiles in tiles_by_level {
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
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU64, Ordering};

    use mozjpeg::Decompress;
    use tiff::decoder::Decoder;
    use tiff::tags::Tag;

    use super::*;
    use crate::cli::terrain::block::halved;
    use crate::model::ColourModel;

    /// What a crash may do to a file.
    type Tear = fn(&mut Vec<u8>);

    /// Stops after so many calls.
    struct StopAfter(AtomicU64);

    impl Progress for StopAfter {
        fn begin(&self, _done_px: u64, _all_px: u64) {}

        fn advance(&self, _done_px: u64) -> ControlFlow<()> {
            match self.0.fetch_sub(1, Ordering::Relaxed) {
                1 => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }

        fn end(&self) {}
    }

    fn never() -> StopAfter {
        StopAfter(AtomicU64::new(u64::MAX))
    }

    fn small() -> TerrainOptions {
        let threads = NonZeroUsize::new(2).unwrap();
        TerrainOptions { side_px: 1024, seed: 5, quality: 75, threads }
    }

    fn made(options: &TerrainOptions) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.tif");
        ensure(&path, options, &never()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
        fs::read(path).unwrap()
    }

    /// One level put together from its tiles, as a reader of the file would.
    fn level(file: &[u8], index: usize) -> Raster {
        let mut decoder = Decoder::new(std::io::Cursor::new(file)).unwrap();
        decoder.seek_to_image(index).unwrap();
        let (width, height) = decoder.dimensions().unwrap();
        let size = Size::new(width, height).unwrap();
        let tables = decoder.get_tag_u8_vec(Tag::JPEGTables).unwrap();
        let offsets = decoder.get_tag_u64_vec(Tag::TileOffsets).unwrap();
        let lengths = decoder.get_tag_u64_vec(Tag::TileByteCounts).unwrap();
        let mut whole = Raster::zeroed(size, ColourModel::Rgb, false);
        let spans = offsets.iter().zip(&lengths).zip(grid(width / TILE_PX));
        for ((offset, length), (row, column)) in spans {
            let [start, len] = [*offset, *length].map(|value| usize::try_from(value).unwrap());
            let body = &file[start + 2..start + len];
            let stream = [&tables[..tables.len() - 2], body].concat();
            let mut jpeg = Decompress::new_mem(&stream).unwrap().rgb().unwrap();
            let samples = jpeg.read_scanlines::<[u8; 3]>().unwrap().concat();
            jpeg.finish().unwrap();
            let tile = Size::new(TILE_PX, TILE_PX).unwrap();
            let tile = Raster::new(tile, ColourModel::Rgb, false, samples).unwrap();
            whole.paste(&tile, Rect::whole(tile.size()), column * TILE_PX, row * TILE_PX);
        }
        whole
    }

    #[test]
    fn each_level_is_the_mean_of_the_one_below() {
        let file = made(&TerrainOptions { quality: 95, ..small() });
        for (index, side_px) in [(0, 1024), (1, 512)] {
            let below = level(&file, index);
            assert_eq!(below.size().width(), side_px);
            let expected = halved(&below);
            let found = level(&file, index + 1);
            let differences = expected
                .samples()
                .iter()
                .zip(found.samples())
                .map(|(a, b)| u64::from(a.abs_diff(*b)));
            let mean =
                differences.sum::<u64>() * 10 / u64::try_from(found.samples().len()).unwrap();
            assert!(mean < 30, "level {index} differs by {mean} tenths on average");
        }
    }

    #[test]
    fn one_seed_is_one_file_and_threads_do_not_count() {
        let first = made(&small());
        let alone = TerrainOptions { threads: NonZeroUsize::MIN, ..small() };
        assert!(first == made(&alone), "threads changed the picture");
        let other = TerrainOptions { seed: 6, ..small() };
        assert!(first != made(&other), "the seed changed nothing");
    }

    #[test]
    fn an_interrupted_run_goes_on_and_gives_the_same_bytes() {
        let whole = made(&small());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.tif");
        for blocks in [1, 5] {
            let stopped = ensure(&path, &small(), &StopAfter(AtomicU64::new(blocks)));
            assert!(matches!(stopped, Err(TerrainError::Stopped)), "{stopped:?}");
            assert!(!path.try_exists().unwrap(), "no unfinished file has the name");
        }
        let partial = Partial::open(&path, &signature(&small()), Layout::new(1024).unwrap());
        assert_eq!(partial.unwrap().blocks_done(), 6);
        ensure(&path, &small(), &never()).unwrap();
        assert!(fs::read(&path).unwrap() == whole, "the resumed file differs");
    }

    #[test]
    fn what_a_crash_tore_is_made_again() {
        let whole = made(&small());
        let tears: [(&str, Tear); 4] = [
            ("t.tif.journal", |bytes| bytes.truncate(bytes.len() - 1)),
            ("t.tif.journal", |bytes| bytes.extend([7; 100])),
            ("t.tif.partial", |bytes| bytes.truncate(bytes.len() - 1)),
            ("t.tif.partial", |bytes| bytes[20] ^= 1),
        ];
        for (name, tear) in tears {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("t.tif");
            ensure(&path, &small(), &StopAfter(AtomicU64::new(3))).unwrap_err();
            let torn = folder.path().join(name);
            let mut bytes = fs::read(&torn).unwrap();
            tear(&mut bytes);
            fs::write(&torn, bytes).unwrap();
            ensure(&path, &small(), &never()).unwrap();
            assert!(fs::read(&path).unwrap() == whole, "{name}");
        }
    }

    #[test]
    fn other_options_begin_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.tif");
        let other = TerrainOptions { seed: 9, ..small() };
        ensure(&path, &other, &StopAfter(AtomicU64::new(3))).unwrap_err();
        ensure(&path, &small(), &never()).unwrap();
        assert!(fs::read(&path).unwrap() == made(&small()), "blocks of two worlds were mixed");
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.tif");
        fs::write(&path, "mine").unwrap();
        ensure(&path, &small(), &never()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn one_process_at_a_time_makes_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.tif");
        let layout = Layout::new(1024).unwrap();
        let held = Partial::open(&path, &signature(&small()), layout).unwrap();
        let error = ensure(&path, &small(), &never()).unwrap_err();
        assert!(matches!(error, TerrainError::Busy(_)), "{error}");
        drop(held);
    }

    #[test]
    fn options_out_of_range_and_folders_that_are_not_there_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let there = folder.path().join("t.tif");
        let nowhere = folder.path().join("no/t.tif");
        for (path, options, expected) in [
            (
                &there,
                TerrainOptions { side_px: 1000, ..small() },
                "power of two from 256 to 131072",
            ),
            (&there, TerrainOptions { quality: 0, ..small() }, "quality is 0; it must be 1 to 100"),
            (&nowhere, small(), "cannot create"),
        ] {
            let error = ensure(path, &options, &never()).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
