//! What holds for every image and request: tiles meet and tile, sizes are those advertised, limits hold,
//! equal pixels have equal keys. Plans are carried out on real pixels where that is the point.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::imaging::{Mosaic, Raster, Scratch, Shrink, Step, Tools, apply};
use crate::model::request::{Frame, OverLimit, Region, ScaleTo, SizeForm, Upscale};
use crate::model::{ColourModel, ImageInfo, Rect, Size, StoredLevel};
use crate::plan::fixtures::{
    deep_zoom, halved, iiif, jpeg, pixels, planned, planned_by, pyramid, stored,
};
use crate::plan::{Plan, Rules, TileCover};

/// Images of many shapes, with all levels, some, or none below the full one; and flat ones.
fn images() -> impl Strategy<Value = ImageInfo> {
    prop_oneof![3 => pyramids(), 1 => ((1u32..3000, 1u32..3000), any::<bool>()).prop_map(flat)]
}

/// An image whose smaller levels are made of the full one, which is one tile, or tiles of 256 pixels.
fn flat((full, one_tile): ((u32, u32), bool)) -> ImageInfo {
    let longer = full.0.max(full.1);
    let file = stored(&[full], if one_tile { longer } else { 256 });
    let tile = size(256, 256);
    ImageInfo::new("PNG", ImageInfo::halved_to(file.stored, tile), tile, ColourModel::Rgb)
}

fn pyramids() -> impl Strategy<Value = ImageInfo> {
    let side = 1u32..3000;
    let tile = prop_oneof![Just(64u32), Just(100), Just(256)];
    (side.clone(), side, tile, any::<bool>(), any::<u32>()).prop_map(|(w, h, tile, up, keep)| {
        let mut sizes = halved((w, h), tile, up);
        let mut index = 0;
        sizes.retain(|_| {
            index += 1;
            index == 1 || keep >> index & 1 == 1
        });
        stored(&sizes, tile)
    })
}

pub(super) fn size(width: u32, height: u32) -> Size {
    Size::new(width, height).unwrap()
}

/// The tile of IIIF's implementation note 3, for level `k` of the offered ladder.
fn iiif_tile(info: &ImageInfo, k: u32, column: u32, row: u32) -> Option<(Rect, Size)> {
    let scale = 1u32 << k;
    let step = size(info.tile.width() * scale, info.tile.height() * scale);
    let region = Rect::tile(info.size, step, column, row)?;
    Some((region, size(region.width().div_ceil(scale), region.height().div_ceil(scale))))
}

fn iiif_frame(region: Rect, size: Size) -> Frame {
    let (x, y) = (region.left().into(), region.top().into());
    let region = pixels(x, y, region.width().into(), region.height().into());
    iiif(region, SizeForm::Exact(size.width(), size.height()))
}

/// Every tile that a grid of `level` has, as frames of a protocol.
fn grid(level: Size, tile: Size, frame: impl Fn(u32, u32, u32) -> Frame) -> Vec<Frame> {
    let (columns, rows) = level.grid(tile);
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (column, row)));
    places.map(|(column, row)| frame(column, row, row * columns + column)).collect()
}

/// Carries a plan out on an image whose levels are given.
pub(super) fn render(plan: &Plan, info: &ImageInfo, levels: &[Raster]) -> Raster {
    let level = &levels[plan.source.stored];
    let mut mosaic =
        Mosaic::new(plan.source.area, plan.source.shrink, level.colour(), level.alpha());
    for tile in plan.source.tiles() {
        let rect = info.tile_rect(tile).unwrap();
        let mut pixels = Raster::zeroed(rect.size(), level.colour(), level.alpha());
        pixels.paste(level, rect, 0, 0);
        mosaic.add(&pixels, rect).unwrap();
    }
    apply(
        &plan.steps,
        mosaic.finish().unwrap(),
        &mut Tools { scratch: &mut Scratch::new(), histogram: None },
    )
    .unwrap()
}

/// Levels of smooth content: each the box mean of the full image.
pub(super) fn painted(info: &ImageInfo) -> Vec<Raster> {
    let shade = |x: u32, y: u32| (x * 5 + y * 3 + (x * y) / 97).to_le_bytes()[0];
    let full: Vec<u8> = (0..info.size.height())
        .flat_map(|y| (0..info.size.width()).flat_map(move |x| [shade(x, y), shade(y, x), 9]))
        .collect();
    let full = Raster::new(info.size, ColourModel::Rgb, false, full).unwrap();
    let half = |level: &StoredLevel| {
        let area = Rect::whole(info.size);
        let factor = (0..9).map(|k| 1u32 << k).find(|f| (f64::from(*f) - level.factor).abs() < 0.1);
        let Some(factor @ 2..) = factor else { return full.clone() };
        let mut mosaic = Mosaic::new(area, Shrink::Mean(factor), ColourModel::Rgb, false);
        mosaic.add(&full, area).unwrap();
        let mut raster = Raster::zeroed(level.size, ColourModel::Rgb, false);
        raster.paste(&mosaic.finish().unwrap(), Rect::whole(level.size), 0, 0);
        raster
    };
    info.stored.iter().map(half).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_tiles_of_a_cover_hold_every_pixel_of_the_area_once(
        left in 0u32..5000, top in 0u32..5000, w in 1u32..3000, h in 1u32..3000, t in 1u32..700,
    ) {
        let area = Rect::new(left, top, size(w, h)).unwrap();
        let cover = TileCover::of(area, size(t, t + 3));
        let level = size(left + w, top + h);
        let parts = cover.tiles(0).map(|at| {
            let tile = Rect::tile(level, size(t, t + 3), at.column, at.row).unwrap();
            tile.intersect(area).expect("no tile is read in vain").size().area()
        });
        prop_assert_eq!(parts.sum::<u64>(), area.size().area());
        let distinct: HashSet<_> = cover.tiles(0).collect();
        prop_assert_eq!(u64::try_from(distinct.len()).unwrap(), cover.count());
    }

    #[test]
    fn every_advertised_tile_has_its_advertised_size(info in images()) {
        for k in 0..u32::try_from(info.levels.len()).unwrap() {
            let scale = 1u32 << k;
            let step = size(info.tile.width() * scale, info.tile.height() * scale);
            let (columns, rows) = info.size.grid(step);
            for (column, row) in [(0, 0), (columns - 1, 0), (0, rows - 1), (columns - 1, rows - 1)] {
                let (region, want) = iiif_tile(&info, k, column, row).unwrap();
                let plan = planned(iiif_frame(region, want), &info).unwrap();
                prop_assert_eq!(plan.resolved.size, want);
                prop_assert_eq!(result_size(&plan), want);
            }
        }
    }

    #[test]
    fn every_advertised_size_is_had_without_resampling_where_it_is_stored(info in images()) {
        for level in &info.levels {
            let form = SizeForm::Exact(level.size.width(), level.size.height());
            let plan = planned(iiif(Region::Full, form), &info).unwrap();
            prop_assert_eq!(result_size(&plan), level.size);
            if let Some(index) = level.stored {
                prop_assert!(plan.steps.is_empty(), "{:?}", plan);
                prop_assert_eq!(info.stored[plan.source.stored].size, info.stored[index].size);
            }
        }
    }

    #[test]
    fn the_tiles_of_each_protocol_fill_their_level(info in images()) {
        let deepest = u32::BITS - (info.size.longer() - 1).leading_zeros();
        for k in 0..deepest.min(4) {
            let level = deepest - k;
            let frames = grid(info.size.halved_up(k), info.tile, |column, row, _| {
                deep_zoom(level, column, row)
            });
            prop_assert_eq!(filled(&frames, &info), info.size.halved_up(k).area());
        }
        let last = (0..32).find(|k| info.size.halved_down(*k).fits(info.tile)).unwrap();
        for level in 0..=last {
            let size = info.size.halved_down(last - level);
            let frames = grid(size, info.tile, |column, row, _| {
                Frame::ZoomifyTile { level, column, row }
            });
            prop_assert_eq!(filled(&frames, &info), size.area());
        }
        let count = u32::try_from(info.levels.len()).unwrap();
        for (k, level) in (0..count).zip(&info.levels) {
            let resolution = count - 1 - k;
            let frames = grid(level.size, info.tile, |_, _, index| {
                Frame::IipTile { resolution, index }
            });
            prop_assert_eq!(filled(&frames, &info), level.size.area());
        }
    }

    #[test]
    fn no_plan_exceeds_a_limit(
        info in images(), x in 0u64..3500, y in 0u64..3500, w in 0u64..4000, h in 0u64..4000,
        form in forms(), upscale in 0usize..3, clamp in any::<bool>(), limit in 1u32..3000,
    ) {
        let mut rules = Rules::default();
        rules.limits.output_side_px_max = limit;
        rules.limits.source_px_max = 2_000_000;
        let upscale = [Upscale::Allow, Upscale::Refuse, Upscale::Clip][upscale];
        let over_limit = if clamp { OverLimit::Clamp } else { OverLimit::Refuse };
        let scale = ScaleTo { form, upscale, over_limit };
        let frame = Frame::Region { region: pixels(x, y, w, h), size: scale };
        if let Ok(plan) = planned_by(&jpeg(frame), &info, &rules) {
            let got = plan.resolved.size;
            prop_assert!(got.longer() <= limit);
            prop_assert!(plan.cost.source_px <= 2_000_000);
            prop_assert!(upscale == Upscale::Allow || got.fits(plan.resolved.region.size()));
            prop_assert_eq!(result_size(&plan), got);
            let assembled = plan.source.shrink.size_of(plan.source.area.size()).area();
            prop_assert!(plan.cost.bytes_in_decode >= 3 * (assembled + got.area()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_plan_can_be_carried_out_and_gives_its_size(
        w in 1u32..700, h in 1u32..700, x in 0u64..700, y in 0u64..700,
        rw in 1u64..700, rh in 1u64..700, ow in 1u32..300, oh in 1u32..300, kind in 0usize..4,
    ) {
        let info = match kind {
            0 => pyramid((w, h), 64),
            1 => stored(&[(w, h)], 64),
            _ => flat(((w, h), kind == 2)),
        };
        let levels = painted(&info);
        let form = SizeForm::Exact(ow, oh);
        let scale = ScaleTo { form, upscale: Upscale::Allow, over_limit: OverLimit::Refuse };
        let frame = Frame::Region { region: pixels(x, y, rw, rh), size: scale };
        if let Ok(plan) = planned(frame, &info) {
            prop_assert_eq!(render(&plan, &info, &levels).size(), size(ow, oh));
        }
    }
}

fn forms() -> impl Strategy<Value = SizeForm> {
    prop_oneof![
        Just(SizeForm::Max),
        (1u32..9000).prop_map(SizeForm::Width),
        (1u32..9000).prop_map(SizeForm::Height),
        (0.01..400.0).prop_map(SizeForm::Percent),
        (1u32..9000, 1u32..9000).prop_map(|(w, h)| SizeForm::Exact(w, h)),
        (1u32..9000, 1u32..9000).prop_map(|(w, h)| SizeForm::Within(w, h)),
    ]
}

/// The size that a plan's steps end with, before any turn.
fn result_size(plan: &Plan) -> Size {
    let assembled = plan.source.shrink.size_of(plan.source.area.size());
    plan.steps.iter().fold(assembled, |size, step| match step {
        Step::Resize { to, .. } | Step::Extend(to) => *to,
        _ => size,
    })
}

/// Pixels of all tiles together.
fn filled(frames: &[Frame], info: &ImageInfo) -> u64 {
    let area = |frame: &Frame| {
        let plan = planned(*frame, info).unwrap();
        assert_eq!(result_size(&plan), plan.resolved.size, "{frame:?}");
        plan.resolved.size.area()
    };
    frames.iter().map(area).sum()
}
