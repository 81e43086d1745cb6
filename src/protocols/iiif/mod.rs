//! IIIF Image API 3.0, 2.1 and 1.1, each at its highest level with what is optional: one part of the address
//! a file.

mod address;
mod canonical;
mod extras;
mod info_json;
mod lower;
mod quality;
mod region;
pub(crate) mod rights;
mod rotation;
mod size;
mod words;

pub(crate) use lower::{parse_mapped, parse_path, parse_query, public_address};
pub use words::Words;
pub(crate) use words::profile_link;

#[cfg(test)]
mod info_tests;
#[cfg(test)]
mod tests;
