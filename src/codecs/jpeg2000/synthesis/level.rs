//! One level of a wavelet backwards: four windows of coefficients to one of the next larger resolution.
//!
//! # Source
//! T.800, F.3.2 to F.3.6.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::grid::{Span, zip};
use crate::codecs::jpeg2000::synthesis::wavelet::Wavelet;
use crate::codecs::jpeg2000::synthesis::window::Window;
use crate::codecs::number::{filled, usize_of};

/// The sub-bands of a level: what it halves further, and what the resolution adds.
#[derive(Debug)]
pub(in crate::codecs::jpeg2000) struct Bands<T> {
    pub(in crate::codecs::jpeg2000) low: Window<T>,
    /// HL, LH, HH.
    pub(in crate::codecs::jpeg2000) high: [Window<T>; 3],
}

/// Where the values along one axis come from.
#[derive(Clone, Copy, Debug)]
struct Axis {
    /// What is made, wanted or not.
    made: Span,
    low: Span,
    high: Span,
}

impl Axis {
    /// What is wanted and what the steps reach from there, as far as the resolution has it.
    fn around<W: Wavelet>(wanted: Span, resolution: Span) -> Self {
        let around =
            Span::new(wanted.start.saturating_sub(W::STEPS), wanted.end.saturating_add(W::STEPS));
        let made = around.intersect(resolution);
        let low = Span::new(made.start.div_ceil(2), made.end.div_ceil(2));
        Self { made, low, high: Span::new(made.start / 2, made.end / 2) }
    }

    /// Whether the first value is a high frequency.
    const fn starts_high(self) -> bool {
        self.made.start % 2 == 1
    }

    /// Whether there are no steps, because a single value has no neighbour.
    const fn is_alone(self) -> bool {
        self.made.len() < 2
    }
}

/// Joins the sub-bands of a resolution that covers `resolution`, for the samples that are wanted. There are
/// more around them, which may be wrong. Where a sub-band has no value, it is zero.
///
/// # Errors
/// `Io` where memory is short.
pub(in crate::codecs::jpeg2000) fn join<W: Wavelet>(
    bands: &Bands<W::Value>,
    wanted: [Span; 2],
    resolution: [Span; 2],
) -> Result<Window<W::Value>, CodecError> {
    let [across, down] = zip(wanted, resolution, Axis::around::<W>);
    let mut joined = Window::new([across.made, down.made])?;
    join_rows::<W>(bands, [across, down], &mut joined)?;
    if down.is_alone() {
        if down.starts_high() {
            joined.values.iter_mut().for_each(|value| *value = W::alone(*value));
        }
    } else {
        join_columns::<W>(&mut joined.values, usize_of(across.made.len()), down.starts_high());
    }
    Ok(joined)
}

/// Joins low and high frequencies along each row, and puts it where its own frequency belongs.
fn join_rows<W: Wavelet>(
    bands: &Bands<W::Value>,
    [across, down]: [Axis; 2],
    joined: &mut Window<W::Value>,
) -> Result<(), CodecError> {
    let [across_high, down_high, both_high] = &bands.high;
    let room = |span: Span| filled(usize_of(span.len()), W::Value::default());
    let (mut low, mut high) = (room(across.low)?, room(across.high)?);
    for row in down.made.start..down.made.end {
        let is_high = row % 2 == 1;
        let (from_low, from_high) =
            if is_high { (down_high, both_high) } else { (&bands.low, across_high) };
        from_low.copy_row(row / 2, across.low, &mut low);
        from_high.copy_row(row / 2, across.high, &mut high);
        let own = (!down.is_alone()).then_some(is_high);
        let along = |is_high: bool| (!across.is_alone()).then_some(is_high);
        W::scale(&mut low, [along(false), own]);
        W::scale(&mut high, [along(true), own]);
        join_row::<W>(&mut low, &mut high, across.starts_high());
        interleave(joined.row_mut(row, across.made), &low, &high, across.starts_high());
    }
    Ok(())
}

/// Runs the steps over one row.
fn join_row<W: Wavelet>(low: &mut [W::Value], high: &mut [W::Value], starts_high: bool) {
    if low.is_empty() || high.is_empty() {
        for value in high {
            *value = W::alone(*value);
        }
        return;
    }
    for step in 0..W::STEPS {
        let of_low = step % 2 == 0;
        let (to, from) = if of_low { (&mut *low, &*high) } else { (&mut *high, &*low) };
        // Whether the neighbour before the first is missing.
        lift_row::<W>(step, to, from, of_low != starts_high);
    }
}

/// One step over a row. Where a neighbour is missing at an end, the other stands for it.
fn lift_row<W: Wavelet>(step: u32, to: &mut [W::Value], from: &[W::Value], first_is_alone: bool) {
    let (Some(first), Some(last)) = (from.first(), from.last()) else { return };
    let (start, rest) = to.split_at_mut(usize::from(first_is_alone).min(to.len()));
    W::lift(step, start, &[*first], &[*first]);
    let both = rest.len().min(from.len() - 1);
    let (middle, end) = rest.split_at_mut(both);
    W::lift(step, middle, from, from.get(1..).unwrap_or_default());
    W::lift(step, end, &[*last], &[*last]);
}

fn interleave<T: Copy>(to: &mut [T], low: &[T], high: &[T], starts_high: bool) {
    let (even, odd) = if starts_high { (high, low) } else { (low, high) };
    let mut pairs = to.chunks_exact_mut(2);
    for (pair, (even, odd)) in pairs.by_ref().zip(even.iter().zip(odd)) {
        pair.copy_from_slice(&[*even, *odd]);
    }
    if let (Some(to), Some(last)) = (pairs.into_remainder().first_mut(), even.last()) {
        *to = *last;
    }
}

/// Runs the steps over all columns at once, row by row. Where a neighbour is missing at an end, the other
/// stands for it.
fn join_columns<W: Wavelet>(values: &mut [W::Value], width: usize, starts_high: bool) {
    let rows = values.len() / width.max(1);
    for step in 0..W::STEPS {
        let of_low = step % 2 == 0;
        for row in (usize::from(of_low == starts_high)..rows).step_by(2) {
            let (above, rest) = values.split_at_mut(row * width);
            let (own, below) = rest.split_at_mut(width);
            let above = above.rchunks_exact(width).next();
            let below = below.chunks_exact(width).next();
            if let (Some(one), Some(other)) = (above.or(below), below.or(above)) {
                W::lift(step, own, one, other);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::jpeg2000::synthesis::wavelet::{Irreversible, Reversible};

    /// F.3.8.2.1.1 as it is written: each sample by its own place, mirrored at both ends.
    fn reversible_by_the_book(mixed: &[i32], start: usize) -> Vec<i32> {
        let (len, end) = (mixed.len(), start + mixed.len());
        if len == 1 {
            return vec![if start.is_multiple_of(2) { mixed[0] } else { mixed[0] / 2 }];
        }
        let mirrored = |at: isize| {
            let (first, last) = (start.cast_signed(), (end - 1).cast_signed());
            let at = if at < first { 2 * first - at } else { at };
            let at = if last < at { 2 * last - at } else { at };
            (at - first).cast_unsigned()
        };
        let mut samples = mixed.to_vec();
        for parity in [0, 1] {
            for at in (start..end).filter(|at| at % 2 == parity) {
                let sum = samples[mirrored(at.cast_signed() - 1)]
                    + samples[mirrored(at.cast_signed() + 1)];
                samples[at - start] += if parity == 0 { -((sum + 2) >> 2) } else { sum >> 1 };
            }
        }
        samples
    }

    /// A column of coefficients as low and high ones, interleaved before.
    fn split(mixed: &[i32], start: u32, end: u32) -> Bands<i32> {
        let column = Span::new(0, 1);
        let of = |parity: u32, rows: Span| {
            let values = (start..end).zip(mixed).filter(|(at, _)| at % 2 == parity);
            let values = values.map(|(_, value)| *value).collect();
            Window { spans: [column, rows], values }
        };
        let nothing = |rows: Span| Window { spans: [Span::new(0, 0), rows], values: Vec::new() };
        let low = Span::new(start.div_ceil(2), end.div_ceil(2));
        let high = Span::new(start / 2, end / 2);
        Bands { low: of(0, low), high: [nothing(low), of(1, high), nothing(high)] }
    }

    #[test]
    fn every_length_and_start_is_joined_as_the_standard_says() {
        for start in 0..4_u32 {
            for len in 1..12 {
                let end = start + len;
                let mixed: Vec<i32> =
                    (start..end).map(|at| i32::try_from(at * 37 % 23).unwrap() * 4 - 40).collect();
                let whole = [Span::new(0, 1), Span::new(start, end)];
                let joined = join::<Reversible>(&split(&mixed, start, end), whole, whole).unwrap();
                let expected = reversible_by_the_book(&mixed, usize_of(start));
                assert_eq!(joined.values, expected, "{len} from {start}");
            }
        }
    }

    #[test]
    fn a_part_is_what_the_whole_has_there() {
        let (start, end) = (3, 60);
        let mixed: Vec<i32> = (start..end).map(|at| i32::try_from(at * 61 % 97).unwrap()).collect();
        let whole = [Span::new(0, 1), Span::new(start, end)];
        let all = join::<Reversible>(&split(&mixed, start, end), whole, whole).unwrap();
        for (from, to) in [(3, 10), (17, 18), (20, 33), (40, 60)] {
            let wanted = [Span::new(0, 1), Span::new(from, to)];
            let part = join::<Reversible>(&split(&mixed, start, end), wanted, whole).unwrap();
            let part = part.cropped(wanted).unwrap();
            let same = &all.values[usize_of(from - start)..usize_of(to - start)];
            assert_eq!(part.values, same, "{from} to {to}");
        }
    }

    #[test]
    fn a_constant_stays_one_and_a_single_high_frequency_is_as_the_standard_has_it() {
        let rows = Span::new(0, 8);
        let low = Window { spans: [Span::new(0, 8), rows], values: vec![7.0_f32; 64] };
        let high = Window { spans: low.spans, values: vec![0.0_f32; 64] };
        let bands = Bands { low, high: [high.clone(), high.clone(), high] };
        let whole = [Span::new(0, 16); 2];
        let joined = join::<Irreversible>(&bands, whole, whole).unwrap();
        assert!(joined.values.iter().all(|value| (value - 7.0).abs() < 1e-4));
        // The taps of the synthesis filter around an odd place (table F.4 run backwards).
        let mut one = bands;
        one.low.values.fill(0.0);
        for row in rows.start..rows.end {
            one.high[0].row_mut(row, Span::new(4, 5))[0] = 1.0;
        }
        let joined = join::<Irreversible>(&one, whole, whole).unwrap();
        let expected = [0.053_5, 0.033_7, -0.156_4, -0.533_7, 1.205_9, -0.533_7];
        for (value, expected) in joined.row(0, Span::new(5, 11)).iter().zip(expected) {
            assert!((value - expected).abs() < 2e-4, "{value} {expected}");
        }
    }
}
