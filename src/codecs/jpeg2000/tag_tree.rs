//! Tag trees: numbers of a grid, told bit by bit together with the least of each four, so that what is
//! alike costs little.
//!
//! # Source
//! T.800, B.10.2.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::bits::{BitReader, BitWriter, ByteSource};
use crate::codecs::jpeg2000::malformed;
use crate::codecs::number::{filled, usize_of};

/// No number of a packet header is larger: of layers there are at most 65,535.
const VALUE_MAX: u32 = 1 << 16;

#[derive(Clone, Copy, Debug)]
struct Node {
    /// When reading: the least that it can be; when writing: how far it was told.
    low: u32,
    /// When writing: what it is.
    value: u32,
    /// Whether it is known to be `low`.
    known: bool,
}

/// A tree over a grid of leaves.
#[derive(Clone, Debug)]
pub(super) struct TagTree {
    /// Where each level's nodes begin, leaves first, and how wide it is.
    levels: Vec<(usize, usize)>,
    nodes: Vec<Node>,
}

impl TagTree {
    /// A tree of which nothing is known.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn new(width: u32, height: u32) -> Result<Self, CodecError> {
        let (mut levels, mut count) = (Vec::new(), 0);
        let (mut width, mut height) = (usize_of(width), usize_of(height));
        while 0 < width && 0 < height {
            levels.push((count, width));
            count += width * height;
            if width * height == 1 {
                break;
            }
            (width, height) = (width.div_ceil(2), height.div_ceil(2));
        }
        let nodes = filled(count, Node { low: 0, value: u32::MAX, known: false })?;
        Ok(Self { levels, nodes })
    }

    /// A tree to be written, of these leaves.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn of(
        width: u32,
        height: u32,
        leaves: impl IntoIterator<Item = ((u32, u32), u32)>,
    ) -> Result<Self, CodecError> {
        let mut tree = Self::new(width, height)?;
        for (leaf, value) in leaves {
            for level in 0..tree.levels.len() {
                if let Some(node) = tree.node(level, leaf) {
                    node.value = node.value.min(value);
                }
            }
        }
        Ok(tree)
    }

    /// The node of a level that a leaf is below of.
    fn node(&mut self, level: usize, (column, row): (u32, u32)) -> Option<&mut Node> {
        let (start, width) = self.levels.get(level)?;
        let at = start + (usize_of(row) >> level) * width + (usize_of(column) >> level);
        self.nodes.get_mut(at)
    }

    /// Reads until it is known whether a leaf is below `threshold`: what it is, if so.
    ///
    /// # Errors
    /// `Malformed` where the header breaks off.
    pub(super) fn read<S: ByteSource>(
        &mut self,
        bits: &mut BitReader<'_, S>,
        leaf: (u32, u32),
        threshold: u32,
    ) -> Result<Option<u32>, CodecError> {
        let mut low = 0;
        let mut known = false;
        for level in (0..self.levels.len()).rev() {
            let Some(node) = self.node(level, leaf) else { break };
            node.low = node.low.max(low);
            while node.low < threshold && !node.known {
                if bits.bit()? {
                    node.known = true;
                } else {
                    node.low += 1;
                }
            }
            (low, known) = (node.low, node.known);
        }
        Ok(Some(low).filter(|low| known && *low < threshold))
    }

    /// Reads what a leaf is.
    ///
    /// # Errors
    /// `Malformed` where it is larger than anything, or the header breaks off.
    pub(super) fn read_whole<S: ByteSource>(
        &mut self,
        bits: &mut BitReader<'_, S>,
        leaf: (u32, u32),
    ) -> Result<u32, CodecError> {
        let value = self.read(bits, leaf, VALUE_MAX)?;
        value.ok_or_else(|| malformed("a tag tree without end"))
    }

    /// Writes what [`TagTree::read`] reads for the same threshold.
    pub(super) fn write(&mut self, bits: &mut BitWriter, leaf: (u32, u32), threshold: u32) {
        let mut low = 0;
        for level in (0..self.levels.len()).rev() {
            let Some(node) = self.node(level, leaf) else { return };
            node.low = node.low.max(low);
            while node.low < threshold && !node.known {
                if node.value <= node.low {
                    bits.bit(true);
                    node.known = true;
                } else {
                    bits.bit(false);
                    node.low += 1;
                }
            }
            low = node.low;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_read_as_they_were_written_whatever_the_thresholds() {
        for (width, height) in [(1, 1), (3, 2), (5, 5), (17, 1)] {
            let places = (0..height).flat_map(|row| (0..width).map(move |column| (column, row)));
            let value = |(column, row): (u32, u32)| (column * 7 + row * 5) % 11;
            let leaves = places.clone().map(|place| (place, value(place)));
            let mut tree = TagTree::of(width, height, leaves).unwrap();
            let mut writer = BitWriter::default();
            let thresholds = [3, 5, 12];
            for threshold in thresholds {
                for place in places.clone() {
                    tree.write(&mut writer, place, threshold);
                }
            }
            let bytes = writer.finish();
            let mut source = &bytes[..];
            let mut reader = BitReader::new(&mut source);
            let mut tree = TagTree::new(width, height).unwrap();
            for threshold in thresholds {
                for place in places.clone() {
                    let found = tree.read(&mut reader, place, threshold).unwrap();
                    let expected = Some(value(place)).filter(|value| *value < threshold);
                    assert_eq!(found, expected, "{width}x{height} {place:?} {threshold}");
                }
            }
        }
    }

    #[test]
    fn a_tree_without_end_is_malformed() {
        let zeros = vec![0; 1 << 14];
        let mut source = &zeros[..];
        let mut reader = BitReader::new(&mut source);
        let mut tree = TagTree::new(2, 2).unwrap();
        tree.read_whole(&mut reader, (0, 0)).unwrap_err();
    }
}
