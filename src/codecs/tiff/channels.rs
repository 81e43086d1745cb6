//! The gray pages of a stack as the bands of one picture: channels of a fluorescence microscope, say, for a
//! matrix to make colours of.

use std::sync::Arc;

use crate::codecs::number::filled;
use crate::codecs::tiff::{TIFF, malformed};
use crate::codecs::{CodecError, Decode, StoredTile, pixels_of};
use crate::imaging::{Pixels, Sample};
use crate::model::{ColourModel, ImageInfo, SampleType, StoredLevel, TileAddress, TileEncoding};

/// Pages that become bands at most; those beyond are not decoded.
pub(super) const CHANNELS_MAX: usize = 64;

/// Pages of one size and kind, opened.
#[derive(Debug)]
struct Channels {
    pages: Vec<Arc<dyn Decode>>,
    info: Arc<ImageInfo>,
}

/// The pages as one picture; nothing where they do not fit together, or are no plain gray.
pub(super) fn channels(pages: Vec<Arc<dyn Decode>>) -> Option<Arc<dyn Decode>> {
    let bands = u8::try_from(pages.len()).ok().filter(|bands| 2 <= *bands)?;
    let first = Arc::clone(pages.first()?.info());
    let fits = |page: &Arc<dyn Decode>| {
        let info = page.info();
        let shape = |info: &ImageInfo| (info.size, info.tile, info.samples, info.alpha);
        info.colour == ColourModel::Gray
            && !info.alpha
            && shape(info) == shape(&first)
            && info.stored.len() == first.stored.len()
            && info.stored.iter().zip(&first.stored).all(|(level, other)| {
                (level.size, level.tile, level.made_from)
                    == (other.size, other.tile, other.made_from)
            })
    };
    if !pages.iter().all(fits) {
        return None;
    }
    let stored = first.stored.iter();
    let stored = stored.map(|level| StoredLevel { encoding: TileEncoding::Other, ..*level });
    let info = ImageInfo {
        stored: stored.collect(),
        colour: ColourModel::Multi(bands),
        bands_stored: bands.into(),
        ranges: pages.iter().map(|page| page.info().range(0)).collect(),
        icc: None,
        ..ImageInfo::clone(&first)
    };
    Some(Arc::new(Channels { pages, info: Arc::new(info) }))
}

impl Channels {
    fn joined<T: Sample>(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        let bands = self.pages.len();
        let area = self.info.tile_rect(at).ok_or_else(|| malformed("there is no such tile"))?;
        let pixels = usize::try_from(area.size().area()).unwrap_or(usize::MAX);
        let mut samples: Vec<T> = filled(pixels.saturating_mul(bands), T::default())?;
        for (band, page) in self.pages.iter().enumerate() {
            let tile = page.decode_tile(at)?;
            let raster = T::unwrap(&tile).ok_or_else(|| malformed("pages differ in samples"))?;
            let targets = samples.iter_mut().skip(band).step_by(bands);
            for (target, sample) in targets.zip(raster.samples()) {
                *target = *sample;
            }
        }
        pixels_of(TIFF, area.size(), (self.info.colour, false), samples)
    }
}

impl Decode for Channels {
    fn info(&self) -> &Arc<ImageInfo> {
        &self.info
    }

    fn decode_tile(&self, at: TileAddress) -> Result<Pixels, CodecError> {
        match self.info.samples {
            SampleType::U8 => self.joined::<u8>(at),
            SampleType::U16 => self.joined::<u16>(at),
            SampleType::F32 => self.joined::<f32>(at),
        }
    }

    fn stored_tile(&self, _: TileAddress, _: bool) -> Result<Option<StoredTile>, CodecError> {
        Ok(None)
    }
}
