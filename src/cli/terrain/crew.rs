//! The workers: blocks are made on all cores, in any order, and handed on in order. At most two blocks a
//! worker are on their way, which bounds the memory.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use crossbeam_channel::{Receiver, RecvError, SendError, Sender, bounded};

use crate::cli::terrain::block::Block;
use crate::cli::terrain::error::TerrainError;

type Made = (u32, Result<Block, TerrainError>);

/// Makes the blocks of `range` on `threads` threads and gives them to `keep` in order.
///
/// # Errors
/// The first that `make` or `keep` reports, or that a worker panicked; nothing is kept after it.
pub(super) fn make_in_order(
    range: Range<u32>,
    threads: NonZeroUsize,
    make: &(dyn Fn(u32) -> Result<Block, TerrainError> + Sync),
    keep: &mut dyn FnMut(Block) -> Result<(), TerrainError>,
) -> Result<(), TerrainError> {
    let window = threads.get() * 2;
    thread::scope(|scope| {
        let (jobs, job_queue) = bounded::<u32>(window);
        let (results, result_queue) = bounded::<Made>(window);
        for _ in 0..threads.get() {
            let (job_queue, results) = (job_queue.clone(), results.clone());
            scope.spawn(move || work(&job_queue, &results, make));
        }
        // Only the workers' ends stay open, so that the loop ends when they do.
        drop((job_queue, results));
        hand_on(range, window, &jobs, &result_queue, keep)
    })
}

fn work(
    jobs: &Receiver<u32>,
    results: &Sender<Made>,
    make: &(dyn Fn(u32) -> Result<Block, TerrainError> + Sync),
) {
    for index in jobs {
        let block = panic::catch_unwind(AssertUnwindSafe(|| make(index)));
        let block = block.unwrap_or_else(|_| {
            Err(TerrainError::Worker(format!("block {index} ended in a panic")))
        });
        // Nobody waits any more: the one who did has met an error.
        if results.send((index, block)).is_err() {
            return;
        }
    }
}

fn hand_on(
    range: Range<u32>,
    window: usize,
    jobs: &Sender<u32>,
    results: &Receiver<Made>,
    keep: &mut dyn FnMut(Block) -> Result<(), TerrainError>,
) -> Result<(), TerrainError> {
    let lost = |_: SendError<u32>| TerrainError::Worker("nobody takes work".to_owned());
    let gone = |_: RecvError| TerrainError::Worker("all workers are gone".to_owned());
    let mut ahead = range.clone();
    let mut early = BTreeMap::new();
    for index in ahead.by_ref().take(window) {
        jobs.send(index).map_err(lost)?;
    }
    for index in range {
        let block = loop {
            if let Some(block) = early.remove(&index) {
                break block;
            }
            let (found, block) = results.recv().map_err(gone)?;
            early.insert(found, block);
        };
        keep(block?)?;
        if let Some(next) = ahead.next() {
            jobs.send(next).map_err(lost)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terrain::block::blank;

    fn block(index: u32) -> Block {
        Block { tiles: vec![index.to_le_bytes().to_vec()], rest: blank(2) }
    }

    fn run(
        make: &(dyn Fn(u32) -> Result<Block, TerrainError> + Sync),
        mut keep: impl FnMut(u32) -> Result<(), TerrainError>,
    ) -> Result<(), TerrainError> {
        let mut keep = |block: Block| {
            let bytes: [u8; 4] = block.tiles[0].as_slice().try_into().unwrap();
            keep(u32::from_le_bytes(bytes))
        };
        make_in_order(3..50, NonZeroUsize::new(3).unwrap(), make, &mut keep)
    }

    #[test]
    fn blocks_come_in_order_whoever_made_them() {
        let mut kept = Vec::new();
        run(&|index| Ok(block(index)), |index| {
            kept.push(index);
            Ok(())
        })
        .unwrap();
        assert_eq!(kept, (3..50).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_ends_the_work_and_nothing_is_kept_after_it() {
        let mut kept = Vec::new();
        let make = |index| if index == 7 { Err(TerrainError::Side(7)) } else { Ok(block(index)) };
        let error = run(&make, |index| {
            kept.push(index);
            Ok(())
        });
        assert!(matches!(error, Err(TerrainError::Side(7))), "{error:?}");
        assert_eq!(kept, [3, 4, 5, 6]);
        let error = run(&|index| Ok(block(index)), |_| Err(TerrainError::Stopped));
        assert!(matches!(error, Err(TerrainError::Stopped)), "{error:?}");
    }

    #[test]
    fn a_panic_is_an_error_and_no_hang() {
        let make = |index: u32| {
            assert!(index < 9, "a worker's panic, on purpose");
            Ok(block(index))
        };
        let error = run(&make, |_| Ok(()));
        assert!(matches!(error, Err(TerrainError::Worker(_))), "{error:?}");
    }
}
