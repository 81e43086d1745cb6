//! What packets said of code-blocks, and where their bytes are.

use std::sync::Arc;

use crate::codecs::jpeg2000::grid::Span;
use crate::codecs::jpeg2000::packet_header::Block;
use crate::codecs::number::{u64_of, usize_of};

/// A code-block, and where its bytes are in the file, and how many.
#[derive(Debug)]
pub(super) struct FoundBlock {
    pub(super) block: Block,
    pub(super) chunks: Vec<(u64, u32)>,
}

/// What the packets of a precinct say.
#[derive(Debug)]
pub(super) struct FoundPrecinct {
    pub(super) bands: Vec<FoundBand>,
}

/// What they say of a sub-band: the numbers of its code-blocks, and those that are coded, row by row.
#[derive(Debug)]
pub(super) struct FoundBand {
    pub(super) places: [Span; 2],
    pub(super) blocks: Vec<Option<Arc<FoundBlock>>>,
}

/// Where a precinct is: its component, its resolution, its column and row.
pub(super) type PrecinctPlace = (usize, u8, [u32; 2]);

/// Where a code-block is: its part, its resolution, the number of its sub-band, its row and column.
pub(super) type BlockPlace = (usize, u8, usize, u32, u32);

impl FoundPrecinct {
    /// Bytes that this takes, about.
    pub(super) fn bytes(&self) -> u64 {
        let of_each = self.bands.iter().flat_map(|band| &band.blocks).map(|block| {
            let coded = block.as_ref().map_or(0, |found| found.bytes());
            u64_of(size_of_val(block)) + coded
        });
        of_each.sum()
    }
}

impl FoundBlock {
    fn bytes(&self) -> u64 {
        u64_of(size_of::<Self>() + size_of_val(&*self.chunks)) + self.block.held_bytes()
    }
}

impl FoundBand {
    /// A code-block by its numbers, if it is coded.
    pub(super) fn block(&self, column: u32, row: u32) -> Option<&Arc<FoundBlock>> {
        let [columns, rows] = self.places;
        let row = usize_of(row.checked_sub(rows.start)?);
        let column = usize_of(column.checked_sub(columns.start)?);
        self.blocks.get(row * usize_of(columns.len()) + column)?.as_ref()
    }
}
