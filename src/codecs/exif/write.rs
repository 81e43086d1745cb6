//! The Exif block of an answer: the source's with a new first directory, or one made of what the source
//! says elsewhere. It says that the picture stands upright, and has no small picture of its own: that
//! would show what a region leaves out.

use crate::codecs::encoding::About;
use crate::codecs::exif::TEXT_TAGS;
use crate::codecs::exif::read::Block;
use crate::codecs::fields::{Fields, ORIENTATION};
use crate::codecs::number::usize_of;

/// What a block begins with where the source has none.
const EMPTY: &[u8] = b"II\x2a\0\x08\0\0\0\0\0";

/// The directory of the camera's settings, in the first one.
const EXIF_DIRECTORY: u16 = 0x8769;

/// A block of its own around the camera's settings, which in a TIFF are a directory of the whole.
pub(in crate::codecs) fn block_of(settings: &Fields) -> Vec<u8> {
    let mut first = settings.beside();
    // Behind the header: the first directory, of one entry, and then the other.
    first.longs(EXIF_DIRECTORY, &[8 + 2 + 12 + 4]);
    let mark: &[u8] = if settings.is_big_endian() { b"MM\0\x2a" } else { b"II\x2a\0" };
    [mark, &first.u32(8), &first.encode(8), &settings.encode(26)].concat()
}

/// Width and height, which were those of the source.
const STALE: [u16; 2] = [0x100, 0x101];

/// The block, without a prefix; nothing where there is nothing to say, or it would be longer than
/// `len_max`. A source's block that is too long is left out alone.
pub(in crate::codecs) fn written(about: &About, len_max: usize) -> Option<Vec<u8>> {
    let source = about.metadata.as_ref().and_then(|metadata| metadata.exif.as_deref());
    let with_source = source.and_then(|source| extended(source, about));
    let fits = |block: &Vec<u8>| block.len() <= len_max;
    with_source.filter(fits).or_else(|| extended(EMPTY, about).filter(fits))
}

/// A block behind whose bytes stands a new first directory, so that whatever others of its parts point to
/// stays where it is.
fn extended(source: &[u8], about: &About) -> Option<Vec<u8>> {
    let block = Block::of(source)?;
    let mut fields = Fields::new(block.is_big_endian());
    for (tag, entry) in block.entries() {
        fields.keep(tag, entry);
    }
    for tag in STALE {
        fields.remove(tag);
    }
    if fields.has(ORIENTATION) {
        fields.shorts(ORIENTATION, &[1]);
    }
    if let Some(resolution) = about.resolution {
        fields.resolution(resolution.x_per_metre, resolution.y_per_metre);
    }
    for (tag, field) in TEXT_TAGS {
        let is_told = block.text(tag).is_some_and(|told| !told.trim().is_empty());
        if let Some(text) = about.text(field).filter(|_| !is_told) {
            fields.ascii(tag, text);
        }
    }
    if fields.is_empty() {
        return None;
    }
    let mut written = source.to_vec();
    written.resize(written.len().next_multiple_of(2), 0);
    let at = u32::try_from(written.len()).ok()?;
    written.get_mut(4..8)?.copy_from_slice(&fields.u32(at));
    written.extend(fields.encode(at));
    (written.len() <= usize_of(u32::MAX)).then_some(written)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::codecs::exif::read;
    use crate::codecs::upright::Orientation;
    use crate::model::image_info::Resolution;
    use crate::model::{Field, Metadata};

    fn about(exif: Option<&[u8]>, resolution: Option<f64>) -> About {
        let mut metadata = Metadata::of_blocks([exif.map(Arc::from), None, None]);
        metadata.add(Field::Creator, "Ada");
        metadata.add(Field::Make, "Maker");
        let resolution = resolution
            .map(|dpi| dpi / 0.0254)
            .map(|x| Resolution { x_per_metre: x, y_per_metre: x });
        About { icc: None, resolution, metadata: Some(Arc::new(metadata)) }
    }

    /// Orientation 6, a link to a second directory, in this byte order.
    fn block(big_endian: bool) -> Vec<u8> {
        let mut fields = Fields::new(big_endian);
        fields.shorts(ORIENTATION, &[6]);
        fields.ascii(0x10f, "A maker of cameras");
        let mut block = if big_endian { b"MM\0\x2a".to_vec() } else { b"II\x2a\0".to_vec() };
        block.extend(fields.u32(8));
        block.extend(fields.encode(8));
        block
    }

    #[test]
    fn the_sources_block_stays_and_says_upright() {
        for big_endian in [false, true] {
            let source = block(big_endian);
            let written = written(&about(Some(&source), Some(300.0)), 1000).unwrap();
            assert_eq!(written[8..source.len()], source[8..]);
            let exif = read(&written);
            assert_eq!(exif.orientation, Orientation::default());
            assert!((exif.resolution.unwrap().x_per_metre * 0.0254 - 300.0).abs() < 1e-3);
            assert_eq!(exif.texts.text(Field::Make), Some("A maker of cameras"));
            assert_eq!(exif.texts.text(Field::Creator), Some("Ada"));
        }
    }

    #[test]
    fn a_cameras_settings_become_a_block_of_their_own() {
        for big_endian in [false, true] {
            let mut settings = Fields::new(big_endian);
            settings.fractions(0x829d, &[(56, 10)]);
            let source = block_of(&settings);
            let written = written(&about(Some(&source), None), 1000).unwrap();
            for block in [&source, &written] {
                let block = Block::of(block).unwrap();
                let (_, (kind, count, at)) =
                    block.entries().find(|(tag, _)| *tag == EXIF_DIRECTORY).unwrap();
                assert_eq!((kind, count, at), (4, 1, settings.u32(26)));
            }
            assert_eq!(written[26..28], settings.u16(1));
            assert_eq!(written[28..30], settings.u16(0x829d));
        }
    }

    #[test]
    fn without_a_block_one_is_made_and_only_of_what_is_known() {
        for exif in [None, Some(&b"garbage"[..])] {
            let found = read(&written(&about(exif, None), 1000).unwrap());
            assert_eq!(found.texts.text(Field::Make), Some("Maker"));
            assert_eq!(found.resolution, None);
        }
        assert_eq!(written(&About::default(), 1000), None);
    }

    #[test]
    fn a_block_that_is_too_long_is_left_out_alone() {
        let long = [block(false), vec![0; 2000]].concat();
        let written = written(&about(Some(&long), None), 1000).unwrap();
        assert!(written.len() < 200);
        assert_eq!(read(&written).texts.text(Field::Make), Some("Maker"));
        assert_eq!(super::written(&about(Some(&long), None), 10), None);
    }
}
