//! JPEG through mozjpeg; the only folder that names it.

pub mod abbreviated;
