//! What is coded of quads, of four coefficients each, before any bit of their magnitudes: which are
//! significant, and what their largest exponent is.
//!
//! # Source
//! T.814, 7.3.1 to 7.3.6.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::entropy::high_throughput::bits::Bits;
use crate::codecs::jpeg2000::entropy::high_throughput::events::Events;
use crate::codecs::jpeg2000::entropy::high_throughput::lookup::{
    Code, IN_FIRST_ROW, IN_OTHER_ROWS, Lookup,
};
use crate::codecs::jpeg2000::entropy::high_throughput::offsets::{Kind, offsets};
use crate::codecs::number::filled;

/// Rows of a stripe.
pub(super) const STRIPE_ROWS: usize = 4;

/// Two columns of two rows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quad {
    pub(super) code: Code,
    /// How far its largest exponent is above what its neighbours say.
    pub(super) offset: u8,
}

/// The quads of a code-block.
#[derive(Debug)]
pub(super) struct Quads {
    /// Row by row.
    quads: Vec<Quad>,
    /// Quads of a row, made even by one that has nothing.
    pub(super) across: usize,
}

impl Quads {
    /// Reads those of a code-block of so many columns and rows from the end of its cleanup pass.
    ///
    /// # Errors
    /// `Io` where memory is short.
    pub(super) fn read([width, height]: [usize; 2], suffix: &[u8]) -> Result<Self, CodecError> {
        let across = 2 * width.div_ceil(4);
        let mut quads = filled(across * height.div_ceil(2), Quad::default())?;
        // The last byte and half of the one before say how long this is.
        let shared = suffix.split_last().map_or(suffix, |(_, rest)| rest);
        let (half, whole) = shared.split_last().map_or((0, shared), |(half, rest)| (*half, rest));
        let events = Events::new(whole.iter().copied().chain(std::iter::once(half | 0x0f)));
        let mut reader = Reader { codes: Bits::backwards_from_half(shared)?, events };
        let mut rows = quads.chunks_exact_mut(across);
        if let Some(mut above) = rows.next() {
            let present = width.div_ceil(2);
            reader.first_row(above, present);
            for row in rows {
                reader.other_row(above, row, present);
                above = row;
            }
        }
        Ok(Self { quads, across })
    }

    /// Those of each row.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Quad]> {
        self.quads.chunks_exact(self.across)
    }

    /// What is significant in each column of a stripe, a bit a row; nothing where there is no such stripe.
    pub(super) fn columns(&self, stripe: usize) -> impl Iterator<Item = u8> {
        let of_stripe = self.quads.chunks(2 * self.across).nth(stripe).unwrap_or_default();
        let (upper, lower) = of_stripe.split_at(self.across.min(of_stripe.len()));
        let lower = lower.iter().copied().chain(std::iter::repeat(Quad::default()));
        upper.iter().zip(lower).flat_map(|(upper, lower)| {
            let (upper, lower) = (upper.code.significant(), lower.code.significant());
            [upper & 0b11 | (lower & 0b11) << 2, upper >> 2 | lower & 0b1100]
        })
    }
}

/// The two streams that say what quads are.
struct Reader<I> {
    codes: Bits,
    events: Events<I>,
}

impl<I: Iterator<Item = u8>> Reader<I> {
    /// Reads the first row, in which so many quads are there.
    fn first_row(&mut self, row: &mut [Quad], present: usize) {
        let mut before = Code::default();
        for (at, pair) in row.as_chunks_mut().0.iter_mut().enumerate() {
            let mut bits = self.codes.peek();
            let one = self.code(&IN_FIRST_ROW, beside(before), bits);
            bits >>= one.len();
            let mut other = Code::default();
            if 2 * at + 1 < present {
                other = self.code(&IN_FIRST_ROW, beside(one), bits);
                bits >>= other.len();
            }
            before = other;
            let kind = match kind(one, other) {
                Kind::Both if self.events.next() => Kind::BothAboveTwo,
                Kind::Both => Kind::BothInFirstRow,
                kind => kind,
            };
            *pair = self.pair([one, other], kind, bits);
        }
    }

    /// Reads a row below another.
    fn other_row(&mut self, above: &[Quad], row: &mut [Quad], present: usize) {
        let mut above = above;
        let (mut before, mut above_before) = (Code::default(), Code::default());
        for (at, pair) in row.as_chunks_mut().0.iter_mut().enumerate() {
            let [above_one, above_other, beyond @ ..] = above else { break };
            let (above_one, above_other) = (above_one.code, above_other.code);
            let above_next = beyond.first().map_or_else(Code::default, |quad| quad.code);
            let between = bottom(above_one, above_other);
            let mut bits = self.codes.peek();
            let context = bottom(above_before, above_one) | right(before) << 1 | between << 2;
            let one = self.code(&IN_OTHER_ROWS, context, bits);
            bits >>= one.len();
            let mut other = Code::default();
            if 2 * at + 1 < present {
                let context = between | right(one) << 1 | bottom(above_other, above_next) << 2;
                other = self.code(&IN_OTHER_ROWS, context, bits);
                bits >>= other.len();
            }
            *pair = self.pair([one, other], kind(one, other), bits);
            (before, above_before, above) = (other, above_other, beyond);
        }
    }

    /// The code of a quad. Where its neighbours have nothing, an event says whether it has.
    #[inline]
    fn code(&mut self, lookup: &Lookup, context: u8, bits: u64) -> Code {
        if context == 0 && !self.events.next() {
            Code::default()
        } else {
            lookup.code(context, bits)
        }
    }

    /// Two quads with their offsets, which stand behind their codes.
    #[inline]
    fn pair(&mut self, codes: [Code; 2], kind: Kind, bits: u64) -> [Quad; 2] {
        let (offsets, len) = offsets(kind, bits);
        let [one, other] = codes;
        self.codes.skip(u32::from(one.len() + other.len() + len));
        let [first, second] = offsets;
        [Quad { code: one, offset: first }, Quad { code: other, offset: second }]
    }
}

/// Which of two quads have an offset.
fn kind(one: Code, other: Code) -> Kind {
    match (one.has_offset(), other.has_offset()) {
        (false, false) => Kind::None,
        (true, false) => Kind::First,
        (false, true) => Kind::Second,
        (true, true) => Kind::Both,
    }
}

/// The context in the first row: what the quad before has (equation 1).
fn beside(before: Code) -> u8 {
    let significant = before.significant();
    significant >> 1 | significant & 1
}

/// Whether a quad has anything in its right column.
fn right(quad: Code) -> u8 {
    u8::from(quad.significant() & 0b1100 != 0)
}

/// Whether two neighbours have anything in the lower row of the columns where they meet.
fn bottom(left: Code, right: Code) -> u8 {
    left.significant() >> 3 & 1 | right.significant() >> 1 & 1
}
