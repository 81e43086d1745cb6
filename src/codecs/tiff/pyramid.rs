//! One picture and its levels, out of the directories that may be some. Writers chain them or hang them
//! below the full image (SubIFDs), mark them as reduced or not, and put thumbnails, masks and damage
//! between: what is no smaller version of the same picture is left out here.

use tiff::Directory;

use crate::codecs::tiff::level::Level;
use crate::codecs::tiff::outline::Outline;
use crate::codecs::tiff::slices::Page;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::{CodecError, DecodeLimits};

/// The full image's directory and all levels, largest first.
pub(super) struct Pyramid {
    /// Where the tags are that hold for the whole picture.
    pub(super) full: Directory,
    /// The full image and its reductions; never empty, each smaller than the one before.
    pub(super) levels: Vec<Level>,
}

impl Pyramid {
    /// Reads a picture: the directories below it (SubIFDs) are its levels, or where none of them is
    /// one, those that follow it.
    ///
    /// # Errors
    /// `Unsupported` where the full image is one that is not read; `Malformed` where a level is broken;
    /// `OverLimit`; `Io`.
    pub(super) fn read(
        structure: &mut Structure,
        page: &Page,
        limits: &DecodeLimits,
    ) -> Result<Self, CodecError> {
        let outline = page.full;
        let full = structure.again(outline.offset)?;
        let level = Level::read(structure, &full, outline.size, outline.tile, limits)?;
        let mut pyramid = Self { full, levels: vec![level] };
        pyramid.add_all(structure, &page.below, limits)?;
        if pyramid.levels.len() == 1 {
            pyramid.add_all(structure, &page.chained, limits)?;
        }
        Ok(pyramid)
    }

    fn add_all(
        &mut self,
        structure: &mut Structure,
        outlines: &[Outline],
        limits: &DecodeLimits,
    ) -> Result<(), CodecError> {
        outlines.iter().try_for_each(|outline| self.add(structure, outline, limits))
    }

    /// Adds a directory if it is a level of this picture.
    fn add(
        &mut self,
        structure: &mut Structure,
        outline: &Outline,
        limits: &DecodeLimits,
    ) -> Result<(), CodecError> {
        let (Some(full), Some(last)) = (self.levels.first(), self.levels.last()) else {
            return Ok(());
        };
        // Thumbnails and labels are stored in strips.
        if outline.tile.is_none() || !outline.is_reduction(full.size, last.size) {
            return Ok(());
        }
        let from = structure.again(outline.offset)?;
        match Level::read(structure, &from, outline.size, outline.tile, limits) {
            Ok(level) if level.layout.is_same_picture(&full.layout) => self.levels.push(level),
            Ok(_) | Err(CodecError::Unsupported { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
