//! Where things are: tile-components, resolutions, sub-bands, precincts and code-blocks. All of it is the
//! same along both axes, so a place is a pair of spans, the horizontal first.
//!
//! # Source
//! T.800, annex B.

use crate::codecs::jpeg2000::coding::CodingStyle;
use crate::codecs::jpeg2000::markers::Siz;

/// From `start` to before `end` along one axis; nothing where they are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Both axes joined.
pub(super) fn zip<A, B, C>([ax, ay]: [A; 2], [bx, by]: [B; 2], join: impl Fn(A, B) -> C) -> [C; 2] {
    [join(ax, bx), join(ay, by)]
}

/// Whether there is nothing along an axis.
pub(super) fn is_empty(spans: [Span; 2]) -> bool {
    spans.iter().any(|span| span.is_empty())
}

/// How many there are in all.
pub(super) fn area(spans: [Span; 2]) -> u64 {
    let [width, height] = spans.map(|span| u64::from(span.len()));
    width * height
}

/// A number that was made by dividing one of 32 bits.
fn small(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// Divided by `2^shift`, rounded up.
fn ceil_shift(value: u32, shift: u32) -> u32 {
    if shift < u64::BITS / 2 + 1 {
        small((u64::from(value) + (1 << shift) - 1) >> shift)
    } else {
        u32::from(value != 0)
    }
}

/// Times `2^shift`, as far as that fits.
fn shift_up(value: u32, shift: u32) -> u64 {
    u64::from(value).saturating_mul(1_u64.checked_shl(shift).unwrap_or(0))
}

impl Span {
    pub(super) const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    pub(super) const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    pub(super) const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// What both have.
    pub(super) fn intersect(self, other: Self) -> Self {
        Self { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// What either has, and what is between.
    pub(super) fn around(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Both ends divided, rounded up: points of this span on a grid with points so far apart.
    pub(super) fn every(self, step: u32) -> Self {
        Self { start: self.start.div_ceil(step), end: self.end.div_ceil(step) }
    }

    /// The same for a distance of `2^shift`.
    pub(super) fn every_power(self, shift: u32) -> Self {
        Self { start: ceil_shift(self.start, shift), end: ceil_shift(self.end, shift) }
    }

    /// Cells of size `2^shift` that this touches.
    pub(super) fn cells(self, shift: u32) -> Self {
        if self.is_empty() {
            return Self { start: 0, end: 0 };
        }
        let start = self.start.checked_shr(shift).unwrap_or(0);
        Self { start, end: ceil_shift(self.end, shift) }
    }

    /// Points of a cell of size `2^shift`.
    fn of_cell(cell: u32, shift: u32) -> Self {
        let end = shift_up(cell, shift).saturating_add(shift_up(1, shift));
        Self { start: small(shift_up(cell, shift)), end: small(end) }
    }
}

/// The tile of this number, on the reference grid.
pub(super) fn tile(siz: &Siz, number: u32) -> [Span; 2] {
    let [columns, _] = siz.tile_grid();
    let columns = columns.max(1);
    let place = [number % columns, number / columns];
    let whole = zip(place, siz.tile, |place, side| u64::from(place) * u64::from(side));
    let begin = zip(whole, siz.tile_start, |offset, start| offset + u64::from(start));
    let spans = zip(begin, siz.tile, |begin, side| {
        Span::new(small(begin), small(begin.saturating_add(side.into())))
    });
    zip(spans, zip(siz.start, siz.end, Span::new), Span::intersect)
}

/// One component of one tile, in its own samples.
#[derive(Clone, Copy, Debug)]
pub(super) struct TileComponent<'a> {
    pub(super) spans: [Span; 2],
    pub(super) style: &'a CodingStyle,
}

/// Which of the four sub-bands: whether it holds the high frequencies along each axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) high: [bool; 2],
    /// Its number within its resolution.
    pub(super) index: usize,
}

/// The sub-bands that a resolution adds: LL alone, or HL, LH, HH.
pub(super) const fn bands(resolution: u8) -> &'static [Band] {
    const LOWEST: [Band; 1] = [Band { high: [false, false], index: 0 }];
    const OTHERS: [Band; 3] = [
        Band { high: [true, false], index: 0 },
        Band { high: [false, true], index: 1 },
        Band { high: [true, true], index: 2 },
    ];
    if resolution == 0 { &LOWEST } else { &OTHERS }
}

impl TileComponent<'_> {
    /// Samples of a resolution.
    pub(super) fn resolution(&self, resolution: u8) -> [Span; 2] {
        let shift = self.style.levels.saturating_sub(resolution);
        self.spans.map(|span| span.every_power(shift.into()))
    }

    /// How often a sub-band of a resolution is halved.
    pub(super) const fn depth(&self, resolution: u8) -> u8 {
        if resolution == 0 { self.style.levels } else { self.style.levels + 1 - resolution }
    }

    /// Coefficients of a sub-band (B-15).
    pub(super) fn band(&self, resolution: u8, band: Band) -> [Span; 2] {
        let depth = u32::from(self.depth(resolution));
        zip(self.spans, band.high, |span, high| {
            if !high {
                return span.every_power(depth);
            }
            // Only sub-bands that were halved once at least hold high frequencies.
            let half = 1_u64 << (depth - 1);
            let edge = |edge: u32| small((u64::from(edge) + half - 1) >> depth);
            Span::new(edge(span.start), edge(span.end))
        })
    }

    /// Numbers of the precincts of a resolution along each axis, counted from the grid's origin.
    pub(super) fn precincts(&self, resolution: u8) -> [Span; 2] {
        let samples = self.resolution(resolution);
        if is_empty(samples) {
            return [Span::new(0, 0); 2];
        }
        zip(samples, self.style.precinct(resolution), |span, exponent| span.cells(exponent.into()))
    }

    /// Numbers of the code-blocks of a precinct along each axis, counted from the grid's origin; none
    /// where an axis has none.
    pub(super) fn blocks(&self, resolution: u8, band: Band, precinct: [u32; 2]) -> [Span; 2] {
        let exponents = self.style.band_precinct(resolution);
        let cell = zip(precinct, exponents, |place, shift| Span::of_cell(place, shift.into()));
        let within = zip(cell, self.band(resolution, band), Span::intersect);
        if is_empty(within) {
            return [Span::new(0, 0); 2];
        }
        zip(within, self.style.block(resolution), |span, shift| span.cells(shift.into()))
    }

    /// Coefficients of a code-block, on the grid of its sub-band, given its column and its row.
    pub(super) fn block_spans(&self, resolution: u8, band: Band, place: [u32; 2]) -> [Span; 2] {
        let cell = zip(place, self.style.block(resolution), |place, shift| {
            Span::of_cell(place, shift.into())
        });
        zip(cell, self.band(resolution, band), Span::intersect)
    }

    /// Where on the reference grid a precinct counts for orders by position (B.12.1.3), given the
    /// component's steps and the tile there.
    pub(super) fn position(
        &self,
        resolution: u8,
        precinct: [u32; 2],
        (step, tile): ([u8; 2], [Span; 2]),
    ) -> [u32; 2] {
        let shift = u32::from(self.style.levels.saturating_sub(resolution));
        let exponents = self.style.precinct(resolution);
        let start = zip(precinct, exponents, |place, exponent| {
            shift_up(place, shift + u32::from(exponent))
        });
        let start = zip(start, step, |start, step| small(start.saturating_mul(step.into())));
        zip(start, tile, |start, tile| start.max(tile.start))
    }
}
