//! `Request`: what a client wants, in our words. Protocols make it, `plan` holds it against the image.

use crate::model::choices::DeepZoomCut;
use crate::model::filter::Filter;
use crate::model::format::{Depth, Format, TiffCompression};
use crate::model::image_id::ImageId;
use crate::model::processing::Processing;
pub use crate::model::rotation::Rotation;
use crate::model::samples::SamplesRequest;
use crate::model::tilt::Tilt;

/// One question about one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Which image.
    pub image: ImageId,
    /// What of it.
    pub want: Want,
    /// What the client has already.
    pub conditions: Conditions,
}

/// What is asked of an image.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// Its description only.
    Info,
    /// A picture.
    Picture(PictureRequest),
    /// Several tiles of IIP's.
    Tiles(TileRange),
    /// Stored values.
    Samples(SamplesRequest),
}

/// Tiles of one resolution in the rectangle between two of them.
#[derive(Clone, Debug, PartialEq)]
pub struct TileRange {
    /// 0 is the smallest level offered.
    pub resolution: u32,
    /// A corner.
    pub start: u32,
    /// The corner opposite.
    pub end: u32,
    /// What is done to each; its frame is of no matter.
    pub picture: PictureRequest,
}

/// The validators a client sent (RFC 9110, section 13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-None-Match` as sent.
    pub if_none_match: Option<String>,
    /// `If-Modified-Since` in seconds since the Unix epoch; not looked at beside `if_none_match`.
    pub if_modified_since_s: Option<i64>,
}

/// A picture: which pixels, what is done to them, how they are encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct PictureRequest {
    /// Which pixels, at which size.
    pub frame: Frame,
    /// Mirrored left to right, before any turn.
    pub mirror: bool,
    /// Turned clockwise.
    pub rotation: Rotation,
    /// And by so much more.
    pub tilt: Tilt,
    /// Colours.
    pub quality: Quality,
    /// File format.
    pub format: Format,
    /// Changes of sample values.
    pub processing: Processing,
    /// The name of further ones that lie beside the image; those above go before them.
    pub preset: Option<String>,
    /// How pixels are weighted where the size changes, where the client says so.
    pub filter: Option<Filter>,
    /// The encoder's quality (`QLT`), -1 (without losses) to 100, where the client set one.
    pub encoder_quality: Option<i8>,
    /// The compression of a TIFF answer, where the client named one.
    pub tiff_compression: Option<TiffCompression>,
    /// Bits of a sample.
    pub depth: Depth,
    /// Whether it is a file to be kept (IIP's `CVT`), which tells all that its format can, however small
    /// it is.
    pub is_export: bool,
}

impl PictureRequest {
    /// These pixels with nothing done to them.
    pub fn plain(frame: Frame, format: Format) -> Self {
        Self {
            frame,
            mirror: false,
            rotation: Rotation::None,
            tilt: Tilt::default(),
            quality: Quality::Default,
            format,
            processing: Processing::default(),
            preset: None,
            filter: None,
            encoder_quality: None,
            tiff_compression: None,
            depth: Depth::Eight,
            is_export: false,
        }
    }
}

/// Which pixels of the image, at which size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Frame {
    /// A rectangle scaled to a size (IIIF, IIP's `CVT`).
    Region {
        /// Which rectangle.
        region: Region,
        /// Scaled to what.
        size: ScaleTo,
    },
    /// IIP's tile: resolution 0 is the smallest level, tiles are counted row by row.
    IipTile {
        /// 0 is the smallest level offered.
        resolution: u32,
        /// `row * columns + column`.
        index: u32,
    },
    /// Deep Zoom's tile: level 0 is one pixel, sizes are rounded up.
    DeepZoomTile {
        /// 0 is 1x1; the full image is `ceil(log2(longer side))`.
        level: u32,
        /// From 0 at the left.
        column: u32,
        /// From 0 at the top.
        row: u32,
        /// What the numbers count.
        cut: DeepZoomCut,
    },
    /// Zoomify's tile: level 0 is the largest that fits one tile, sizes are rounded down.
    ZoomifyTile {
        /// 0 fits one tile.
        level: u32,
        /// From 0 at the left.
        column: u32,
        /// From 0 at the top.
        row: u32,
    },
}

/// A rectangle of the full image in a client's words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Region {
    /// The whole image.
    Full,
    /// The largest centred square.
    Square,
    /// Pixels of the full image; cropped at the far edges.
    Pixels {
        /// First column.
        x: u64,
        /// First row.
        y: u64,
        /// Columns.
        width: u64,
        /// Rows.
        height: u64,
    },
    /// Per cent of the full image, each finite and not negative; cropped at the far edges.
    Percent {
        /// Of the width.
        x: f64,
        /// Of the height.
        y: f64,
        /// Of the width.
        width: f64,
        /// Of the height.
        height: f64,
    },
}

/// The size of an answer before it is turned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleTo {
    /// Which sides are given.
    pub form: SizeForm,
    /// What happens where this is more than the region has.
    pub upscale: Upscale,
    /// What happens above [`crate::model::Limits`].
    pub over_limit: OverLimit,
}

/// The sides that a client gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SizeForm {
    /// As large as can be had: the region's own size within the limits; with [`Upscale::Allow`] the
    /// limits themselves.
    Max,
    /// This many columns, rows in proportion.
    Width(u32),
    /// This many rows, columns in proportion.
    Height(u32),
    /// Per cent of both sides.
    Percent(f64),
    /// Exactly so, distorted if need be.
    Exact(u32, u32),
    /// The largest that fits a box, in proportion.
    Within(u32, u32),
}

/// Whether an answer may have more pixels than the region it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upscale {
    /// It may (IIIF 3's `^`, IIP, IIIF 2).
    Allow,
    /// It may not, and asking for it is an error.
    Refuse,
    /// It may not: the region's own size is the answer then.
    Clip,
}

/// What happens to an answer above the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverLimit {
    /// An error that names the limit (IIIF).
    Refuse,
    /// The longer side becomes the limit, the other in proportion (IIP).
    Clamp,
}

/// Colours of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Quality {
    /// As the image has them.
    #[default]
    Default,
    /// All colour there is; a gray image stays gray in content but becomes three components.
    Color,
    /// One component.
    Gray,
    /// One component, black or white; the upper half of the range is white.
    Bitonal,
    /// The same, parted where the image's own grays part best (N. Otsu, 1979).
    BitonalByImage,
}

impl Conditions {
    /// Whether the client already has what carries this validator and was changed at that time (RFC
    /// 9110, section 13.2.2): `If-None-Match` decides alone where it is given.
    pub fn are_met_by(&self, etag: &str, modified_s: i64) -> bool {
        match (&self.if_none_match, self.if_modified_since_s) {
            (Some(tags), _) => tags.split(',').any(|tag| names(tag, etag)),
            (None, Some(since_s)) => modified_s <= since_s,
            (None, None) => false,
        }
    }
}

/// Weak comparison of one entity tag of a list with ours.
fn names(tag: &str, etag: &str) -> bool {
    let tag = tag.trim();
    let opaque = tag.strip_prefix("W/").unwrap_or(tag);
    tag == "*" || opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) == Some(etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_decides_before_a_date() {
        let tag = |text: &str| Some(text.to_owned());
        for (if_none_match, if_modified_since_s, met) in [
            (None, None, false),
            (tag("\"abc\""), None, true),
            (tag("\"x\", W/\"abc\""), None, true),
            (tag("W/\"abc\""), None, true),
            (tag("\"x\", \"abc\""), None, true),
            (tag("*"), None, true),
            (tag("abc"), None, false),
            (tag("\"x\""), Some(100), false),
            (tag("\"x\""), Some(200), false),
            (None, Some(100), true),
            (None, Some(101), true),
            (None, Some(99), false),
        ] {
            let conditions = Conditions { if_none_match, if_modified_since_s };
            assert_eq!(conditions.are_met_by("abc", 100), met, "{conditions:?}");
        }
    }
}
