//! AVIF, written: AV1 by rav1e at its fastest, and the HEIF container around it.

mod container;
mod encoder;
mod planes;

pub(super) use encoder::encode;

/// The format's name in errors.
const AVIF: &str = "AVIF";
