//! The gallery's paths: pages and assets out of the binary, and as JSON the list of a folder and of the
//! pictures under one name.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::actors::{Service, ServiceError};
use crate::front::manifest::described;
use crate::front::viewer::{self, Asset};
use crate::model::request::Conditions;
use crate::model::{Fault, ImageId, ImageInfo, Slice};
use crate::protocols::wire::{Method, RawRequest, Response};
use crate::protocols::{self, Settings, percent, sliced_name};

/// Images in one page of a listing.
const PAGE_IMAGES: usize = 100;

/// Whether a path is one that the gallery answers at.
pub(super) fn is_page(path: &str) -> bool {
    matches!(path, "/" | "/gallery.json" | "/slices.json")
        || path.starts_with("/view/")
        || viewer::asset(path).is_some()
}

/// Answers a path that no protocol claimed.
pub(super) async fn answer(
    service: &Service,
    settings: &Settings,
    raw: &RawRequest<'_>,
) -> Response {
    match raw.method {
        Method::Get | Method::Head => {}
        Method::Options => return Response::new(204, "").with("Allow", "GET, HEAD, OPTIONS"),
        Method::Post | Method::Other => {
            return plain(405, "only GET, HEAD and OPTIONS are taken here")
                .with("Allow", "GET, HEAD, OPTIONS");
        }
    }
    match raw.path {
        "/" => page(viewer::gallery_page(), raw),
        "/gallery.json" => list(service, raw).await,
        "/slices.json" => match slices(service, settings, raw).await {
            Ok(response) => response,
            Err(fault) => plain(fault.kind.status(), fault.text),
        },
        path if path.starts_with("/view/") => page(viewer::view_page(), raw),
        path => match viewer::asset(path) {
            Some(asset) => page(asset, raw),
            None => plain(404, "there is nothing at this address"),
        },
    }
}

fn page(asset: Asset, raw: &RawRequest<'_>) -> Response {
    let response = Response::new(200, asset.bytes)
        .with("Content-Type", asset.media_type)
        .with("ETag", format!("\"{}\"", asset.etag))
        .with("Cache-Control", "no-cache")
        .with("Content-Security-Policy", viewer::CONTENT_SECURITY_POLICY)
        .with("X-Content-Type-Options", "nosniff");
    not_modified_if_known(response, raw)
}

/// Turns 200 into 304 where the response carries the validator that the client sent.
fn not_modified_if_known(response: Response, raw: &RawRequest<'_>) -> Response {
    let Some(etag) = response.header("ETag").map(|etag| etag.trim_matches('"').to_owned()) else {
        return response;
    };
    let conditions = Conditions {
        if_none_match: raw.if_none_match.map(str::to_owned),
        if_modified_since_s: None,
    };
    if response.status != 200 || !conditions.are_met_by(&etag, i64::MAX) {
        return response;
    }
    let kept = ["ETag", "Last-Modified", "Cache-Control", "Vary", "Link"];
    let headers = response.headers.into_iter().filter(|(name, _)| kept.contains(name)).collect();
    Response { status: 304, headers, body: Vec::new().into() }
}

fn plain(status: u16, text: impl Into<Cow<'static, str>>) -> Response {
    Response::new(status, format!("{}\n", text.into()))
        .with("Content-Type", "text/plain; charset=utf-8")
}

/// `GET /gallery.json?folder=PATH&after=NAME`: one page of a folder.
async fn list(service: &Service, raw: &RawRequest<'_>) -> Response {
    let (Some(folder), Some(after)) =
        (parameter(raw.query, "folder"), parameter(raw.query, "after"))
    else {
        return plain(400, "the folder's name is not percent-encoded UTF-8");
    };
    let folder = match ImageId::parse(&folder) {
        Ok(folder) => folder.as_str().to_owned(),
        Err(_) if folder.trim_matches('/').is_empty() => String::new(),
        Err(error) => return plain(400, error.to_string()),
    };
    let after = Some(after).filter(|after| !after.is_empty()).map(Cow::into_owned);
    match service.list(folder.clone(), after, PAGE_IMAGES).await {
        Ok(listing) => {
            let path = |name: &str| match folder.as_str() {
                "" => name.to_owned(),
                folder => format!("{folder}/{name}"),
            };
            let folders: Vec<_> = listing
                .folders
                .iter()
                .map(|name| json!({"name": name, "path": path(name)}))
                .collect();
            let images: Vec<_> = listing
                .files
                .iter()
                .map(|file| json!({"name": file.name, "path": path(&file.name), "bytes": file.bytes}))
                .collect();
            let body = json!({
                "folder": folder, "folders": folders, "images": images, "next": listing.next,
            });
            Response::new(200, body.to_string())
                .with("Content-Type", "application/json")
                .with("Cache-Control", "no-cache")
        }
        Err(ServiceError::Source(_)) => plain(404, "there is no folder of this name"),
        Err(error) => {
            let fault = error.fault();
            plain(fault.kind.status(), fault.text)
        }
    }
}

/// `GET /slices.json?image=NAME`: the pages or views under an image's name and what lies beside it, by
/// the names that they are asked for by. Without a delimiter they have none, and only their number is told.
async fn slices(
    service: &Service,
    settings: &Settings,
    raw: &RawRequest<'_>,
) -> Result<Response, Fault> {
    let name = parameter(raw.query, "image")
        .ok_or_else(|| Fault::bad_request("the image's name is not percent-encoded UTF-8"))?;
    let image = protocols::image_id(&name, settings.delimiter.as_deref())?;
    let (info, _) = described(service, image.clone()).await?;
    let named = |delimiter| slices_by_name(&image, &info, delimiter);
    let slices = settings.delimiter.as_deref().map_or_else(Vec::new, named);
    let body = json!({"pages": info.views.horizontal.len(), "slices": slices});
    Ok(Response::new(200, body.to_string())
        .with("Content-Type", "application/json")
        .with("Cache-Control", "no-cache"))
}

fn slices_by_name(image: &ImageId, info: &ImageInfo, delimiter: &str) -> Vec<Value> {
    let views = &info.views;
    let pages = views.horizontal.iter().enumerate().map(|(index, number)| {
        let told = views.stack.get(index).map_or("", |page| page.name.as_str());
        let label = if told.is_empty() { number.to_string() } else { told.to_owned() };
        (Slice::page(*number), label)
    });
    let beside =
        views.associated.iter().map(|what| (Slice::Associated(*what), what.word().to_owned()));
    let entry = |(slice, label): (Slice, String)| {
        let path = sliced_name(image.as_str(), slice, delimiter);
        json!({"name": label, "path": path, "shown": slice == image.slice()})
    };
    pages.chain(beside).map(entry).collect()
}

/// A query parameter's decoded value, empty where it is not there; nothing where it cannot be decoded.
fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    percent::decode(value.unwrap_or_default()).ok()
}
