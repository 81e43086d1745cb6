//! Decides everything, does nothing: which level, which tiles, which steps, which limits, which key.
#![deny(clippy::disallowed_types)]
