//! The public HTTP listener: actix-web's requests to ours, our responses to its. One handler takes
//! every path, because what a path means is the protocols' affair.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::uri::Authority;
use actix_web::http::{Method as HttpMethod, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, rt, web};
use bytes::Bytes;

use crate::actors::{Facts, Service, ServiceError};
use crate::front::gallery;
use crate::front::request_count::{Place, RequestCount};
use crate::front::timed_body::TimedBody;
use crate::metrics;
use crate::model::{Fault, FaultKind, ImageId};
use crate::protocols::wire::{Method, RawRequest, Response};
use crate::protocols::{self, Parsed, Protocol, Settings};
use crate::telemetry::{Access, AccessLog};

/// How long a POST's body may take to come; it is short, and one that trickles holds its place.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// What every worker answers with.
#[derive(Clone, Debug)]
pub struct Front {
    /// Makes the answers.
    pub service: Service,
    /// How protocols speak.
    pub settings: Arc<Settings>,
    /// `Access-Control-Allow-Origin`; none: no CORS headers.
    pub cors: Option<HeaderValue>,
    /// Longest POST body taken, in bytes.
    pub body_bytes_max: usize,
    /// Requests under way.
    pub requests: RequestCount,
    /// Where each request is written down, if anywhere.
    pub access: Option<AccessLog>,
}

/// A response, and what the log says of it.
struct Answered {
    response: Response,
    protocol: &'static str,
    facts: Facts,
}

impl Answered {
    fn new(response: Response, protocol: &'static str) -> Self {
        Self { response, protocol, facts: Facts::default() }
    }
}

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
    let place = front.requests.take_place();
    let answered = match &place {
        Some(_) => match body_of(&request, payload, front.body_bytes_max).await {
            Ok(body) => front.answer(&request, &body).await,
            Err(fault) => Answered::new(protocols::respond_fault(Protocol::Iip, &fault), "iip"),
        },
        None => too_many(),
    };
    front.finish(&request, answered, started, place)
}

fn too_many() -> Answered {
    metrics::shed("requests");
    let fault = Fault::new(FaultKind::Busy, "the server is busy; try again in a moment");
    Answered::new(protocols::respond_fault(Protocol::Iiif3, &fault), "other")
}

/// The body of a POST, within its limit; nothing of any other method.
async fn body_of(
    request: &HttpRequest,
    payload: web::Payload,
    bytes_max: usize,
) -> Result<Bytes, Fault> {
    if *request.method() != HttpMethod::POST {
        return Ok(Bytes::new());
    }
    let too_large =
        || Fault::new(FaultKind::TooLarge, format!("the body is longer than {bytes_max} bytes"));
    match rt::time::timeout(BODY_PATIENCE, payload.to_bytes_limited(bytes_max)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(Fault::bad_request("the body could not be read")),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Fault::bad_request("the body did not come in time")),
    }
}

impl Front {
    async fn answer(&self, request: &HttpRequest, body: &[u8]) -> Answered {
        let Some(raw) = raw_request(request, body) else {
            let fault = Fault::bad_request("the Host header is not a host name");
            return Answered::new(protocols::respond_fault(Protocol::Iiif3, &fault), "other");
        };
        match protocols::parse(&raw, &self.settings) {
            Ok(Parsed::Call(call)) => {
                let protocol = call.protocol();
                let mut facts = Facts::default();
                let response = match self.service.answer(&call.request, &mut facts).await {
                    Ok(reply) => protocols::respond(&call, &reply, &self.settings),
                    Err(error) => refused(protocol, &error, &call.request.image),
                };
                Answered { response, protocol: protocol.label(), facts }
            }
            Ok(Parsed::Response(response)) => Answered::new(response, "other"),
            Ok(Parsed::NotOurs) => {
                let response = gallery::answer(&self.service, &raw).await;
                Answered::new(response, "viewer")
            }
            Err(refusal) => {
                metrics::fault(refusal.fault.kind.label());
                Answered::new(refusal.respond(), refusal.protocol.label())
            }
        }
    }

    /// Adds what every answer has, and writes it down.
    fn finish(
        &self,
        request: &HttpRequest,
        answered: Answered,
        started: Instant,
        place: Option<Place>,
    ) -> HttpResponse<TimedBody> {
        let Answered { response, protocol, facts } = answered;
        let body = TimedBody::new(response.status, response.body, place);
        let bytes = body.length();
        let status = StatusCode::from_u16(response.status);
        let mut out =
            HttpResponse::with_body(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body);
        for (name, value) in response.headers {
            if let (Ok(name), Some(value)) = (HeaderName::try_from(name), header_value(value)) {
                out.headers_mut().append(name, value);
            }
        }
        self.add_cors(&mut out);
        let took = started.elapsed();
        metrics::request(protocol, facts.class, facts.format, facts.outcome, took);
        self.write_down(request, (response.status, bytes, took), protocol, &facts);
        out
    }

    fn add_cors(&self, out: &mut HttpResponse<TimedBody>) {
        let Some(origin) = &self.cors else { return };
        let headers = out.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        let fixed = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST, OPTIONS"),
            (
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                "Accept, Content-Type, X-Requested-With, If-Modified-Since, If-None-Match",
            ),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, "ETag, Link"),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ];
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }

    fn write_down(
        &self,
        request: &HttpRequest,
        (status, bytes, took): (u16, u64, Duration),
        protocol: &str,
        facts: &Facts,
    ) {
        let Some(access) = &self.access else { return };
        let peer = request.peer_addr().map(|address| address.ip().to_string());
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        access.put(&Access {
            peer: peer.as_deref().unwrap_or("unix"),
            method: request.method().as_str(),
            target,
            status,
            bytes,
            took,
            protocol,
            class: facts.class,
            outcome: facts.outcome,
        });
    }
}

fn header_value(value: Cow<'static, str>) -> Option<HeaderValue> {
    match value {
        Cow::Borrowed(text) => HeaderValue::from_str(text).ok(),
        Cow::Owned(text) => HeaderValue::try_from(text).ok(),
    }
}

/// An error in its protocol's words; the log gets the whole chain, the client the public sentence.
fn refused(protocol: Protocol, error: &ServiceError, image: &ImageId) -> Response {
    let fault = error.fault();
    metrics::fault(fault.kind.label());
    let chain = Chain(error);
    match fault.kind {
        FaultKind::Bug => tracing::error!(%image, error = %chain, "no answer"),
        FaultKind::Image => tracing::warn!(%image, error = %chain, "no answer"),
        // Thousands a second under overload: `tessera_shed_total` counts them, the access log has each.
        _ => tracing::debug!(%image, error = %chain, "no answer"),
    }
    protocols::respond_fault(protocol, &fault)
}

/// An error with all its causes, since no error's text repeats its source's.
struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// What protocols need of a request; nothing where the host is no host, which must not be echoed.
fn raw_request<'a>(request: &'a HttpRequest, body: &'a [u8]) -> Option<RawRequest<'a>> {
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let uri = request.uri();
    let host = uri.authority().map(Authority::as_str);
    let host = host.or_else(|| text(header::HOST)).unwrap_or("localhost");
    let since =
        text(header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
    let since_s = since.and_then(|date| {
        let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
        i64::try_from(since_epoch.as_secs()).ok()
    });
    is_host(host).then_some(RawRequest {
        method: method_of(request.method()),
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        body,
        scheme: if request.app_config().secure() { "https" } else { "http" },
        host,
        accept: text(header::ACCEPT).unwrap_or_default(),
        if_none_match: text(header::IF_NONE_MATCH),
        if_modified_since_s: since_s,
    })
}

/// Whether a text holds only what a host and port can (RFC 3986, section 3.2.2).
fn is_host(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(allowed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_are_hosts() {
        for host in ["example.org", "example.org:8182", "[::1]:80", "127.0.0.1"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "a\"b", "a/b", "<script>", "a\r\nb", "user@host"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
