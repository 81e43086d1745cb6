//! Traces of requests: which are recorded, and who takes them.

use std::time::Duration;

use crate::config::value::Allowed;

/// OTLP's port over HTTP, where none is named.
const PORT: u16 = 4318;

/// OTLP's path of traces, where none is named.
const PATH: &str = "/v1/traces";

/// Where a collector takes traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint {
    /// `HOST:PORT`.
    pub address: String,
    /// Path and query.
    pub path: String,
}

/// What is recorded of requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TracingConfig {
    /// Who takes it; nothing is recorded where nobody does.
    pub endpoint: Option<OtlpEndpoint>,
    /// What this service is called there.
    pub service_name: String,
    /// The share of requests that are recorded, of those that no trace comes with: 0 to 1.
    pub sample_ratio: f64,
    /// Requests a second that are recorded because their client records them.
    pub parents_per_s_max: u32,
    /// Traces that may wait to be sent.
    pub queue_max: usize,
    /// How long the collector may take over one batch.
    pub timeout: Duration,
}

/// `http://HOST`, with or without a port and a path; empty for none.
pub(super) fn endpoint(text: &str) -> Result<Option<OtlpEndpoint>, Allowed> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let found = text.strip_prefix("http://").and_then(|rest| {
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.trim_end_matches('/').is_empty() { PATH } else { path };
        let is_path = path.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
        let address = address(host).filter(|_| is_path)?;
        Some(OtlpEndpoint { address, path: path.to_owned() })
    });
    found.map(Some).ok_or_else(|| {
        format!("http://HOST, with :PORT (else {PORT}) and a path (else {PATH}), without TLS")
    })
}

fn address(host: &str) -> Option<String> {
    let (name, port) = match host.rsplit_once(':') {
        // A colon within brackets is one of an IPv6 address.
        Some((name, port)) if !port.ends_with(']') => (name, port.parse::<u16>().ok()?),
        _ => (host, PORT),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    let is_host = !name.is_empty() && name.chars().all(is_name) && port != 0;
    is_host.then(|| format!("{name}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_with_or_without_port_and_path() {
        for (text, address, path) in [
            ("http://127.0.0.1", "127.0.0.1:4318", "/v1/traces"),
            ("http://otel.example:80/", "otel.example:80", "/v1/traces"),
            ("http://[::1]", "[::1]:4318", "/v1/traces"),
            ("http://[::1]:5/in?x=1", "[::1]:5", "/in?x=1"),
        ] {
            let found = endpoint(text).unwrap().unwrap();
            assert_eq!((found.address.as_str(), found.path.as_str()), (address, path), "{text}");
        }
        assert_eq!(endpoint(" "), Ok(None));
    }

    #[test]
    fn what_is_no_endpoint_is_refused() {
        for text in [
            "https://a",
            "a:4318",
            "http://",
            "http://:1",
            "http://a:0",
            "http://a b",
            "http://a/b c",
        ] {
            endpoint(text).unwrap_err();
        }
    }
}
