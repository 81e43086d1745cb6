//! Code-blocks to coefficients: the entropy decoder of part 1.
//!
//! # Source
//! T.800, annexes C and D.

mod arithmetic;
mod code_block;
mod contexts;
mod passes;
mod raw_bits;
mod stripes;

pub(super) use code_block::{CodeBlock, PLANES_MAX, decode};
pub(super) use contexts::Orientation;
