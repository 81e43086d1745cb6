//! From a request to its answer, whatever socket it came by: asks the protocols and the service, adds
//! what every answer has, counts it and writes it down. Fronts translate to and from their wire and do
//! nothing else, so that all of them answer alike.

use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::actors::{Facts, Service, ServiceError};
use crate::front::forwarded::is_host;
use crate::front::gallery;
use crate::front::manifest;
use crate::front::manners::LiveManners;
use crate::front::rankings::Rankings;
use crate::front::request_count::RequestCount;
use crate::front::request_name::Name;
use crate::front::trace;
use crate::front::troubles::Troubles;
use crate::metrics;
use crate::model::{Fault, FaultKind, ImageId};
use crate::plan::Lane;
use crate::protocols::wire::{RawRequest, Response};
use crate::protocols::{self, ManifestCall, Parsed, Protocol, Settings};
use crate::telemetry::traces::Traces;
use crate::telemetry::{Access, AccessLog};

/// What CORS allows beside the origin.
const CORS_FIXED: [(&str, &str); 4] = [
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"),
    (
        "Access-Control-Allow-Headers",
        "Accept, Content-Type, X-Requested-With, If-Modified-Since, If-None-Match, X-Request-Id, \
         traceparent, tracestate",
    ),
    ("Access-Control-Expose-Headers", "ETag, Link, X-Request-Id, traceresponse"),
    ("Access-Control-Max-Age", "86400"),
];

/// What every front answers with.
#[derive(Clone, Debug)]
pub struct Front {
    /// Makes the answers.
    pub service: Service,
    /// How to speak.
    pub manners: LiveManners,
    /// Longest POST body taken, in bytes.
    pub body_bytes_max: usize,
    /// How long a body may take to come over HTTP: one that trickles holds its place.
    pub body_patience: Duration,
    /// Requests under way, over all fronts.
    pub requests: RequestCount,
    /// Images that are asked for most.
    pub rankings: Rankings,
    /// Images that fail.
    pub troubles: Troubles,
    /// Where each request is written down, if anywhere.
    pub access: Option<AccessLog>,
    /// Where some of them are recorded, if anywhere.
    pub traces: Traces,
}

/// What the log says of a request.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    /// The client's address, or `unix`.
    pub(super) peer: &'a str,
    /// The method as sent.
    pub(super) method: &'a str,
    /// Path and query as sent.
    pub(super) target: &'a str,
    /// When its head was read.
    pub(super) started: Instant,
    /// What it is called.
    pub(super) name: Name,
}

/// A response, and what the log says of it.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) response: Response,
    pub(super) protocol: &'static str,
    pub(super) facts: Facts,
    /// The image, where the request is recorded.
    pub(super) image: Option<ImageId>,
}

impl Answered {
    fn new(response: Response, protocol: &'static str) -> Self {
        Self { response, protocol, facts: Facts::default(), image: None }
    }

    /// The answer where as many requests as may are under way already.
    pub(super) fn too_many() -> Self {
        metrics::shed("none", "requests");
        let fault = Fault::new(FaultKind::Busy, "the server is busy; try again in a moment");
        Self::new(protocols::respond_fault(Protocol::Iiif3, &fault), "other")
    }

    /// The answer to what the front itself could not read: a body too long, a head that makes no sense.
    pub(super) fn unread(fault: &Fault) -> Self {
        Self::new(protocols::respond_fault(Protocol::Iip, fault), "iip")
    }
}

impl Front {
    /// The answer to one request, without what [`Front::finish`] adds.
    pub(super) async fn answer(&self, raw: &RawRequest<'_>, name: &Name) -> Answered {
        if !is_host(raw.host) {
            // It must not be echoed into addresses.
            let fault = Fault::bad_request("the Host header is not a host name");
            return Answered::new(protocols::respond_fault(Protocol::Iiif3, &fault), "other");
        }
        let settings = &self.manners.load_full().settings;
        match protocols::parse(raw, settings) {
            Ok(Parsed::Call(call)) => {
                let protocol = call.protocol();
                let mut facts = Facts { timeline: name.timeline(), ..Facts::default() };
                let (started, image) = (Instant::now(), &call.request.image);
                let answered = self.service.answer(&call.request, &mut facts).await;
                self.rankings.note(image.as_str(), started.elapsed());
                let response = match answered {
                    Ok(reply) => protocols::respond(&call, &reply, settings),
                    Err(error) => self.refused(protocol, &error, image),
                };
                let image = name.is_recorded().then(|| image.clone());
                Answered { response, protocol: protocol.label(), facts, image }
            }
            Ok(Parsed::Manifest(call)) => self.manifest(&call, settings).await,
            Ok(Parsed::Response(response)) => Answered::new(response, "other"),
            Ok(Parsed::NotOurs) => {
                let response = gallery::answer(&self.service, settings, raw).await;
                Answered::new(response, "viewer")
            }
            Err(refusal) => {
                metrics::fault(refusal.protocol.label(), refusal.fault.kind.label());
                Answered::new(refusal.respond(), refusal.protocol.label())
            }
        }
    }

    async fn manifest(&self, call: &ManifestCall, settings: &Settings) -> Answered {
        let protocol = Protocol::Presentation;
        let answered = manifest::answer(&self.service, settings, call).await;
        let response = answered.unwrap_or_else(|fault| {
            metrics::fault(protocol.label(), fault.kind.label());
            protocols::respond_fault(protocol, &fault)
        });
        let facts = Facts { class: "info", format: "text", ..Facts::default() };
        Answered { facts, ..Answered::new(response, protocol.label()) }
    }

    /// An error in its protocol's words; the log gets the whole chain, the client the public sentence.
    fn refused(&self, protocol: Protocol, error: &ServiceError, image: &ImageId) -> Response {
        let fault = error.fault();
        metrics::fault(protocol.label(), fault.kind.label());
        let chain = Chain(error).to_string();
        match fault.kind {
            FaultKind::Bug => tracing::error!(%image, error = chain, "no answer"),
            FaultKind::Image => {
                let before = self.troubles.note(&image.to_string(), &chain, Instant::now());
                if let Some(unlogged) = before {
                    tracing::warn!(%image, error = chain, unlogged, "no answer");
                }
            }
            // Thousands a second under overload: `tessera_shed_total` counts them, the access log has each.
            _ => tracing::debug!(%image, error = chain, "no answer"),
        }
        protocols::respond_fault(protocol, &fault)
    }

    /// Adds what every answer has, and writes it down.
    pub(super) fn finish(&self, asked: Asked<'_>, answered: Answered) -> Response {
        if let Some(trace) = trace::of(&asked, &answered) {
            self.traces.put(trace);
        }
        let Answered { mut response, protocol, facts, .. } = answered;
        let manners = self.manners.load();
        if !manners.cors.is_empty() {
            let origin = ("Access-Control-Allow-Origin", manners.cors.clone());
            let fixed = CORS_FIXED.map(|(name, value)| (name, value.into()));
            response.headers.extend([origin].into_iter().chain(fixed));
        }
        let took = asked.started.elapsed();
        metrics::request(protocol, facts.class, facts.format, facts.outcome, took);
        if let Some(access) = &self.access {
            access.put(&Access {
                peer: asked.peer,
                method: asked.method,
                target: asked.target,
                status: response.status,
                bytes: u64::try_from(response.body.len()).unwrap_or(u64::MAX),
                took,
                protocol,
                class: facts.class,
                outcome: facts.outcome,
                lane: facts.lane.map_or("none", Lane::label),
                tiles: facts.tiles,
                source_px: facts.source_px,
                spent: [
                    ("decode", facts.spent.decode),
                    ("process", facts.spent.process),
                    ("watermark", facts.spent.watermark),
                    ("encode", facts.spent.encode),
                ],
                id: &asked.name.id,
            });
        }
        if let Some(trace) = asked.name.trace {
            response.headers.push(("traceresponse", trace.response().into()));
        }
        response.headers.push(("X-Request-Id", asked.name.id.into()));
        response
    }
}

/// The fault of a body above its limit.
pub(super) fn body_too_large(bytes_max: usize) -> Fault {
    Fault::new(FaultKind::TooLarge, format!("the body is longer than {bytes_max} bytes"))
}

/// An `If-Modified-Since` as seconds since the Unix epoch; one that is no date is as if it were not there.
pub(super) fn seconds_of(date: &str) -> Option<i64> {
    let since_epoch = httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_secs()).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_seconds_and_what_is_no_date_is_nothing() {
        assert_eq!(seconds_of("Thu, 01 Jan 1970 00:01:40 GMT"), Some(100));
        assert_eq!(seconds_of("yesterday"), None);
    }
}
