//! A packet's header: which code-blocks of a precinct it adds to, how many passes, how many bytes. Read
//! layer after layer; written for one layer that holds all.
//!
//! # Source
//! T.800, B.10; T.814, B.3, for part 15.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::bits::{BitReader, BitWriter, ByteSource};
use crate::codecs::jpeg2000::coding::{ComponentCoding, Termination};
use crate::codecs::jpeg2000::grid::{Span, TileComponent, area, bands};
use crate::codecs::jpeg2000::tag_tree::TagTree;
use crate::codecs::jpeg2000::{malformed, unsupported};
use crate::codecs::number::{filled, u64_of, usize_of_bytes};

/// Passes that one header can add to a code-block.
const PASSES_MAX: u32 = 164;
/// Passes of a part 15 code-block: cleanup, significance, refinement.
const HIGH_THROUGHPUT_PASSES_MAX: u32 = 3;
/// Code-blocks of a sub-band of a precinct, some 80 bytes each: those of 32 samples a side, if it is as
/// large as can be.
const BLOCKS_MAX: u64 = 1 << 20;
/// Bits of the lengths of a code-block's segments, at first.
const LENGTH_BITS: u32 = 3;

/// A codeword segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) passes: u32,
    pub(super) bytes: u32,
}

/// What packets said of a code-block so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    /// Planes of bits above the first one that is coded.
    pub(super) zero_planes: u32,
    /// Whole segments.
    whole: Vec<Segment>,
    /// The one that may go on.
    open: Segment,
    passes: u32,
    length_bits: u32,
    /// Bytes that the last packet added.
    pub(super) added: u32,
}

impl Block {
    /// Whether any packet added to it.
    pub(super) const fn is_coded(&self) -> bool {
        0 < self.passes
    }

    /// Bytes that it takes besides its own size.
    pub(super) fn held_bytes(&self) -> u64 {
        u64_of(size_of_val(&*self.whole))
    }

    /// Its segments, as far as packets added to them.
    pub(super) fn segments(&self) -> impl Iterator<Item = Segment> {
        let open = Some(self.open).filter(|open| 0 < open.passes);
        self.whole.iter().copied().chain(open)
    }

    /// Passes that the open segment still takes.
    fn room(&self, termination: Termination) -> u32 {
        let segment = self.whole.len();
        let passes_max = match termination {
            Termination::AtTheEnd => u32::MAX,
            Termination::EveryPass => 1,
            Termination::Bypass if segment == 0 => 10,
            Termination::Bypass => 1 + u32::from(segment % 2 == 1),
            Termination::HighThroughput if segment == 0 => 1,
            Termination::HighThroughput => 2,
        };
        passes_max - self.open.passes.min(passes_max)
    }

    /// Takes passes and the lengths of the segments that they belong to.
    fn add<S: ByteSource>(
        &mut self,
        bits: &mut BitReader<'_, S>,
        mut passes: u32,
        termination: Termination,
    ) -> Result<(), CodecError> {
        self.passes += passes;
        self.length_bits += bits.ones(u32::BITS)?;
        while 0 < passes {
            if self.room(termination) == 0 {
                self.whole.push(std::mem::take(&mut self.open));
            }
            let taken = passes.min(self.room(termination));
            let count = self.length_bits + taken.ilog2();
            if u32::BITS <= count {
                return Err(malformed(format!("a code-block's length has {count} bits")));
            }
            let bytes = bits.number(count)?;
            let overflow = || malformed("a code-block is too long");
            self.added = self.added.checked_add(bytes).ok_or_else(overflow)?;
            self.open.bytes = self.open.bytes.checked_add(bytes).ok_or_else(overflow)?;
            self.open.passes += taken;
            passes -= taken;
        }
        Ok(())
    }
}

/// One sub-band of a precinct.
#[derive(Clone, Debug)]
pub(super) struct PrecinctBand {
    /// Numbers of its code-blocks.
    pub(super) places: [Span; 2],
    /// Row by row.
    pub(super) blocks: Vec<Block>,
    inclusion: TagTree,
    zero_planes: TagTree,
    magnitude_bits: u32,
}

/// A precinct, as far as its packets' headers were read.
#[derive(Clone, Debug)]
pub(super) struct Precinct {
    /// Those of its resolution, empty ones too.
    pub(super) bands: Vec<PrecinctBand>,
    termination: Termination,
}

impl Precinct {
    /// A precinct of which no packet was read.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn new(
        component: &TileComponent<'_>,
        coding: &ComponentCoding,
        resolution: u8,
        place: [u32; 2],
    ) -> Result<Self, CodecError> {
        let bands = bands(resolution).iter().map(|band| {
            let places = component.blocks(resolution, *band, place);
            let [width, height] = places.map(Span::len);
            check_count(area(places))?;
            let count = usize_of_bytes(area(places));
            let block = Block { length_bits: LENGTH_BITS, ..Block::default() };
            let blocks = filled(count, block)?;
            Ok(PrecinctBand {
                places,
                blocks,
                inclusion: TagTree::new(width, height)?,
                zero_planes: TagTree::new(width, height)?,
                magnitude_bits: coding.planes(resolution, band.index),
            })
        });
        let bands = bands.collect::<Result<_, CodecError>>()?;
        Ok(Self { bands, termination: coding.style.termination() })
    }

    /// Reads the header of the packet of one layer; the ones before must have been read. Returns the
    /// bytes of the packet's body.
    ///
    /// # Errors
    /// `Malformed` where it breaks off or says what cannot be; `Unsupported`; `Io`.
    pub(super) fn read<S: ByteSource>(
        &mut self,
        source: &mut S,
        layer: u16,
    ) -> Result<u64, CodecError> {
        let mut bits = BitReader::new(source);
        let mut body_bytes = 0;
        let is_empty = !bits.bit()?;
        for band in &mut self.bands {
            if is_empty {
                band.blocks.iter_mut().for_each(|block| block.added = 0);
            } else {
                body_bytes += band.read(&mut bits, layer, self.termination)?;
            }
        }
        bits.finish()?;
        Ok(body_bytes)
    }
}

impl PrecinctBand {
    fn read<S: ByteSource>(
        &mut self,
        bits: &mut BitReader<'_, S>,
        layer: u16,
        termination: Termination,
    ) -> Result<u64, CodecError> {
        let width = self.places[0].len().max(1);
        let mut body_bytes = 0;
        for (at, block) in (0..).zip(&mut self.blocks) {
            let leaf = (at % width, at / width);
            block.added = 0;
            let is_included = if block.is_coded() {
                bits.bit()?
            } else {
                self.inclusion.read(bits, leaf, u32::from(layer) + 1)?.is_some()
            };
            if !is_included {
                continue;
            }
            if !block.is_coded() {
                block.zero_planes = self.zero_planes.read_whole(bits, leaf)?;
            }
            let passes = read_passes(bits)?;
            check_passes(block, passes, termination, self.magnitude_bits)?;
            block.add(bits, passes, termination)?;
            body_bytes += u64::from(block.added);
        }
        Ok(body_bytes)
    }
}

/// Refuses to keep the state of too many code-blocks.
fn check_count(blocks: u64) -> Result<(), CodecError> {
    if BLOCKS_MAX < blocks {
        let what = "code-blocks of a JPEG 2000 precinct";
        return Err(CodecError::OverLimit { what, value: blocks, limit: BLOCKS_MAX });
    }
    Ok(())
}

/// Refuses more passes than there are planes of bits for.
fn check_passes(
    block: &Block,
    added: u32,
    termination: Termination,
    magnitude_bits: u32,
) -> Result<(), CodecError> {
    let passes = block.passes + added;
    if termination == Termination::HighThroughput {
        let several = HIGH_THROUGHPUT_PASSES_MAX < passes;
        return if several { Err(unsupported("several HT sets in a code-block")) } else { Ok(()) };
    }
    let planes = magnitude_bits.saturating_sub(block.zero_planes);
    // The first plane has a cleanup pass alone.
    if (3 * planes).saturating_sub(2) < passes {
        let what = format!("{passes} passes over {planes} planes of bits in a code-block");
        return Err(malformed(what));
    }
    Ok(())
}

/// Codewords of table B.4.
fn read_passes<S: ByteSource>(bits: &mut BitReader<'_, S>) -> Result<u32, CodecError> {
    for (count, base, last) in [(1, 1, 0), (1, 2, 0), (2, 3, 2), (5, 6, 30)] {
        let number = bits.number(count)?;
        if number <= last {
            return Ok(base + number);
        }
    }
    Ok(37 + bits.number(7)?)
}

fn write_passes(bits: &mut BitWriter, passes: u32) {
    match passes {
        0 | 1 => bits.number(0, 1),
        2 => bits.number(0b10, 2),
        3..=5 => bits.number(0b1100 | (passes - 3), 4),
        6..=36 => bits.number(0b1111 << 5 | (passes - 6), 9),
        _ => bits.number(0b1_1111_1111 << 7 | (passes.min(PASSES_MAX) - 37), 16),
    }
}

/// A sub-band of a precinct that is to be written: how many code-blocks it has along each axis, and
/// those that are coded, by their place.
pub(super) struct WrittenBand<'a> {
    pub(super) size: [u32; 2],
    pub(super) blocks: Vec<([u32; 2], &'a Block)>,
}

/// The header of a packet that holds whole code-blocks, those of `bands` in the order of their rows.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn write(bands: &[WrittenBand<'_>]) -> Result<Vec<u8>, CodecError> {
    let mut bits = BitWriter::default();
    let is_empty = bands.iter().all(|band| band.blocks.is_empty());
    bits.bit(!is_empty);
    if !is_empty {
        for band in bands {
            write_band(&mut bits, band)?;
        }
    }
    Ok(bits.finish())
}

fn write_band(bits: &mut BitWriter, band: &WrittenBand<'_>) -> Result<(), CodecError> {
    let [width, height] = band.size;
    let leaf = |[column, row]: [u32; 2]| (column, row);
    let included = band.blocks.iter().map(|(place, _)| (leaf(*place), 0));
    let mut inclusion = TagTree::of(width, height, included)?;
    let planes = band.blocks.iter().map(|(place, block)| (leaf(*place), block.zero_planes));
    let mut zero_planes = TagTree::of(width, height, planes)?;
    let mut coded = band.blocks.iter().peekable();
    for row in 0..height {
        for column in 0..width {
            inclusion.write(bits, (column, row), 1);
            let Some((_, block)) = coded.next_if(|(place, _)| *place == [column, row]) else {
                continue;
            };
            zero_planes.write(bits, (column, row), block.zero_planes + 1);
            write_passes(bits, block.passes);
            write_lengths(bits, block);
        }
    }
    Ok(())
}

fn write_lengths(bits: &mut BitWriter, block: &Block) {
    let needed = |segment: Segment| {
        let count = u32::BITS - segment.bytes.leading_zeros();
        count.saturating_sub(segment.passes.max(1).ilog2())
    };
    let length_bits = block.segments().map(needed).fold(LENGTH_BITS, u32::max);
    bits.ones(length_bits - LENGTH_BITS);
    for segment in block.segments() {
        bits.number(segment.bytes, length_bits + segment.passes.max(1).ilog2());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_of_passes_is_read_as_it_was_written() {
        let mut writer = BitWriter::default();
        (1..=PASSES_MAX).for_each(|passes| write_passes(&mut writer, passes));
        let bytes = writer.finish();
        let mut source = &bytes[..];
        let mut reader = BitReader::new(&mut source);
        for passes in 1..=PASSES_MAX {
            assert_eq!(read_passes(&mut reader).unwrap(), passes);
        }
    }

    #[test]
    fn passes_fall_into_segments_as_the_style_says() {
        for (termination, expected) in [
            (Termination::AtTheEnd, &[14][..]),
            (Termination::EveryPass, &[1; 14]),
            (Termination::Bypass, &[10, 2, 1, 1]),
        ] {
            let mut writer = BitWriter::default();
            // Twice seven passes, lengths of three bits and those that the passes add.
            for _ in 0..2 {
                writer.ones(0);
                writer.number(0, 64);
            }
            let bytes = writer.finish();
            let mut source = &bytes[..];
            let mut reader = BitReader::new(&mut source);
            let mut block = Block { length_bits: LENGTH_BITS, ..Block::default() };
            block.add(&mut reader, 7, termination).unwrap();
            block.add(&mut BitReader::new(&mut &[0; 16][..]), 7, termination).unwrap();
            let passes: Vec<u32> = block.segments().map(|segment| segment.passes).collect();
            assert_eq!(passes, expected, "{termination:?}");
        }
    }

    #[test]
    fn passes_of_part_15_are_two_segments_however_many_layers_they_come_in() {
        for of_layers in [&[3][..], &[1, 2], &[2, 1], &[1, 1, 1]] {
            let mut block = Block { length_bits: LENGTH_BITS, ..Block::default() };
            for (layer, passes) in (1..).zip(of_layers) {
                let mut writer = BitWriter::default();
                writer.ones(0);
                // A length for each segment that they belong to, of a bit more where there are two.
                let is_first = layer == 1;
                if is_first {
                    writer.number(7, LENGTH_BITS);
                }
                match passes - u32::from(is_first) {
                    0 => {}
                    later => writer.number(5, LENGTH_BITS + later.ilog2()),
                }
                let bytes = writer.finish();
                let mut source = &bytes[..];
                let mut reader = BitReader::new(&mut source);
                block.add(&mut reader, *passes, Termination::HighThroughput).unwrap();
            }
            let found: Vec<Segment> = block.segments().collect();
            let refining = u32::try_from(of_layers.len().max(2) - 1).unwrap() * 5;
            let of_two = if of_layers == [2, 1] { 10 } else { refining };
            let expected = [Segment { passes: 1, bytes: 7 }, Segment { passes: 2, bytes: of_two }];
            assert_eq!(found, expected, "{of_layers:?}");
        }
    }
}
