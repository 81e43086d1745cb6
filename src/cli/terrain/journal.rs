//! The journal of an unfinished terrain: a line that says which terrain, then one record a block, in
//! order. A record carries the checksum of itself and of its tiles, so that whatever a kill or a power
//! cut leaves behind, only what is whole is believed, and nothing need be synced on the way.

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use crate::cli::terrain::block::Block;
use crate::cli::terrain::layout::{Layout, REST_PX};
use crate::imaging::Raster;
use crate::model::{ColourModel, Size};

/// A finished block as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// Length of each tile, in the order in which they are stored.
    pub(super) tile_bytes: Vec<u32>,
    /// Checksum of all tiles one after the other.
    pub(super) tiles_hash: u64,
    /// What the levels above are made of: red, green, blue of 128x128 pixels.
    pub(super) rest: Vec<u8>,
}

const HASH_BYTES: usize = 8;

impl Record {
    /// The record of a block that was just made.
    pub(super) fn of(block: &Block) -> Self {
        let mut hash = Xxh3::new();
        block.tiles.iter().for_each(|tile| hash.update(tile));
        let tile_bytes =
            block.tiles.iter().map(|tile| u32::try_from(tile.len()).unwrap_or(u32::MAX)).collect();
        let rest = block.rest.samples().to_vec();
        Self { tile_bytes, tiles_hash: hash.digest(), rest }
    }

    /// Bytes of all its tiles.
    pub(super) fn data_bytes(&self) -> u64 {
        self.tile_bytes.iter().copied().map(u64::from).sum()
    }

    /// Length of a record of this layout.
    pub(super) fn encoded_bytes(layout: Layout) -> usize {
        let tiles = usize::try_from(layout.block_tiles()).unwrap_or(usize::MAX);
        tiles * 4 + HASH_BYTES + rest_bytes() + HASH_BYTES
    }

    /// The record as bytes: lengths, tiles' checksum, pixels, checksum of all that.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.tile_bytes.iter().flat_map(|len| len.to_le_bytes()).collect();
        bytes.extend(self.tiles_hash.to_le_bytes());
        bytes.extend(&self.rest);
        bytes.extend(xxh3_64(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a record back; nothing where a byte is not as it was written.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (body, hash) = bytes.split_last_chunk::<HASH_BYTES>()?;
        if xxh3_64(body) != u64::from_le_bytes(*hash) {
            return None;
        }
        let (head, rest) = body.split_at_checked(body.len().checked_sub(rest_bytes())?)?;
        let (lengths, tiles_hash) = head.split_last_chunk::<HASH_BYTES>()?;
        let (lengths, odd) = lengths.as_chunks::<4>();
        odd.is_empty().then(|| Self {
            tile_bytes: lengths.iter().copied().map(u32::from_le_bytes).collect(),
            tiles_hash: u64::from_le_bytes(*tiles_hash),
            rest: rest.to_vec(),
        })
    }

    /// The pixels for the levels above.
    pub(super) fn rest_raster(&self) -> Option<Raster> {
        let size = Size::new(REST_PX, REST_PX)?;
        Raster::new(size, ColourModel::Rgb, false, self.rest.clone()).ok()
    }
}

fn rest_bytes() -> usize {
    Raster::<u8>::samples_len(Size::at_least_one(REST_PX, REST_PX), ColourModel::Rgb, false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::terrain::block::blank;

    #[test]
    fn a_record_is_read_back_or_not_believed() {
        let block = Block { tiles: vec![vec![1; 300], vec![2; 70_000]], rest: blank(REST_PX) };
        let record = Record::of(&block);
        assert_eq!(record.data_bytes(), 70_300);
        let bytes = record.encode();
        assert_eq!(Record::decode(&bytes), Some(record));
        for at in [0, 9, 17, bytes.len() - 1] {
            let mut torn = bytes.clone();
            torn[at] ^= 1;
            assert_eq!(Record::decode(&torn), None, "byte {at}");
        }
        for len in [0, 7, 8, 100, bytes.len() - 1] {
            assert_eq!(Record::decode(&bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn records_of_a_layout_have_one_length() {
        let layout = Layout::new(1024).unwrap();
        let block = Block { tiles: vec![vec![0; 10]], rest: blank(REST_PX) };
        assert_eq!(Record::of(&block).encode().len(), Record::encoded_bytes(layout));
    }
}
