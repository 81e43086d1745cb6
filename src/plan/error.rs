//! `PlanError`: why a request cannot be answered from this image under these rules.

use crate::model::{Fault, FaultKind, Format, Size};

/// What is wrong, with the numbers that mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A region that shares no pixel with the image.
    #[error(
        "the region lies outside of the image, which has {}x{} pixels",
        image.width(), image.height()
    )]
    RegionOutside {
        /// The full image.
        image: Size,
    },
    /// A region without width or height.
    #[error("the region is empty: its width and height must be above 0")]
    RegionEmpty,
    /// A size below one pixel.
    #[error("the size is under one pixel: its width and height must be at least 1")]
    SizeEmpty,
    /// More pixels than the region has, not asked for in the way that allows it.
    #[error(
        "the size {width}x{height} is above the region's {}x{}: ask for at most that, or mark the \
         size as upscaled (^ in IIIF 3.0)",
        region.width(), region.height()
    )]
    Upscaled {
        /// The region.
        region: Size,
        /// Columns asked for.
        width: u64,
        /// Rows asked for.
        height: u64,
    },
    /// More pixels than the region has, on a server that never gives them.
    #[error(
        "the size {width}x{height} is above the region's {}x{}, and this server does not upscale",
        region.width(), region.height()
    )]
    UpscalingOff {
        /// The region.
        region: Size,
        /// Columns asked for.
        width: u64,
        /// Rows asked for.
        height: u64,
    },
    /// An answer larger than any may be.
    #[error("the size {width}x{height} is over the limit of {limit_px} pixels a side")]
    OutputOverLimit {
        /// Columns asked for.
        width: u64,
        /// Rows asked for.
        height: u64,
        /// What is allowed.
        limit_px: u32,
    },
    /// An answer of more pixels than any may have.
    #[error("the size {width}x{height} is over the limit of {limit_px} pixels")]
    AreaOverLimit {
        /// Columns asked for.
        width: u64,
        /// Rows asked for.
        height: u64,
        /// What is allowed.
        limit_px: u64,
    },
    /// An answer larger than its format can hold.
    #[error(
        "the size {}x{} is over the {limit_px} pixels a side that {} can hold",
        size.width(), size.height(), format.suffix()
    )]
    FormatOverLimit {
        /// The size.
        size: Size,
        /// The format.
        format: Format,
        /// What it can hold.
        limit_px: u32,
    },
    /// A side too short for the format.
    #[error(
        "the size {}x{} is under the {limit_px} pixels a side that {} answers have",
        size.width(), size.height(), format.suffix()
    )]
    FormatUnderLimit {
        /// The size.
        size: Size,
        /// The format.
        format: Format,
        /// The shortest side.
        limit_px: u32,
    },
    /// More pixels to decode than one request may.
    #[error(
        "the request needs {source_px} pixels decoded, over the limit of {limit_px}: ask for a \
         smaller region"
    )]
    SourceOverLimit {
        /// Pixels of the tiles that it touches.
        source_px: u64,
        /// What is allowed.
        limit_px: u64,
    },
    /// A level or resolution that the ladder has not.
    #[error("there is no level {level}: the image has levels 0 to {level_last}")]
    LevelBeyond {
        /// The level asked for, in the protocol's own count.
        level: u32,
        /// The last that there is.
        level_last: u32,
    },
    /// A tile that the grid has not.
    #[error("there is no tile {column},{row}: the level has {columns}x{rows} tiles, from 0,0 on")]
    TileBeyond {
        /// Column asked for.
        column: u32,
        /// Row asked for.
        row: u32,
        /// Columns of the level.
        columns: u32,
        /// Rows of the level.
        rows: u32,
    },
    /// A tile number that the level has not.
    #[error("there is no tile {index}: the resolution has tiles 0 to {index_last}")]
    IndexBeyond {
        /// Number asked for.
        index: u32,
        /// The last that there is.
        index_last: u64,
    },
    /// Samples of a depth that the format cannot hold.
    #[error(
        "{} holds no samples of {bits} bits: ask for BPC=8, 16 bits as png, tif or avif, or 32 as tif",
        format.suffix()
    )]
    DepthOfFormat {
        /// The format.
        format: Format,
        /// Bits asked for.
        bits: u8,
    },
    /// Whole numbers of numbers that are none.
    #[error("the image has floating point samples: ask for BPC=32, or BPC=8 as it is shown")]
    DepthOfImage,
    /// Something done to pixels that is done to bytes alone.
    #[error("BPC={bits} keeps the image's own samples, and {what} is done with 8 bits only")]
    DepthOfSteps {
        /// Bits asked for.
        bits: u8,
        /// What would have to be done.
        what: &'static str,
    },
    /// A pixel that the level or tile has not.
    #[error("there is no such pixel: the level or tile has {}x{}", size.width(), size.height())]
    PixelsBeyond {
        /// What there is.
        size: Size,
    },
    /// A range of tiles from a lower row to a higher one.
    #[error(
        "tiles {start}-{end} go upwards: the first must be in a row above the second, or the same"
    )]
    RangeUpwards {
        /// Asked for first.
        start: u32,
        /// Asked for last.
        end: u32,
    },
    /// More tiles than one answer holds.
    #[error("a range of {tiles} tiles is over the limit of {limit}")]
    TilesOverLimit {
        /// Asked for.
        tiles: u64,
        /// What is allowed.
        limit: u64,
    },
    /// More pages or views than one answer tells of.
    #[error("the image has {views} pages or views, over the limit of {limit} for values of all")]
    ViewsOverLimit {
        /// How many there are.
        views: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Stored values of an image whose pictures are all marked.
    #[error("stored values of watermarked images are not given")]
    ValuesOfMarked,
    /// A band that the image has not.
    #[error("there is no band {band}: the image has {bands}, counted from 0")]
    NoBand {
        /// Asked for.
        band: u16,
        /// How many there are.
        bands: u16,
    },
    /// Light on what are no normals.
    #[error("SHD needs normals in three bands, the image has {bands}")]
    NoNormals {
        /// How many there are.
        bands: u8,
    },
    /// An image that was opened without any level: a codec broke its word.
    #[error("the image has no level to read from")]
    NoLevel,
}

impl PlanError {
    /// Who is to blame, and the public sentence.
    pub fn fault(&self) -> Fault {
        let kind = match self {
            Self::RegionOutside { .. }
            | Self::RegionEmpty
            | Self::SizeEmpty
            | Self::Upscaled { .. }
            | Self::OutputOverLimit { .. }
            | Self::AreaOverLimit { .. }
            | Self::PixelsBeyond { .. }
            | Self::RangeUpwards { .. }
            | Self::DepthOfFormat { .. }
            | Self::DepthOfImage
            | Self::NoBand { .. }
            | Self::NoNormals { .. }
            | Self::FormatOverLimit { .. }
            | Self::FormatUnderLimit { .. } => FaultKind::BadRequest,
            Self::UpscalingOff { .. } | Self::ValuesOfMarked | Self::DepthOfSteps { .. } => {
                FaultKind::NotImplemented
            }
            Self::SourceOverLimit { .. }
            | Self::TilesOverLimit { .. }
            | Self::ViewsOverLimit { .. } => FaultKind::TooLarge,
            Self::LevelBeyond { .. } | Self::TileBeyond { .. } | Self::IndexBeyond { .. } => {
                FaultKind::NotFound
            }
            Self::NoLevel => FaultKind::Bug,
        };
        Fault::new(kind, self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_is_allowed() {
        let error = PlanError::SourceOverLimit { source_px: 9, limit_px: 4 };
        assert_eq!(error.fault().kind.status(), 413);
        assert!(error.fault().text.contains("limit of 4"));
        let region = Size::new(3, 2).unwrap();
        let error = PlanError::Upscaled { region, width: 4, height: 4 };
        assert_eq!(error.fault().kind.status(), 400);
        assert!(error.fault().text.contains("3x2") && error.fault().text.contains('^'));
    }
}
