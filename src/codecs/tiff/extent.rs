//! `Extent`: a run of bytes of the file.

/// Where a block's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Offset in the file.
    pub(super) offset_bytes: u64,
    /// Length.
    pub(super) len_bytes: u64,
}
