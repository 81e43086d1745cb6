//! Traces as a collector takes them.
//!
//! # Source
//! OpenTelemetry Protocol 1.x, "OTLP/HTTP", JSON encoding: numbers of 64 bits are texts, ids are in
//! hexadecimal digits.

use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

use crate::telemetry::traces::context::span_id;
use crate::telemetry::traces::span::{Span, Trace, Value};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;

/// `SPAN_KIND_SERVER`.
const SERVER: u8 = 2;

/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// The body of one export: traces of the service of this name, in the process that `instance` tells apart
/// from others.
pub(super) fn body(traces: &[Trace], service: &str, instance: &str) -> Vec<u8> {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let resource = [
        text("service.name", service),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("service.instance.id", instance),
        json!({ "key": "process.pid", "value": { "intValue": process::id().to_string() } }),
    ];
    let spans: Vec<Json> = traces.iter().flat_map(spans).collect();
    let scope = json!({ "name": "tessera", "version": env!("CARGO_PKG_VERSION") });
    let told = json!({
        "resourceSpans": [{
            "resource": { "attributes": resource },
            "scopeSpans": [{ "scope": scope, "spans": spans }],
        }],
    });
    told.to_string().into_bytes()
}

fn spans(trace: &Trace) -> Vec<Json> {
    let context = &trace.context;
    let root = span(trace, &trace.root, (context.span_id, context.parent_id, SERVER));
    let below = |stage| span(trace, stage, (span_id(), context.span_id, INTERNAL));
    [root].into_iter().chain(trace.stages.iter().map(below)).collect()
}

fn span(trace: &Trace, span: &Span, (id, parent, kind): (u64, u64, u8)) -> Json {
    let attributes = span.attributes.iter().map(|(key, value)| {
        let value = match value {
            Value::Text(text) => json!({ "stringValue": text }),
            Value::Number(number) => json!({ "intValue": number.to_string() }),
        };
        json!({ "key": key, "value": value })
    });
    json!({
        "traceId": trace.context.trace(),
        "spanId": format!("{id:016x}"),
        "parentSpanId": if parent == 0 { String::new() } else { format!("{parent:016x}") },
        "name": span.name,
        "kind": kind,
        "startTimeUnixNano": nanos(span.started, Duration::ZERO),
        "endTimeUnixNano": nanos(span.started, span.took),
        "attributes": attributes.collect::<Vec<_>>(),
        "status": if span.is_error { json!({ "code": ERROR }) } else { json!({}) },
    })
}

fn nanos(started: SystemTime, took: Duration) -> String {
    let since_epoch = started.duration_since(UNIX_EPOCH).unwrap_or_default();
    since_epoch.saturating_add(took).as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::traces::context::{Parent, TraceContext};

    #[test]
    fn a_request_is_a_span_below_its_asker_and_its_stages_are_below_it() {
        let parent = Parent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
        let started = UNIX_EPOCH + Duration::from_secs(5);
        let span = |name: &'static str, is_error| Span {
            name: name.into(),
            started,
            took: Duration::from_micros(3),
            attributes: vec![("text", "x".into()), ("number", u64::MAX.into())],
            is_error,
        };
        let context = TraceContext::new(parent);
        let trace = Trace { context, root: span("GET", true), stages: vec![span("plan", false)] };
        let told: Json = serde_json::from_slice(&body(&[trace], "maps", "7")).unwrap();
        let resource = &told["resourceSpans"][0]["resource"]["attributes"];
        assert_eq!(resource[0]["value"]["stringValue"], "maps");
        let spans = &told["resourceSpans"][0]["scopeSpans"][0]["spans"];
        let (root, stage) = (&spans[0], &spans[1]);
        assert_eq!(root["traceId"], "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(root["parentSpanId"], "00f067aa0ba902b7");
        assert_eq!((&root["kind"], &root["status"]["code"]), (&2.into(), &2.into()));
        assert_eq!(root["startTimeUnixNano"], "5000000000");
        assert_eq!(root["endTimeUnixNano"], "5000003000");
        assert_eq!(root["attributes"][1]["value"]["intValue"], u64::MAX.to_string());
        assert_eq!(stage["parentSpanId"], root["spanId"]);
        assert_eq!((&stage["kind"], &stage["status"]), (&1.into(), &json!({})));
    }
}
