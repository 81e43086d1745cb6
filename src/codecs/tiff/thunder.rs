//! `ThunderScan`: rows of 4-bit pixels as runs, small differences and plain values, two bits of each byte
//! saying which.

/// Differences of two bits, the highest first; the third code stands for no pixel.
const TWO_BITS: [Option<u8>; 4] = [Some(0), Some(1), None, Some(15)];

/// Differences of three bits; the fifth code stands for no pixel.
const THREE_BITS: [Option<u8>; 8] =
    [Some(0), Some(1), Some(2), Some(3), None, Some(13), Some(14), Some(15)];

/// Unpacks into rows of `width_px` pixels in `row_bytes` bytes, two pixels each; how many bytes were
/// filled, whole rows only. Each row begins anew from 0.
pub(super) fn unpack(packed: &[u8], rows: &mut [u8], width_px: usize, row_bytes: usize) -> usize {
    let (mut packed, mut filled) = (packed.iter(), 0);
    for row in rows.chunks_exact_mut(row_bytes.max(1)) {
        let mut writer = Nibbles { row, width_px, at: 0, last: 0 };
        while writer.at < width_px {
            let Some(&code) = packed.next() else { return filled };
            match code >> 6 {
                0 => (0..code & 63).for_each(|_| writer.step(0)),
                1 => [4, 2, 0].iter().for_each(|shift| {
                    let step = TWO_BITS.get(usize::from(code >> shift & 3));
                    step.copied().flatten().into_iter().for_each(|step| writer.step(step));
                }),
                2 => [3, 0].iter().for_each(|shift| {
                    let step = THREE_BITS.get(usize::from(code >> shift & 7));
                    step.copied().flatten().into_iter().for_each(|step| writer.step(step));
                }),
                _ => {
                    writer.last = code & 15;
                    writer.step(0);
                }
            }
        }
        filled += row_bytes;
    }
    filled
}

/// A row under construction.
struct Nibbles<'a> {
    row: &'a mut [u8],
    width_px: usize,
    at: usize,
    last: u8,
}

impl Nibbles<'_> {
    /// Adds the pixel that is so much more than the last, modulo 16.
    fn step(&mut self, more: u8) {
        self.last = (self.last + more) & 15;
        if let Some(byte) = self.row.get_mut(self.at / 2).filter(|_| self.at < self.width_px) {
            *byte |= if self.at.is_multiple_of(2) { self.last << 4 } else { self.last };
        }
        self.at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_differences_and_values_make_rows() {
        // 5, twice more, then +1 -1 and none; a row of 5 pixels in 3 bytes.
        let mut rows = [0; 6];
        let row = [0b1100_0101, 0b0000_0010, 0b0101_1110];
        let filled = unpack(&[&row[..], &row].concat(), &mut rows, 5, 3);
        assert_eq!((filled, rows), (6, [0x55, 0x56, 0x50, 0x55, 0x56, 0x50]));
        // +2, -3 in three bits each.
        let mut rows = [0; 1];
        assert_eq!(unpack(&[0b1001_0101], &mut rows, 2, 1), 1);
        assert_eq!(rows, [0x2f]);
        assert_eq!(unpack(&[1], &mut [0; 2], 3, 2), 0);
    }
}
