//! `CodecError`: seven causes and no eighth, never one for another.

use std::io;

/// Why bytes did not become pixels, or pixels bytes.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The file breaks its format's rules.
    #[error("malformed {format}: {what}")]
    Malformed {
        /// The format's name.
        format: &'static str,
        /// What is wrong, and where.
        what: String,
    },
    /// The file may be fine; we do not read this feature of it.
    #[error("unsupported {format} feature: {feature}")]
    Unsupported {
        /// The format's name.
        format: &'static str,
        /// The feature's name in the format's own words.
        feature: String,
    },
    /// The file has no such slice; the one who asked for it mends that.
    #[error("there is no {what}")]
    Absent {
        /// What was asked for, with what there is.
        what: String,
    },
    /// More than a limit allows; nothing was allocated.
    #[error("{what} is {value}, over the limit of {limit}")]
    OverLimit {
        /// What was measured, with its unit.
        what: &'static str,
        /// Its value.
        value: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The process that decodes the image crashed, hung, or said what cannot be.
    #[error("the decoder {decoder} failed: {what}")]
    Process {
        /// The decoder's name.
        decoder: String,
        /// What became of it.
        what: String,
    },
    /// The process that decodes the image cannot be started for the moment; the image is not to blame.
    #[error("the decoder {decoder} is not to be had at the moment")]
    Unready {
        /// The decoder's name.
        decoder: String,
    },
    /// The source could not be read.
    #[error("cannot read the image source")]
    Io(#[from] io::Error),
}

impl CodecError {
    /// A broken file.
    pub fn malformed(format: &'static str, what: impl Into<String>) -> Self {
        Self::Malformed { format, what: what.into() }
    }

    /// A slice that the file has not.
    pub fn absent(what: impl Into<String>) -> Self {
        Self::Absent { what: what.into() }
    }

    /// Whether the image cost a process its life, or may have.
    pub const fn is_deadly(&self) -> bool {
        matches!(self, Self::Process { .. })
    }

    /// Whether it says nothing of the image, and may be over in a moment.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unready { .. })
    }

    /// Whether the file may be fine and has no such slice.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }

    /// Which of the seven causes it is, in a word.
    pub const fn cause(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::Unsupported { .. } => "unsupported",
            Self::Absent { .. } => "absent",
            Self::OverLimit { .. } => "over_limit",
            Self::Process { .. } => "process",
            Self::Unready { .. } => "unready",
            Self::Io(_) => "io",
        }
    }

    /// The format whose rules or features it is about; empty where it is about none.
    pub const fn format(&self) -> &'static str {
        match self {
            Self::Malformed { format, .. } | Self::Unsupported { format, .. } => format,
            _ => "",
        }
    }

    /// A feature that we do not read.
    pub fn unsupported(format: &'static str, feature: impl Into<String>) -> Self {
        Self::Unsupported { format, feature: feature.into() }
    }
}
