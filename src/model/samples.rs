//! `SamplesRequest`, `ViewSamples`: stored values in numbers, for whoever measures and does not look.

/// Which values of which level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamplesRequest {
    /// 0 is the smallest level offered.
    pub resolution: u32,
    /// Where.
    pub place: Place,
}

/// Pixels of a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A rectangle, in pixels of the level.
    Area {
        /// First column.
        left: u32,
        /// First row.
        top: u32,
        /// Columns, 1 or more.
        width: u32,
        /// Rows, 1 or more.
        height: u32,
    },
    /// One pixel of a tile.
    InTile {
        /// `row * columns + column`.
        index: u32,
        /// Column within the tile.
        x: u32,
        /// Row within the tile.
        y: u32,
    },
}

/// The values of one page or view.
#[derive(Clone, Debug, PartialEq)]
pub struct ViewSamples {
    /// The page's name, or its number.
    pub name: String,
    /// What its values are to be multiplied by.
    pub scale: f32,
    /// Bands of a pixel.
    pub bands: usize,
    /// Whether values may have a fraction.
    pub is_float: bool,
    /// The value that is white in integers of 8 and 16 bits; 1 for all others.
    pub white: f32,
    /// In the units of the file, pixel by pixel, bands side by side.
    pub values: Vec<f32>,
}
