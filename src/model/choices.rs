//! What an operator chooses about protocols, where configuration, protocols and plan must mean the same.

use crate::model::geometry::Size;
use crate::model::image_info::ImageInfo;

/// What IIIF 3.0's `!w,h` without `^` does where the box is larger than the region: the text of 4.2
/// can be read both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpscaleUnmarked {
    /// The region's own size is the answer, as Mirador expects for its thumbnails.
    #[default]
    Clip,
    /// An error, as the IIIF validator wants it.
    Refuse,
}

/// In which format a tile is given that is asked for as JPEG, where `Accept` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Negotiate {
    /// As JPEG.
    #[default]
    Off,
    /// As WebP.
    Webp,
    /// As AVIF, else as WebP.
    Avif,
}

/// How Deep Zoom cuts a level into tiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeepZoomCut {
    /// Side of a tile in pixels, the overlap not counted; 0: the width of the image's own tiles.
    pub tile_px: u32,
    /// Pixels of its neighbours that a tile shows at each side where it has one.
    pub overlap_px: u32,
}

impl DeepZoomCut {
    /// The tile, without overlap: Deep Zoom knows squares only.
    pub const fn tile(self, info: &ImageInfo) -> Size {
        if self.tile_px == 0 {
            info.square_tile()
        } else {
            Size::at_least_one(self.tile_px, self.tile_px)
        }
    }
}
