//! Rights of an image that tells none: those that a setting has for all such.

use std::sync::Arc;

use crate::codecs::{CodecError, Decode, StoredTile};
use crate::imaging::Pixels;
use crate::model::{Field, ImageInfo, Metadata, TileAddress};

/// An image and what it is said to be.
#[derive(Debug)]
struct Claimed {
    image: Arc<dyn Decode>,
    info: Arc<ImageInfo>,
}

/// The image with these rights, where they are not empty and it tells none.
pub fn with_rights(image: Arc<dyn Decode>, rights: &str) -> Arc<dyn Decode> {
    let told = image.info();
    if rights.is_empty() || told.metadata.text(Field::Rights).is_some() {
        return image;
    }
    let mut metadata = Metadata::clone(&told.metadata);
    metadata.add(Field::Rights, rights);
    let info = ImageInfo { metadata: Arc::new(metadata), ..ImageInfo::clone(told) };
    Arc::new(Claimed { image, info: Arc::new(info) })
}

impl Decode for Claimed {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        self.image.decode_tile(at)
    }

    fn stored_tile(&self, at: TileAddress, icc: bool) -> Result<Option<StoredTile>, CodecError> {
        self.image.stored_tile(at, icc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::{DecodeLimits, Encoding, encode, open};
    use crate::imaging::{Pixels, Raster};
    use crate::model::{ColourModel, Format, Selection, Size};

    /// An image whose file tells these rights.
    fn image(rights: &str) -> Arc<dyn Decode> {
        let pixels = Pixels::U8(Raster::zeroed(Size::ONE, ColourModel::Gray, false));
        let mut encoding = Encoding::plain(Format::Png, 1);
        let mut metadata = Metadata::default();
        metadata.add(Field::Rights, rights);
        encoding.about.metadata = Some(Arc::new(metadata));
        let file = encode(&pixels, &encoding).unwrap();
        open(Arc::new(file.to_vec()), Selection::default(), &DecodeLimits::default()).unwrap()
    }

    #[test]
    fn rights_of_the_image_come_first_and_those_of_the_setting_where_there_are_none() {
        for (told, set, expected) in
            [("Ada", "all", Some("Ada")), ("", "all", Some("all")), ("", "", None)]
        {
            let image = with_rights(image(told), set);
            assert_eq!(image.info().metadata.text(Field::Rights), expected);
            image.decode_tile(TileAddress { stored: 0, column: 0, row: 0 }).unwrap();
        }
    }
}
