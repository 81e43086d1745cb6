//! `Refusal`: a request that never reaches the service, and how faults are worded.

use crate::model::{Fault, FaultKind};
use crate::protocols::iiif::profile_link;
use crate::protocols::protocol::Protocol;
use crate::protocols::settings::IiifVersion;
use crate::protocols::wire::Response;

/// A request that was refused by its text alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}")]
pub struct Refusal {
    /// Whose words the answer uses.
    pub protocol: Protocol,
    /// What was wrong.
    pub fault: Fault,
    /// What IIP's clients look for before the sentence: `Error/7:2 2 FOO`, with its line end.
    error_line: Option<String>,
}

impl Refusal {
    /// A refusal in plain words.
    pub(crate) const fn new(protocol: Protocol, fault: Fault) -> Self {
        Self { protocol, fault, error_line: None }
    }

    /// A refusal that begins with a line of the protocol's own.
    pub(crate) const fn with_error_line(protocol: Protocol, fault: Fault, line: String) -> Self {
        Self { protocol, fault, error_line: Some(line) }
    }

    /// The answer: as [`respond_fault`] words it, behind the line that IIP has for it.
    pub fn respond(&self) -> Response {
        let mut response = respond_fault(self.protocol, &self.fault);
        if let Some(line) = &self.error_line {
            response.body = format!("{line}{}\r\n", self.fault.text).into();
        }
        response
    }
}

/// The answer where there is no picture: the fault's status and its sentence as plain text.
pub fn respond_fault(protocol: Protocol, fault: &Fault) -> Response {
    let response = Response::new(fault.kind.status(), format!("{}\n", fault.text))
        .with("Content-Type", "text/plain; charset=utf-8")
        .with("Cache-Control", "no-cache");
    let response = match protocol {
        // Version 1.1 wants it with every answer (section 6.2).
        Protocol::Iiif1 => response.with("Link", profile_link(IiifVersion::V1)),
        _ => response,
    };
    match fault.kind {
        FaultKind::Busy => response.with("Retry-After", FaultKind::RETRY_AFTER_S.to_string()),
        FaultKind::MethodNotAllowed => response.with("Allow", protocol.methods()),
        FaultKind::BadRequest
        | FaultKind::NotFound
        | FaultKind::TooLarge
        | FaultKind::UriTooLong
        | FaultKind::UnsupportedFormat
        | FaultKind::Image
        | FaultKind::NotImplemented
        | FaultKind::Bug => response,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_plain_sentence_and_never_cached() {
        let response = respond_fault(Protocol::Iiif3, &Fault::not_found("no image has this name"));
        assert_eq!(response.status, 404);
        assert_eq!(response.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(response.header("cache-control"), Some("no-cache"));
        assert_eq!(&*response.body, b"no image has this name\n");
    }

    #[test]
    fn a_busy_server_says_when_to_come_back() {
        let response = respond_fault(Protocol::Iip, &Fault::new(FaultKind::Busy, "no room"));
        assert_eq!((response.status, response.header("retry-after")), (503, Some("2")));
    }
}
