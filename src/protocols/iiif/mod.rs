//! IIIF Image API 3.0 and 2.1, level 2: one part of the address a file.

mod address;
mod canonical;
mod info_json;
mod lower;
mod quality;
mod region;
mod rotation;
mod size;
mod words;

pub(crate) use lower::{parse_path, parse_query};
pub use words::Words;

#[cfg(test)]
mod tests;
