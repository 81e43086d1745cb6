//! PNG out.

mod encoder;

pub(super) use encoder::encode;
