//! `LoadError`: why the bench could not measure, with what to do about it.

use std::io;
use std::path::PathBuf;

/// Why there is no measurement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    /// The command line makes no sense.
    #[error("{0} (see --help)")]
    Usage(#[from] lexopt::Error),
    /// A program is not installed.
    #[error("{program} is missing: {remedy}")]
    Missing {
        /// The program, by name or path.
        program: String,
        /// The command that mends it.
        remedy: &'static str,
    },
    /// The samples that the test image is made of are not there.
    #[error("no *.tif below {}: the test image is made of the sample photographs", folder.display())]
    NoSamples {
        /// Where they were looked for.
        folder: PathBuf,
    },
    /// A program ended with an error.
    #[error("{program} failed: {text}")]
    Failed {
        /// The program.
        program: String,
        /// The end of what it said.
        text: String,
    },
    /// A server did not come up or went away.
    #[error("{server} does not listen after {waited_s:.1} s; it said: {text}")]
    NotListening {
        /// Which server.
        server: &'static str,
        /// How long it was waited for.
        waited_s: f64,
        /// The end of its log, "nothing" where that is empty.
        text: String,
    },
    /// The floor's files could not be taken from the server that stands for them.
    #[error("cannot store {path} for the static floor: {text}")]
    Harvest {
        /// The request.
        path: String,
        /// What was wrong with the answer.
        text: String,
    },
    /// The system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The readme lacks the lines between which results are written.
    #[error("{} lacks the marker line {marker}", file.display())]
    NoMarker {
        /// The readme.
        file: PathBuf,
        /// The missing line.
        marker: &'static str,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted; servers stopped")]
    Interrupted,
}

/// Adds what was tried to a system's refusal.
pub(crate) trait Trying<T> {
    /// Names what was tried.
    fn trying(self, what: impl Into<String>) -> Result<T, LoadError>;
}

impl<T> Trying<T> for io::Result<T> {
    fn trying(self, what: impl Into<String>) -> Result<T, LoadError> {
        self.map_err(|source| LoadError::Io { what: what.into(), source })
    }
}
