//! The nouns that every layer shares: data and their invariants, nothing that reads a file, a clock
//! or a socket.
#![deny(clippy::disallowed_types)]

pub mod choices;
pub mod extra_info;
pub mod fault;
pub mod file_mark;
pub mod filter;
pub mod format;
pub mod geometry;
pub mod image_id;
pub mod image_info;
pub mod limits;
pub mod metadata;
pub mod pixel;
pub mod processing;
pub mod profile;
pub mod quality_layers;
pub mod read_at;
pub mod reply;
pub mod request;
pub mod rotation;
pub mod samples;
pub mod slice;
pub mod tilt;
pub mod uri_map;
mod version;
pub mod watermark;

pub use choices::{DeepZoomCut, Negotiate, UpscaleUnmarked};
pub use extra_info::ExtraInfo;
pub use fault::{Fault, FaultKind};
pub use file_mark::FileMark;
pub use filter::Filter;
pub use format::{Depth, Format, Subsampling, TiffCompression};
pub use geometry::{Rect, Size};
pub use image_id::{Bands, ImageId, Selection};
pub use image_info::{ImageInfo, Level, StoredLevel, TileAddress, TileEncoding};
pub use limits::Limits;
pub use metadata::{Field, Metadata};
pub use pixel::{ColourModel, SampleRange, SampleType};
pub use processing::Processing;
pub use profile::{ColourRule, Profile};
pub use quality_layers::{LayersRule, QualityLayers};
pub use read_at::ReadAt;
pub use reply::{Picture, Reply, Resolved};
pub use request::{Request, Want};
pub use slice::{Associated, Slice, StackPage, Views};
pub use tilt::Tilt;
pub use uri_map::{Mapped, MappedPath, UriMap};
pub use version::SourceVersion;
pub use watermark::{Blend, Position};
