//! Single plans, picked by hand: what shares a key, what is passed through, what is read of which level.

use std::collections::HashSet;

use crate::imaging::{Mosaic, Raster, Shrink, Step};
use crate::model::request::{
    Frame, OverLimit, PictureRequest, Quality, Region, Rotation, ScaleTo, SizeForm, Upscale,
};
use crate::model::{
    ColourModel, DeepZoomCut, Depth, Format, ImageInfo, Rect, StoredLevel, TiffCompression,
    TileEncoding,
};
use crate::plan::fixtures::{
    deep_zoom, halved, iiif, jpeg, pixels, planned, planned_by, pyramid, stored,
};
use crate::plan::properties::{painted, render, size};
use crate::plan::{PassThrough, PlanError, Rules};

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
        deep_zoom(11, 1, 2),
        Frame::ZoomifyTile { level: 3, column: 1, row: 2 },
    ]
    .map(|frame| planned(frame, &info).unwrap().key)
    .into_iter()
    .collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{keys:?}");
}

/// Found by fuzzing: on the grid the other side was a pixel longer than the limit.
#[test]
fn a_size_that_was_held_to_the_limit_stays_within_it() {
    let info = pyramid((10_001, 7_003), 256);
    let region = Region::Percent { x: 0.0, y: 20.0, width: 50.0, height: 20.0 };
    let (form, upscale) = (SizeForm::Height(200_360), Upscale::Allow);
    let size = ScaleTo { form, upscale, over_limit: OverLimit::Clamp };
    let plan = planned(Frame::Region { region, size }, &info).unwrap();
    assert_eq!(plan.resolved.size.longer(), Rules::default().limits.output_side_px_max);
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
        PictureRequest { format: Format::Avif, ..tile.clone() },
        PictureRequest { format: Format::Tiff, ..tile.clone() },
        PictureRequest {
            format: Format::Tiff,
            tiff_compression: Some(TiffCompression::Lzw),
            ..tile.clone()
        },
        PictureRequest { format: Format::Png, depth: Depth::Sixteen, ..tile.clone() },
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
fn an_edge_tile_that_the_file_holds_a_pixel_short_is_extended_by_it() {
    let info = pyramid((1001, 701), 256);
    let plan = planned(iiif(pixels(512, 0, 489, 512), SizeForm::Exact(245, 256)), &info).unwrap();
    assert_eq!((plan.source.stored, plan.cost.tiles), (1, 1));
    assert_eq!(plan.source.area, Rect::new(256, 0, size(244, 256)).unwrap());
    assert!(matches!(plan.steps[..], [Step::Extend(to)] if to == size(245, 256)));
    // By its width alone the height that proportions give is 257; the grid's is 256.
    let alone = planned(iiif(pixels(512, 0, 489, 512), SizeForm::Width(245)), &info).unwrap();
    assert_eq!(alone.key, plan.key);
}

#[test]
fn a_small_view_is_read_from_a_level_that_has_all_of_it() {
    let info = pyramid((4993, 61), 256);
    assert_eq!(info.stored.last().unwrap().size, size(156, 1));
    for (level, stored) in [(13, 0), (12, 0), (9, 2), (8, 3), (7, 4), (6, 4), (0, 4)] {
        let plan = planned(deep_zoom(level, 0, 0), &info).unwrap();
        assert_eq!(plan.source.stored, stored, "level {level}");
    }
    // Rounded down it is the level itself.
    let whole = planned(iiif(Region::Full, SizeForm::Exact(156, 1)), &info).unwrap();
    assert_eq!((whole.source.stored, whole.steps.len()), (5, 0));
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
        let plan = planned(deep_zoom(8, column, row), &info).unwrap();
        assert!(plan.steps.is_empty());
        let tile = render(&plan, &info, &levels);
        joined.paste(&tile, Rect::whole(tile.size()), column * 64, row * 64);
        count += 1;
    }
    assert_eq!((joined, count), (whole, 9));
}

#[test]
fn tiles_that_overlap_are_cut_from_the_level_that_others_make_up() {
    let cut = |tile_px, overlap_px| DeepZoomCut { tile_px, overlap_px };
    let mut count = 0;
    // Whose level is made, a pixel short, and as large as it must be.
    for info in [stored(&[(701, 523)], 64), pyramid((701, 523), 64), pyramid((704, 524), 64)] {
        let levels = painted(&info);
        let tile = |column, row, cut| {
            let plan = planned(Frame::DeepZoomTile { level: 9, column, row, cut }, &info).unwrap();
            render(&plan, &info, &levels)
        };
        let whole = tile(0, 0, cut(512, 0));
        for overlap_px in [0, 1, 7] {
            for (column, row) in (0..3).flat_map(|row| (0..4).map(move |column| (column, row))) {
                let found = tile(column, row, cut(90, overlap_px));
                let place = Rect::tile(whole.size(), size(90, 90), column, row).unwrap();
                let place = place.grown(overlap_px, whole.size());
                let mut expected = Raster::zeroed(place.size(), ColourModel::Rgb, false);
                expected.paste(&whole, place, 0, 0);
                assert_eq!(found, expected, "{column},{row} overlapping by {overlap_px}");
                count += 1;
            }
        }
    }
    assert_eq!(count, 108);
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
        let plan = planned(deep_zoom(8, column, row), &info).unwrap();
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
