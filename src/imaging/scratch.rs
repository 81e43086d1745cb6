//! `Scratch`: what one worker keeps from job to job, so that tiles need not make it anew.

use std::fmt;

use fast_image_resize::Resizer;

use crate::imaging::profile::Conversions;

/// A resizer's buffers and the last conversions by profile.
#[derive(Default)]
pub struct Scratch {
    resizer: Resizer,
    /// Conversions by ICC profile.
    pub(super) conversions: Conversions,
}

impl Scratch {
    /// A resizer's buffers above this are given back after a job: a worker keeps what tiles need (a
    /// 512x512 RGBA tile is 1 MiB), not what one large export needed.
    const KEPT_BYTES_MAX: usize = 8 << 20;

    /// Empty buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Resizes, and gives large buffers back.
    pub(super) fn resizing<T>(&mut self, resize: impl FnOnce(&mut Resizer) -> T) -> T {
        let outcome = resize(&mut self.resizer);
        if Self::KEPT_BYTES_MAX < self.resizer.size_of_internal_buffers() {
            self.resizer.reset_internal_buffers();
        }
        outcome
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch")
            .field("kept_bytes", &self.resizer.size_of_internal_buffers())
            .field("conversions", &self.conversions)
            .finish()
    }
}
