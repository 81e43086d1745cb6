//! Images and requests for the tests of this layer.

use crate::model::request::{Frame, OverLimit, PictureRequest, Region, ScaleTo, SizeForm, Upscale};
use crate::model::{
    ColourModel, DeepZoomCut, Format, ImageId, ImageInfo, Profile, Size, SourceVersion,
    StoredLevel, TileEncoding,
};
use crate::plan::{Plan, PlanError, Rules, plan};

/// A pyramid of JPEG tiles whose levels have these sizes, full image first.
pub(super) fn stored(sizes: &[(u32, u32)], tile_px: u32) -> ImageInfo {
    let tile = Size::new(tile_px, tile_px).unwrap();
    let sizes: Vec<Size> = sizes.iter().map(|&(w, h)| Size::new(w, h).unwrap()).collect();
    let level = |&size: &Size| StoredLevel::in_file(sizes[0], size, tile, TileEncoding::Jpeg);
    let stored: Vec<StoredLevel> = sizes.iter().map(level).collect();
    ImageInfo::new("TIFF", stored, tile, ColourModel::Rgb)
}

/// The sizes of a pyramid, each half the one before, until one fits a tile.
pub(super) fn halved(full: (u32, u32), tile_px: u32, up: bool) -> Vec<(u32, u32)> {
    let full = Size::new(full.0, full.1).unwrap();
    let tile = Size::new(tile_px, tile_px).unwrap();
    let level = |k| if up { full.halved_up(k) } else { full.halved_down(k) };
    let last = (0..32).find(|k| level(*k).fits(tile)).unwrap();
    (0..=last).map(|k| (level(k).width(), level(k).height())).collect()
}

/// A whole pyramid with levels rounded down.
pub(super) fn pyramid(full: (u32, u32), tile_px: u32) -> ImageInfo {
    stored(&halved(full, tile_px, false), tile_px)
}

/// A plain JPEG request.
pub(super) fn jpeg(frame: Frame) -> PictureRequest {
    PictureRequest::plain(frame, Format::Jpeg)
}

/// A tile of Deep Zoom as it is cut where nothing is set.
pub(super) fn deep_zoom(level: u32, column: u32, row: u32) -> Frame {
    Frame::DeepZoomTile { level, column, row, cut: DeepZoomCut::default() }
}

/// A profile of ten bytes that is taken for what is said of it.
pub(super) fn profile(space: Option<ColourModel>, is_srgb: bool) -> Profile {
    Profile { bytes: [0; 10].into(), digest: 0, space, is_srgb }
}

/// An IIIF frame that may not be upscaled.
pub(super) fn iiif(region: Region, form: SizeForm) -> Frame {
    let over_limit = OverLimit::Refuse;
    Frame::Region { region, size: ScaleTo { form, upscale: Upscale::Refuse, over_limit } }
}

/// A region in pixels.
pub(super) fn pixels(x: u64, y: u64, width: u64, height: u64) -> Region {
    Region::Pixels { x, y, width, height }
}

/// The version of every image here.
pub(super) const VERSION: SourceVersion = SourceVersion { len_bytes: 1, modified_ns: 2, inode: 3 };

/// The plan of a request under these rules.
pub(super) fn planned_by(
    request: &PictureRequest,
    info: &ImageInfo,
    rules: &Rules,
) -> Result<Plan, PlanError> {
    plan(request, &ImageId::parse("image.tif").unwrap(), &VERSION, info, rules)
}

/// The plan of a plain JPEG request under the default rules.
pub(super) fn planned(frame: Frame, info: &ImageInfo) -> Result<Plan, PlanError> {
    planned_by(&jpeg(frame), info, &Rules::default())
}
