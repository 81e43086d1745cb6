//! Where marks lie on an answer. An answer larger than a block is cut into blocks, each with a mark of its
//! own; every draw comes out of the answer's seed, so that equal answers are marked alike by every server.

use crate::imaging::mark::Watermark;
use crate::model::{Position, Size};

/// How marks are spread over an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Side of a block in pixels; those at the right and lower edge are larger by what is left over.
    pub side_px: u32,
    /// What all draws come from.
    pub seed: u64,
    /// Pixels left of the answer in the picture that it is a tile of: a tiled pattern begins there.
    pub left_px: u32,
    /// Pixels above it.
    pub top_px: u32,
}

impl Spread {
    /// Blocks of this side over a picture that is no part of another.
    pub const fn whole(side_px: u32) -> Self {
        Self { side_px, seed: 0, left_px: 0, top_px: 0 }
    }
}

/// A part of the mark on the answer: both axes of a rectangle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Imprint {
    pub(super) across: Run,
    pub(super) down: Run,
}

/// One axis: `length` pixels from `at` of the answer are those from `from` of the mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) at: u32,
    pub(super) from: u32,
    pub(super) length: u32,
}

/// One axis of a block.
#[derive(Clone, Copy)]
struct Block {
    index: u32,
    start: u32,
    length: u32,
}

/// All imprints of an answer, those that are cut by their blocks included.
pub(super) fn imprints(
    answer: Size,
    watermark: &Watermark,
    spread: &Spread,
) -> impl Iterator<Item = Imprint> {
    let (side_px, probability) = (spread.side_px.max(1), watermark.probability);
    let seed = spread.seed;
    let rows = blocks(answer.height(), side_px);
    let blocks =
        rows.flat_map(move |row| blocks(answer.width(), side_px).map(move |column| (column, row)));
    blocks.flat_map(move |(column, row)| {
        let mut chance = Chance::of(seed, column.index, row.index);
        let is_marked = chance.share() < probability;
        let (across, down) = if is_marked {
            runs(column, row, watermark, spread, chance)
        } else {
            (Vec::new(), Vec::new())
        };
        down.into_iter().flat_map(move |down| {
            across.clone().into_iter().map(move |across| Imprint { across, down })
        })
    })
}

/// As many whole blocks as there are, the last with what is left over: a sliver of its own would hold but a
/// part of a mark. What is shorter than a block is one.
fn blocks(length: u32, side_px: u32) -> impl Iterator<Item = Block> {
    let count = (length / side_px).max(1);
    (0..count).map(move |index| {
        let start = index.saturating_mul(side_px);
        let end = if index + 1 == count { length } else { start.saturating_add(side_px) };
        Block { index, start, length: end.saturating_sub(start) }
    })
}

/// What of the mark lies on one block, axis by axis.
fn runs(
    column: Block,
    row: Block,
    watermark: &Watermark,
    spread: &Spread,
    mut chance: Chance,
) -> (Vec<Run>, Vec<Run>) {
    let mark = watermark.mark.size();
    // How far a mark may be moved within its block, or, where it is the larger, the block within it.
    let slack_x = column.length.abs_diff(mark.width());
    let slack_y = row.length.abs_diff(mark.height());
    let (x, y) = match watermark.position {
        Position::Tiled => {
            return (
                tiled(column, mark.width(), spread.left_px),
                tiled(row, mark.height(), spread.top_px),
            );
        }
        Position::Random => (chance.up_to(slack_x), chance.up_to(slack_y)),
        Position::Centre => (slack_x / 2, slack_y / 2),
        Position::TopLeft => (0, 0),
        Position::TopRight => (slack_x, 0),
        Position::BottomLeft => (0, slack_y),
        Position::BottomRight => (slack_x, slack_y),
    };
    (vec![once(column, mark.width(), x)], vec![once(row, mark.height(), y)])
}

/// The mark once: `moved` pixels into its block, or, where it is the larger, from that pixel of it on.
fn once(block: Block, side: u32, moved: u32) -> Run {
    if side <= block.length {
        Run { at: block.start.saturating_add(moved), from: 0, length: side }
    } else {
        Run { at: block.start, from: moved, length: block.length }
    }
}

/// The mark again and again, as if it began where the whole picture does.
fn tiled(block: Block, side: u32, before_px: u32) -> Vec<Run> {
    let mut runs = Vec::new();
    let (mut at, end) = (block.start, block.start.saturating_add(block.length));
    while at < end {
        let from = (u64::from(before_px) + u64::from(at)) % u64::from(side);
        // Less than a 32-bit side.
        let from = u32::try_from(from).unwrap_or_default();
        let length = (side - from).min(end - at);
        runs.push(Run { at, from, length });
        at += length;
    }
    runs
}

/// Numbers that look random and come out alike for one block of one answer.
///
/// # Source
/// Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators (OOPSLA 2014): `SplitMix64`.
#[derive(Clone, Copy)]
struct Chance(u64);

impl Chance {
    fn of(seed: u64, column: u32, row: u32) -> Self {
        let block = (u64::from(column) << 32) | u64::from(row);
        Self(seed ^ Self(block).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The upper half, which is the better mixed.
    fn half(&mut self) -> u32 {
        u32::try_from(self.next() >> 32).unwrap_or_default()
    }

    /// 0 or more, less than 1.
    fn share(&mut self) -> f64 {
        f64::from(self.half()) / 4_294_967_296.0
    }

    /// 0 to `most`, all alike likely but for less than one in four billion.
    fn up_to(&mut self, most: u32) -> u32 {
        let drawn = (u64::from(self.half()) * (u64::from(most) + 1)) >> 32;
        u32::try_from(drawn).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::imaging::mark::Mark;
    use crate::imaging::raster::Raster;
    use crate::model::{Blend, ColourModel};

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    fn with(mark: (u32, u32), position: Position, probability: f64) -> Watermark {
        let raster = Raster::zeroed(size(mark.0, mark.1), ColourModel::Gray, false);
        let mark = Arc::new(Mark::of(raster));
        Watermark { mark, blend: Blend::Normal, position, probability, opacity: 1.0 }
    }

    /// Left, top, width and height on the answer.
    fn placed(answer: (u32, u32), with: &Watermark, spread: &Spread) -> Vec<[u32; 4]> {
        let imprints = imprints(size(answer.0, answer.1), with, spread);
        imprints.map(|i| [i.across.at, i.down.at, i.across.length, i.down.length]).collect()
    }

    #[test]
    fn a_corner_is_a_corner_of_each_block() {
        let spread = Spread::whole(100);
        for (position, expected) in [
            (Position::TopLeft, [[0, 0, 30, 20], [100, 0, 30, 20]]),
            (Position::TopRight, [[70, 0, 30, 20], [220, 0, 30, 20]]),
            (Position::BottomLeft, [[0, 60, 30, 20], [100, 60, 30, 20]]),
            (Position::BottomRight, [[70, 60, 30, 20], [220, 60, 30, 20]]),
            (Position::Centre, [[35, 30, 30, 20], [160, 30, 30, 20]]),
        ] {
            let found = placed((250, 80), &with((30, 20), position, 1.0), &spread);
            assert_eq!(found, expected, "{position:?}");
        }
    }

    #[test]
    fn of_a_mark_larger_than_its_block_the_part_at_its_position_is_seen() {
        let spread = Spread { seed: 5, ..Spread::whole(100) };
        let parts = |position| {
            let large = with((300, 20), position, 1.0);
            let imprints = imprints(size(250, 80), &large, &spread);
            imprints
                .map(|Imprint { across, down }| {
                    assert_eq!(down.length, 20);
                    (across.at, across.from, across.length)
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(parts(Position::TopLeft), [(0, 0, 100), (100, 0, 150)]);
        assert_eq!(parts(Position::Centre), [(0, 100, 100), (100, 75, 150)]);
        assert_eq!(parts(Position::BottomRight), [(0, 200, 100), (100, 150, 150)]);
        let random = parts(Position::Random);
        assert!(random.iter().all(|(_, from, length)| from + length <= 300), "{random:?}");
        assert!(random.iter().any(|(_, from, _)| 0 < *from), "{random:?}");
    }

    #[test]
    fn a_tiled_mark_covers_every_pixel_and_goes_on_from_tile_to_tile() {
        let tiled = with((30, 20), Position::Tiled, 1.0);
        let spread = Spread { left_px: 250, top_px: 45, ..Spread::whole(100) };
        let mut covered = vec![0_u8; 150 * 80];
        for Imprint { across, down } in imprints(size(150, 80), &tiled, &spread) {
            assert_eq!((across.from, down.from), ((250 + across.at) % 30, (45 + down.at) % 20));
            for y in down.at..down.at + down.length {
                for x in across.at..across.at + across.length {
                    covered[usize::try_from(y * 150 + x).unwrap()] += 1;
                }
            }
        }
        assert!(covered.iter().all(|count| *count == 1));
    }

    #[test]
    fn a_random_place_is_within_the_block_and_alike_each_time() {
        let random = with((30, 20), Position::Random, 1.0);
        let places = |seed| {
            let spread = Spread { seed, ..Spread::whole(100) };
            placed((400, 300), &random, &spread)
        };
        let found = places(7);
        assert_eq!(found.len(), 12);
        assert_eq!(found, places(7));
        assert_ne!(found, places(8));
        for (block, [left, top, width, height]) in (0..).zip(&found) {
            let (column, row) = (block % 4, block / 4);
            assert!((column * 100..=column * 100 + 70).contains(left), "{found:?}");
            assert!((row * 100..=row * 100 + 80).contains(top), "{found:?}");
            assert_eq!((*width, *height), (30, 20));
        }
        let offsets: Vec<u32> = found.iter().map(|[left, ..]| left % 100).collect();
        assert!(offsets.iter().any(|offset| *offset != offsets[0]), "{offsets:?}");
    }

    #[test]
    fn the_share_of_marked_blocks_is_the_probability() {
        let count = |probability| {
            let some = with((1, 1), Position::Centre, probability);
            placed((1000, 1000), &some, &Spread { seed: 3, ..Spread::whole(10) }).len()
        };
        assert_eq!((count(0.0), count(1.0)), (0, 10_000));
        let quarter = count(0.25);
        assert!((2300..2700).contains(&quarter), "{quarter} of 10000");
    }
}
