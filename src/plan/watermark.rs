//! Which images get which mark, and how it is spread over an answer. What is drawn by chance follows from
//! the image's name and from what is shown of it, never from format or quality: an answer that is asked
//! for again, or of another server, has its marks in the same places.

use std::collections::HashMap;
use std::sync::Arc;

use crate::imaging::{Spread, Step, Watermark};
use crate::model::{ImageId, ImageInfo};
use crate::plan::key;
use crate::plan::reading::Source;
use crate::plan::view::View;

/// The marks of all images.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watermarks {
    /// Of images that no folder below speaks for.
    pub elsewhere: Option<Arc<Watermark>>,
    /// By folder or image, as clients name them, without slashes at either end. The longest that an image
    /// lies in counts.
    pub folders: HashMap<String, Option<Arc<Watermark>>>,
}

impl Watermarks {
    /// The mark of an image, whichever slice of it is shown.
    pub fn of(&self, image: &ImageId) -> Option<&Arc<Watermark>> {
        if self.folders.is_empty() {
            return self.elsewhere.as_ref();
        }
        let name = image.as_str();
        let ends = name.rmatch_indices('/').map(|(end, _)| end);
        let mut folders = std::iter::once(name.len()).chain(ends).filter_map(|end| name.get(..end));
        let rule = folders.find_map(|folder| self.folders.get(folder));
        rule.unwrap_or(&self.elsewhere).as_ref()
    }
}

/// The step that puts the mark on, where there is one.
pub(super) fn step(
    view: &View,
    source: &Source,
    image: &ImageId,
    info: &ImageInfo,
    watermarks: &Watermarks,
) -> Option<Step> {
    let watermark = watermarks.of(image)?;
    let (region, size) = (view.region, view.size);
    let left_px = at_size(region.left(), region.width(), size.width(), view.halvings);
    let top_px = at_size(region.top(), region.height(), size.height(), view.halvings);
    let side_px = info.tile.longer().saturating_mul(2);
    let spread = Spread { side_px, seed: key::seed(image, source, size), left_px, top_px };
    Some(Step::Watermark { watermark: Arc::clone(watermark), spread })
}

/// Where a region of the full image begins in a picture of it at the size of the view.
fn at_size(start: u32, length: u32, out: u32, halvings: Option<u32>) -> u32 {
    if let Some(halvings) = halvings {
        return start.checked_shr(halvings).unwrap_or(0);
    }
    let (start, length, out) = (u64::from(start), u64::from(length), u64::from(out));
    u32::try_from((start * out + length / 2) / length.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imaging::{Mark, Raster};
    use crate::model::request::{Frame, PictureRequest, Quality, Region, Rotation, SizeForm};
    use crate::model::{Blend, ColourModel, DeepZoomCut, Format, Position, Size};
    use crate::plan::fixtures::{VERSION, deep_zoom, iiif, jpeg, pixels, pyramid};
    use crate::plan::{Plan, Rules, plan};

    const OVERLAPPING: DeepZoomCut = DeepZoomCut { tile_px: 254, overlap_px: 1 };

    fn mark(gray: u8, opacity: f64) -> Arc<Watermark> {
        let size = Size::new(2, 2).unwrap();
        let raster = Raster::new(size, ColourModel::Gray, false, vec![gray; 4]).unwrap();
        let (blend, position) = (Blend::Normal, Position::Random);
        let mark = Arc::new(Mark::of(raster));
        Arc::new(Watermark { mark, blend, position, probability: 1.0, opacity })
    }

    fn everywhere(watermark: &Arc<Watermark>) -> Rules {
        let elsewhere = Some(Arc::clone(watermark));
        Rules { watermarks: Watermarks { elsewhere, ..Watermarks::default() }, ..Rules::default() }
    }

    fn planned(name: &str, request: &PictureRequest, info: &ImageInfo, rules: &Rules) -> Plan {
        plan(request, &ImageId::parse(name).unwrap(), &VERSION, info, rules).unwrap()
    }

    fn spread(plan: &Plan) -> Spread {
        match plan.steps.last() {
            Some(Step::Watermark { spread, .. }) => *spread,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_longest_folder_that_an_image_lies_in_counts() {
        let (general, special) = (mark(1, 1.0), mark(2, 1.0));
        let folders = [("a", None), ("a/b", Some(Arc::clone(&special))), ("a/b/free.tif", None)];
        let watermarks = Watermarks {
            elsewhere: Some(Arc::clone(&general)),
            folders: folders.map(|(folder, mark)| (folder.to_owned(), mark)).into(),
        };
        for (name, expected) in [
            ("x.tif", Some(&general)),
            ("ab/x.tif", Some(&general)),
            ("b/a/x.tif", Some(&general)),
            ("a/x.tif", None),
            ("a/c/x.tif", None),
            ("/a//./x.tif", None),
            ("a/b/x.tif", Some(&special)),
            ("a/b/c/x.tif", Some(&special)),
            ("a/b/free.tif", None),
            ("a/b/free.tiff", Some(&special)),
        ] {
            assert_eq!(watermarks.of(&ImageId::parse(name).unwrap()), expected, "{name}");
        }
    }

    #[test]
    fn the_mark_is_the_last_step_of_every_request_and_nothing_is_passed_through() {
        let info = pyramid((1001, 701), 256);
        let rules = everywhere(&mark(1, 1.0));
        let plain = jpeg(Frame::IipTile { resolution: 2, index: 5 });
        let frames = [
            plain.frame,
            deep_zoom(10, 1, 1),
            Frame::DeepZoomTile { level: 10, column: 1, row: 1, cut: OVERLAPPING },
            Frame::ZoomifyTile { level: 2, column: 1, row: 1 },
            iiif(Region::Full, SizeForm::Max),
            iiif(pixels(256, 256, 256, 256), SizeForm::Max),
            iiif(pixels(3, 5, 1, 1), SizeForm::Max),
        ];
        let mut planned_count = 0;
        for frame in frames {
            for format in [Format::Jpeg, Format::Png, Format::Webp] {
                for quality in [Quality::Default, Quality::Color, Quality::Gray, Quality::Bitonal] {
                    for rotation in [Rotation::None, Rotation::Quarter] {
                        let request =
                            PictureRequest { frame, rotation, quality, format, ..plain.clone() };
                        let marked = planned("a.tif", &request, &info, &rules);
                        assert!(0 < spread(&marked).side_px);
                        assert_eq!(marked.pass_through, None);
                        let bare = planned("a.tif", &request, &info, &Rules::default());
                        assert_ne!(marked.key, bare.key);
                        assert_eq!(marked.steps.len(), bare.steps.len() + 1);
                        planned_count += 1;
                    }
                }
            }
        }
        assert_eq!(planned_count, 168);
        let passed = planned("a.tif", &plain, &info, &Rules::default());
        assert!(passed.pass_through.is_some());
    }

    #[test]
    fn places_follow_from_name_and_pixels_and_not_from_format_quality_or_protocol() {
        let info = pyramid((1024, 1024), 256);
        let rules = everywhere(&mark(1, 1.0));
        let tile = jpeg(Frame::IipTile { resolution: 2, index: 5 });
        let place = |name, request: &PictureRequest| spread(&planned(name, request, &info, &rules));
        let seed = place("a.tif", &tile);
        assert_eq!((seed.side_px, seed.left_px, seed.top_px), (512, 256, 256));
        for same in [
            PictureRequest { format: Format::Png, ..tile.clone() },
            PictureRequest { encoder_quality: Some(3), ..tile.clone() },
            PictureRequest { quality: Quality::Gray, ..tile.clone() },
            PictureRequest { rotation: Rotation::Half, mirror: true, ..tile.clone() },
            jpeg(deep_zoom(10, 1, 1)),
            jpeg(iiif(pixels(256, 256, 256, 256), SizeForm::Max)),
        ] {
            assert_eq!(place("a.tif", &same), seed, "{same:?}");
        }
        let beside = jpeg(Frame::IipTile { resolution: 2, index: 6 });
        let smaller = jpeg(Frame::IipTile { resolution: 1, index: 3 });
        for (name, other) in [("b.tif", &tile), ("a.tif", &beside), ("a.tif", &smaller)] {
            assert_ne!(place(name, other).seed, seed.seed, "{name} {other:?}");
        }
        let smaller = place("a.tif", &smaller);
        assert_eq!((smaller.left_px, smaller.top_px), (256, 256));
        let resized = jpeg(iiif(pixels(300, 0, 300, 100), SizeForm::Width(100)));
        assert_eq!(place("a.tif", &resized).left_px, 100);
    }

    #[test]
    fn all_that_a_mark_is_changes_the_key() {
        let info = pyramid((1001, 701), 256);
        let tile = jpeg(Frame::IipTile { resolution: 2, index: 5 });
        let key = |watermark: Watermark| {
            planned("a.tif", &tile, &info, &everywhere(&Arc::new(watermark))).key
        };
        let first = || Watermark::clone(&mark(1, 1.0));
        assert_eq!(key(first()), key(first()));
        for other in [
            Watermark::clone(&mark(2, 1.0)),
            Watermark { opacity: 0.5, ..first() },
            Watermark { probability: 0.5, ..first() },
            Watermark { blend: Blend::Additive, ..first() },
            Watermark { position: Position::Tiled, ..first() },
        ] {
            assert_ne!(key(other.clone()), key(first()), "{other:?}");
        }
    }
}
