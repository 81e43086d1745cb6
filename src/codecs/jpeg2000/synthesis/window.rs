//! `Window`: the values of a part of a grid.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::grid::{Span, area, zip};
use crate::codecs::number::{filled, usize_of, usize_of_bytes};

/// Values of a part of a grid, row by row from the top.
#[derive(Clone, Debug)]
pub(in crate::codecs::jpeg2000) struct Window<T> {
    /// Columns and rows.
    pub(in crate::codecs::jpeg2000) spans: [Span; 2],
    pub(in crate::codecs::jpeg2000) values: Vec<T>,
}

impl<T: Copy + Default> Window<T> {
    /// A window of zeros.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(in crate::codecs::jpeg2000) fn new(spans: [Span; 2]) -> Result<Self, CodecError> {
        Ok(Self { spans, values: filled(usize_of_bytes(area(spans)), T::default())? })
    }

    /// Values of a row from one column to before another; as many as the window has of them.
    pub(in crate::codecs::jpeg2000) fn row(&self, row: u32, columns: Span) -> &[T] {
        self.range(row, columns).and_then(|range| self.values.get(range)).unwrap_or_default()
    }

    /// The same, to be written.
    pub(in crate::codecs::jpeg2000) fn row_mut(&mut self, row: u32, columns: Span) -> &mut [T] {
        let range = self.range(row, columns);
        range.and_then(|range| self.values.get_mut(range)).unwrap_or_default()
    }

    /// Copies a row from one column to before another; zeros where the window has none of it.
    pub(in crate::codecs::jpeg2000) fn copy_row(&self, row: u32, columns: Span, to: &mut [T]) {
        let own = self.row(row, columns);
        let before = self.spans[0].start.saturating_sub(columns.start);
        let (missing, rest) = to.split_at_mut(usize_of(before).min(to.len()));
        missing.fill(T::default());
        let (there, missing) = rest.split_at_mut(own.len().min(rest.len()));
        there.iter_mut().zip(own).for_each(|(to, value)| *to = *value);
        missing.fill(T::default());
    }

    fn range(&self, row: u32, columns: Span) -> Option<std::ops::Range<usize>> {
        let [own_columns, own_rows] = self.spans;
        let columns = columns.intersect(own_columns);
        if columns.is_empty() || row < own_rows.start || own_rows.end <= row {
            return None;
        }
        let width = usize_of(own_columns.len());
        let start =
            usize_of(row - own_rows.start) * width + usize_of(columns.start - own_columns.start);
        Some(start..start + usize_of(columns.len()))
    }

    /// What this has of these columns and rows.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(in crate::codecs::jpeg2000) fn cropped(self, spans: [Span; 2]) -> Result<Self, CodecError> {
        let spans = zip(self.spans, spans, Span::intersect);
        if spans == self.spans {
            return Ok(self);
        }
        let mut cropped = Self::new(spans)?;
        let [columns, rows] = spans;
        for row in rows.start..rows.end {
            cropped.row_mut(row, columns).copy_from_slice(self.row(row, columns));
        }
        Ok(cropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_copied_to_its_place_and_zero_where_there_is_none() {
        let spans = [Span::new(3, 6), Span::new(1, 2)];
        let window = Window { spans, values: vec![1, 2, 3] };
        for (row, columns, expected) in [
            (1, Span::new(1, 8), [0, 0, 1, 2, 3, 0, 0].as_slice()),
            (1, Span::new(4, 6), &[2, 3]),
            (1, Span::new(0, 2), &[0, 0]),
            (1, Span::new(7, 9), &[0, 0]),
            (0, Span::new(3, 5), &[0, 0]),
        ] {
            let mut to = vec![9; expected.len()];
            window.copy_row(row, columns, &mut to);
            assert_eq!(to, expected, "row {row}, {columns:?}");
        }
    }
}
