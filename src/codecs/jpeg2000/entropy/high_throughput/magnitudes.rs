//! The magnitudes and signs of what quads say is significant: as many bits each as the largest exponent of
//! their quad has, but for a highest one that is known.
//!
//! # Source
//! T.814, 7.1.2 and 7.3.7 to 7.3.8.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::entropy::high_throughput::bits::{Bits, PEEKED_BITS};
use crate::codecs::jpeg2000::entropy::high_throughput::quads::{Quad, Quads};
use crate::codecs::jpeg2000::entropy::stripes::signed;
use crate::codecs::jpeg2000::malformed;
use crate::codecs::number::filled;

/// The bit of a coefficient's sign.
pub(super) const NEGATIVE: u32 = 1 << 31;
/// The largest exponent for which one look at the stream is enough for a quad.
const SHORT_MAX: u32 = PEEKED_BITS / 4;

/// The coefficients of a code-block: magnitudes in halves, their signs in the highest bit.
#[derive(Debug)]
pub(in crate::codecs::jpeg2000) struct Magnitudes {
    pub(super) size: [usize; 2],
    /// Row by row, of whole quads.
    pub(super) values: Vec<u32>,
    /// Values of a row.
    pub(super) stride: usize,
}

impl Magnitudes {
    /// Those of a code-block that are all zero.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn zero(size: [usize; 2]) -> Result<Self, CodecError> {
        let [width, height] = size;
        let stride = width.next_multiple_of(4);
        let values = filled(stride * height.next_multiple_of(2), 0)?;
        Ok(Self { size, values, stride })
    }

    /// Reads those of quads from the stream at the head of the cleanup pass. The last plane of bits that it
    /// covers is worth `1 << plane`; with it there are `planes`.
    ///
    /// # Errors
    /// `Malformed` where a coefficient has more planes, or is outside; `Io` where memory is short.
    pub(super) fn read(
        size: [usize; 2],
        quads: &Quads,
        stream: &[u8],
        (plane, planes): (u32, u32),
    ) -> Result<Self, CodecError> {
        let mut all = Self::zero(size)?;
        let edges = || filled(quads.across + 1, 0_u32);
        let (mut above, mut below) = (edges()?, edges()?);
        let bits = Bits::forwards(stream, u64::MAX)?;
        let mut reader = Reader { bits, plane, exponent_max: planes + 1 };
        let rows = all.values.chunks_exact_mut(2 * all.stride);
        for ((at, quads), rows) in quads.rows().enumerate().zip(rows) {
            let [columns, rows_left] = [size[0], size[1] - 2 * at];
            if is_outside(quads, columns, rows_left) {
                return Err(malformed("an HT code-block has coefficients outside of it"));
            }
            reader.read_row(quads, rows, (&above, &mut below))?;
            std::mem::swap(&mut above, &mut below);
        }
        Ok(all)
    }

    /// The coefficients of each row, in halves.
    pub(in crate::codecs::jpeg2000) fn rows(
        &self,
    ) -> impl Iterator<Item = impl Iterator<Item = i32>> {
        let [width, height] = self.size;
        let rows = self.values.chunks_exact(self.stride).take(height);
        rows.map(move |row| row.iter().take(width).map(|value| signed(*value)))
    }
}

/// Whether a row of quads has anything right of a code-block's columns or below its rows.
fn is_outside(quads: &[Quad], columns: usize, rows: usize) -> bool {
    let below = if rows == 1 { 0b1010 } else { 0 };
    let right = |at: usize| match columns.saturating_sub(2 * at) {
        0 => 0b1111,
        1 => 0b1100,
        _ => 0,
    };
    quads.iter().enumerate().any(|(at, quad)| quad.code.significant() & (below | right(at)) != 0)
}

struct Reader {
    bits: Bits,
    plane: u32,
    exponent_max: u32,
}

impl Reader {
    /// Reads two rows of coefficients. The exponents of the row above them, each the larger one of two that
    /// meet where quads do, say what is expected; those of the lower row are left for the next.
    fn read_row(
        &mut self,
        quads: &[Quad],
        rows: &mut [u32],
        (above, below): (&[u32], &mut [u32]),
    ) -> Result<(), CodecError> {
        let (upper, lower) = rows.split_at_mut(rows.len() / 2);
        let columns = upper.as_chunks_mut().0.iter_mut().zip(lower.as_chunks_mut().0);
        let (last_edge, edges) = below.split_last_mut().unzip();
        let neighbours = above.iter().zip(above.iter().skip(1)).zip(edges.unwrap_or_default());
        let mut left = 0;
        for ((quad, (upper, lower)), (above, edge)) in quads.iter().zip(columns).zip(neighbours) {
            if quad.code.significant() == 0 {
                *edge = left;
                left = 0;
                continue;
            }
            let exponent = u32::from(quad.offset) + expected(*quad, above);
            if self.exponent_max < exponent {
                return Err(malformed("a quad of an HT code-block has more planes than there are"));
            }
            let [upper_left, lower_left, upper_right, lower_right] = self.quad(*quad, exponent);
            *upper = [self.value(upper_left), self.value(upper_right)];
            *lower = [self.value(lower_left), self.value(lower_right)];
            *edge = left.max(lower_left.exponent());
            left = lower_right.exponent();
        }
        if let Some(edge) = last_edge {
            *edge = left;
        }
        Ok(())
    }

    /// Reads the coefficients of a quad.
    #[inline]
    fn quad(&mut self, quad: Quad, exponent: u32) -> [Coded; 4] {
        let counts = [0, 1, 2, 3].map(|at| {
            let at_bit = |pattern: u8| u32::from(pattern >> at & 1);
            let count = exponent.wrapping_sub(at_bit(quad.code.known()));
            at_bit(quad.code.significant()) * count
        });
        let mut coded = [Coded::default(); 4];
        let mut bits = self.bits.peek();
        let mut taken = 0;
        for (at, (coded, count)) in coded.iter_mut().zip(counts).enumerate() {
            let at_bit = |pattern: u8| u32::from(pattern >> at & 1);
            let (is_there, highest) =
                (at_bit(quad.code.significant()), at_bit(quad.code.highest()));
            *coded = Coded::of(bits, count, is_there, highest);
            bits >>= count;
            taken += count;
            if SHORT_MAX < exponent {
                self.bits.skip(std::mem::take(&mut taken));
                bits = self.bits.peek();
            }
        }
        self.bits.skip(taken);
        coded
    }

    /// A coefficient as it is kept.
    fn value(&self, coded: Coded) -> u32 {
        (coded.magnitude << self.plane) & !NEGATIVE | coded.sign
    }
}

/// The largest exponent of a quad that its neighbours above let expect (equation 5).
fn expected(quad: Quad, (left, right): (&u32, &u32)) -> u32 {
    // Without a branch: what is alone comes as it likes.
    let are_several = u32::from(!quad.code.significant().is_power_of_two());
    1 + are_several * (*left.max(right).max(&2) - 2)
}

/// A coefficient as it is coded: nothing where it is zero.
#[derive(Clone, Copy, Debug, Default)]
struct Coded {
    /// Twice what its magnitude is above one, and one.
    above_one: u32,
    /// In halves, of the last plane that is coded.
    magnitude: u32,
    sign: u32,
}

impl Coded {
    /// What `count` bits say of a coefficient, at most 31, if it `is_there`: the sign stands first.
    #[inline]
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "the low half of the bits is what is meant"
    )]
    fn of(bits: u64, count: u32, is_there: u32, highest: u32) -> Self {
        let mask = is_there.wrapping_neg();
        let low = bits as u32;
        let above = 1 << count;
        let above_one = (low & (above - 1) | above & highest.wrapping_neg() | 1) & mask;
        Self { above_one, magnitude: (above_one.wrapping_add(2)) & mask, sign: (low & mask) << 31 }
    }

    /// Bits of what it is above one.
    fn exponent(self) -> u32 {
        u32::BITS - self.above_one.leading_zeros()
    }
}
