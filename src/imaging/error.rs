//! `ImagingError`: pixels that do not fit together. A plan never asks for such; a codec that gives a
//! tile of another shape than it announced may bring one about.

use fast_image_resize::{ImageBufferError, ResizeError};

use crate::model::{ColourModel, SampleType, Size};

/// Why an operation on pixels was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImagingError {
    /// A tile whose pixels are not those of its rectangle, or whose bands are not the image's.
    #[error(
        "a tile of {}x{} pixels and {found_bands} bands came for {}x{} pixels and {bands} bands",
        found.width(), found.height(), expected.width(), expected.height()
    )]
    TileShape {
        /// Pixels of its rectangle.
        expected: Size,
        /// Pixels that came.
        found: Size,
        /// Bands of the image.
        bands: usize,
        /// Bands that came.
        found_bands: usize,
    },
    /// Tiles are missing, or came twice.
    #[error("tiles brought {filled_px} pixels for an area of {area_px}")]
    Cover {
        /// Pixels that tiles brought.
        filled_px: u64,
        /// Pixels of the area.
        area_px: u64,
    },
    /// A step for bytes met samples of another type.
    #[error("samples of type {found:?} came where bytes were expected")]
    SampleType {
        /// What came.
        found: SampleType,
    },
    /// What is to be read as L*a*b* is something else.
    #[error("samples of type {found:?} came where floating-point L*a*b* was expected")]
    NoLab {
        /// What came.
        found: SampleType,
    },
    /// A step that goes by the whole image's grays came before these were counted.
    #[error("the image's histogram was not made")]
    NoHistogram,
    /// A profile for other colours than the raster's.
    #[error("the profile is not for {found:?}")]
    ProfileColour {
        /// The raster's.
        found: ColourModel,
    },
    /// A profile that converted when its image was opened, and no longer does.
    #[error("cannot convert by the profile: {reason}")]
    Profile {
        /// What the library says.
        reason: String,
    },
    /// A mark can be put on gray and RGB only.
    #[error("{found:?} takes no watermark")]
    MarkColour {
        /// The raster's.
        found: ColourModel,
    },
    /// The rectangle to resize leaves its raster.
    #[error("cannot resize the raster")]
    Resize(#[from] ResizeError),
    /// A buffer that the resizer does not take.
    #[error("cannot read the raster's samples")]
    Buffer(#[from] ImageBufferError),
}
