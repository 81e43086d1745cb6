//! `RequestClass`: what kind of picture a request is for, as metrics count them.

use crate::model::ImageInfo;
use crate::model::request::Frame;
use crate::plan::view::View;

/// The kinds of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestClass {
    /// One tile of a pyramid.
    Tile,
    /// The whole image, up to [`RequestClass::THUMBNAIL_SIDE_PX_MAX`].
    Thumbnail,
    /// A part of the image.
    Region,
    /// The whole image, larger.
    Full,
}

impl RequestClass {
    /// The longer side of the largest thumbnail in pixels: galleries ask for up to 400, twice that on
    /// dense screens.
    pub const THUMBNAIL_SIDE_PX_MAX: u32 = 800;

    /// The metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Tile => "tile",
            Self::Thumbnail => "thumbnail",
            Self::Region => "region",
            Self::Full => "full",
        }
    }

    /// The kind of a request. An image of a single tile is a thumbnail where it is asked for as a whole.
    pub(super) fn of(frame: Frame, view: &View, info: &ImageInfo) -> Self {
        let is_region = matches!(frame, Frame::Region { .. });
        let is_whole = view.region.size() == info.size;
        match (is_region, is_whole) {
            (true, true) if view.size.longer() <= Self::THUMBNAIL_SIDE_PX_MAX => Self::Thumbnail,
            (true, true) => Self::Full,
            _ if view.is_tile => Self::Tile,
            _ => Self::Region,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::{Region, SizeForm};
    use crate::plan::fixtures::{deep_zoom, iiif, pixels, planned, pyramid};

    #[test]
    fn requests_are_sorted_by_what_they_are_for() {
        let info = pyramid((4096, 3000), 256);
        for (frame, expected) in [
            (Frame::IipTile { resolution: 0, index: 0 }, RequestClass::Tile),
            (deep_zoom(0, 0, 0), RequestClass::Tile),
            (iiif(pixels(512, 0, 512, 512), SizeForm::Width(256)), RequestClass::Tile),
            (iiif(pixels(512, 0, 512, 512), SizeForm::Max), RequestClass::Region),
            (iiif(pixels(3, 0, 512, 512), SizeForm::Width(256)), RequestClass::Region),
            (iiif(Region::Full, SizeForm::Width(200)), RequestClass::Thumbnail),
            (iiif(Region::Full, SizeForm::Max), RequestClass::Full),
        ] {
            assert_eq!(planned(frame, &info).unwrap().class, expected, "{frame:?}");
        }
    }
}
