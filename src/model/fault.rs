//! `Fault`: why there is no picture, sorted by who can do something about it, with a sentence that
//! may be shown to anybody: no path, no internals.

use std::borrow::Cow;

/// Who is to blame, and so: which status, which log level, which label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// The request makes no sense: the client mends it.
    BadRequest,
    /// No such image, tile or level; also the answer to a name that leaves the root.
    NotFound,
    /// The method is not one of those taken.
    MethodNotAllowed,
    /// The answer could never fit the limits of this server.
    TooLarge,
    /// The request is longer than the limit.
    UriTooLong,
    /// A format that is not written, where the protocol has a word for that.
    UnsupportedFormat,
    /// The image itself is broken or of a kind not served: its owner mends it.
    Image,
    /// Valid, but this server does not do it.
    NotImplemented,
    /// No room now: come back after [`FaultKind::RETRY_AFTER_S`] seconds.
    Busy,
    /// We are broken.
    Bug,
}

impl FaultKind {
    /// What `Retry-After` says with [`FaultKind::Busy`], in seconds.
    pub const RETRY_AFTER_S: u32 = 2;

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::TooLarge => 413,
            Self::UriTooLong => 414,
            Self::UnsupportedFormat => 415,
            Self::Image => 422,
            Self::Bug => 500,
            Self::NotImplemented => 501,
            Self::Busy => 503,
        }
    }

    /// The metric label and log word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method",
            Self::TooLarge => "too_large",
            Self::UriTooLong => "uri_too_long",
            Self::UnsupportedFormat => "format",
            Self::Image => "image",
            Self::NotImplemented => "not_implemented",
            Self::Busy => "busy",
            Self::Bug => "bug",
        }
    }
}

/// A request that ends without a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// Who is to blame.
    pub kind: FaultKind,
    /// What was wrong, which parameter, what is allowed; public, lower-case, no full stop.
    pub text: Cow<'static, str>,
}

impl Fault {
    /// A fault of this kind with a public sentence.
    pub fn new(kind: FaultKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into() }
    }

    /// The client mends its request.
    pub fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FaultKind::BadRequest, text)
    }

    /// No such thing.
    pub fn not_found(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(FaultKind::NotFound, text)
    }
}
