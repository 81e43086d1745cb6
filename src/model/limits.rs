//! `Limits`: what a stranger's request may ask for at most. Protocols advertise them, `plan` holds them.

/// Bounds of one answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Longest side of an answer in pixels (`MAX_CVT`); IIP clamps to it, IIIF refuses above it.
    pub output_side_px_max: u32,
    /// Pixels that one request may have decoded, over all tiles it touches.
    pub source_px_max: u64,
    /// Whether an answer may be larger than the pixels it is made of (`ALLOW_UPSCALING`).
    pub upscaling_allowed: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { output_side_px_max: 5000, source_px_max: 400_000_000, upscaling_allowed: true }
    }
}
