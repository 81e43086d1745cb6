//! The figures of a run, for people (Markdown) and for programs (JSON).

mod json;
mod markdown;
mod readme;

pub(crate) use json::to_json;
pub(crate) use markdown::to_markdown;
pub(crate) use readme::update;
