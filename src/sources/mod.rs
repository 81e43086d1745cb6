//! Where image bytes come from. Sources know names and files, nothing of what is in them.

pub mod folder;
pub mod listing;
mod presets;
mod sequence;

pub use folder::{FileSource, Folder, ImageSource, SourceError};
pub use listing::{Listing, ListingEntry};
pub use presets::{PresetError, Presets};
