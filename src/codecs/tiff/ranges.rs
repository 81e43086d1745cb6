//! Which values of an image are black and white: told by the file, those of the sample's format, or, of
//! floats and of whole numbers whose range says nothing, measured once on a small level.

use tiff::Directory;
use tiff::tags::Tag;

use crate::codecs::CodecError;
use crate::codecs::tiff::format::SAMPLES_MAX;
use crate::codecs::tiff::format::{Kind, SampleFormat};
use crate::codecs::tiff::layout::{Layout, Photometric};
use crate::codecs::tiff::level::Level;
use crate::codecs::tiff::pixels::{Stored, narrow};
use crate::codecs::tiff::pyramid::Pyramid;
use crate::codecs::tiff::structure::Structure;
use crate::codecs::tiff::tile::{self, Reading};
use crate::codecs::tiff::{malformed, metadata};
use crate::imaging::{Pixels, Raster};
use crate::model::{ColourModel, Rect, SampleRange, SampleType};

/// Pixels that are measured, about: 30 ms of plain floats. Of a larger level it is a spread of tiles.
const MEASURED_PX_MAX: u64 = 4 << 20;

/// `SMinSampleValue` and `SMaxSampleValue`.
const S_MIN: Tag = Tag::Unknown(340);
const S_MAX: Tag = Tag::Unknown(341);

/// The range of each colour band; empty where it is the whole range of the decoded type.
///
/// # Errors
/// `Malformed` where nothing of the level that is measured can be decoded; `Io`.
pub(super) fn read(
    structure: &mut Structure,
    pyramid: &Pyramid,
    reading: &Reading<'_>,
) -> Result<Vec<SampleRange>, CodecError> {
    let (Some(full), Some(smallest)) = (pyramid.levels.first(), pyramid.levels.last()) else {
        return Ok(Vec::new());
    };
    let layout = &full.layout;
    let colours = usize::from(layout.colour().bands());
    // Indices and L*a*b* have units of their own.
    if matches!(layout.photometric, Photometric::Palette(_) | Photometric::Lab(_)) {
        return Ok(Vec::new());
    }
    if let Some(told) = told(structure, &pyramid.full, layout)? {
        return Ok(told);
    }
    let range = match (layout.sample_type(), layout.format) {
        (SampleType::U8 | SampleType::U16, _) => return Ok(Vec::new()),
        (_, format) if is_whole_range(format) => {
            let (black, white) = format.extremes();
            Some(SampleRange { black: narrow(black), white: narrow(white) })
        }
        _ => measure(smallest, reading)?,
    };
    Ok(range.map_or_else(Vec::new, |range| vec![range; colours]))
}

/// Whether the range of a format is that of its pictures: unsigned numbers, and signed bytes.
const fn is_whole_range(format: SampleFormat) -> bool {
    matches!((format.kind, format.bits), (Kind::Unsigned, ..=32) | (Kind::Signed, ..=8))
}

/// What the file tells, for gray and RGB, as iipsrv reads it: a largest value of 0 is none.
fn told(
    structure: &mut Structure,
    from: &Directory,
    layout: &Layout,
) -> Result<Option<Vec<SampleRange>>, CodecError> {
    if !matches!(layout.colour(), ColourModel::Gray | ColourModel::Rgb) {
        return Ok(None);
    }
    let low = metadata::reals(structure, from, S_MIN, SAMPLES_MAX)?.unwrap_or_default();
    let high = metadata::reals(structure, from, S_MAX, SAMPLES_MAX)?.unwrap_or_default();
    let of_band = |values: &[f64], band: usize| values.get(band).or(values.first()).copied();
    let colours = usize::from(layout.colour().bands());
    Ok((0..colours)
        .map(|band| {
            let (black, white) = (of_band(&low, band).unwrap_or(0.0), of_band(&high, band)?);
            let is_told = black < white && white.abs() > 0.0 && (white - black).is_finite();
            is_told.then(|| decoded(black, white, layout))
        })
        .collect())
}

/// A range in the units of the file as one of decoded samples.
fn decoded(black: f64, white: f64, layout: &Layout) -> SampleRange {
    let (_, largest) = layout.format.extremes();
    let full = layout.sample_type().full_range();
    let scaled = |value: f64| match layout.sample_type() {
        SampleType::F32 => narrow(value),
        _ => narrow(value * f64::from(full.white) / largest),
    };
    let (black, white) = (scaled(black), scaled(white));
    if layout.photometric != Photometric::MinIsWhite {
        return SampleRange { black, white };
    }
    let turned = |value: f32| match layout.sample_type() {
        SampleType::F32 => value.inverted(layout.format),
        _ => full.white - value,
    };
    SampleRange { black: turned(white), white: turned(black) }
}

/// The smallest and the largest number of all colour bands together, so that colours keep their hue;
/// nothing where there is no number.
fn measure(level: &Level, reading: &Reading<'_>) -> Result<Option<SampleRange>, CodecError> {
    let (columns, rows) = level.size.grid(level.tile);
    let count = u64::from(columns) * u64::from(rows);
    let wanted = (MEASURED_PX_MAX / level.tile.area()).max(1);
    let step = usize::try_from(count.div_ceil(wanted)).unwrap_or(usize::MAX);
    let addresses = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    let (mut found, mut fault) = (None, None);
    for (column, row) in addresses.step_by(step.max(1)) {
        let rect = Rect::tile(level.size, level.tile, column, row)
            .ok_or_else(|| malformed("there is no such tile"))?;
        match tile::decode(level, reading, rect) {
            Ok(Pixels::F32(raster)) => found = joined(found, extremes(&raster)),
            Ok(_) => {}
            // One damaged tile is no reason not to show the others.
            Err(error @ CodecError::Malformed { .. }) => fault = Some(error),
            Err(error) => return Err(error),
        }
    }
    match (found, fault) {
        (None, Some(fault)) => Err(fault),
        _ => Ok(found),
    }
}

fn joined(a: Option<SampleRange>, b: Option<SampleRange>) -> Option<SampleRange> {
    match (a, b) {
        (Some(a), Some(b)) => {
            Some(SampleRange { black: a.black.min(b.black), white: a.white.max(b.white) })
        }
        (a, b) => a.or(b),
    }
}

/// The extremes of all finite colours that are not wholly transparent.
fn extremes(raster: &Raster<f32>) -> Option<SampleRange> {
    let (bands, alpha) = (raster.bands(), raster.alpha());
    let mut range = SampleRange { black: f32::INFINITY, white: f32::NEG_INFINITY };
    for pixel in raster.samples().chunks_exact(bands) {
        let colours = match pixel.split_last() {
            Some((last, colours)) if alpha => {
                if *last <= 0.0 {
                    continue;
                }
                colours
            }
            _ => pixel,
        };
        for sample in colours.iter().filter(|sample| sample.is_finite()) {
            range.black = range.black.min(*sample);
            range.white = range.white.max(*sample);
        }
    }
    (range.black <= range.white).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::tiff::layout::sample_layout;
    use crate::model::Size;

    #[test]
    fn a_told_range_is_in_the_units_of_decoded_samples() {
        for (bits, kind, photometric, expected) in [
            (8, Kind::Unsigned, Photometric::MinIsBlack, (10.0, 200.0)),
            (12, Kind::Unsigned, Photometric::MinIsBlack, (160.037, 3200.733)),
            (8, Kind::Unsigned, Photometric::MinIsWhite, (55.0, 245.0)),
            (32, Kind::Float, Photometric::MinIsWhite, (-200.0, -10.0)),
            (16, Kind::Signed, Photometric::MinIsBlack, (10.0, 200.0)),
        ] {
            let format = SampleFormat { bits, kind };
            let layout = Layout { format, ..sample_layout(photometric, 1, None) };
            let SampleRange { black, white } = decoded(10.0, 200.0, &layout);
            let near = (black - expected.0).abs() < 0.01 && (white - expected.1).abs() < 0.01;
            assert!(near, "{bits} {kind:?}: {black} {white}");
        }
    }

    #[test]
    fn what_is_no_number_or_not_seen_is_not_measured() {
        let size = Size::new(4, 1).unwrap();
        let samples = vec![1.0, 1.0, f32::NAN, 1.0, 99.0, 0.0, 5.0, 0.5];
        let raster = Raster::new(size, ColourModel::Gray, true, samples).unwrap();
        assert_eq!(extremes(&raster), Some(SampleRange { black: 1.0, white: 5.0 }));
        let empty = Raster::new(size, ColourModel::Gray, false, vec![f32::NAN; 4]).unwrap();
        assert_eq!(extremes(&empty), None);
        assert_eq!(joined(None, extremes(&raster)), extremes(&raster));
    }
}
