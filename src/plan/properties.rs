//! What holds for every image and request: tiles meet and tile, sizes are those advertised, limits hold,
//! equal pixels have equal keys. Plans are carried out on real pixels where that is the point.

use std::collections::HashSet;

use proptest::prelude::*;

use crate::imaging::{Mosaic, Raster, Scratch, Shrink, Step, apply};
use crate::model::request::{
    Frame, OverLimit, PictureRequest, Quality, Region, Rotation, ScaleTo, SizeForm, Upscale,
};
use crate::model::{ColourModel, Format, ImageInfo, Rect, Size, StoredLevel, TileEncoding};
use crate::plan::fixtures::{halved, iiif, jpeg, pixels, planned, planned_by, pyramid, stored};
use crate::plan::{PassThrough, Plan, PlanError, Rules, TileCover};

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

fn size(width: u32, height: u32) -> Size {
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
fn render(plan: &Plan, info: &ImageInfo, levels: &[Raster]) -> Raster {
    let level = &levels[plan.source.stored];
    let mut mosaic =
        Mosaic::new(plan.source.area, plan.source.shrink, level.colour(), level.alpha());
    for tile in plan.source.tiles() {
        let rect = info.tile_rect(tile).unwrap();
        let mut pixels = Raster::zeroed(rect.size(), level.colour(), level.alpha());
        pixels.paste(level, rect, 0, 0);
        mosaic.add(&pixels, rect).unwrap();
    }
    apply(&plan.steps, mosaic.finish().unwrap(), &mut Scratch::new()).unwrap()
}

/// Levels of smooth content: each the box mean of the full image.
fn painted(info: &ImageInfo) -> Vec<Raster> {
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
                Frame::DeepZoomTile { level, column, row }
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
        Step::Resize { to, .. } => *to,
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

#[test]
fn equal_pixels_in_other_words_share_a_key() {
    let info = pyramid((4096, 4096), 256);
    let keys: Vec<_> = [
        iiif(pixels(512, 1024, 512, 512), SizeForm::Exact(256, 256)),
        iiif(pixels(512, 1024, 512, 512), SizeForm::Width(256)),
        iiif(pixels(512, 1024, 512, 512), SizeForm::Height(256)),
        iiif(pixels(512, 1024, 512, 512), SizeForm::Percent(50.0)),
        iiif(pixels(512, 1024, 512, 512), SizeForm::Within(256, 999)),
        iiif(
            Region::Percent { x: 12.5, y: 25.0, width: 12.5, height: 12.5 },
            SizeForm::Exact(256, 256),
        ),
        Frame::IipTile { resolution: 3, index: 2 * 8 + 1 },
        Frame::DeepZoomTile { level: 11, column: 1, row: 2 },
        Frame::ZoomifyTile { level: 3, column: 1, row: 2 },
    ]
    .map(|frame| planned(frame, &info).unwrap().key)
    .into_iter()
    .collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
}

#[test]
fn other_bytes_have_other_keys() {
    let info = pyramid((4096, 4096), 256);
    let tile = jpeg(Frame::IipTile { resolution: 3, index: 9 });
    let rules = Rules::default();
    let requests = [
        PictureRequest { format: Format::Png, ..tile.clone() },
        PictureRequest { encoder_quality: Some(75), ..tile.clone() },
        PictureRequest { encoder_quality: Some(76), ..tile.clone() },
        PictureRequest { mirror: true, ..tile.clone() },
        PictureRequest { rotation: Rotation::Half, ..tile.clone() },
        PictureRequest { quality: Quality::Gray, ..tile.clone() },
        jpeg(Frame::IipTile { resolution: 3, index: 10 }),
        tile,
    ];
    let mut keys: HashSet<_> =
        requests.iter().map(|request| planned_by(request, &info, &rules).unwrap().key).collect();
    let off = Rules { pass_through: PassThrough::Off, jpeg_quality: 80, ..rules };
    keys.insert(planned_by(requests.last().unwrap(), &info, &off).unwrap().key);
    assert_eq!(keys.len(), requests.len() + 1);
}

#[test]
fn inner_tiles_are_passed_through_and_all_others_are_not() {
    let mut info = pyramid((1001, 701), 256);
    let passed = |frame, info: &ImageInfo| planned(frame, info).unwrap().pass_through;
    let tile = |resolution, index| Frame::IipTile { resolution, index };
    assert_eq!(passed(tile(2, 5), &info).map(|t| (t.stored, t.column, t.row)), Some((0, 1, 1)));
    let inner = iiif(pixels(0, 0, 512, 512), SizeForm::Exact(256, 256));
    assert_eq!(passed(inner, &info).map(|t| (t.stored, t.column, t.row)), Some((1, 0, 0)));
    // Cropped by the edge; smaller than a tile.
    assert_eq!(passed(tile(2, 3), &info), None);
    assert_eq!(passed(tile(0, 0), &info), None);
    info.stored[0].encoding = TileEncoding::Webp;
    assert_eq!(passed(tile(2, 5), &info), None);
    info.stored[0].encoding = TileEncoding::Jpeg;
    info.alpha = true;
    assert_eq!(passed(tile(2, 5), &info), None);
}

#[test]
fn an_edge_tile_that_the_file_holds_a_pixel_short_is_stretched_from_it_alone() {
    let info = pyramid((1001, 701), 256);
    let plan = planned(iiif(pixels(512, 0, 489, 512), SizeForm::Exact(245, 256)), &info).unwrap();
    assert_eq!((plan.source.stored, plan.cost.tiles), (1, 1));
    assert_eq!(plan.source.area, Rect::new(256, 0, size(244, 256)).unwrap());
    assert!(matches!(plan.steps[..], [Step::Resize { to, .. }] if to == size(245, 256)));
    // By its width alone the height that proportions give is 257; the grid's is 256.
    let alone = planned(iiif(pixels(512, 0, 489, 512), SizeForm::Width(245)), &info).unwrap();
    assert_eq!(alone.key, plan.key);
}

#[test]
fn a_column_that_rounding_lost_is_read_from_the_larger_level() {
    let info = pyramid((513, 513), 256);
    let plan = planned(iiif(pixels(512, 0, 1, 512), SizeForm::Exact(1, 256)), &info).unwrap();
    assert_eq!((plan.source.stored, plan.source.shrink), (0, Shrink::Mean(2)));
    assert!(plan.steps.is_empty());
}

#[test]
fn the_level_is_the_smallest_that_has_the_pixels() {
    let info = pyramid((1001, 701), 256);
    for (region, width, stored) in [
        (Region::Full, 250, 2),
        (Region::Full, 252, 1),
        (Region::Full, 500, 1),
        (Region::Full, 502, 0),
        (Region::Percent { x: 25.0, y: 25.0, width: 50.0, height: 50.0 }, 125, 2),
        (Region::Percent { x: 25.0, y: 25.0, width: 50.0, height: 50.0 }, 126, 1),
        (pixels(0, 0, 10, 10), 10, 0),
    ] {
        let plan = planned(iiif(region, SizeForm::Width(width)), &info).unwrap();
        assert_eq!(plan.source.stored, stored, "{region:?} at {width}");
    }
}

#[test]
fn levels_that_the_file_lacks_are_means_of_whole_blocks_and_join_without_a_seam() {
    let info = stored(&[(701, 523)], 64);
    let levels = painted(&info);
    let whole = planned(iiif(Region::Full, SizeForm::Exact(176, 131)), &info).unwrap();
    assert_eq!((whole.source.shrink, whole.steps.len()), (Shrink::Mean(4), 0));
    let whole = render(&whole, &info, &levels);
    let mut joined = Raster::zeroed(size(176, 131), ColourModel::Rgb, false);
    let mut count = 0;
    for (column, row) in (0..3).flat_map(|row| (0..3).map(move |column| (column, row))) {
        let plan = planned(Frame::DeepZoomTile { level: 8, column, row }, &info).unwrap();
        assert!(plan.steps.is_empty());
        let tile = render(&plan, &info, &levels);
        joined.paste(&tile, Rect::whole(tile.size()), column * 64, row * 64);
        count += 1;
    }
    assert_eq!((joined, count), (whole, 9));
}

#[test]
fn tiles_resampled_from_a_level_on_another_grid_join_without_a_seam() {
    let info = stored(&[(900, 900), (300, 300)], 64);
    let mut levels = painted(&info);
    levels[1] = Raster::zeroed(size(300, 300), ColourModel::Rgb, false);
    let full = levels[0].clone();
    levels[1].paste(&full, Rect::whole(size(300, 300)), 0, 0);
    let whole = planned(iiif(Region::Full, SizeForm::Exact(225, 225)), &info).unwrap();
    assert_eq!(whole.source.stored, 1);
    let whole = render(&whole, &info, &levels);
    let mut count = 0;
    for (column, row) in (0..4).flat_map(|row| (0..4).map(move |column| (column, row))) {
        let plan = planned(Frame::DeepZoomTile { level: 8, column, row }, &info).unwrap();
        let tile = render(&plan, &info, &levels);
        let mut part = Raster::zeroed(tile.size(), ColourModel::Rgb, false);
        let place = Rect::new(column * 64, row * 64, tile.size()).unwrap();
        part.paste(&whole, place, 0, 0);
        let worst = part.samples().iter().zip(tile.samples()).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst <= Some(1), "tile {column},{row} is off by {worst:?}");
        count += 1;
    }
    assert_eq!(count, 16);
}

#[test]
fn memory_stays_near_the_answer_however_much_is_read() {
    let info = stored(&[(20_000, 15_000)], 256);
    let plan = planned(iiif(Region::Full, SizeForm::Width(300)), &info).unwrap();
    assert_eq!(plan.source.shrink, Shrink::Mean(64));
    assert!(plan.cost.bytes_in_decode < 16 << 20, "{:?}", plan.cost);
    let huge = stored(&[(40_000, 40_000)], 256);
    let error = planned(iiif(Region::Full, SizeForm::Width(300)), &huge).unwrap_err();
    assert_eq!(
        error,
        PlanError::SourceOverLimit { source_px: 1_600_000_000, limit_px: 400_000_000 }
    );
}

/// A square whose sample is `x / 4` at column x, and its levels.
fn ramp(info: &ImageInfo) -> Vec<Raster> {
    let side = info.size.width();
    let row = (0..side).map(|x| u8::try_from(x / 4).unwrap());
    let samples = (0..side).flat_map(|_| row.clone()).collect();
    let full = Raster::new(info.size, ColourModel::Gray, false, samples).unwrap();
    let level = |level: &StoredLevel| {
        let nearest = (side + level.size.width() / 2) / level.size.width();
        let shrink = Shrink::Mean(nearest.next_power_of_two());
        let mut mosaic = Mosaic::new(Rect::whole(info.size), shrink, ColourModel::Gray, false);
        mosaic.add(&full, Rect::whole(info.size)).unwrap();
        let mut raster = Raster::zeroed(level.size, ColourModel::Gray, false);
        raster.paste(&mosaic.finish().unwrap(), Rect::whole(level.size), 0, 0);
        raster
    };
    info.stored.iter().map(level).collect()
}

#[test]
fn a_ramp_stays_in_its_place_through_every_level_and_reduction() {
    let full = (1019, 1019);
    let ladders = [vec![full], halved(full, 64, false), halved(full, 64, true)];
    let views = [(0u16, 1019u16, 700u16), (0, 1019, 97), (100, 800, 137), (333, 555, 55)];
    let mut cases = 0;
    for ladder in ladders {
        let mut info = stored(&ladder, 64);
        info.colour = ColourModel::Gray;
        let levels = ramp(&info);
        for (first, length, out) in views {
            let (x, side) = (u64::from(first), u64::from(length));
            let form = SizeForm::Exact(out.into(), out.into());
            let plan = planned(iiif(pixels(x, x, side, side), form), &info).unwrap();
            let got = render(&plan, &info, &levels);
            let step = f64::from(length) / f64::from(out);
            for (i, sample) in (0..out).zip(got.samples()) {
                let place = f64::from(first) + (f64::from(i) + 0.5) * step;
                let off = f64::from(*sample) - (place / 4.0 - 0.5);
                // Samples, levels and answer are rounded, and a level may end a pixel short, three
                // quarters of a shade here; the outermost pixels lack neighbours.
                let bound = if i < 3 || out - 4 < i { 3.0 } else { 2.0 };
                assert!(off.abs() < bound, "{first}+{length} to {out}: {i} is off by {off}");
            }
            cases += 1;
        }
    }
    assert_eq!(cases, 12);
}
