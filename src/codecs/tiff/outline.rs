//! `Outline`: what a directory says of its sizes, enough to tell what it is without its tables.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::number::u64_of;
use crate::codecs::tiff::malformed;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::Size;

/// `NewSubfileType`: a reduced version of another image.
const REDUCED: u64 = 1;
/// `NewSubfileType`: a page of a document or stack.
const PAGE: u64 = 2;
/// `NewSubfileType`: a transparency mask.
const MASK: u64 = 4;

/// The sizes in a directory: enough to tell whether it can be a level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outline {
    /// Where the directory is in the file.
    pub(super) offset: u64,
    /// Pixels of the picture.
    pub(super) size: Size,
    /// Pixels of a tile; none where the picture is stored in strips.
    pub(super) tile: Option<Size>,
    /// `NewSubfileType`.
    pub(super) subfile_type: u64,
}

impl Outline {
    /// Reads what a directory at this place says of its sizes.
    ///
    /// # Errors
    /// `Malformed` where there are none; `OverLimit`; `Io`.
    pub(super) fn read(
        structure: &mut Structure,
        from: &Directory,
        offset: u64,
    ) -> Result<Self, CodecError> {
        let width = side(structure, from, Tag::ImageWidth)?;
        let height = side(structure, from, Tag::ImageLength)?;
        let size = Size::new(width.unwrap_or(0), height.unwrap_or(0))
            .ok_or_else(|| malformed("the image has no width or no height"))?;
        let tile =
            match (side(structure, from, Tag::TileWidth)?, side(structure, from, Tag::TileLength)?)
            {
                (None, None) => None,
                (width, height) => Some(
                    Size::new(width.unwrap_or(0), height.unwrap_or(0))
                        .ok_or_else(|| malformed("its tiles have no width or no height"))?,
                ),
            };
        let subfile_type = structure.number(from, Tag::NewSubfileType)?.unwrap_or(0);
        Ok(Self { offset, size, tile, subfile_type })
    }

    /// Whether it is marked as a smaller version of something.
    pub(super) const fn is_reduced(&self) -> bool {
        self.subfile_type & REDUCED != 0
    }

    /// Whether it is marked as a page, and not as a smaller version of one.
    pub(super) const fn is_page(&self) -> bool {
        self.subfile_type & PAGE != 0 && !self.is_reduced()
    }

    /// Whether it says which pixels of another image count.
    pub(super) const fn is_mask(&self) -> bool {
        self.subfile_type & MASK != 0
    }

    /// Whether it is stored in tiles, as pyramids are.
    pub(super) const fn is_tiled(&self) -> bool {
        self.tile.is_some()
    }

    /// Whether this is `full` made smaller, and smaller than `last`.
    pub(super) fn is_reduction(&self, full: Size, last: Size) -> bool {
        !self.is_mask() && self.size.fits(last) && self.size != last && has_aspect(self.size, full)
    }
}

/// The directories that hang below one (SubIFDs); those that hold no picture are left out.
///
/// # Errors
/// `Malformed` where one lies outside the file or was read before; `OverLimit`; `Io`.
pub(super) fn below(
    structure: &mut Structure,
    directory: &Directory,
    limits: &DecodeLimits,
) -> Result<Vec<Outline>, CodecError> {
    // As plain numbers, whatever their type: some writers say LONG8 where the standard says IFD8.
    let count_max = u64_of(limits.directories_max);
    let offsets = structure.numbers(directory, Tag::SubIfd, count_max)?.unwrap_or_default();
    let mut found = Vec::new();
    for offset in offsets {
        let directory = structure.directory(offset)?;
        match Outline::read(structure, &directory, offset) {
            Ok(outline) => found.push(outline),
            Err(CodecError::Io(error)) => return Err(CodecError::Io(error)),
            // What has no sizes is no picture, so no level of this one.
            Err(_) => {}
        }
    }
    Ok(found)
}

/// Whether some factor turns `full` into `size`, each side rounded down or up by less than one pixel.
fn has_aspect(size: Size, full: Size) -> bool {
    // The factors that fit a side lie strictly between these.
    let between = |reduced: u32, whole: u32| {
        let (reduced, whole) = (f64::from(reduced), f64::from(whole));
        (whole / (reduced + 1.0), whole / (reduced - 1.0).max(0.0))
    };
    let (x_low, x_high) = between(size.width(), full.width());
    let (y_low, y_high) = between(size.height(), full.height());
    x_low.max(y_low) < x_high.min(y_high)
}

fn side(structure: &mut Structure, from: &Directory, tag: Tag) -> Result<Option<u32>, CodecError> {
    let pixels = structure.number(from, tag)?;
    pixels
        .map(|pixels| {
            u32::try_from(pixels).map_err(|_too_large| CodecError::OverLimit {
                what: "pixels of a side",
                value: pixels,
                limit: u32::MAX.into(),
            })
        })
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aspect_is_the_same_within_rounding() {
        let size = |(width, height)| Size::new(width, height).unwrap();
        for (full, level, same) in [
            ((4993, 3877), (2496, 1938), true),
            ((4993, 3877), (156, 121), true),
            ((1001, 701), (501, 351), true),
            ((46_000, 32_914), (2875, 2057), true),
            ((900, 900), (300, 300), true),
            ((3, 1), (1, 1), true),
            ((1, 257), (1, 128), true),
            ((2220, 2967), (574, 768), true),
            ((2220, 2967), (387, 463), false),
            ((1000, 1000), (500, 400), false),
            ((1000, 500), (500, 500), false),
        ] {
            assert_eq!(has_aspect(size(level), size(full)), same, "{full:?} {level:?}");
        }
    }
}
