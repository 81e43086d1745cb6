//! IIP 1.0 as iipsrv speaks it: a query of commands, executed from left to right.

pub(crate) mod command;
mod error;
pub(crate) mod grammar;
mod lower;
mod objects;
mod samples;
mod words;

pub(crate) use lower::parse;
pub use words::Words;

#[cfg(test)]
mod tests;
