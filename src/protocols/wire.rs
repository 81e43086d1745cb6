//! The little of HTTP that every front can supply and every protocol needs.

use std::borrow::Cow;

use bytes::Bytes;

use crate::model::request::Conditions;

/// The methods that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// HEAD: answered as GET; the front leaves the body out.
    Head,
    /// POST: taken by IIP, its body as the query.
    Post,
    /// OPTIONS.
    Options,
    /// Anything else.
    Other,
}

/// A request as it came, undecoded.
#[derive(Clone, Debug)]
pub struct RawRequest<'a> {
    /// The method.
    pub method: Method,
    /// The path, percent-encoded as sent, with its leading slash, without the query.
    pub path: &'a str,
    /// The query, percent-encoded as sent, without `?`; empty where there is none.
    pub query: &'a str,
    /// Whether the query (or the body) is the request whatever the path is, because a web server in front
    /// says that the path is a script's.
    pub query_rules: bool,
    /// The body of a POST; empty otherwise.
    pub body: &'a [u8],
    /// `http` or `https`, as the client sees it.
    pub scheme: &'a str,
    /// Host and port as the client named them, checked by the front to hold only characters that a
    /// host can have (RFC 3986, section 3.2).
    pub host: &'a str,
    /// What a proxy that is trusted takes away before the path, checked by the front; without a slash at
    /// its end, mostly empty.
    pub prefix: &'a str,
    /// The image's public address, where such a proxy tells it (`X-IIIF-ID`), checked by the front.
    pub iiif_id: Option<&'a str>,
    /// `Accept`, empty where there is none.
    pub accept: &'a str,
    /// `If-None-Match`.
    pub if_none_match: Option<&'a str>,
    /// `If-Modified-Since`, seconds since the Unix epoch, where it could be read.
    pub if_modified_since_s: Option<i64>,
}

impl RawRequest<'_> {
    /// The validators that the client sent.
    pub fn conditions(&self) -> Conditions {
        Conditions {
            if_none_match: self.if_none_match.map(str::to_owned),
            if_modified_since_s: self.if_modified_since_s,
        }
    }
}

/// An answer, before a front puts it on a wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers in order, names in their usual capitals; the front adds Date, Content-Length and CORS.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Bytes,
}

impl Response {
    /// A response with no headers yet.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The value of a header, if it was set.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| &**value)
    }
}
