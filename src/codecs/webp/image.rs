//! A WebP file as an image: lossy or lossless, alpha, profile, orientation; of an animation, its first
//! picture.

use std::sync::Arc;

use crate::codecs::flat::{Picture, check_whole, flat, read_whole, whole};
use crate::codecs::upright::upright;
use crate::codecs::webp::WEBP;
use crate::codecs::webp::animation::first_frame;
use crate::codecs::webp::decoder::decode;
use crate::codecs::webp::header::read;
use crate::codecs::{CodecError, Decode, DecodeLimits, pixels_of};
use crate::imaging::{Pixels, read_profile};
use crate::model::{ColourModel, ImageInfo, ReadAt, Rect};

/// An open WebP file.
#[derive(Debug)]
struct WebpPicture {
    source: Arc<dyn ReadAt>,
    alpha: bool,
    animation: bool,
    limits: DecodeLimits,
}

/// Opens a WebP file; reads its header alone.
///
/// # Errors
/// As [`crate::codecs::open`].
pub(in crate::codecs) fn open(
    source: Arc<dyn ReadAt>,
    limits: &DecodeLimits,
) -> Result<Arc<dyn Decode>, CodecError> {
    let header = read(&*source, limits)?;
    check_whole(header.size, limits)?;
    let (alpha, animation) = (header.alpha, header.animation);
    let info = ImageInfo {
        alpha,
        bands_stored: if alpha { 4 } else { 3 },
        icc: header.icc.map(read_profile),
        resolution: header.exif.resolution,
        metadata: Arc::new(header.metadata),
        ..whole(WEBP, header.size, ColourModel::Rgb)
    };
    let picture = WebpPicture { source, alpha, animation, limits: limits.clone() };
    Ok(upright(flat(info, picture), header.exif.orientation))
}

impl Picture for WebpPicture {
    const FORMAT: &'static str = WEBP;

    fn decode(&self, _: usize, rect: Rect) -> Result<Pixels, CodecError> {
        let file = read_whole(&*self.source, &self.limits)?;
        let samples = if self.animation {
            first_frame(&file, rect.size())?
        } else {
            decode(&file, rect.size(), self.alpha)?
        };
        pixels_of(WEBP, rect.size(), (ColourModel::Rgb, self.alpha), samples)
    }
}
