//! Which directories of a file are levels of one picture. TIFF does not say: writers chain them or hang
//! them below the full image (SubIFDs), mark them as reduced or not, and put thumbnails, labels, masks
//! and further pages between.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::number::u64_of;
use crate::codecs::tiff::level::Level;
use crate::codecs::tiff::malformed;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::{CodecError, DecodeLimits};
use crate::model::Size;

/// `NewSubfileType`: a reduced version of another image.
const REDUCED: u64 = 1;
/// `NewSubfileType`: a transparency mask.
const MASK: u64 = 4;

/// The full image's directory and all levels, largest first.
pub(super) struct Pyramid {
    /// Where the tags are that hold for the whole picture.
    pub(super) full: Directory,
    /// The full image and its reductions; never empty, each smaller than the one before.
    pub(super) levels: Vec<Level>,
}

/// The sizes in a directory: enough to tell whether it can be a level.
#[derive(Clone, Copy, Debug)]
struct Outline {
    size: Size,
    tile: Option<Size>,
    subfile_type: u64,
}

impl Pyramid {
    /// Finds the full image, the first that is not marked as reduced or as a mask, and its levels:
    /// its SubIFDs, or where none of them is one, the directories that follow it.
    ///
    /// # Errors
    /// `Unsupported` where the full image is one that is not read; `Malformed` where the chain or a
    /// level is broken; `OverLimit`; `Io`.
    pub(super) fn read(
        structure: &mut Structure,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        let full = full_image(structure)?;
        let outline = Outline::read(structure, &full)?;
        let level = Level::read(structure, &full, outline.size, outline.tile, limits)?;
        let mut pyramid = Self { full, levels: vec![level] };
        pyramid.add_sub_directories(structure, limits)?;
        if pyramid.levels.len() == 1 {
            pyramid.add_chain(structure, limits)?;
        }
        Ok(pyramid)
    }

    fn add_sub_directories(
        &mut self,
        structure: &mut Structure,
        limits: &DecodeLimits,
    ) -> Result<(), CodecError> {
        // As plain numbers, whatever their type: some writers say LONG8 where the standard says IFD8.
        let count_max = u64_of(limits.directories_max);
        let offsets = structure.numbers(&self.full, Tag::SubIfd, count_max)?.unwrap_or_default();
        for offset in offsets {
            let directory = structure.directory(offset)?;
            self.add(structure, &directory, limits)?;
        }
        Ok(())
    }

    fn add_chain(
        &mut self,
        structure: &mut Structure,
        limits: &DecodeLimits,
    ) -> Result<(), CodecError> {
        let mut next = self.full.next();
        while let Some(offset) = next {
            let directory = structure.directory(offset.0)?;
            next = directory.next();
            self.add(structure, &directory, limits)?;
        }
        Ok(())
    }

    /// Adds a directory if it is a level of this picture.
    fn add(
        &mut self,
        structure: &mut Structure,
        from: &Directory,
        limits: &DecodeLimits,
    ) -> Result<(), CodecError> {
        let (Some(full), Some(last)) = (self.levels.first(), self.levels.last()) else {
            return Ok(());
        };
        let outline = match Outline::read(structure, from) {
            Ok(outline) => outline,
            Err(CodecError::Io(error)) => return Err(CodecError::Io(error)),
            // What has no sizes is no picture, so no level of this one.
            Err(_) => return Ok(()),
        };
        // Thumbnails and labels are stored in strips.
        if outline.tile.is_none() {
            return Ok(());
        }
        if !outline.is_reduction(full.size, last.size) {
            return Ok(());
        }
        match Level::read(structure, from, outline.size, outline.tile, limits) {
            Ok(level) if level.layout.is_same_picture(&full.layout) => self.levels.push(level),
            Ok(_) | Err(CodecError::Unsupported { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// The first directory that is neither reduced nor a mask, else the first.
fn full_image(structure: &mut Structure) -> Result<Directory, CodecError> {
    let first = structure.directory(structure.first())?;
    if is_full(structure, &first)? {
        return Ok(first);
    }
    let mut next = first.next();
    while let Some(offset) = next {
        let directory = structure.directory(offset.0)?;
        if is_full(structure, &directory)? {
            return Ok(directory);
        }
        next = directory.next();
    }
    Ok(first)
}

fn is_full(structure: &mut Structure, from: &Directory) -> Result<bool, CodecError> {
    Ok(structure.number(from, Tag::NewSubfileType)?.unwrap_or(0) & (REDUCED | MASK) == 0)
}

impl Outline {
    fn read(structure: &mut Structure, from: &Directory) -> Result<Self, CodecError> {
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
        Ok(Self { size, tile, subfile_type })
    }

    /// Whether this is `full` made smaller, and smaller than `last`.
    fn is_reduction(&self, full: Size, last: Size) -> bool {
        self.subfile_type & MASK == 0
            && self.size.fits(last)
            && self.size != last
            && has_aspect(self.size, full)
    }
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
