//! `TerrainError`: why there is no terrain, with the remedy where there is one.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::terrain::layout::{SIDE_PX_MAX, SIDE_PX_MIN};
use crate::codecs::CodecError;

/// Why a terrain was not made. What is finished stays on disk in all cases: the next run goes on there.
#[derive(Debug, thiserror::Error)]
pub enum TerrainError {
    /// A side that cannot be cut into whole tiles and halves.
    #[error("side is {0} pixels; it must be a power of two from {SIDE_PX_MIN} to {SIDE_PX_MAX}")]
    Side(u32),
    /// A quality that JPEG does not know.
    #[error("quality is {0}; it must be 1 to 100")]
    Quality(u8),
    /// No room left.
    #[error(
        "no room left on the disk for {}; free some and run again, it goes on where it stopped", .0.display()
    )]
    DiskFull(PathBuf),
    /// The folder takes no files from us.
    #[error("no permission to write {}; choose another place with --out", .0.display())]
    NotWritable(PathBuf),
    /// Another process is at work on the same file.
    #[error("{} is being made by another process", .0.display())]
    Busy(PathBuf),
    /// Anything else that the system reports.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried: a verb.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A tile could not be encoded, or the directories not be written.
    #[error("cannot encode the terrain")]
    Codec(#[from] CodecError),
    /// Whoever watches the progress asked to stop.
    #[error("stopped; run again, it goes on where it stopped")]
    Stopped,
    /// We are broken.
    #[error("a worker failed: {0}")]
    Worker(String),
}

impl TerrainError {
    /// Sorts what the system reported by who can do something about it.
    pub(super) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull(path),
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                Self::NotWritable(path)
            }
            _ => Self::Io { doing, path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_can_mend_is_told_from_the_rest() {
        for (kind, expected) in [
            (io::ErrorKind::StorageFull, "no room left on the disk for t.tif; free some"),
            (io::ErrorKind::ReadOnlyFilesystem, "no permission to write t.tif"),
            (io::ErrorKind::NotFound, "cannot create t.tif"),
        ] {
            let error = TerrainError::io("create", Path::new("t.tif"), kind.into());
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }
}
