//! Traces of requests: what a collector gets, and that none of its troubles is a trouble of requests.

use std::collections::BTreeSet;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use crate::collector::{Collector, HANGS};
use crate::fastcgi_client;
use crate::harness::{PATIENCE, RETINA, Response, Server, folder_with};
use crate::memcached_server::Memcached;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const ASKER: &str = "00f067aa0ba902b7";
const EXPORT: &str = "/iiif/3/a.tif/100,100,900,900/300,/0/default.jpg";

/// The warning of a collector that does not do its work.
const TAKES_NONE: &str = "the collector takes no traces";

/// Sends traces to `endpoint`: of those that come without one, this share.
fn arguments<'a>(endpoint: &'a str, ratio: &'a str) -> Vec<&'a str> {
    vec!["--tracing-otlp-endpoint", endpoint, "--tracing-sample-ratio", ratio]
}

fn traceparent(flags: &str) -> String {
    format!("00-{TRACE}-{ASKER}-{flags}")
}

fn traces(server: &Server, what: &str, label: &str) -> f64 {
    server.metric(&format!("tessera_traces_{what}_total"), &[label])
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < PATIENCE, "never {what}");
        thread::yield_now();
    }
}

/// The trace that an answer names, and whether it says to be recorded.
fn told(answer: &Response) -> (String, bool) {
    let said = answer.header("traceresponse").unwrap();
    let parts: Vec<&str> = said.split('-').collect();
    assert_eq!((parts.len(), parts[0]), (4, "00"), "{said}");
    (parts[1].to_owned(), parts[3] == "01")
}

fn attribute<'a>(span: &'a Value, key: &str) -> &'a str {
    let list = span["attributes"].as_array().unwrap();
    let found = list.iter().find(|attribute| attribute["key"] == key);
    let value = &found.unwrap_or_else(|| panic!("no {key} in {span}"))["value"];
    value["stringValue"].as_str().or_else(|| value["intValue"].as_str()).unwrap()
}

fn names(stages: &[Value]) -> BTreeSet<&str> {
    stages.iter().map(|stage| stage["name"].as_str().unwrap()).collect()
}

fn nanos(span: &Value, key: &str) -> u128 {
    span[key].as_str().unwrap().parse().unwrap()
}

#[test]
fn a_request_is_a_span_of_its_askers_trace_and_its_stages_are_below_it() {
    let (collector, memcached) = (Collector::start(200), Memcached::start(&[]));
    let folder = folder_with(&[("a.tif", RETINA)]);
    let endpoint = collector.endpoint();
    let shared = ["--memcached-servers", &memcached.address, "--tracing-service-name", "maps"];
    let server =
        Server::start(folder.path(), &[&arguments(&endpoint, "0")[..], &shared[..]].concat());
    let answer = server.get_with(EXPORT, &[("traceparent", &traceparent("01"))]);
    assert_eq!(told(&answer), (TRACE.to_owned(), true));
    assert_eq!(answer.header("X-Request-Id"), Some(TRACE));
    let spans = collector.trace(TRACE);
    let (root, stages) = spans.split_first().unwrap();
    assert!(answer.header("traceresponse").unwrap().contains(root["spanId"].as_str().unwrap()));
    assert_eq!((&root["parentSpanId"], &root["kind"]), (&ASKER.into(), &2.into()));
    assert_eq!(root["name"], "GET iiif3 region");
    for (key, value) in [
        ("http.request.method", "GET"),
        ("url.path", EXPORT),
        ("http.response.status_code", "200"),
        ("http.response.body.size", &answer.body.len().to_string()),
        ("client.address", "127.0.0.1"),
        ("tessera.image", "a.tif"),
        ("tessera.cache", "miss"),
        ("tessera.lane", "cheap"),
        ("tessera.request.id", TRACE),
    ] {
        assert_eq!(attribute(root, key), value, "{key}");
    }
    assert_ne!(attribute(root, "tessera.tiles"), "0");
    let expected = ["lookup", "plan", "cache", "memcached", "room", "decode", "process", "encode"];
    assert_eq!(names(stages), BTreeSet::from(expected));
    for stage in stages {
        assert_eq!(stage["parentSpanId"], root["spanId"]);
        let (begin, end) = (nanos(stage, "startTimeUnixNano"), nanos(stage, "endTimeUnixNano"));
        assert!(nanos(root, "startTimeUnixNano") <= begin && begin <= end, "{stage}");
        assert!(end <= nanos(root, "endTimeUnixNano"), "{stage}");
    }
    let ids: BTreeSet<&str> = spans.iter().map(|span| span["spanId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), spans.len());
    let resource = collector.resource();
    assert_eq!(resource["attributes"][0]["value"]["stringValue"], "maps");
    server.finish(&[]);
}

#[test]
fn fastcgi_takes_and_gives_traces_as_http_does_and_a_failure_is_one_in_its_span() {
    let collector = Collector::start(200);
    let folder = folder_with(&[("a.tif", RETINA)]);
    fs::write(folder.path().join("broken.tif"), b"II*\0").unwrap();
    let endpoint = collector.endpoint();
    let flags = [&arguments(&endpoint, "1")[..], &["--fastcgi", "127.0.0.1:0"]].concat();
    let server = Server::start(folder.path(), &flags);
    let address = server.announced("fastcgi listening on ");
    let mut stream = TcpStream::connect(address).unwrap();
    let parent = traceparent("01");
    let headers = [("traceparent", parent.as_str())];
    let answer = fastcgi_client::ask(&mut stream, ("GET", EXPORT), &headers, b"");
    assert_eq!(told(&answer), (TRACE.to_owned(), true));
    assert_eq!(collector.trace(TRACE)[0]["parentSpanId"], ASKER);

    // Without an asker the trace begins here, and what the cache has takes few stages.
    let (kept, is_recorded) = told(&server.get(EXPORT));
    let spans = collector.trace(&kept);
    assert!(is_recorded && spans[0]["parentSpanId"] == "");
    assert_eq!(attribute(&spans[0], "tessera.cache"), "hit");
    assert_eq!(names(&spans[1..]), BTreeSet::from(["lookup", "plan", "cache"]));

    let (broken, _) = told(&server.get("/iiif/3/broken.tif/info.json"));
    let root = collector.trace(&broken).remove(0);
    assert_eq!(attribute(&root, "http.response.status_code"), "422");
    assert_eq!(root["status"], Value::Object(serde_json::Map::default()), "the file's fault");
    let (odd, _) = told(&server.send("BREW", "/", &[], b""));
    assert_eq!(attribute(&collector.trace(&odd)[0], "http.request.method"), "_OTHER");
    server.finish(&["broken.tif"]);
}

#[test]
fn who_records_nothing_is_obeyed_and_who_records_all_up_to_a_limit() {
    let collector = Collector::start(200);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let endpoint = collector.endpoint();
    let all = arguments(&endpoint, "1");
    let server = Server::start(folder.path(), &all);
    let unrecorded = server.get_with(EXPORT, &[("traceparent", &traceparent("00"))]);
    assert_eq!(told(&unrecorded), (TRACE.to_owned(), false));
    assert!(told(&server.get(EXPORT)).1);
    server.finish(&[]);

    let limit = ["--tracing-parents-per-s-max", "0"];
    let server =
        Server::start(folder.path(), &[&arguments(&endpoint, "0")[..], &limit[..]].concat());
    let beyond = server.get_with(EXPORT, &[("traceparent", &traceparent("01"))]);
    assert_eq!(told(&beyond), (TRACE.to_owned(), false));
    assert!(!told(&server.get(EXPORT)).1);
    server.finish(&[]);

    let server = Server::start(folder.path(), &[]);
    let untraced = server.get_with(EXPORT, &[("traceparent", &traceparent("01"))]);
    assert_eq!(untraced.header("traceresponse"), None);
    assert_eq!(untraced.header("X-Request-Id"), Some(TRACE));
    server.finish(&[]);
}

/// A port at which nobody listens.
fn dead_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[test]
fn a_collector_that_is_dead_hangs_or_refuses_costs_nothing_but_a_counter() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let plain = Server::start(folder.path(), &[]);
    let right = plain.get(EXPORT).body;
    plain.finish(&[]);
    let (hung, refusing) = (Collector::start(HANGS), Collector::start(503));
    let dead = format!("http://{}", dead_address());
    for (endpoint, lost) in
        [(dead, "unreachable"), (hung.endpoint(), "timeout"), (refusing.endpoint(), "refused")]
    {
        let more = ["--tracing-queue-max", "8", "--tracing-timeout-ms", "300"];
        let flags = [&arguments(&endpoint, "1")[..], &more[..]].concat();
        let server = Server::start(folder.path(), &flags);
        for _ in 0..50 {
            assert_eq!(server.get(EXPORT).body, right, "{lost}");
        }
        let label = format!("lost=\"{lost}\"");
        wait_until(lost, || 8.0 <= traces(&server, "lost", &label));
        wait_until("full", || {
            server.get(EXPORT);
            1.0 <= traces(&server, "lost", "lost=\"queue\"")
        });
        assert!(traces(&server, "sent", "") < 1.0);
        let said = server.log().iter().filter(|line| line.contains(TAKES_NONE)).count();
        assert_eq!(said, 1, "said once, not for each batch");
        server.finish(&[TAKES_NONE]);
    }
}

#[test]
fn a_collector_that_comes_back_gets_what_comes_then() {
    let collector = Collector::start(503);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let endpoint = collector.endpoint();
    let server = Server::start(folder.path(), &arguments(&endpoint, "1"));
    server.get(EXPORT);
    wait_until("refused", || 1.0 <= traces(&server, "lost", "lost=\"refused\""));
    collector.answer_with(200);
    let (trace, _) = told(&server.get(EXPORT));
    collector.trace(&trace);
    wait_until("counted", || 1.0 <= traces(&server, "sent", ""));
    let log = server.log();
    assert!(log.iter().any(|line| line.contains("takes traces again")), "{}", log.join("\n"));
    server.finish(&[TAKES_NONE]);
}

#[test]
fn a_stop_sends_what_is_left_and_waits_for_no_collector_that_hangs() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let collector = Collector::start(200);
    let endpoint = collector.endpoint();
    let mut server = Server::start(folder.path(), &arguments(&endpoint, "1"));
    let asked: Vec<String> = (0..5).map(|_| told(&server.get(EXPORT)).0).collect();
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    let sent: BTreeSet<String> =
        collector.spans().iter().map(|span| span["traceId"].as_str().unwrap().to_owned()).collect();
    assert!(asked.iter().all(|trace| sent.contains(trace)), "{asked:?} {sent:?}");

    collector.answer_with(HANGS);
    let more = ["--tracing-timeout-ms", "3600000"];
    let flags = [&arguments(&endpoint, "1")[..], &more[..]].concat();
    let mut server = Server::start(folder.path(), &flags);
    server.get(EXPORT);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0), "an hour was not waited for");
    server.finish(&[]);
}

#[test]
fn a_reload_begins_and_ends_recording() {
    let collector = Collector::start(200);
    let folder = folder_with(&[("a.tif", RETINA)]);
    let file = folder.path().join("t.toml");
    fs::write(&file, "[tracing]\nsample_ratio = 1\n").unwrap();
    let server = Server::start(folder.path(), &["--config", file.to_str().unwrap()]);
    assert_eq!(server.get(EXPORT).header("traceresponse"), None);
    let on = format!("[tracing]\nsample_ratio = 1\notlp_endpoint = \"{}\"\n", collector.endpoint());
    fs::write(&file, on).unwrap();
    server.signal("HUP");
    wait_until("on", || server.get(EXPORT).header("traceresponse").is_some());
    collector.trace(&told(&server.get(EXPORT)).0);
    fs::write(&file, "").unwrap();
    server.signal("HUP");
    wait_until("off", || server.get(EXPORT).header("traceresponse").is_none());
    server.finish(&[]);
}
