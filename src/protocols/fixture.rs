//! What the tests of all protocols share: a request as a front builds it, and the picture `rgb.tif` of
//! the reference answers (1001x701, tiles of 256, three levels rounded down).
#![expect(clippy::panic_in_result_fn, reason = "tests fail by panicking")]

use bytes::Bytes;

use crate::model::image_info::Resolution;
use crate::model::{
    ColourModel, Format, ImageInfo, Picture, Rect, Reply, Resolved, Size, StoredLevel, TileEncoding,
};
use crate::protocols::{
    Call, Method, Parsed, RawRequest, Refusal, Response, Settings, parse, respond,
};

/// When the picture was changed: Sun, 22 Nov 2026 05:05:55 GMT.
pub(crate) const MODIFIED_S: i64 = 1_795_323_955;

/// A GET of `path?query`.
pub(crate) fn get(address: &str) -> RawRequest<'_> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    RawRequest {
        method: Method::Get,
        path,
        query,
        query_rules: false,
        body: b"",
        scheme: "http",
        host: "ex.org",
        prefix: "",
        iiif_id: None,
        accept: "",
        if_none_match: None,
        if_modified_since_s: None,
    }
}

/// The call that a GET becomes.
pub(crate) fn call(address: &str) -> Call {
    try_call(address, &Settings::default()).unwrap()
}

/// The call that a GET becomes, or its refusal.
pub(crate) fn try_call(address: &str, settings: &Settings) -> Result<Call, Refusal> {
    match parse(&get(address), settings)? {
        Parsed::Call(call) => Ok(*call),
        other => panic!("{address}: {other:?}"),
    }
}

/// The status that a GET is refused with by its text alone, 200 where it is not.
pub(crate) fn refused_status(address: &str, settings: &Settings) -> u16 {
    parse(&get(address), settings).err().map_or(200, |refusal| refusal.fault.kind.status())
}

/// An image of this size with tiles of 256x256 and all its levels stored.
pub(crate) fn info(width: u32, height: u32, colour: ColourModel) -> ImageInfo {
    let (size, tile) = (Size::new(width, height).unwrap(), Size::new(256, 256).unwrap());
    let level = |level| StoredLevel::in_file(size, level, tile, TileEncoding::Other);
    let mut stored = vec![level(size)];
    for steps in 1.. {
        if stored.last().unwrap().size.fits(tile) {
            break;
        }
        stored.push(level(size.halved_down(steps)));
    }
    let resolution = Some(Resolution { x_per_metre: 11811.0, y_per_metre: 11811.0 });
    ImageInfo { resolution, ..ImageInfo::new("TIFF", stored, tile, colour) }
}

/// `rgb.tif`.
pub(crate) fn rgb() -> ImageInfo {
    info(1001, 701, ColourModel::Rgb)
}

/// What the service answers to a call for a description.
pub(crate) fn info_reply(info: ImageInfo) -> Reply {
    Reply::Info { info: info.into(), modified_s: MODIFIED_S }
}

/// What the service answers to a call for all of `rgb.tif` at this size.
pub(crate) fn picture_reply(width: u32, height: u32, format: Format) -> Reply {
    let image = Size::new(1001, 701).unwrap();
    let size = Size::new(width, height).unwrap();
    Reply::Picture(Picture {
        bytes: Bytes::from_static(b"file"),
        format,
        resolved: Resolved {
            image,
            region: Rect::whole(image),
            size,
            is_max: size == image,
            is_default_quality: true,
        },
        etag: "e7a6".to_owned(),
        modified_s: MODIFIED_S,
    })
}

/// The answer to a GET of `rgb.tif`'s description.
pub(crate) fn describe(address: &str) -> Response {
    respond(&call(address), &info_reply(rgb()), &Settings::default())
}

/// The body as text.
pub(crate) fn text(response: &Response) -> &str {
    str::from_utf8(&response.body).unwrap()
}
