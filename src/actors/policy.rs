//! `Policy`: what answers are made by and may change while the server runs. A request keeps the one that
//! it began with to its end.

use std::time::Duration;

use crate::actors::by_lane::ByLane;
use crate::plan::{PassThrough, Rules};

/// What requests go by.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What may be asked for, and how it is made.
    pub rules: Rules,
    /// How long a request may wait for its turn.
    pub deadlines: ByLane<Duration>,
}

impl Policy {
    /// Stored tiles of more bytes are not passed through.
    pub(super) const fn pass_through_bytes_max(&self) -> Option<u64> {
        match self.rules.pass_through {
            PassThrough::On { bytes_max } => bytes_max,
            PassThrough::Off => None,
        }
    }
}
