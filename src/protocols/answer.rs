//! `Reply` to `Response`: the headers that all protocols share; each protocol supplies its own words.

use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use crate::model::request::Conditions;
use crate::model::{Fault, FaultKind, ImageInfo, Picture, Reply, Want};
use crate::protocols::accept::varied;
use crate::protocols::call::{Call, Dialect};
use crate::protocols::http_date::http_date;
use crate::protocols::iip;
use crate::protocols::refusal::respond_fault;
use crate::protocols::settings::Settings;
use crate::protocols::wire::Response;
use crate::protocols::zoomify;

/// A description in a protocol's words.
#[derive(Debug)]
pub(crate) struct Document {
    /// `Content-Type`.
    pub(crate) content_type: &'static str,
    /// The text.
    pub(crate) body: String,
}

/// Words the service's answer: body, media type, validators, and what the protocol adds.
pub fn respond(call: &Call, reply: &Reply, settings: &Settings) -> Response {
    match reply {
        Reply::Info { info, modified_s } => respond_info(call, info, *modified_s, settings),
        Reply::Picture(picture) => {
            varied(call, settings.negotiate, respond_picture(call, picture, settings))
        }
        Reply::Tiles(tiles) => match &call.dialect {
            Dialect::Iip(words) => respond_tiles(call, words, tiles, settings),
            Dialect::Iiif(_) | Dialect::DeepZoom(_) | Dialect::Zoomify => mismatch(call),
        },
        Reply::Samples { views, modified_s } => match &call.dialect {
            Dialect::Iip(words) => words
                .samples(views)
                .map_or_else(|| mismatch(call), |it| documented(call, it, *modified_s, settings)),
            Dialect::Iiif(_) | Dialect::DeepZoom(_) | Dialect::Zoomify => mismatch(call),
        },
        Reply::NotModified { etag, modified_s } => {
            let response = validated(Response::new(304, ""), quoted(etag), *modified_s, settings);
            if call.request.want == Want::Info {
                add_info_headers(call, response)
            } else {
                varied(call, settings.negotiate, response)
            }
        }
    }
}

fn respond_info(call: &Call, info: &ImageInfo, modified_s: i64, settings: &Settings) -> Response {
    let document = match &call.dialect {
        Dialect::Iip(words) => words.document(info),
        Dialect::Iiif(words) => Some(words.document(info, settings)),
        Dialect::DeepZoom(words) => Some(words.document(info, settings)),
        Dialect::Zoomify => Some(zoomify::document(info)),
    };
    let Some(document) = document else { return mismatch(call) };
    documented(call, document, modified_s, settings)
}

fn documented(call: &Call, document: Document, modified_s: i64, settings: &Settings) -> Response {
    let response = with_validators(&call.request.conditions, document, modified_s, settings);
    add_info_headers(call, response)
}

/// A text with a validator of its own, which is made of it.
pub(crate) fn with_validators(
    conditions: &Conditions,
    document: Document,
    modified_s: i64,
    settings: &Settings,
) -> Response {
    let etag = format!("{:016x}", xxh3_64(document.body.as_bytes()));
    let response = if conditions.are_met_by(&etag, modified_s) {
        Response::new(304, "")
    } else {
        Response::new(200, document.body).with("Content-Type", document.content_type)
    };
    validated(response, quoted(&etag), modified_s, settings)
}

fn respond_picture(call: &Call, picture: &Picture, settings: &Settings) -> Response {
    let Some(asked) = call.picture() else { return mismatch(call) };
    let plain = || {
        let response = Response::new(200, picture.bytes.clone())
            .with("Content-Type", picture.format.media_type());
        validated(response, quoted(&picture.etag), picture.modified_s, settings)
    };
    match &call.dialect {
        Dialect::Iip(words) => words.add_picture_headers(plain(), &call.request.image, picture),
        Dialect::Iiif(words) => words.add_picture_headers(plain(), asked, picture, settings),
        Dialect::DeepZoom(_) | Dialect::Zoomify => plain(),
    }
}

/// Tiles in IIP's frames, one behind the other; their validators make up one.
fn respond_tiles(
    call: &Call,
    words: &iip::Words,
    tiles: &[(u32, Picture)],
    settings: &Settings,
) -> Response {
    let etags: String = tiles.iter().map(|(_, tile)| tile.etag.as_str()).collect();
    let etag = match tiles {
        [_] => etags,
        _ => format!("{:032x}", xxh3_128(etags.as_bytes())),
    };
    let modified_s = tiles.iter().map(|(_, tile)| tile.modified_s).max().unwrap_or(0);
    let response = if call.request.conditions.are_met_by(&etag, modified_s) {
        Response::new(304, "")
    } else {
        let (body, content_type) = words.framed(tiles);
        Response::new(200, body).with("Content-Type", content_type)
    };
    validated(response, quoted(&etag), modified_s, settings)
}

fn add_info_headers(call: &Call, response: Response) -> Response {
    match &call.dialect {
        Dialect::Iip(words) => words.add_info_headers(response),
        Dialect::Iiif(words) => words.add_info_headers(response),
        Dialect::DeepZoom(_) | Dialect::Zoomify => response,
    }
}

/// Adds what lets a cache keep and ask again: on 200 and on 304 alike (RFC 9110, section 15.4.5).
fn validated(response: Response, etag: String, modified_s: i64, settings: &Settings) -> Response {
    let response = response.with("Last-Modified", http_date(modified_s));
    let response = if settings.cache_control.is_empty() {
        response
    } else {
        response.with("Cache-Control", settings.cache_control.clone())
    };
    response.with("ETag", etag)
}

fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

fn mismatch(call: &Call) -> Response {
    let fault = Fault::new(FaultKind::Bug, "the answer is of another kind than the question");
    respond_fault(call.protocol(), &fault)
}
