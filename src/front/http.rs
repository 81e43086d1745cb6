//! The public HTTP listener: actix-web's requests to ours, our responses to its. One handler takes
//! every path, because what a path means is the protocols' affair.

use std::borrow::Cow;
use std::time::Instant;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
use actix_web::http::{Method as HttpMethod, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, rt, web};
use bytes::Bytes;

use crate::config::TrustedProxies;
use crate::front::exchange::{Answered, Asked, Front, body_too_large, seconds_of};
use crate::front::forwarded::Forwarded;
use crate::front::request_count::Place;
use crate::front::request_name::Name;
use crate::front::timed_body::TimedBody;
use crate::model::Fault;
use crate::protocols::wire::{Method, RawRequest, Response};

/// Routes every path and method of an application to this front.
pub fn configure(front: &Front) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let data = web::Data::new(front.clone());
    move |app| {
        app.app_data(data).default_service(web::route().to(handle));
    }
}

async fn handle(
    request: HttpRequest,
    payload: web::Payload,
    front: web::Data<Front>,
) -> HttpResponse<TimedBody> {
    let started = Instant::now();
    let text =
        |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let name = Name::of(text("x-request-id"), text("traceparent"), &front.traces);
    let place = front.requests.take_place();
    let answered = match &place {
        Some(_) => match body_of(&request, payload, &front).await {
            Ok(body) => {
                let manners = front.manners.load_full();
                let raw = raw_request(&request, &body, &manners.trusted_proxies);
                front.answer(&raw, &name).await
            }
            Err(fault) => Answered::unread(&fault),
        },
        None => Answered::too_many(),
    };
    let peer = request.peer_addr().map(|address| address.ip().to_string());
    let asked = Asked {
        peer: peer.as_deref().unwrap_or("unix"),
        method: request.method().as_str(),
        target: request.uri().path_and_query().map_or("/", |target| target.as_str()),
        started,
        name,
    };
    http_response(front.finish(asked, answered), place)
}

/// The body of a POST, within its limits; nothing of any other method.
async fn body_of(
    request: &HttpRequest,
    payload: web::Payload,
    front: &Front,
) -> Result<Bytes, Fault> {
    if *request.method() != HttpMethod::POST {
        return Ok(Bytes::new());
    }
    let bytes_max = front.body_bytes_max;
    match rt::time::timeout(front.body_patience, payload.to_bytes_limited(bytes_max)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(Fault::bad_request("the body could not be read")),
        Ok(Err(_)) => Err(body_too_large(bytes_max)),
        Err(_) => Err(Fault::bad_request("the body did not come in time")),
    }
}

/// What protocols need of a request.
fn raw_request<'a>(
    request: &'a HttpRequest,
    body: &'a [u8],
    trusted: &TrustedProxies,
) -> RawRequest<'a> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let uri = request.uri();
    let host = uri.authority().map(Authority::as_str).or_else(|| text(header::HOST));
    let scheme = if request.app_config().secure() { "https" } else { "http" };
    let text =
        |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let peer = request.peer_addr().map(|address| address.ip());
    let forwarded = if trusted.hold(peer) { forwarded(request) } else { Forwarded::default() };
    let public = forwarded.public(scheme, host.unwrap_or("localhost"));
    RawRequest {
        method: method_of(request.method()),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        query_rules: false,
        body,
        scheme: public.scheme,
        host: public.host,
        prefix: public.prefix,
        iiif_id: public.iiif_id,
        accept: text(header::ACCEPT).unwrap_or_default(),
        if_none_match: text(header::IF_NONE_MATCH),
        if_modified_since_s: text(header::IF_MODIFIED_SINCE).and_then(seconds_of),
    }
}

fn forwarded(request: &HttpRequest) -> Forwarded<'_> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    Forwarded {
        standard: text("forwarded"),
        proto: text("x-forwarded-proto"),
        host: text("x-forwarded-host"),
        prefix: text("x-forwarded-prefix"),
        iiif_id: text("x-iiif-id"),
    }
}

fn method_of(method: &HttpMethod) -> Method {
    match *method {
        HttpMethod::GET => Method::Get,
        HttpMethod::HEAD => Method::Head,
        HttpMethod::POST => Method::Post,
        HttpMethod::OPTIONS => Method::Options,
        _ => Method::Other,
    }
}

fn http_response(response: Response, place: Option<Place>) -> HttpResponse<TimedBody> {
    let status = StatusCode::from_u16(response.status);
    let mut out = HttpResponse::with_body(
        status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        TimedBody::new(response.status, response.body, place),
    );
    for (name, value) in response.headers {
        if let (Ok(name), Some(value)) = (HeaderName::try_from(name), header_value(value)) {
            out.headers_mut().append(name, value);
        }
    }
    out
}

fn header_value(value: Cow<'static, str>) -> Option<HeaderValue> {
    match value {
        // Not copied: most answers have a dozen of these.
        Cow::Borrowed(text) => {
            HeaderValue::from_maybe_shared(Bytes::from_static(text.as_bytes())).ok()
        }
        Cow::Owned(text) => HeaderValue::try_from(text).ok(),
    }
}
