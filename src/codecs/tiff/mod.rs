//! TIFF and BigTIFF.

pub mod writer;
