//! Where image bytes come from. Sources know names and files, nothing of what is in them.

pub mod folder;
pub mod listing;

pub use folder::{FileSource, Folder, SourceError};
pub use listing::{Listing, ListingEntry};
