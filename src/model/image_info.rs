//! `ImageInfo`: what is known of an open image before any pixel is touched. Two ladders: the levels
//! that a file stores, and the levels that are offered to clients, each half the one before.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::geometry::{Rect, Size};
use crate::model::metadata::Metadata;
use crate::model::profile::Profile;
use crate::model::quality_layers::QualityLayers;
use crate::model::slice::Views;

pub use crate::model::pixel::{ColourModel, SampleRange, SampleType};

/// What a stored tile's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TileEncoding {
    /// A JPEG stream, perhaps with its tables elsewhere.
    Jpeg,
    /// A WebP file.
    Webp,
    /// Anything that only a decoder can turn into an answer.
    Other,
}

/// A level that tiles can be had of: from the file, or made of the next larger level's tiles and kept as
/// if the file had it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredLevel {
    /// Pixels of the level.
    pub size: Size,
    /// Pixels of a whole tile.
    pub tile: Size,
    /// How many pixels of the full image one pixel of this level stands for, at least 1.0: the power
    /// of two where the size is one within rounding, the plain ratio of widths elsewhere.
    pub factor: f64,
    /// What the bytes of its tiles are.
    pub encoding: TileEncoding,
    /// Bytes of all its tiles in the file, as its header tells; 0 where it does not.
    pub stored_bytes: u64,
    /// Where the file lacks the level: the index of the larger one whose tiles, halved, are this
    /// one's. Its sides are rounded up, so that it lacks no pixel.
    pub made_from: Option<usize>,
    /// Whether the file lacks the level and its codec makes it while it decodes the full one, with
    /// sides rounded up: cheaper than the full one, and no level of its own to clients.
    pub scaled: bool,
}

impl StoredLevel {
    /// A level that the file holds, of an image of `full` pixels.
    pub fn in_file(full: Size, size: Size, tile: Size, encoding: TileEncoding) -> Self {
        let factor = ImageInfo::nominal_factor(full, size);
        Self { size, tile, factor, encoding, stored_bytes: 0, made_from: None, scaled: false }
    }

    /// The same level, whose tiles take so many bytes in the file.
    pub const fn with_stored_bytes(self, stored_bytes: u64) -> Self {
        Self { stored_bytes, ..self }
    }

    /// Bytes of the file that so many of its pixels take, where they are stored evenly.
    pub fn bytes_of(&self, px: u64) -> u64 {
        let all_px = u128::from(self.size.area());
        let bytes = u128::from(self.stored_bytes) * u128::from(px) / all_px.max(1);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }

    /// A level that a codec makes while it decodes: the full image halved so many times, in tiles as
    /// wide as itself and `rows` high.
    pub fn scaled(full: Size, halvings: u32, rows: u32) -> Self {
        let size = full.halved_up(halvings);
        let tile = Size::at_least_one(size.width(), rows.min(size.height()));
        let (factor, encoding) = (f64::from(halvings).exp2(), TileEncoding::Other);
        Self { size, tile, factor, encoding, stored_bytes: 0, made_from: None, scaled: true }
    }

    /// Whether the file itself has this level, so that it is offered at its own size.
    pub const fn is_in_file(&self) -> bool {
        self.made_from.is_none() && !self.scaled
    }

    /// The pixels of this level that a rectangle of its [`StoredLevel::half`] is made of; nothing where
    /// there are none.
    pub fn doubled(&self, half: Rect) -> Option<Rect> {
        let size = Size::new(half.width().checked_mul(2)?, half.height().checked_mul(2)?)?;
        let area = Rect::new(half.left().checked_mul(2)?, half.top().checked_mul(2)?, size)?;
        area.intersect(Rect::whole(self.size))
    }

    /// The half of this level, which is number `index`. Its tiles are as large as this one's, so that
    /// each is made of at most four; where one tile is the whole level, so it is there.
    pub fn half(&self, index: usize) -> Self {
        let size = self.size.halved_up(1);
        let tile = Size::at_least_one(
            self.tile.width().min(size.width()),
            self.tile.height().min(size.height()),
        );
        Self {
            size,
            tile: if self.size.fits(self.tile) { size } else { tile },
            factor: self.factor * 2.0,
            encoding: TileEncoding::Other,
            stored_bytes: 0,
            made_from: Some(index),
            scaled: false,
        }
    }
}

/// A level as clients see it: the full image halved again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// Pixels of the level: the file's own size where the file has the level, else rounded down.
    pub size: Size,
    /// Index into [`ImageInfo::stored`] where the file has exactly this level.
    pub stored: Option<usize>,
}

/// One tile of one stored level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TileAddress {
    /// Index into [`ImageInfo::stored`].
    pub stored: usize,
    /// Column of tiles, from 0 at the left.
    pub column: u32,
    /// Row of tiles, from 0 at the top.
    pub row: u32,
}

/// Pixels a metre, horizontally and vertically.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resolution {
    /// Pixels a metre along a row.
    pub x_per_metre: f64,
    /// Pixels a metre along a column.
    pub y_per_metre: f64,
}

impl Resolution {
    /// Whether pixels are as wide as they are high, but for rounding.
    pub fn is_square(self) -> bool {
        (self.x_per_metre / self.y_per_metre - 1.0).abs() < 0.01
    }

    /// That of the picture turned by a quarter.
    pub const fn turned(self) -> Self {
        Self { x_per_metre: self.y_per_metre, y_per_metre: self.x_per_metre }
    }
}

/// An image as its header tells it.
///
/// Invariant: `stored` is not empty and sorted from large to small; `stored[0].size == size`;
/// `levels[0].size == size` and `levels` is sorted from large to small.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageInfo {
    /// The container's name for people: `TIFF`, `BigTIFF`, `JPEG`.
    pub container: Cow<'static, str>,
    /// The full image.
    pub size: Size,
    /// The tile that protocols offer: the full level's own.
    pub tile: Size,
    /// What clients see, full image first, down to the first level that fits one tile.
    pub levels: Vec<Level>,
    /// What tiles can be had of, largest first.
    pub stored: Vec<StoredLevel>,
    /// What the bands of a decoded tile mean.
    pub colour: ColourModel,
    /// Whether one more band, the last, is alpha.
    pub alpha: bool,
    /// The type of decoded samples.
    pub samples: SampleType,
    /// Bits of a sample as stored, for `Bits-per-channel`.
    pub bits: u8,
    /// Bands of a pixel as stored, alpha and those that are not shown included.
    pub bands_stored: u16,
    /// What is shown as black and white, a range for each colour band; empty: the whole range of the
    /// type.
    pub ranges: Vec<SampleRange>,
    /// The embedded ICC profile, read by [`crate::imaging::read_profile`].
    pub icc: Option<Profile>,
    /// Pixels a metre, where the file says so.
    pub resolution: Option<Resolution>,
    /// What the file says of the picture.
    pub metadata: Arc<Metadata>,
    /// Bytes that decoding a tile holds beside it: all coefficients of a progressive JPEG.
    pub held_bytes: u64,
    /// Quality layers, where the format has such.
    pub layers: Option<QualityLayers>,
    /// The other pictures that there are under this name.
    pub views: Views,
}

impl ImageInfo {
    /// An image of 8-bit samples without alpha, with these levels (largest first) offered in tiles of
    /// `tile`; what else is known of it is set afterwards.
    pub fn new(
        container: impl Into<Cow<'static, str>>,
        stored: Vec<StoredLevel>,
        tile: Size,
        colour: ColourModel,
    ) -> Self {
        Self {
            container: container.into(),
            size: stored.first().map_or(Size::ONE, |full| full.size),
            tile,
            levels: Self::ladder(&stored, tile),
            stored,
            colour,
            alpha: false,
            samples: SampleType::U8,
            bits: 8,
            bands_stored: colour.bands().into(),
            ranges: Vec::new(),
            icc: None,
            resolution: None,
            metadata: Arc::default(),
            held_bytes: 0,
            layers: None,
            views: Views::default(),
        }
    }

    /// The levels (largest first) with the last one halved again and again until it fits one tile of
    /// `tile`: what a file that is no pyramid is given.
    pub fn halved_to(mut stored: Vec<StoredLevel>, tile: Size) -> Vec<StoredLevel> {
        while let Some(last) = stored.last().filter(|last| !last.size.fits(tile)) {
            let half = last.half(stored.len() - 1);
            stored.push(half);
        }
        stored
    }

    /// What is shown as black and white of colour band `band`.
    pub fn range(&self, band: usize) -> SampleRange {
        self.ranges.get(band).copied().unwrap_or(self.samples.full_range())
    }

    /// How much a decoded sample grows where the stored one grows by 1: fewer bits than those of the type
    /// were scaled to its whole range.
    pub fn unit(&self) -> f32 {
        let bits = match self.samples {
            SampleType::U8 => self.bits.min(8),
            SampleType::U16 => self.bits.min(16),
            SampleType::F32 => return 1.0,
        };
        let largest = 2_f32.powi(bits.into()) - 1.0;
        if largest < 1.0 { 1.0 } else { self.samples.full_range().white / largest }
    }

    /// Bands of a decoded tile, alpha included.
    pub const fn bands(&self) -> u8 {
        self.colour.bands() + if self.alpha { 1 } else { 0 }
    }

    /// The tile of protocols that know squares only: as wide as the offered one.
    pub const fn square_tile(&self) -> Size {
        Size::at_least_one(self.tile.width(), self.tile.width())
    }

    /// The pixels of a stored tile within its level, cropped at the edge.
    pub fn tile_rect(&self, at: TileAddress) -> Option<Rect> {
        let level = self.stored.get(at.stored)?;
        Rect::tile(level.size, level.tile, at.column, at.row)
    }

    /// Builds the offered ladder from the stored levels (largest first, `stored[0]` the full image):
    /// the full image halved until a level fits one tile of `tile`, plus every stored level below
    /// that is a power of two. Where a stored level is the half within rounding, its own size stands.
    pub fn ladder(stored: &[StoredLevel], tile: Size) -> Vec<Level> {
        let Some(full) = stored.first() else { return Vec::new() };
        let mut levels = vec![Level { size: full.size, stored: Some(0) }];
        for steps in 1..u32::BITS {
            let exact = f64::from(steps).exp2();
            let found = stored
                .iter()
                .position(|level| (level.factor - exact).abs() < 1e-9 && level.is_in_file());
            let fits_above = levels.last().is_some_and(|level| level.size.fits(tile));
            let more_stored =
                stored.iter().any(|level| exact <= level.factor && level.is_in_file());
            if fits_above && !more_stored {
                break;
            }
            let size = found
                .and_then(|index| stored.get(index))
                .map_or_else(|| full.size.halved_down(steps), |level| level.size);
            if levels.last().is_some_and(|level| level.size == size) {
                break;
            }
            levels.push(Level { size, stored: found });
        }
        levels
    }

    /// The nominal factor of a level of `size` in an image of `full` pixels: the power of two whose
    /// rounding (down or up at each halving) gives that size, else the ratio of the widths.
    pub fn nominal_factor(full: Size, size: Size) -> f64 {
        let ratio = f64::from(full.width()) / f64::from(size.width());
        for steps in 0..u32::BITS {
            let down = full.halved_down(steps);
            let up = full.halved_up(steps);
            let between = |low: u32, side: u32, high: u32| low <= side && side <= high;
            if between(down.width(), size.width(), up.width())
                && between(down.height(), size.height(), up.height())
            {
                return f64::from(steps).exp2();
            }
        }
        ratio.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(full: (u32, u32), sizes: &[(u32, u32)]) -> Vec<StoredLevel> {
        let full = Size::new(full.0, full.1).unwrap();
        sizes
            .iter()
            .map(|&(width, height)| {
                let size = Size::new(width, height).unwrap();
                let tile = Size::new(256, 256).unwrap();
                StoredLevel::in_file(full, size, tile, TileEncoding::Other)
            })
            .collect()
    }

    fn ladder(full: (u32, u32), sizes: &[(u32, u32)]) -> Vec<((u32, u32), Option<usize>)> {
        ImageInfo::ladder(&stored(full, sizes), Size::new(256, 256).unwrap())
            .into_iter()
            .map(|level| ((level.size.width(), level.size.height()), level.stored))
            .collect()
    }

    #[test]
    fn a_whole_pyramid_is_offered_as_it_stands() {
        assert_eq!(
            ladder((1001, 701), &[(1001, 701), (500, 350), (250, 175)]),
            [((1001, 701), Some(0)), ((500, 350), Some(1)), ((250, 175), Some(2))]
        );
        assert_eq!(
            ladder((1001, 701), &[(1001, 701), (501, 351), (251, 176)]),
            [((1001, 701), Some(0)), ((501, 351), Some(1)), ((251, 176), Some(2))]
        );
    }

    #[test]
    fn levels_that_a_file_lacks_are_offered_all_the_same() {
        assert_eq!(
            ladder((1001, 701), &[(1001, 701)]),
            [((1001, 701), Some(0)), ((500, 350), None), ((250, 175), None)]
        );
        assert_eq!(
            ladder((4096, 4096), &[(4096, 4096), (1024, 1024)]),
            [
                ((4096, 4096), Some(0)),
                ((2048, 2048), None),
                ((1024, 1024), Some(1)),
                ((512, 512), None),
                ((256, 256), None)
            ]
        );
    }

    #[test]
    fn a_factor_of_three_is_a_source_but_no_offered_level() {
        let levels = ladder((900, 900), &[(900, 900), (300, 300)]);
        assert_eq!(levels, [((900, 900), Some(0)), ((450, 450), None), ((225, 225), None)]);
        assert!((stored((900, 900), &[(300, 300)])[0].factor - 3.0).abs() < 1e-9);
    }

    #[test]
    fn levels_that_are_made_lack_no_pixel_and_are_offered_rounded_down() {
        let (full, tile) = (Size::new(1001, 701).unwrap(), Size::new(256, 256).unwrap());
        let one_tile = StoredLevel::in_file(full, full, full, TileEncoding::Other);
        let made = ImageInfo::halved_to(vec![one_tile], tile);
        let shape = |level: &StoredLevel| (level.size, level.tile, level.made_from);
        let size = |width, height| Size::new(width, height).unwrap();
        assert_eq!(
            made.iter().map(shape).collect::<Vec<_>>(),
            [
                (full, full, None),
                (size(501, 351), size(501, 351), Some(0)),
                (size(251, 176), size(251, 176), Some(1)),
            ]
        );
        let offered = ImageInfo::ladder(&made, tile);
        assert_eq!(offered[1], Level { size: size(500, 350), stored: None });
        assert_eq!(offered.len(), 3);
        let tiled = StoredLevel::in_file(full, full, tile, TileEncoding::Jpeg);
        let made = ImageInfo::halved_to(vec![tiled], tile);
        assert_eq!(shape(&made[1]), (size(501, 351), tile, Some(0)));
        assert_eq!(shape(&made[2]), (size(251, 176), size(251, 176), Some(1)));
    }

    #[test]
    fn the_last_column_of_a_half_may_stand_for_one_pixel_only() {
        let size = |width, height| Size::new(width, height).unwrap();
        let full = size(257, 100);
        let level = StoredLevel::in_file(full, full, full, TileEncoding::Other);
        let last = Rect::new(128, 0, size(1, 50)).unwrap();
        assert_eq!(level.doubled(last), Rect::new(256, 0, size(1, 100)));
    }

    #[test]
    fn levels_that_a_codec_scales_are_sources_and_offered_rounded_down() {
        let (full, tile) = (Size::new(1001, 701).unwrap(), Size::new(256, 256).unwrap());
        let mut stored = vec![StoredLevel::in_file(full, full, full, TileEncoding::Other)];
        stored.extend([1, 2].map(|halvings| StoredLevel::scaled(full, halvings, 4096)));
        assert_eq!(stored[2].size, Size::new(251, 176).unwrap());
        assert_eq!((stored[2].tile, stored[2].factor.to_bits()), (stored[2].size, 4_f64.to_bits()));
        let offered = ImageInfo::ladder(&stored, tile);
        let sizes: Vec<_> =
            offered.iter().map(|level| (level.size.width(), level.stored)).collect();
        assert_eq!(sizes, [(1001, Some(0)), (500, None), (250, None)]);
    }

    #[test]
    fn a_level_smaller_than_a_tile_is_kept_where_it_is_stored() {
        assert_eq!(ladder((200, 100), &[(200, 100), (100, 50)]).len(), 2);
        assert_eq!(ladder((1, 1), &[(1, 1)]), [((1, 1), Some(0))]);
    }
}
