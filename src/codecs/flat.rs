//! `Flat`: an image of a file that has no tiles, offered as a pyramid. Its stored tile is a whole level
//! (or, of the largest, a band of rows), kept among the decoded tiles, so that a session costs one decode.

use std::fmt::Debug;
use std::io;
use std::sync::Arc;

use crate::codecs::number::{u64_of, usize_of_bytes, zeroed};
use crate::codecs::{CodecError, Decode, DecodeLimits, StoredTile};
use crate::imaging::{Pixels, read_profile};
use crate::model::{
    ColourModel, ImageInfo, Profile, ReadAt, Rect, Size, StoredLevel, TileAddress, TileEncoding,
};

/// The tile that is offered to clients.
pub(super) const OFFERED_TILE: Size = Size::at_least_one(256, 256);

/// What a codec knows of a flat image beside its [`ImageInfo`].
pub(super) trait Picture: Debug + Send + Sync {
    /// The format's name in errors.
    const FORMAT: &'static str;

    /// Decodes a rectangle that is a tile of the stored level of this number.
    ///
    /// # Errors
    /// As [`Decode::decode_tile`].
    fn decode(&self, stored: usize, rect: Rect) -> Result<Pixels, CodecError>;
}

/// An open flat image.
#[derive(Debug)]
struct Flat<P> {
    info: Arc<ImageInfo>,
    picture: P,
}

/// Joins what is known of an image with the codec that decodes it.
pub(super) fn flat<P: Picture + 'static>(info: ImageInfo, picture: P) -> Arc<dyn Decode> {
    Arc::new(Flat { info: Arc::new(info), picture })
}

/// An image that is decoded whole, in 8-bit samples without alpha; what else is known is set afterwards.
pub(super) fn whole(container: &'static str, size: Size, colour: ColourModel) -> ImageInfo {
    let full = StoredLevel::in_file(size, size, size, TileEncoding::Other);
    let stored = ImageInfo::halved_to(vec![full], OFFERED_TILE);
    ImageInfo::new(container, stored, OFFERED_TILE, colour)
}

impl<P: Picture> Decode for Flat<P> {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        let level = self.info.stored.get(at.stored).filter(|level| level.made_from.is_none());
        let rect = level.and_then(|_| self.info.tile_rect(at));
        let rect = rect.ok_or_else(|| CodecError::malformed(P::FORMAT, "there is no such tile"))?;
        self.picture.decode(at.stored, rect)
    }

    fn stored_tile(&self, at: TileAddress, _: bool) -> Result<Option<StoredTile>, CodecError> {
        match self.info.tile_rect(at) {
            Some(_) => Ok(None),
            None => Err(CodecError::malformed(P::FORMAT, "there is no such tile")),
        }
    }
}

/// The size that a header claims, held against the limit of a side.
///
/// # Errors
/// `Malformed` for an empty picture; `OverLimit`.
pub(super) fn size(
    format: &'static str,
    (width, height): (u32, u32),
    limits: &DecodeLimits,
) -> Result<Size, CodecError> {
    let size = Size::new(width, height)
        .ok_or_else(|| CodecError::malformed(format, format!("{width}x{height} pixels")))?;
    let (what, value, limit) =
        ("pixels of an image's side", size.longer().into(), limits.side_px_max.into());
    if limit < value { Err(CodecError::OverLimit { what, value, limit }) } else { Ok(size) }
}

/// Refuses a picture that cannot be decoded in one piece.
///
/// # Errors
/// `OverLimit`.
pub(super) fn check_whole(size: Size, limits: &DecodeLimits) -> Result<(), CodecError> {
    let (value, limit) = (size.area(), limits.tile_px_max);
    let what = "pixels of an image that is decoded in one piece";
    if limit < value { Err(CodecError::OverLimit { what, value, limit }) } else { Ok(()) }
}

/// The profile that a library has read; nothing where it is empty or larger than the limit.
pub(super) fn profile(icc: Option<&[u8]>, limits: &DecodeLimits) -> Option<Profile> {
    let icc = icc.filter(|icc| !icc.is_empty() && u64_of(icc.len()) <= limits.icc_bytes_max);
    icc.map(|icc| read_profile(icc.into()))
}

/// The whole file.
///
/// # Errors
/// `OverLimit` above [`DecodeLimits::tile_bytes_max`]; `Io`.
pub(super) fn read_whole(
    source: &dyn ReadAt,
    limits: &DecodeLimits,
) -> Result<Vec<u8>, CodecError> {
    let (value, limit) = (source.len_bytes(), limits.tile_bytes_max);
    if limit < value {
        let what = "bytes of an image that is decoded in one piece";
        return Err(CodecError::OverLimit { what, value, limit });
    }
    let mut file = zeroed(usize_of_bytes(value))?;
    source.read_exact_at(&mut file, 0)?;
    Ok(file)
}

/// What a failed read of a file by its own lengths means: its end is no fault of the disk's.
pub(super) fn read_error(format: &'static str, error: io::Error) -> CodecError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        CodecError::malformed(format, "the file ends early")
    } else {
        CodecError::Io(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::Raster;

    #[derive(Debug)]
    struct Black;

    impl Picture for Black {
        const FORMAT: &'static str = "stub";

        fn decode(&self, _: usize, rect: Rect) -> Result<Pixels, CodecError> {
            Ok(Raster::zeroed(rect.size(), ColourModel::Gray, false).into())
        }
    }

    #[test]
    fn one_tile_is_the_picture_and_smaller_levels_are_not_asked_for() {
        let size = Size::new(1000, 300).unwrap();
        let image = flat(whole("stub", size, ColourModel::Gray), Black);
        let at = TileAddress { stored: 0, column: 0, row: 0 };
        assert_eq!(image.decode_tile(at).unwrap().size(), size);
        assert_eq!(image.stored_tile(at, true).unwrap(), None);
        assert_eq!(image.info().stored.len(), 3);
        for at in [TileAddress { stored: 1, ..at }, TileAddress { row: 1, ..at }] {
            assert!(matches!(image.decode_tile(at), Err(CodecError::Malformed { .. })));
        }
    }

    #[test]
    fn sizes_are_held_against_the_limits() {
        let limits = DecodeLimits { side_px_max: 100, tile_px_max: 500, ..DecodeLimits::default() };
        assert!(matches!(size("stub", (0, 5), &limits), Err(CodecError::Malformed { .. })));
        assert!(matches!(size("stub", (101, 1), &limits), Err(CodecError::OverLimit { .. })));
        let large = size("stub", (100, 100), &limits).unwrap();
        assert!(matches!(check_whole(large, &limits), Err(CodecError::OverLimit { .. })));
        let limits = DecodeLimits { tile_bytes_max: 2, ..limits };
        let error = read_whole(&vec![0; 3], &limits).unwrap_err();
        assert!(matches!(error, CodecError::OverLimit { value: 3, limit: 2, .. }));
    }
}
