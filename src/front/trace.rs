//! What a trace says of a request and its answer: OpenTelemetry's words where it has some, ours for the
//! rest, which are those of the access log.
//!
//! # Source
//! OpenTelemetry, Semantic Conventions 1.x, "HTTP", server span.

use std::borrow::Cow;
use std::time::{Instant, SystemTime};

use crate::actors::timeline::Stage;
use crate::front::exchange::{Answered, Asked};
use crate::plan::Lane;
use crate::telemetry::traces::{Span, Trace, Value};

/// Methods that go by their own names; a stranger's word makes no new span names.
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT"];

/// The trace of a request that is answered just now; nothing where it is not recorded.
pub(super) fn of(asked: &Asked<'_>, answered: &Answered) -> Option<Trace> {
    let context = asked.name.trace.filter(|_| asked.name.is_recorded())?;
    let clock = Clock { instant: Instant::now(), time: SystemTime::now() };
    let status = answered.response.status;
    let method = METHODS.iter().find(|method| **method == asked.method).copied();
    let root = Span {
        name: name(method, answered),
        started: clock.time_of(asked.started),
        took: asked.started.elapsed(),
        attributes: attributes(asked, answered, method),
        is_error: 500 <= status,
    };
    let stages = answered.facts.timeline.stages();
    let stages = stages.into_iter().map(|stage| clock.span(stage)).collect();
    Some(Trace { context, root, stages })
}

/// Method, protocol and class: few names for many addresses.
fn name(method: Option<&'static str>, answered: &Answered) -> Cow<'static, str> {
    let method = method.unwrap_or("HTTP");
    format!("{method} {} {}", answered.protocol, answered.facts.class).into()
}

fn attributes(
    asked: &Asked<'_>,
    answered: &Answered,
    method: Option<&'static str>,
) -> Vec<(&'static str, Value)> {
    let Answered { response, protocol, facts, image } = answered;
    let (path, query) = asked.target.split_once('?').unwrap_or((asked.target, ""));
    let length = u64::try_from(response.body.len()).unwrap_or(u64::MAX);
    let mut attributes = vec![
        ("http.request.method", method.unwrap_or("_OTHER").into()),
        ("url.path", Value::cut(path)),
        ("http.response.status_code", u64::from(response.status).into()),
        ("http.response.body.size", length.into()),
        ("client.address", Value::cut(asked.peer)),
        ("tessera.request.id", Value::cut(&asked.name.id)),
        ("tessera.protocol", (*protocol).into()),
        ("tessera.class", facts.class.into()),
        ("tessera.format", facts.format.into()),
        ("tessera.cache", facts.outcome.into()),
        ("tessera.lane", facts.lane.map_or("none", Lane::label).into()),
        ("tessera.tiles", facts.tiles.into()),
        ("tessera.source_px", facts.source_px.into()),
    ];
    if !query.is_empty() {
        attributes.push(("url.query", Value::cut(query)));
    }
    if let Some(image) = image {
        attributes.push(("tessera.image", Value::cut(image.as_str())));
    }
    if 500 <= response.status {
        attributes.push(("error.type", Value::cut(&response.status.to_string())));
    }
    attributes
}

/// One moment by both clocks: stages are measured by one, and told by the other.
#[derive(Clone, Copy)]
struct Clock {
    instant: Instant,
    time: SystemTime,
}

impl Clock {
    fn time_of(&self, instant: Instant) -> SystemTime {
        let ago = self.instant.saturating_duration_since(instant);
        self.time.checked_sub(ago).unwrap_or(self.time)
    }

    fn span(&self, stage: Stage) -> Span {
        Span {
            name: stage.name.into(),
            started: self.time_of(stage.started),
            took: stage.took,
            attributes: Vec::new(),
            is_error: false,
        }
    }
}
