//! Dashboards and alerts against a real Prometheus that scrapes a real server: every query of every panel
//! and rule finds data, and names no metric that is not there.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::harness::{PATIENCE, RETINA, Server, folder_with, request, run};

fn grafana() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana")
}

fn dashboards() -> Vec<Value> {
    let files = fs::read_dir(grafana().join("dashboards")).unwrap();
    let texts = files.map(|file| fs::read_to_string(file.unwrap().path()).unwrap());
    let dashboards: Vec<Value> = texts.map(|text| serde_json::from_str(&text).unwrap()).collect();
    assert_eq!(dashboards.len(), 5);
    dashboards
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn dashboards_are_made_of_their_table_and_their_panels_do_not_overlap() {
    run(grafana().join("make.py"), &["--check".as_ref()]);
    for dashboard in dashboards() {
        let title = dashboard["title"].as_str().unwrap();
        assert_eq!(dashboard["templating"]["list"][0]["name"], "source", "{title}");
        let panels = dashboard["panels"].as_array().unwrap();
        let ids: BTreeSet<u64> = panels.iter().map(|panel| number(&panel["id"])).collect();
        assert_eq!(ids.len(), panels.len(), "{title}: ids are not unique");
        let mut taken = BTreeSet::new();
        for panel in panels {
            let (name, at) = (&panel["title"], &panel["gridPos"]);
            let [left, top, width, height] = ["x", "y", "w", "h"].map(|side| number(&at[side]));
            assert!(left + width <= 24, "{title}, {name}");
            for place in (left..left + width).flat_map(|x| (top..top + height).map(move |y| (x, y)))
            {
                assert!(taken.insert(place), "{title}, {name} lies on another panel");
            }
            if panel["type"] == "row" {
                continue;
            }
            assert_eq!(panel["datasource"]["uid"], "${source}", "{title}, {name}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}, {name}");
            assert!(!panel["description"].as_str().unwrap().is_empty(), "{title}, {name}");
            assert!(!panel["targets"].as_array().unwrap().is_empty(), "{title}, {name}");
        }
    }
}

#[test]
fn rules_are_valid_and_each_alert_fires_when_it_should_and_has_its_page() {
    let folder = grafana().join("prometheus");
    let file = |name: &str| folder.join(name);
    run("promtool", &["check".as_ref(), "config".as_ref(), file("prometheus.yml").as_os_str()]);
    run("promtool", &["test".as_ref(), "rules".as_ref(), file("alerts_test.yml").as_os_str()]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let runbook = fs::read_to_string(root.join("docs/runbook.md")).unwrap();
    let alerts = fs::read_to_string(file("alerts.yml")).unwrap();
    let names = alert_names();
    assert_eq!(names.len(), 11);
    for name in names {
        assert!(runbook.contains(&format!("\n## {name}\n")), "docs/runbook.md lacks {name}");
        let link = format!("runbook_url: docs/runbook.md#{}\n", name.to_lowercase());
        assert!(alerts.contains(&link), "{link}");
    }
}

/// The names of all alerts, in their file's order.
pub fn alert_names() -> Vec<String> {
    let alerts = fs::read_to_string(grafana().join("prometheus/alerts.yml")).unwrap();
    let names = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    names.map(str::to_owned).collect()
}

/// A Prometheus; dropping it kills it.
pub struct Prometheus {
    child: Child,
    address: String,
    _data: tempfile::TempDir,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Prometheus {
    /// Starts one that scrapes `target` every second under the rules of this repository.
    pub fn start(target: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        for rules in ["recording.yml", "alerts.yml"] {
            fs::copy(grafana().join("prometheus").join(rules), data.path().join(rules)).unwrap();
        }
        let text = fs::read_to_string(grafana().join("prometheus/prometheus.yml")).unwrap();
        let text = text.replace("15s", "1s").replace("127.0.0.1:8183", target);
        fs::write(data.path().join("prometheus.yml"), text).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", data.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", data.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Self { child, address, _data: data };
        let since = Instant::now();
        while !prometheus.is_ready() {
            assert!(since.elapsed() < PATIENCE, "Prometheus does not start");
            thread::park_timeout(Duration::from_millis(50));
        }
        prometheus
    }

    /// It listens before it has read its database.
    fn is_ready(&self) -> bool {
        TcpStream::connect(&self.address).is_ok()
            && request(&self.address, "GET", "/-/ready", &[], b"").status == 200
    }

    /// How many series an expression gives now; nothing where there are none.
    fn query(&self, expression: &str) -> Vec<Value> {
        let expression = format!("count({expression})");
        let mut encoded = String::new();
        for byte in expression.bytes() {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        let target = format!("/api/v1/query?query={encoded}");
        let answer =
            request(&self.address, "GET", &target, &[("Accept-Encoding", "identity")], b"");
        let answer: Value = serde_json::from_str(&unchunked(&answer.text())).unwrap();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        answer["data"]["result"].as_array().unwrap().clone()
    }

    /// Waits until an expression gives something.
    pub fn wait_for(&self, what: &str, expression: &str) {
        let since = Instant::now();
        while self.query(expression).is_empty() {
            assert!(since.elapsed() < PATIENCE, "{what}: no data for {expression}");
            thread::park_timeout(Duration::from_millis(200));
        }
    }
}

/// A body that may have come in chunks: the JSON between the sizes.
fn unchunked(body: &str) -> String {
    body.lines().filter(|line| line.starts_with('{')).collect()
}

/// The names of metrics in an expression.
fn metrics_in(expression: &str) -> BTreeSet<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = expression.split(|c| !is_name(c));
    words
        .filter(|word| ["tessera_", "tessera:", "process_"].iter().any(|of| word.starts_with(of)))
        .collect()
}

/// The expressions of a file of rules, each on one line, in its order.
pub fn rule_expressions(name: &str) -> Vec<String> {
    let text = fs::read_to_string(grafana().join("prometheus").join(name)).unwrap();
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(rest) = line.trim().strip_prefix("expr: ") else { continue };
        let mut expression = rest.trim_start_matches(">-").to_owned();
        while rest == ">-" && lines.peek().is_some_and(|next| next.starts_with("          ")) {
            write!(expression, "{} ", lines.next().unwrap().trim()).unwrap();
        }
        found.push(expression);
    }
    found
}

#[test]
fn every_query_of_dashboards_and_rules_finds_data_in_a_real_prometheus() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let server = Server::start(folder.path(), &["--cache-bytes-max", "64KiB"]);
    let prometheus = Prometheus::start(&server.admin);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                number = (number + 1) % 800;
                for format in ["jpg", "png", "webp"] {
                    server.get(&format!("/iiif/3/a.tif/{number},0,256,256/max/0/default.{format}"));
                }
                server.get("/iiif/3/none.tif/info.json");
                thread::park_timeout(Duration::from_millis(20));
            }
        });
        let checked = std::panic::catch_unwind(|| check_queries(&prometheus));
        done.store(true, Ordering::Relaxed);
        let (panels, rules) = checked.unwrap();
        assert!(60 < panels && rules == 16, "{panels} panels' queries, {rules} rules");
    });
    server.finish(&[]);
}

/// How many queries of panels and rules there were.
fn check_queries(prometheus: &Prometheus) -> (usize, usize) {
    let mut panels = 0;
    for dashboard in dashboards() {
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().unwrap_or(&Vec::new()) {
                let expression =
                    target["expr"].as_str().unwrap().replace("$__rate_interval", "30s");
                prometheus.wait_for(&panel["title"].to_string(), &expression);
                panels += 1;
            }
        }
    }
    let rules = [rule_expressions("recording.yml"), rule_expressions("alerts.yml")].concat();
    for expression in &rules {
        prometheus.query(expression);
        for metric in metrics_in(expression) {
            prometheus.wait_for(expression, metric);
        }
    }
    (panels, rules.len())
}
