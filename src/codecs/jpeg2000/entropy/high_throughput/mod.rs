//! Code-blocks of part 15 (HTJ2K) to coefficients: one cleanup pass that says all of the planes of bits it
//! covers at once, and at most two passes that refine them by one plane.
//!
//! # Source
//! T.814, clause 7. Where it leaves open what a broken code-block means, it is mostly refused where
//! OpenJPEG refuses it; a stuffed bit that is set is passed over.

mod bits;
mod code_block;
mod codewords;
mod events;
mod lookup;
mod magnitudes;
mod offsets;
mod quads;
mod refinement;

pub(in crate::codecs::jpeg2000) use code_block::{CodeBlock, decode};
