//! What each fuzz target does with bytes. Nothing here may panic, hang or fill the memory, whatever they
//! are. `tests/fuzz_seeds.rs` runs the same functions over the seeds.

use std::sync::Arc;

use tessera::codecs::{self, Decode, DecodeLimits, Decoders, Jpeg2000Decoders};
use tessera::front::fastcgi;
use tessera::imaging::read_profile;
use tessera::model::{
    Associated, ColourModel, ImageInfo, Rect, Selection, Size, Slice, SourceVersion, StoredLevel,
    TileAddress, TileEncoding, Want,
};
use tessera::modules::message::{Reply, read_reply};
use tessera::plan::{Rules, plan};
use tessera::protocols::{self, Method, Parsed, RawRequest, Settings};

/// A target.
pub(crate) type Harness = fn(&[u8]);

/// Every target by its name.
pub(crate) const TARGETS: [(&str, Harness); 18] = [
    ("tiff_structure", structure),
    ("tiff_tile", |bytes| decoded(bytes, TIFF)),
    ("jpeg", |bytes| decoded(bytes, &[b"\xff\xd8"])),
    ("png", |bytes| decoded(bytes, &[b"\x89PNG"])),
    ("webp", |bytes| decoded(bytes, &[b"RIFF"])),
    ("gif", |bytes| decoded(bytes, &[b"GIF8"])),
    ("bmp", |bytes| decoded(bytes, &[b"BM"])),
    ("jpeg2000_boxes", |bytes| drop(opened(bytes, &[JP2], Slice::Main))),
    ("jpeg2000_index", |bytes| drop(opened(bytes, &[J2K], Slice::Main))),
    ("jpeg2000_region", |bytes| decoded(bytes, &[JP2, J2K])),
    ("jpeg2000_openjpeg", by_openjpeg),
    ("module_replies", replied),
    ("icc", |bytes| drop(read_profile(bytes.into()))),
    ("iip", |bytes| asked("/iip", bytes)),
    ("iiif", |bytes| asked("/iiif", bytes)),
    ("deepzoom", |bytes| asked("/deepzoom", bytes)),
    ("zoomify", |bytes| asked("/zoomify", bytes)),
    ("fastcgi_records", fastcgi::rehearse),
];

const TIFF: &[&[u8]] = &[b"II", b"MM"];
const JP2: &[u8] = b"\0\0\0\x0cjP";
const J2K: &[u8] = b"\xff\x4f\xff\x51";

/// Small enough that a decoder that obeys them is fast, so that what is slow is found.
fn limits() -> DecodeLimits {
    DecodeLimits {
        tile_px_max: 1 << 18,
        tile_bytes_max: 1 << 20,
        tiles_max: 1 << 14,
        ..DecodeLimits::default()
    }
}

/// Opens what begins as files of this kind do; all else is another target's.
fn opened(bytes: &[u8], beginnings: &[&[u8]], slice: Slice) -> Option<Arc<dyn Decode>> {
    opened_for(bytes, beginnings, slice, &Decoders::default())
}

/// The same for these decoders.
fn opened_for(
    bytes: &[u8],
    beginnings: &[&[u8]],
    slice: Slice,
    decoders: &Decoders,
) -> Option<Arc<dyn Decode>> {
    if !beginnings.iter().any(|beginning| bytes.starts_with(beginning)) {
        return None;
    }
    let selection = Selection { slice, ..Selection::default() };
    codecs::open_with(Arc::new(bytes.to_vec()), selection, &limits(), decoders).ok()
}

/// Opens a TIFF for each kind of picture that one may hold.
fn structure(bytes: &[u8]) {
    for slice in [Slice::Main, Slice::page(1), Slice::Associated(Associated::Label)] {
        drop(opened(bytes, TIFF, slice));
    }
}

/// Decodes the first and the last tile of each level of the file.
fn decoded(bytes: &[u8], beginnings: &[&[u8]]) {
    if let Some(image) = opened(bytes, beginnings, Slice::Main) {
        decoded_of(&*image);
    }
}

/// Decodes JPEG 2000 by OpenJPEG, in this process, where the sanitizer sees it.
fn by_openjpeg(bytes: &[u8]) {
    let jpeg2000 = Jpeg2000Decoders { all: true, ..Decoders::default().jpeg2000 };
    let decoders = Decoders { jpeg2000 };
    if let Some(image) = opened_for(bytes, &[JP2, J2K], Slice::Main, &decoders) {
        decoded_of(&*image);
    }
}

fn decoded_of(image: &dyn Decode) {
    let info = Arc::clone(image.info());
    let in_file = info.stored.iter().enumerate().filter(|(_, level)| level.made_from.is_none());
    for (stored, level) in in_file.take(4) {
        let (columns, rows) = level.size.grid(level.tile);
        for (column, row) in [(0, 0), (columns - 1, rows - 1)] {
            let at = TileAddress { stored, column, row };
            if let Ok(pixels) = image.decode_tile(at) {
                assert_eq!(Some(pixels.size()), info.tile_rect(at).map(Rect::size));
                assert_eq!((pixels.colour(), pixels.alpha()), (info.colour, info.alpha));
                assert_eq!(pixels.sample_type(), info.samples);
            }
            drop(image.stored_tile(at, true));
        }
    }
}

/// Reads what a process of a module says, to the request with number 1, and checks what it describes.
fn replied(bytes: &[u8]) {
    match read_reply(bytes, 1) {
        Ok(Reply::Image(description)) => {
            if let Ok(info) = description.info(None, &limits()) {
                assert!(info.stored.iter().all(|level| 0 < level.size.area()));
            }
        }
        Ok(Reply::Hello(hello)) => drop(hello.check()),
        _ => {}
    }
}

/// Parses an address below a mount, or a query, and plans what it asks for.
fn asked(mount: &str, bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let path = format!("{mount}{path}");
    let raw = RawRequest {
        method: Method::Get,
        path: &path,
        query,
        query_rules: false,
        body: b"",
        scheme: "http",
        host: "localhost",
        prefix: "",
        iiif_id: None,
        accept: "",
        if_none_match: None,
        if_modified_since_s: None,
    };
    let Ok(Parsed::Call(call)) = protocols::parse(&raw, &Settings::default()) else { return };
    if let Want::Picture(picture) = &call.request.want {
        let version = SourceVersion { len_bytes: 1, modified_ns: 2, inode: 3 };
        let rules = Rules::default();
        if let Ok(plan) = plan(picture, &call.request.image, &version, &pyramid(), &rules) {
            assert!(plan.resolved.size.longer() <= rules.limits.output_side_px_max);
        }
    }
}

/// A pyramid of odd sizes.
fn pyramid() -> ImageInfo {
    let (tile, full) = (Size::at_least_one(256, 256), Size::at_least_one(10_001, 7_003));
    let level = |k| StoredLevel::in_file(full, full.halved_down(k), tile, TileEncoding::Jpeg);
    ImageInfo::new("TIFF", (0..6).map(level).collect(), tile, ColourModel::Rgb)
}
