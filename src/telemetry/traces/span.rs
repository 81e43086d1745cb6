//! What is told of one request: a span for all of it, and one for each stage of its making.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use crate::telemetry::traces::context::TraceContext;

/// Characters of a text that are kept: addresses may be thousands long, and a queue holds thousands.
const TEXT_CHARS_MAX: usize = 512;

/// What an attribute says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A word, cut where it is too long.
    Text(Cow<'static, str>),
    /// A number.
    Number(u64),
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl Value {
    /// A text that somebody else made up, cut to what is kept of such.
    pub fn cut(text: &str) -> Self {
        Self::Text(Cow::Owned(text.chars().take(TEXT_CHARS_MAX).collect()))
    }
}

/// Something that took time.
#[derive(Clone, Debug)]
pub struct Span {
    /// What it was; one of few.
    pub name: Cow<'static, str>,
    /// When it began.
    pub started: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// What is said of it.
    pub attributes: Vec<(&'static str, Value)>,
    /// Whether it is the server's failure.
    pub is_error: bool,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Its place among others'.
    pub context: TraceContext,
    /// All of it.
    pub root: Span,
    /// Its stages, each below the root.
    pub stages: Vec<Span>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        let Value::Text(text) = Value::cut(&"\u{e9}".repeat(600)) else { panic!("no text") };
        assert_eq!(text.chars().count(), TEXT_CHARS_MAX);
    }
}
