//! `ComponentSamples`: the samples of one component that an area needs, put together of what was decoded of
//! several tiles.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::codestream_decoder::Plane;
use crate::codecs::jpeg2000::grid::{Span, area, zip};
use crate::codecs::jpeg2000::malformed;
use crate::codecs::number::{filled, usize_of, usize_of_bytes};

/// Samples of one component, where they are on its own grid.
#[derive(Debug)]
pub(super) struct ComponentSamples {
    /// Its number in the file.
    pub(super) component: usize,
    pub(super) spans: [Span; 2],
    /// Pixels from sample to sample.
    pub(super) step: [u32; 2],
    /// Row by row; none before the first were taken.
    pub(super) samples: Vec<i32>,
}

impl ComponentSamples {
    /// What an area of an image needs.
    ///
    /// # Errors
    /// `Malformed` where the component has no sample.
    pub(super) fn empty(
        component: usize,
        step: [u32; 2],
        image: [Span; 2],
        area: [Span; 2],
    ) -> Result<Self, CodecError> {
        let there = zip(image, step, Span::every);
        if there.iter().any(|span| span.is_empty()) {
            return Err(malformed("a component without samples"));
        }
        let along = zip(area, step, |area, step| (area, step));
        let spans = zip(there, along, |there, (area, step)| {
            // The sample before a pixel stands for it, and the first one for all before.
            let start = (area.start / step).clamp(there.start, there.end - 1);
            Span::new(start, area.end.div_ceil(step).clamp(start + 1, there.end))
        });
        Ok(Self { component, spans, step, samples: Vec::new() })
    }

    /// Takes what was decoded of a virtual tile that had been moved by `shift` pixels.
    ///
    /// # Errors
    /// `Malformed` where a plane has not as many samples as it says; `Io` where memory is short.
    pub(super) fn take(&mut self, plane: Plane, shift: [u32; 2]) -> Result<(), CodecError> {
        let width = usize_of(plane.width);
        if width.checked_mul(usize_of(plane.height)) != Some(plane.samples.len()) {
            return Err(malformed("the decoder gave too few samples"));
        }
        let moved = zip(shift, self.step, |shift, step| shift / step);
        let [across, down] = zip([plane.left, plane.top], moved, u32::saturating_add);
        let own = [
            Span::new(across, across.saturating_add(plane.width)),
            Span::new(down, down.saturating_add(plane.height)),
        ];
        if own == self.spans {
            self.samples = plane.samples;
            return Ok(());
        }
        if self.samples.is_empty() {
            self.samples = filled(usize_of_bytes(area(self.spans)), 0)?;
        }
        let [columns, rows] = zip(own, self.spans, Span::intersect);
        let [to_columns, to_rows] = self.spans;
        let (to_width, len) = (usize_of(to_columns.len()), usize_of(columns.len()));
        for row in rows.start..rows.end {
            let from_start = usize_of(row - down) * width + usize_of(columns.start - across);
            let to_start = usize_of(row - to_rows.start) * to_width
                + usize_of(columns.start - to_columns.start);
            let from = plane.samples.get(from_start..from_start + len);
            let to = self.samples.get_mut(to_start..to_start + len);
            if let (Some(from), Some(to)) = (from, to) {
                to.copy_from_slice(from);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: [Span; 2] = [Span::new(3, 20), Span::new(0, 9)];

    #[test]
    fn an_area_needs_the_samples_before_its_pixels_too() {
        let area = [Span::new(5, 8), Span::new(1, 2)];
        let component = ComponentSamples::empty(1, [2, 2], IMAGE, area).unwrap();
        assert_eq!(component.spans, [Span::new(2, 4), Span::new(0, 1)]);
        let left = [Span::new(3, 4), Span::new(0, 1)];
        let component = ComponentSamples::empty(1, [2, 2], IMAGE, left).unwrap();
        // The first sample is that of column 4.
        assert_eq!(component.spans[0], Span::new(2, 3));
        ComponentSamples::empty(1, [64, 1], [Span::new(3, 20); 2], area).unwrap_err();
    }

    #[test]
    fn planes_land_where_they_belong_and_lying_ones_are_refused() {
        let area = [Span::new(10, 13), Span::new(0, 2)];
        let mut component = ComponentSamples::empty(0, [1, 1], IMAGE, area).unwrap();
        let plane = Plane { left: 3, top: 1, width: 3, height: 1, samples: vec![1, 2, 3] };
        component.take(plane.clone(), [8, 0]).unwrap();
        assert_eq!(component.samples, [0, 0, 0, 0, 1, 2]);
        let lying = Plane { height: 2, ..plane.clone() };
        component.take(lying, [8, 0]).unwrap_err();
        let whole = Plane { left: 10, top: 0, height: 2, samples: (1..7).collect(), ..plane };
        component.take(whole, [0, 0]).unwrap();
        assert_eq!(component.samples, [1, 2, 3, 4, 5, 6]);
    }
}
