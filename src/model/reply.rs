//! `Reply`: what the service answers, before any protocol words it.

use std::sync::Arc;

use bytes::Bytes;

use crate::model::format::Format;
use crate::model::geometry::{Rect, Size};
use crate::model::image_info::ImageInfo;
use crate::model::samples::ViewSamples;

/// What the service found.
#[derive(Clone, Debug)]
pub enum Reply {
    /// The image's description.
    Info {
        /// The description.
        info: Arc<ImageInfo>,
        /// When the source was last changed, seconds since the Unix epoch.
        modified_s: i64,
    },
    /// A picture.
    Picture(Picture),
    /// Several tiles, each with its number.
    Tiles(Vec<(u32, Picture)>),
    /// Stored values.
    Samples {
        /// One for each page or view.
        views: Vec<ViewSamples>,
        /// When the source was last changed, seconds since the Unix epoch.
        modified_s: i64,
    },
    /// The client has it already (304).
    NotModified {
        /// The strong validator of what it has, without quotes.
        etag: String,
        /// When the source was last changed, seconds since the Unix epoch.
        modified_s: i64,
    },
}

/// An encoded picture and what headers say of it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// The file.
    pub bytes: Bytes,
    /// Its format.
    pub format: Format,
    /// The request in numbers.
    pub resolved: Resolved,
    /// Strong validator without quotes: made of the source's version and the canonical request.
    pub etag: String,
    /// When the source was last changed, seconds since the Unix epoch.
    pub modified_s: i64,
}

/// A picture request once the image is known: what the canonical address is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The full image.
    pub image: Size,
    /// The pixels of the full image that are shown, cropped.
    pub region: Rect,
    /// The size before any turn.
    pub size: Size,
    /// Whether `size` is what [`crate::model::request::SizeForm::Max`] without upscaling gives.
    pub is_max: bool,
    /// Whether the colours are those that [`crate::model::request::Quality::Default`] gives.
    pub is_default_quality: bool,
}
