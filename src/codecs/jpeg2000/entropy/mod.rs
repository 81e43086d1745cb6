//! Code-blocks to coefficients: the entropy decoders of part 1, and of part 15 in a folder of its own.
//!
//! # Source
//! T.800, annexes C and D.

mod arithmetic;
mod code_block;
mod contexts;
mod eight_bytes;
pub(super) mod high_throughput;
#[cfg(test)]
mod noise;
mod passes;
mod raw_bits;
mod stripes;

pub(super) use code_block::{CodeBlock, PLANES_MAX, decode};
pub(super) use contexts::Orientation;
