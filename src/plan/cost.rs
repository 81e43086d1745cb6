//! `Cost`: what a plan will take, known before any of it is done, for limits and admission.

use crate::imaging::{Shrink, Step};
use crate::model::{Format, ImageInfo, Limits, Rect, SampleType, Size, StoredLevel};
use crate::plan::cover::TileCover;
use crate::plan::encode::EncodePlan;
use crate::plan::error::PlanError;
use crate::plan::reading::{Reading, Source};
use crate::plan::view::View;

/// What a plan will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Stored tiles that are read.
    pub tiles: u64,
    /// Pixels of these tiles.
    pub source_px: u64,
    /// Bytes of the file that these tiles take, as its header tells; 0 where it does not.
    pub bytes_to_read: u64,
    /// Pixels of the answer.
    pub output_px: u64,
    /// The most memory that holds pixels at one time, tiles decoded one after the other; an estimate
    /// from above, in bytes.
    pub bytes_in_decode: u64,
    /// The same where the tiles that are read are decoded already.
    pub bytes_if_decoded: u64,
}

/// Holds pixels that would be decoded against the limit.
///
/// # Errors
/// More than that.
pub(super) const fn check_source_px(source_px: u64, limits: &Limits) -> Result<(), PlanError> {
    let limit_px = limits.source_px_max;
    if source_px <= limit_px {
        return Ok(());
    }
    Err(PlanError::SourceOverLimit { source_px, limit_px })
}

/// The cost of carrying out `reading` for `view`, which once it is turned has the answer's size.
pub(super) fn cost(
    reading: &Reading,
    (view, answer): (&View, Size),
    (steps, encode): (&[Step], EncodePlan),
    info: &ImageInfo,
) -> Cost {
    let source = &reading.source;
    let origin = Origin::of(source, info);
    let source_px = origin.as_ref().map_or(0, |origin| origin.area.size().area());
    let bytes_to_read = origin.as_ref().map_or(0, |origin| origin.level.bytes_of(source_px));
    let bytes_if_decoded = [
        assembled_bytes(reading, view, info),
        answer.area().saturating_mul(output_bytes_a_px(encode, steps, info)),
    ]
    .into_iter()
    .fold(0, u64::saturating_add);
    let bytes = [
        // A tile is decoded whole, padding included: its bytes, its samples, the bands made of them.
        origin.map_or(0, |origin| 3 * origin.level.tile.area()).saturating_mul(pixel_bytes(info)),
        info.held_bytes,
        made_bytes(source.stored, info),
        bytes_if_decoded,
    ];
    Cost {
        tiles: source.cover.count(),
        source_px,
        bytes_to_read,
        output_px: answer.area(),
        bytes_in_decode: bytes.into_iter().fold(0, u64::saturating_add),
        bytes_if_decoded,
    }
}

/// Planes, their copies and what rav1e knows of each block, a pixel: 65 bytes of 10 bits in 4:4:4, which
/// the depth doubles below, were measured (2026-11-22).
const AVIF_BYTES_A_PX: u64 = 64;

/// What of which level of the file is read in the end.
struct Origin<'a> {
    level: &'a StoredLevel,
    area: Rect,
}

impl<'a> Origin<'a> {
    /// Follows a source to the level that its tiles are made of, whole tiles at each step.
    fn of(source: &Source, info: &'a ImageInfo) -> Option<Self> {
        let mut level = info.stored.get(source.stored)?;
        let mut area = source.cover.area(level)?;
        while let Some(parent) = level.made_from {
            level = info.stored.get(parent)?;
            area = TileCover::of(level.doubled(area)?, level.tile).area(level)?;
        }
        Some(Self { level, area })
    }
}

/// What making a tile of a level takes beside it, at each level down to the file's: block sums, and
/// the larger tiles that go into them.
fn made_bytes(stored: usize, info: &ImageInfo) -> u64 {
    let (mut bytes, mut at) = (0_u64, info.stored.get(stored));
    while let Some((level, parent)) = at.and_then(|level| Some((level, level.made_from?))) {
        bytes = bytes.saturating_add(level.tile.area().saturating_mul(6 * pixel_bytes(info)));
        at = info.stored.get(parent);
    }
    bytes
}

/// Bytes of a decoded pixel.
fn pixel_bytes(info: &ImageInfo) -> u64 {
    u64::from(info.bands()) * u64::from(info.samples.bytes())
}

/// Bands of a pixel that is shown, alpha included.
fn bands(info: &ImageInfo) -> u64 {
    u64::from(info.colour.shown().bands()) + u64::from(info.alpha)
}

/// Block sums are 4 bytes a sample, beside the means made of them; a resizer keeps one more copy of its
/// source (times alpha), and a half-way picture that has its final rows and still all columns.
fn assembled_bytes(reading: &Reading, view: &View, info: &ImageInfo) -> u64 {
    let assembled = reading.source.shrink.size_of(reading.source.area.size());
    let copies = if matches!(reading.source.shrink, Shrink::Mean(_)) { 5 } else { 2 };
    let half_way_px = match reading.resize {
        Some(_) => u64::from(assembled.width()) * u64::from(view.size.height()),
        None => 0,
    };
    let samples_px = assembled.area().saturating_mul(copies).saturating_add(half_way_px);
    // A kernel works on floats: its source and its target.
    let float_bytes = if reading.crop.is_some() { 2 * 4 * 4 * assembled.area() } else { 0 };
    samples_px.saturating_mul(pixel_bytes(info)).saturating_add(float_bytes)
}

/// The answer as samples, before and after a turn, and what an encoder makes of them. It may have gained
/// two bands (gray to colour). Lossless WebP was measured at 21 bytes a pixel beside the samples,
/// lossy WebP at 4, PNG of noise at three copies (2026-11-22).
fn output_bytes_a_px(encode: EncodePlan, steps: &[Step], info: &ImageInfo) -> u64 {
    let widened = steps.iter().find_map(|step| match step {
        Step::Widen(to) => Some(*to),
        _ => None,
    });
    let becomes_bytes = steps
        .iter()
        .any(|step| matches!(step, Step::ToBytes { .. } | Step::LabToRgb | Step::Process { .. }));
    let deepest = match widened {
        Some(to) => to,
        None if becomes_bytes => SampleType::U8,
        None => info.samples,
    };
    let deepest = u64::from(deepest.bytes());
    let tilted = u64::from(steps.iter().any(|step| matches!(step, Step::Tilt(_))));
    let bands = bands(info).max(3) + tilted;
    let encoder = match encode.format {
        // Trellis holds all coefficients.
        Format::Jpeg | Format::Pdf => bands + if encode.trellis { 2 * bands } else { 0 },
        // Pixels with alpha, their numbers in the palette, and what these are compressed to.
        Format::Gif => bands + 2,
        Format::Png => 3 * bands,
        Format::Webp if encode.quality < 0 => 22,
        Format::Webp => 2 + bands,
        // Codes and their bits: 9 bytes a pixel of RGB noise were measured (2026-11-22).
        Format::Jxl => 4 * bands,
        Format::Avif => AVIF_BYTES_A_PX,
        Format::Tiff => 2 * bands,
    };
    (2 * bands + encoder) * deepest
}

#[cfg(test)]
mod tests {
    use crate::model::request::{Frame, Region};
    use crate::model::request::{OverLimit, PictureRequest, ScaleTo, SizeForm, Upscale};
    use crate::model::{Format, ImageInfo, Size};
    use crate::plan::Rules;
    use crate::plan::fixtures::{jpeg, planned, planned_by, stored};

    fn all(form: SizeForm) -> Frame {
        let scale = ScaleTo { form, upscale: Upscale::Allow, over_limit: OverLimit::Refuse };
        Frame::Region { region: Region::Full, size: scale }
    }

    #[test]
    fn a_picture_made_narrow_and_tall_counts_its_half_way_state() {
        let info = stored(&[(200_000, 10)], 256);
        let plan = planned(all(SizeForm::Exact(1, 5000)), &info).unwrap();
        assert!(200_000 * 5000 * 3 <= plan.cost.bytes_in_decode, "{:?}", plan.cost);
    }

    #[test]
    fn a_level_that_is_made_costs_what_it_is_made_of() {
        let whole = |tile_px| stored(&[(4000, 3000)], tile_px);
        for tile_px in [256, 4096] {
            let file = whole(tile_px);
            let tile = Size::new(256, 256).unwrap();
            let made = ImageInfo::halved_to(file.stored.clone(), tile);
            let info = ImageInfo::new("TIFF", made, tile, file.colour);
            let small = planned(all(SizeForm::Width(250)), &info).unwrap();
            assert_eq!(small.source.stored, 4);
            assert_eq!(small.cost.source_px, 4000 * 3000);
            let whole_bytes = 4000 * 3000 * 3;
            assert_eq!(whole_bytes <= small.cost.bytes_in_decode, tile_px == 4096);
            let progressive = ImageInfo { held_bytes: 72_000_000, ..info };
            let held = planned(all(SizeForm::Width(250)), &progressive).unwrap();
            assert_eq!(held.cost.bytes_in_decode, small.cost.bytes_in_decode + 72_000_000);
            assert_eq!(held.cost.bytes_if_decoded, small.cost.bytes_if_decoded);
        }
    }

    #[test]
    fn what_is_to_be_read_is_the_tiles_share_of_their_level() {
        let mut info = stored(&[(4096, 4096), (1024, 1024)], 256);
        info.stored[0].stored_bytes = 16_000_000;
        let of = |frame| planned(frame, &info).unwrap().cost.bytes_to_read;
        let quarter = Region::Pixels { x: 0, y: 0, width: 2048, height: 2048 };
        let scale = ScaleTo {
            form: SizeForm::Max,
            upscale: Upscale::Refuse,
            over_limit: OverLimit::Refuse,
        };
        assert_eq!(of(Frame::Region { region: quarter, size: scale }), 4_000_000);
        assert_eq!(of(all(SizeForm::Max)), 16_000_000);
        assert_eq!(of(all(SizeForm::Width(512))), 0, "the file tells nothing of that level");
    }

    #[test]
    fn a_tile_counts_whole_and_an_encoder_by_its_format() {
        let info = stored(&[(10, 10)], 4096);
        let small = planned(all(SizeForm::Max), &info).unwrap().cost.bytes_in_decode;
        assert!(4096 * 4096 * 3 <= small, "{small}");
        let info = stored(&[(4000, 4000)], 256);
        let bytes = |format, webp_quality| {
            let request = PictureRequest { format, ..jpeg(all(SizeForm::Max)) };
            let rules = Rules { webp_quality, ..Rules::default() };
            planned_by(&request, &info, &rules).unwrap().cost.bytes_in_decode
        };
        let (lossy, lossless) = (bytes(Format::Webp, 50), bytes(Format::Webp, -1));
        assert!(bytes(Format::Jpeg, 50) < lossy && lossy < bytes(Format::Png, 50));
        assert!(24 * 4000 * 4000 <= lossless, "{lossless}");
    }
}
