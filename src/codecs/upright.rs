//! Images that were stored lying or mirrored, as their header says (TIFF 6.0, tag 274; Exif 2.32, section
//! 4.6.4): turned upright tile by tile, so that nobody behind the codec knows of it.

use std::sync::Arc;

use crate::codecs::{CodecError, Decode, StoredTile};
use crate::imaging::{self, ImagingError, Mosaic, Pixels, Sample, Shrink};
use crate::model::request::Rotation;
use crate::model::{ImageInfo, Rect, SampleType, Size, StoredLevel, TileAddress, TileEncoding};

/// How the stored rows and columns lie in the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Orientation {
    /// The stored picture is mirrored left to right first,
    mirror: bool,
    /// then turned clockwise.
    turn: Rotation,
}

impl Orientation {
    /// The orientation with this number, 1 to 8; any other counts as 1, as everybody reads them.
    pub(super) const fn of(number: u64) -> Self {
        let (mirror, turn) = match number {
            2 => (true, Rotation::None),
            3 => (false, Rotation::Half),
            4 => (true, Rotation::Half),
            5 => (true, Rotation::ThreeQuarters),
            6 => (false, Rotation::Quarter),
            7 => (true, Rotation::Quarter),
            8 => (false, Rotation::ThreeQuarters),
            _ => (false, Rotation::None),
        };
        Self { mirror, turn }
    }

    const fn is_upright(self) -> bool {
        !self.mirror && matches!(self.turn, Rotation::None)
    }

    fn size(self, stored: Size) -> Size {
        self.turn.size_of(stored)
    }

    /// Where the pixels of `upright`, a rectangle of the picture, are stored in a level of `stored`
    /// pixels.
    fn stored_rect(self, upright: Rect, stored: Size) -> Option<Rect> {
        let (left, top) = (upright.left(), upright.top());
        let (right, bottom) = (upright.right(), upright.bottom());
        let (width, height) = (stored.width(), stored.height());
        // The corner in the mirrored picture before it was turned.
        let (x, y) = match self.turn {
            Rotation::None => (left, top),
            Rotation::Quarter => (top, height.checked_sub(right)?),
            Rotation::Half => (width.checked_sub(right)?, height.checked_sub(bottom)?),
            Rotation::ThreeQuarters => (width.checked_sub(bottom)?, left),
        };
        let size = self.size(upright.size());
        let x = if self.mirror { width.checked_sub(x + size.width())? } else { x };
        Rect::new(x, y, size)
    }

    fn apply<T: Sample>(self, raster: imaging::Raster<T>) -> imaging::Raster<T> {
        let mirrored = if self.mirror { imaging::mirror(raster) } else { raster };
        imaging::turn(mirrored, self.turn)
    }
}

/// An image and how it lies.
#[derive(Debug)]
struct Upright {
    stored: Arc<dyn Decode>,
    orientation: Orientation,
    info: Arc<ImageInfo>,
}

/// The image turned upright; the same where it is.
pub(super) fn upright(image: Arc<dyn Decode>, orientation: Orientation) -> Arc<dyn Decode> {
    if orientation.is_upright() {
        return image;
    }
    let info = Arc::new(upright_info(image.info(), orientation));
    Arc::new(Upright { stored: image, orientation, info })
}

fn upright_info(info: &ImageInfo, orientation: Orientation) -> ImageInfo {
    let stored: Vec<StoredLevel> = info
        .stored
        .iter()
        .map(|level| StoredLevel {
            size: orientation.size(level.size),
            tile: orientation.size(level.tile),
            encoding: TileEncoding::Other,
            ..*level
        })
        .collect();
    let (size, tile) = (orientation.size(info.size), orientation.size(info.tile));
    let resolution = info
        .resolution
        .map(|along| if orientation.turn.swaps_sides() { along.turned() } else { along });
    ImageInfo {
        size,
        tile,
        levels: ImageInfo::ladder(&stored, tile),
        stored,
        resolution,
        ..info.clone()
    }
}

impl Upright {
    /// The tile's pixels from the stored tiles that hold them: an edge tile is cut on the other side
    /// there, so they may be four.
    fn gather<T: Sample>(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        let no_tile = || CodecError::malformed("image", "there is no such tile");
        let upright = self.info.tile_rect(at).ok_or_else(no_tile)?;
        let info = self.stored.info();
        let level = info.stored.get(at.stored).ok_or_else(no_tile)?;
        let area = self.orientation.stored_rect(upright, level.size).ok_or_else(no_tile)?;
        let mut mosaic = Mosaic::<T>::new(area, Shrink::None, info.colour, info.alpha);
        let columns = area.left() / level.tile.width()..area.right().div_ceil(level.tile.width());
        for row in area.top() / level.tile.height()..area.bottom().div_ceil(level.tile.height()) {
            for column in columns.clone() {
                let from = TileAddress { stored: at.stored, column, row };
                let rect = info.tile_rect(from).ok_or_else(no_tile)?;
                let tile = self.stored.decode_tile(from)?;
                mosaic
                    .add(T::unwrap(&tile).ok_or_else(no_tile)?, rect)
                    .map_err(|error| misfit(&error))?;
            }
        }
        Ok(T::wrap(self.orientation.apply(mosaic.finish().map_err(|error| misfit(&error))?)))
    }
}

/// Tiles of one image fit together, or its codec breaks its promise.
fn misfit(error: &ImagingError) -> CodecError {
    CodecError::malformed("image", error.to_string())
}

impl Decode for Upright {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        match self.info.samples {
            SampleType::U8 => self.gather::<u8>(at),
            SampleType::U16 => self.gather::<u16>(at),
            SampleType::F32 => self.gather::<f32>(at),
        }
    }

    fn stored_tile(&self, _: TileAddress, _: bool) -> Result<Option<StoredTile>, CodecError> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Raster;
    use crate::model::{ColourModel, Format};

    fn size(width: u32, height: u32) -> Size {
        Size::new(width, height).unwrap()
    }

    /// 5 x 3 pixels, numbered row by row, in tiles of 2 x 2.
    #[derive(Debug)]
    struct Numbered(Arc<ImageInfo>);

    impl Numbered {
        fn open() -> Arc<dyn Decode> {
            let full = size(5, 3);
            let level = StoredLevel::in_file(full, full, size(2, 2), TileEncoding::Jpeg);
            let info = ImageInfo::new("stub", vec![level], size(2, 2), ColourModel::Gray);
            Arc::new(Self(Arc::new(info)))
        }
    }

    impl Decode for Numbered {
        fn info(&self) -> &Arc<ImageInfo> {
            &self.0
        }

        fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
            let rect = self.0.tile_rect(at).unwrap();
            let samples = (rect.top()..rect.bottom())
                .flat_map(|y| (rect.left()..rect.right()).map(move |x| u8::try_from(y * 5 + x)))
                .collect::<Result<_, _>>();
            let raster = Raster::new(rect.size(), ColourModel::Gray, false, samples.unwrap());
            Ok(raster.unwrap().into())
        }

        fn stored_tile(&self, _: TileAddress, _: bool) -> Result<Option<StoredTile>, CodecError> {
            let bytes = bytes::Bytes::from_static(b"it lies as the picture does not");
            Ok(Some(StoredTile { format: Format::Jpeg, bytes }))
        }
    }

    fn whole(image: &dyn Decode) -> (Size, Vec<u8>) {
        let info = image.info();
        let mut whole = Raster::<u8>::zeroed(info.size, info.colour, info.alpha);
        let (columns, rows) = info.size.grid(info.stored[0].tile);
        for (column, row) in (0..rows).flat_map(|row| (0..columns).map(move |x| (x, row))) {
            let at = TileAddress { stored: 0, column, row };
            let (tile, rect) = (image.decode_tile(at).unwrap(), info.tile_rect(at).unwrap());
            let tile = tile.into_bytes().unwrap();
            whole.paste(&tile, Rect::whole(tile.size()), rect.left(), rect.top());
        }
        (info.size, whole.into_samples())
    }

    #[test]
    fn each_orientation_puts_row_and_column_where_the_standard_says() {
        // TIFF 6.0, tag 274: what stored row 0 and column 0 are in the picture.
        let (wide, tall) = (size(5, 3), size(3, 5));
        for (number, expected_size, upper_left, upper_right, lower_left) in [
            (1, wide, 0, 4, 10),
            (2, wide, 4, 0, 14),
            (3, wide, 14, 10, 4),
            (4, wide, 10, 14, 0),
            (5, tall, 0, 10, 4),
            (6, tall, 10, 0, 14),
            (7, tall, 14, 4, 10),
            (8, tall, 4, 14, 0),
            (0, wide, 0, 4, 10),
            (9, wide, 0, 4, 10),
        ] {
            let image = upright(Numbered::open(), Orientation::of(number));
            let (found, samples) = whole(&*image);
            assert_eq!(found, expected_size, "{number}");
            let (columns, last) = (usize::try_from(found.width()).unwrap(), samples.len() - 1);
            let corners = (samples[0], samples[columns - 1], samples[last + 1 - columns]);
            assert_eq!(corners, (upper_left, upper_right, lower_left), "{number}");
        }
    }

    #[test]
    fn a_lying_image_is_never_passed_through() {
        let image = upright(Numbered::open(), Orientation::of(6));
        assert_eq!(image.info().stored[0].encoding, TileEncoding::Other);
        let first = TileAddress { stored: 0, column: 0, row: 0 };
        assert_eq!(image.stored_tile(first, true).unwrap(), None);
        image.decode_tile(TileAddress { column: 9, ..first }).unwrap_err();
    }
}
