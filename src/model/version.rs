//! `SourceVersion`: what tells one state of a file from the next. It is part of every cache key, so
//! that a replaced master is never served stale.

/// Length, modification time and identity of a source when it was opened. Keys and validators are made
/// of the first two, so that instances with copies of a file agree on them; the third is for those who
/// look at the file itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SourceVersion {
    /// Length in bytes.
    pub len_bytes: u64,
    /// Modification time, nanoseconds since the Unix epoch.
    pub modified_ns: i128,
    /// The file's inode: a replacement of the same length within one clock tick still differs.
    pub inode: u64,
}

impl SourceVersion {
    /// Modification time in whole seconds since the Unix epoch, as HTTP dates count.
    pub fn modified_s(&self) -> i64 {
        i64::try_from(self.modified_ns.div_euclid(1_000_000_000)).unwrap_or(0)
    }
}
