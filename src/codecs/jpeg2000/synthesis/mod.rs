//! Coefficients to samples: the wavelets backwards, over windows of their sub-bands.
//!
//! # Source
//! T.800, annexes F and G.

mod level;
mod mixing;
mod wavelet;
mod window;

pub(super) use level::{Bands, join};
pub(super) use mixing::{Values, samples, take_apart};
pub(super) use wavelet::{Irreversible, Reversible, Wavelet, reach};
pub(super) use window::Window;
