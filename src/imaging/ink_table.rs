//! CMYK bytes to RGB bytes by a table over all four inks: colours at its nodes, and between them the mean of
//! the five nearest corners of a cell. Knows no profile: whoever makes a table says what its nodes are.
//!
//! # Source
//! J. M. Kasson et al., "Performing color space conversions with three-dimensional linear interpolation",
//! Journal of Electronic Imaging 4(3), 1995: cells cut into tetrahedra; here their kin in four dimensions.
#![expect(
    clippy::indexing_slicing,
    reason = "pixel loops: indices are masked, or those of equal arrays"
)]
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "pixel loops: numbers of few bits, none below zero"
)]

use std::fmt;

/// Nodes along one ink: as many as Little CMS takes for four channels.
const NODES: u16 = 17;
/// Nodes of the whole table.
const NODE_COUNT: usize = (NODES as usize).pow(4);
/// From a node to the opposite corner of its cell: one along black, yellow, magenta and cyan.
const OPPOSITE: u16 = 1 + NODES + NODES * NODES + NODES * NODES * NODES;
/// Room for the nodes, and for the index of any corner: an index that is masked is inside.
const LEN: usize = 1 << 17;

/// Pixels that are worked on at once: buffers of a few kilobytes.
const BLOCK: usize = 128;

/// Bits of one colour of a node: 13 for a byte in 32nds, 8 for weights, whose sum is 256.
const LANE_BITS: u32 = 21;
/// Bits of a weighted sum that are less than a byte.
const BELOW_BITS: u32 = 13;
/// A byte of 255 in 32nds, and half a byte, so that cutting off is rounding.
const LARGEST: f32 = 255.0 * 32.0;
const HALF: f32 = 16.0;

/// Colours at the nodes: red, green and blue side by side in one word, so that one multiplication weighs
/// all three.
pub(super) struct InkTable {
    /// `LEN` of them.
    nodes: Vec<u64>,
}

impl InkTable {
    /// Cyan, magenta, yellow and black, each from 0 to 1, of every node in the order of the table.
    pub(super) fn nodes() -> Vec<f32> {
        let stride = usize::from(NODES);
        let strides = [stride.pow(3), stride.pow(2), stride, 1];
        let along = |index: usize, stride: usize| {
            f32::from((index / stride % usize::from(NODES)) as u16) / f32::from(NODES - 1)
        };
        (0..NODE_COUNT).flat_map(|index| strides.map(|stride| along(index, stride))).collect()
    }

    /// A table of the colours that those inks become, each red, green and blue from 0 to 1.
    pub(super) fn new(colours: &[f32]) -> Self {
        let (colours, _) = colours.as_chunks::<3>();
        let mut nodes = vec![0; LEN];
        for (node, colour) in nodes.iter_mut().zip(colours).take(NODE_COUNT) {
            let [red, green, blue] =
                colour.map(|sample| (sample.clamp(0.0, 1.0) * LARGEST + HALF + 0.5) as u64);
            *node = red | green << LANE_BITS | blue << (2 * LANE_BITS);
        }
        Self { nodes }
    }

    /// The colour of each pixel.
    pub(super) fn convert(&self, inks: &[[u8; 4]], colours: &mut [[u8; 3]]) {
        // Of a length that the compiler knows, so that it need not check indices.
        let Some(nodes) = self.nodes.first_chunk() else { return };
        let mut places = Places::new();
        for (inks, colours) in inks.chunks(BLOCK).zip(colours.chunks_mut(BLOCK)) {
            places.find(inks);
            places.weigh(nodes, colours);
        }
    }
}

impl fmt::Debug for InkTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InkTable").finish_non_exhaustive()
    }
}

/// Where the pixels of a block lie among the nodes: their inks, cells, and of the five corners around them
/// the three that differ from cell to cell, and all weights.
struct Places {
    inks: [[i16; BLOCK]; 4],
    /// Of the cell's index, what cyan and magenta say, and what yellow and black say.
    cells: [[u16; BLOCK]; 2],
    corners: [[u16; BLOCK]; 3],
    weights: [[u16; BLOCK]; 5],
}

impl Places {
    const fn new() -> Self {
        Self {
            inks: [[0; BLOCK]; 4],
            cells: [[0; BLOCK]; 2],
            corners: [[0; BLOCK]; 3],
            weights: [[0; BLOCK]; 5],
        }
    }

    /// Loops over arrays of one width, without a branch: compilers make vector instructions of them.
    fn find(&mut self, pixels: &[[u8; 4]]) {
        let [cyan, magenta, yellow, black] = &mut self.inks;
        for (at, pixel) in pixels.iter().take(BLOCK).enumerate() {
            let inks = u32::from_le_bytes(*pixel);
            cyan[at] = (inks & 255) as i16;
            magenta[at] = (inks >> 8 & 255) as i16;
            yellow[at] = (inks >> 16 & 255) as i16;
            black[at] = (inks >> 24) as i16;
        }
        let [upper, lower] = &mut self.cells;
        let [first, second, third] = &mut self.corners;
        let [w0, w1, w2, w3, w4] = &mut self.weights;
        for at in 0..BLOCK {
            let (c, m) = (place(cyan[at]), place(magenta[at]));
            let (y, k) = (place(yellow[at]), place(black[at]));
            upper[at] = ((c >> 8) * NODES as i16 + (m >> 8)) as u16;
            lower[at] = ((y >> 8) * NODES as i16 + (k >> 8)) as u16;
            // The way to the next node, and which ink's it is; the longest way first.
            let (a, b) = sorted((c & 255) << 2, (m & 255) << 2 | 1);
            let (c, d) = sorted((y & 255) << 2 | 2, (k & 255) << 2 | 3);
            let (a, c) = sorted(a, c);
            let (b, d) = sorted(b, d);
            let (b, c) = sorted(b, c);
            w0[at] = (256 - (a >> 2)) as u16;
            w1[at] = ((a >> 2) - (b >> 2)) as u16;
            w2[at] = ((b >> 2) - (c >> 2)) as u16;
            w3[at] = ((c >> 2) - (d >> 2)) as u16;
            w4[at] = (d >> 2) as u16;
            first[at] = stride(a & 3);
            second[at] = stride(a & 3) + stride(b & 3);
            third[at] = OPPOSITE - stride(d & 3);
        }
    }

    fn weigh(&self, nodes: &[u64; LEN], colours: &mut [[u8; 3]]) {
        let [upper, lower] = &self.cells;
        let [first, second, third] = &self.corners;
        let [w0, w1, w2, w3, w4] = &self.weights;
        let row = usize::from(NODES * NODES);
        // Bytes are cut out in a loop of their own: both loops are shorter than one of both.
        let mut sums = [0; BLOCK];
        for (at, sum) in sums.iter_mut().enumerate() {
            let cell = usize::from(upper[at]) * row + usize::from(lower[at]);
            let corner = |offset: u16, weight: u16| {
                nodes[(cell + usize::from(offset)) & (LEN - 1)] * u64::from(weight)
            };
            *sum = corner(0, w0[at])
                + corner(first[at], w1[at])
                + corner(second[at], w2[at])
                + corner(third[at], w3[at])
                + corner(OPPOSITE, w4[at]);
        }
        for (colour, sum) in colours.iter_mut().zip(&sums) {
            *colour = [0, 1, 2].map(|lane| (sum >> (BELOW_BITS + lane * LANE_BITS)) as u8);
        }
    }
}

/// An ink among the nodes, in 256ths of the way from one to the next: `ink * 4096 / 255`, rounded.
const fn place(ink: i16) -> i16 {
    (ink << 4) + ((ink + 8) >> 4)
}

/// The larger first.
fn sorted(a: i16, b: i16) -> (i16, i16) {
    (a.max(b), a.min(b))
}

/// From a node to the next along the ink of this index, without a branch.
const fn stride(ink: i16) -> u16 {
    let (odd, late) = (ink & 1, ink >> 1);
    let cyan = (1 - odd) * (1 - late) * (OPPOSITE - 1 - NODES - NODES * NODES - 1) as i16;
    let magenta = odd * (1 - late) * (NODES * NODES - 1) as i16;
    let yellow = (1 - odd) * late * (NODES - 1) as i16;
    (1 + cyan + magenta + yellow) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table of something linear: what lies between nodes is known.
    fn linear() -> InkTable {
        let nodes = InkTable::nodes();
        let (nodes, _) = nodes.as_chunks::<4>();
        let colours = nodes.iter().flat_map(|&[cyan, magenta, yellow, black]| {
            [cyan, magenta, yellow].map(|ink| 1.0 - ink / 2.0 - black / 2.0)
        });
        InkTable::new(&colours.collect::<Vec<f32>>())
    }

    #[test]
    fn what_is_linear_stays_so_between_nodes() {
        let samples = || (0..=255_u8).step_by(15).chain([1, 7, 16, 128, 254]);
        let inks: Vec<[u8; 4]> = samples()
            .flat_map(|c| samples().map(move |m| [c, m]))
            .flat_map(|[c, m]| samples().map(move |y| [c, m, y]))
            .flat_map(|[c, m, y]| samples().map(move |k| [c, m, y, k]))
            .collect();
        let mut colours = vec![[0; 3]; inks.len()];
        linear().convert(&inks, &mut colours);
        for (&[cyan, magenta, yellow, black], colour) in inks.iter().zip(&colours) {
            for (ink, found) in [cyan, magenta, yellow].into_iter().zip(colour) {
                let exact = 255.0 - f64::from(ink) / 2.0 - f64::from(black) / 2.0;
                let off = (f64::from(*found) - exact).abs();
                assert!(off < 0.6, "{ink} {black}: {found}");
            }
        }
    }

    #[test]
    fn strides_are_those_of_cyan_magenta_yellow_and_black() {
        assert_eq!([0, 1, 2, 3].map(stride), [4913, 289, 17, 1]);
        assert_eq!(OPPOSITE, 4913 + 289 + 17 + 1);
        assert_eq!((place(0), place(255)), (0, 4096));
    }

    #[test]
    fn the_last_block_may_be_short() {
        let table = linear();
        for len in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1] {
            let mut colours = vec![[7; 3]; len];
            table.convert(&vec![[0; 4]; len], &mut colours);
            assert!(colours.iter().all(|colour| *colour == [255; 3]), "{len}");
        }
    }
}
