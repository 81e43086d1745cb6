//! Fax codes of one bit a pixel: ITU-T T.4 (Group 3, in one and two dimensions), T.6 (Group 4) and TIFF's
//! own subset of T.4 (TIFF 6.0, section 10). Runs become bits, 1 for black; the tables of codes are
//! those of the `fax` crate.

use std::convert::Infallible;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};

use crate::codecs::CodecError;
use crate::codecs::number::usize_of;
use crate::codecs::tiff::{malformed, unsupported};

/// Which code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaxCode {
    /// One dimension, each row begins at a byte, no marks between them.
    Rle,
    /// A mark before each row.
    Group3 {
        /// Whether a bit after the mark tells rows in one dimension from those told by their changes
        /// from the row above (`T4Options`).
        two_dimensional: bool,
    },
    /// All rows by their changes from the row above.
    Group4,
}

/// Zeros that a mark (`EOL`) begins with at least; no other code has so many.
const MARK_ZEROS: u8 = 11;

/// Fills rows of `row_bytes` bytes of `width_px` pixels; how many bytes were filled, whole rows only.
///
/// # Errors
/// `Malformed` where a code is none; `Unsupported` for uncompressed mode.
pub(super) fn decode(
    code: FaxCode,
    packed: &[u8],
    rows: &mut [u8],
    width_px: usize,
    row_bytes: usize,
) -> Result<usize, CodecError> {
    // The crate's tables look ahead, past the last code.
    let bytes = packed.iter().copied().chain([0; 4]).map(Ok::<u8, Infallible>);
    let (Ok(reader), Ok(width)) = (ByteReader::new(bytes), u32::try_from(width_px)) else {
        return Ok(0);
    };
    let mut decoder =
        Decoder { reader, width, above: Vec::new(), row: Vec::new(), uncompressed: false };
    let mut filled = 0;
    for (index, row) in rows.chunks_exact_mut(row_bytes.max(1)).enumerate() {
        decoder.row.clear();
        let found = match code {
            FaxCode::Rle => decoder.by_runs_to_a_byte(),
            FaxCode::Group3 { two_dimensional } => decoder.after_mark(two_dimensional),
            FaxCode::Group4 => decoder.by_changes(),
        };
        match found {
            Some(Row::Found) => {}
            Some(Row::End) => break,
            None if decoder.uncompressed => return Err(unsupported("fax in uncompressed mode")),
            None => {
                return Err(malformed(format!("fax: row {index} breaks off or has a wrong code")));
            }
        }
        paint(row, &decoder.row, width_px);
        std::mem::swap(&mut decoder.above, &mut decoder.row);
        filled += row_bytes;
    }
    Ok(filled)
}

/// What came where a row is expected.
enum Row {
    Found,
    End,
}

/// Rows as the columns where the colour changes, from white, each beyond the one before and within the
/// width. `None` from its functions is damage.
struct Decoder<I> {
    reader: ByteReader<I>,
    width: u32,
    above: Vec<u32>,
    row: Vec<u32>,
    /// Whether the uncompressed mode was asked for.
    uncompressed: bool,
}

impl<I: Iterator<Item = Result<u8, Infallible>>> Decoder<I> {
    fn skip(&mut self, bits: u8) {
        let Ok(()) = self.reader.consume(bits);
    }

    /// The length of a run: codes of 64 and more, then one of less.
    fn run(&mut self, is_black: bool) -> Option<u32> {
        let mut sum = 0_u32;
        loop {
            let part = if is_black {
                black::decode(&mut self.reader)
            } else {
                white::decode(&mut self.reader)
            }?;
            sum = sum.checked_add(part.into()).filter(|sum| *sum <= self.width)?;
            if part < 64 {
                return Some(sum);
            }
        }
    }

    /// Adds a change of colour; two at one place are none.
    fn change(&mut self, at: u32) {
        if self.row.last() == Some(&at) {
            self.row.pop();
        } else if at < self.width {
            self.row.push(at);
        }
    }

    fn by_runs(&mut self) -> Option<Row> {
        let (mut at, mut is_black) = (0, false);
        while at < self.width {
            at += self.run(is_black)?;
            self.change(at);
            is_black = !is_black;
        }
        (at == self.width).then_some(Row::Found)
    }

    fn by_runs_to_a_byte(&mut self) -> Option<Row> {
        let row = self.by_runs()?;
        self.skip(self.reader.bits_to_byte_boundary());
        Some(row)
    }

    fn after_mark(&mut self, two_dimensional: bool) -> Option<Row> {
        if self.reader.peek(MARK_ZEROS) == Some(0) {
            // Any number of zeros may fill up the row before.
            while self.reader.peek(1) == Some(0) {
                self.skip(1);
            }
            self.skip(1);
        }
        let by_changes = two_dimensional && self.reader.peek(1) == Some(0);
        if two_dimensional {
            self.skip(1);
        }
        if self.reader.peek(MARK_ZEROS).is_none_or(|zeros| zeros == 0) {
            // Marks without rows between them end a page.
            return Some(Row::End);
        }
        if by_changes { self.by_changes() } else { self.by_runs() }
    }

    fn by_changes(&mut self) -> Option<Row> {
        // Where the row is told up to; before the first pixel there is none.
        let (mut at, mut is_black, mut index) = (None, false, 0);
        while at.unwrap_or(0) < self.width {
            let (first, second) = self.changes_above(at, is_black, &mut index);
            match mode::decode(&mut self.reader)? {
                Mode::Pass => at = Some(second),
                Mode::Vertical(off) => {
                    let to = first.checked_add_signed(off.into())?;
                    if to > self.width || to < at.unwrap_or(0) {
                        return None;
                    }
                    self.change(to);
                    (at, is_black) = (Some(to), !is_black);
                }
                Mode::Horizontal => {
                    let start = at.unwrap_or(0);
                    let middle = start + self.run(is_black)?;
                    let end = middle + self.run(!is_black)?;
                    if self.width < end {
                        return None;
                    }
                    self.change(middle);
                    self.change(end);
                    at = Some(end);
                }
                Mode::Extension => {
                    self.uncompressed = true;
                    return None;
                }
                Mode::EOF => return Some(Row::End),
            }
        }
        Some(Row::Found)
    }

    /// The first change above that lies right of `at` and is to the other colour than this one, and the
    /// change after it; `index` is where the last search ended.
    fn changes_above(&self, at: Option<u32>, is_black: bool, index: &mut usize) -> (u32, u32) {
        let lies_right = |change: &u32| at.is_none_or(|at| at < *change);
        while 0 < *index && self.above.get(*index - 1).is_some_and(lies_right) {
            *index -= 1;
        }
        while self.above.get(*index).is_some_and(|change| !lies_right(change)) {
            *index += 1;
        }
        // Changes of even index are to black.
        let first = *index + usize::from(index.is_multiple_of(2) == is_black);
        let change = |index: usize| self.above.get(index).copied().unwrap_or(self.width);
        (change(first), change(first + 1))
    }
}

/// Sets the bits of black pixels in a row of zeros.
fn paint(row: &mut [u8], changes: &[u32], width_px: usize) {
    for pair in changes.chunks(2) {
        let start = pair.first().map_or(width_px, |at| usize_of(*at));
        let end = pair.get(1).map_or(width_px, |at| usize_of(*at)).min(row.len() * 8);
        let (first, last) = (start / 8, end / 8);
        let (head, tail) = (0xff_u8 >> (start % 8), !(0xff_u8 >> (end % 8)));
        if first == last {
            row.iter_mut().skip(first).take(1).for_each(|byte| *byte |= head & tail);
            continue;
        }
        for (at, byte) in row.iter_mut().enumerate().take(last + 1).skip(first) {
            *byte |= if at == first {
                head
            } else if at == last {
                tail
            } else {
                0xff
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL_G3: [FaxCode; 2] =
        [FaxCode::Group3 { two_dimensional: false }, FaxCode::Group3 { two_dimensional: true }];

    /// Bytes of bits, written as such.
    fn bits(text: &str) -> Vec<u8> {
        let bits: Vec<u8> = text.bytes().filter(|b| *b != b' ').map(|b| b - b'0').collect();
        bits.chunks(8)
            .map(|byte| byte.iter().enumerate().map(|(at, b)| b << (7 - at)).sum())
            .collect()
    }

    #[test]
    fn runs_of_one_dimension_become_bits() {
        // White 2, black 3, white 3; at the next byte black 8 after no white.
        let packed = bits("0111 10 1000 000000 00110101 000101 00");
        let mut rows = [0; 2];
        assert_eq!(decode(FaxCode::Rle, &packed, &mut rows, 8, 1).unwrap(), 2);
        assert_eq!(rows, [0b0011_1000, 0xff]);
    }

    #[test]
    fn group_4_tells_rows_by_their_changes() {
        // Horizontal white 2, black 3, then the end right below the end; then all straight below; then
        // one to the right, one to the left.
        let packed = bits("001 0111 10 1 1 1 1 011 010 1 000000000001 000000000001");
        let mut rows = [0; 4];
        assert_eq!(decode(FaxCode::Group4, &packed, &mut rows, 8, 1).unwrap(), 3);
        assert_eq!(rows, [0b0011_1000, 0b0011_1000, 0b0001_0000, 0]);
    }

    #[test]
    fn marks_stand_before_rows_and_end_the_page() {
        let packed = bits("000000000001 0111 10 1000 0000 000000000001 000000000001 000000000001");
        let mut rows = [0; 3];
        assert_eq!(decode(ALL_G3[0], &packed, &mut rows, 8, 1).unwrap(), 1);
        assert_eq!(rows, [0b0011_1000, 0, 0]);
        let packed =
            bits("000000000001 1 0111 10 1000 000000000001 0 1 1 1 000000000001 1 000000000001 1");
        let mut rows = [0; 3];
        assert_eq!(decode(ALL_G3[1], &packed, &mut rows, 8, 1).unwrap(), 2);
        assert_eq!(rows, [0b0011_1000, 0b0011_1000, 0]);
    }

    #[test]
    fn any_bytes_end_in_rows_or_an_error() {
        let mut state = 1_u32;
        let noise: Vec<u8> = (0..4096)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state.to_be_bytes()[0]
            })
            .collect();
        for code in [FaxCode::Rle, FaxCode::Group4, ALL_G3[0], ALL_G3[1]] {
            for start in 0..200 {
                let mut rows = [0; 13 * 40];
                drop(decode(code, &noise[start..], &mut rows, 100, 13));
            }
        }
    }
}
