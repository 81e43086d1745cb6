//! The two passes below the last plane that the cleanup pass covers: what becomes significant beside what is
//! (`SigProp`), and one more bit of what was (`MagRef`).
//!
//! # Source
//! T.814, 7.4 and 7.5.
#![expect(
    clippy::indexing_slicing,
    reason = "rows and columns are those of whole quads, which values and columns have room for"
)]

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::entropy::high_throughput::bits::Bits;
use crate::codecs::jpeg2000::entropy::high_throughput::magnitudes::{Magnitudes, NEGATIVE};
use crate::codecs::jpeg2000::entropy::high_throughput::quads::{Quads, STRIPE_ROWS};
use crate::codecs::number::zeroed;

/// Columns whose signs follow their significances.
const COLUMNS: usize = 4;
/// In a column of a stripe, the bit of the row above it. Those of its own rows are next, and that of the row
/// below it.
const ABOVE: u8 = 1;
/// The bit of a stripe's first row.
const FIRST: u8 = ABOVE << 1;
/// The bit of the row below a stripe.
const BELOW: u8 = FIRST << STRIPE_ROWS;
/// The first row and those above and below it.
const AROUND_FIRST: u8 = ABOVE | FIRST | FIRST << 1;

/// What is known of a column of a stripe: a bit a row, whether it is significant.
type Column = u8;

/// Adds what becomes significant in the plane that is worth `1 << plane`. In a code-block that `is_causal` no
/// stripe knows of the one below.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn propagate(
    magnitudes: &mut Magnitudes,
    quads: &Quads,
    (stream, plane): (&[u8], u32),
    is_causal: bool,
) -> Result<(), CodecError> {
    let [width, height] = magnitudes.size;
    let stride = magnitudes.stride;
    let mut bits = Bits::forwards(stream, 0)?;
    // One more at either side, which has nothing.
    let mut columns = zeroed(1 + stride + 1)?;
    for (stripe, values) in magnitudes.values.chunks_mut(STRIPE_ROWS * stride).enumerate() {
        let rows = (height - STRIPE_ROWS * stripe).min(STRIPE_ROWS);
        let below = quads.columns(stripe + 1).map(|column| if is_causal { 0 } else { column & 1 });
        let own = quads.columns(stripe).zip(below.chain(std::iter::repeat(0)));
        for (column, (own, below)) in columns[1..].iter_mut().zip(own) {
            *column = *column >> STRIPE_ROWS & ABOVE | (own * FIRST) | (below * BELOW);
        }
        for left in (0..width).step_by(COLUMNS) {
            let size = [COLUMNS.min(width - left), rows];
            let mut word = bits.peek();
            let mut taken = 0;
            let mut next = || {
                let bit = word & 1 == 1;
                word >>= 1;
                taken += 1;
                bit
            };
            let found = find(&mut columns[left..], size, &mut next);
            for (column, found) in found.iter().enumerate().filter(|(_, found)| **found != 0) {
                for row in (0..rows).filter(|row| found >> row & 1 == 1) {
                    let sign = if next() { NEGATIVE } else { 0 };
                    values[row * stride + left + column] = sign | 0b11 << plane;
                }
            }
            bits.skip(taken);
        }
    }
    Ok(())
}

/// Finds what becomes significant in some columns, of which the first has one before it: a bit a row.
#[inline]
fn find(
    columns: &mut [Column],
    [width, rows]: [usize; 2],
    mut next: impl FnMut() -> bool,
) -> [u8; COLUMNS] {
    let mut found = [0; COLUMNS];
    for (at, found) in found.iter_mut().enumerate().take(width) {
        let mut own = columns[at + 1];
        let mut around = columns[at] | own | columns[at + 2];
        if around == 0 {
            continue;
        }
        for row in 0..rows {
            let bit = FIRST << row;
            if own & bit == 0 && around & AROUND_FIRST << row != 0 && next() {
                own |= bit;
                around |= bit;
                *found |= 1 << row;
            }
        }
        columns[at + 1] = own;
    }
    found
}

/// Adds a bit to what is significant by the cleanup pass, in the plane that is worth `1 << plane`.
///
/// # Errors
/// `Io` where memory is short.
pub(super) fn refine(
    magnitudes: &mut Magnitudes,
    quads: &Quads,
    (stream, plane): (&[u8], u32),
) -> Result<(), CodecError> {
    let stride = magnitudes.stride;
    // As if a byte of ones stood behind the stream.
    let mut bits = Bits::backwards(stream, 0xff)?;
    // Halves have the middle of what the bit could be; now they have the bit, and the middle below it.
    let middle = 0b10 << plane;
    for (stripe, values) in magnitudes.values.chunks_mut(STRIPE_ROWS * stride).enumerate() {
        for (column, significant) in quads.columns(stripe).enumerate() {
            let mut word = bits.peek();
            for row in (0..STRIPE_ROWS).filter(|row| significant >> row & 1 == 1) {
                let value = &mut values[row * stride + column];
                *value |= 1 << plane;
                if word & 1 == 0 {
                    *value &= !middle;
                }
                word >>= 1;
            }
            bits.skip(significant.count_ones());
        }
    }
    Ok(())
}
