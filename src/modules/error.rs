//! `ModuleError`: why a decoder's process gave no pixels. All but one of the causes end the process.

use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use crate::codecs::CodecError;

/// Why a process gave no answer, or which.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// There is no process.
    #[error("it cannot be started")]
    Start(#[source] io::Error),
    /// It crashed, or went.
    #[error("it ended ({status})")]
    Ended {
        /// With which code, or by which signal.
        status: ExitStatus,
    },
    /// It hangs.
    #[error("it gave no answer within {} s", limit.as_secs_f32())]
    TimedOut {
        /// How long it might have taken.
        limit: Duration,
    },
    /// It said what cannot be.
    #[error("it broke the protocol: {what}")]
    Broke {
        /// What it said.
        what: String,
    },
    /// It is well, and says that the file is not; or we are short of something ourselves.
    #[error(transparent)]
    Refused(#[from] CodecError),
}

impl ModuleError {
    /// A process that says what cannot be.
    pub fn broke(what: impl Into<String>) -> Self {
        Self::Broke { what: what.into() }
    }

    /// Whether it may be the fault of an earlier image, which left the process in disorder.
    pub const fn may_be_inherited(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Broke { .. })
    }

    /// Why the process is ended, as the metric's label has it; nothing where it goes on.
    pub const fn death(&self) -> Option<&'static str> {
        match self {
            Self::Start(_) => Some("start"),
            Self::Ended { .. } => Some("ended"),
            Self::TimedOut { .. } => Some("timeout"),
            Self::Broke { .. } => Some("protocol"),
            Self::Refused(_) => None,
        }
    }
}

impl From<io::Error> for ModuleError {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.into())
    }
}
