//! Access lines, in text or JSON, to the requests that they tell of and when those came.

use std::time::{Duration, SystemTime};

use serde_json::Value;

/// One request of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// When it was answered, to the second.
    pub(super) at: SystemTime,
    /// Path and query.
    pub(super) target: String,
}

/// The request that a line tells of; nothing where it is none that can be asked again: not a GET, or no
/// access line at all.
pub(super) fn parse(line: &str) -> Option<Line> {
    let line = line.trim();
    if line.starts_with('{') { parse_json(line) } else { parse_text(line) }
}

fn parse_json(line: &str) -> Option<Line> {
    let value: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    (text("method")? == "GET").then_some(())?;
    Some(Line { at: time(text("time")?)?, target: target(text("target")?)? })
}

/// `PEER [TIME] "METHOD TARGET" STATUS ...`
fn parse_text(line: &str) -> Option<Line> {
    let (_, rest) = line.split_once(" [")?;
    let (at, rest) = rest.split_once("] \"GET ")?;
    let (written, _) = rest.split_once("\" ")?;
    Some(Line { at: time(at)?, target: target(written)? })
}

fn time(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// What can stand in a request as it was logged: escapes stand for what a client should not have sent.
fn target(text: &str) -> Option<String> {
    let is_plain =
        text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'"');
    (is_plain && text.starts_with('/')).then(|| text.to_owned())
}

/// When each line is to be asked, from the first one on, `speed` times as fast as it was: those of one
/// second are spread over it. A speed of 0 asks for all at once.
pub(super) fn schedule(lines: &[Line], speed: f64) -> Vec<Duration> {
    let Some(first) = lines.iter().map(|line| line.at).min() else { return Vec::new() };
    let second = |line: &Line| line.at.duration_since(first).unwrap_or_default().as_secs_f64();
    let mut due = Vec::with_capacity(lines.len());
    for same in lines.chunk_by(|a, b| a.at == b.at) {
        let count = u32::try_from(same.len()).unwrap_or(u32::MAX);
        for (number, line) in same.iter().enumerate() {
            let share = f64::from(u32::try_from(number).unwrap_or(0)) / f64::from(count);
            let at_s = if speed > 0.0 { (second(line) + share) / speed } else { 0.0 };
            due.push(Duration::try_from_secs_f64(at_s).unwrap_or_default());
        }
    }
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "127.0.0.1 [Sun, 22 Nov 2026 20:35:41 GMT] \"GET /iiif/3/a.tif/info.json\" 200 5 1.500ms iiif3 info none none 0 0f";

    #[test]
    fn lines_of_both_forms_are_read_and_others_are_passed_over() {
        let json = r#"{"time":"Sun, 22 Nov 2026 20:35:41 GMT","peer":"x","method":"GET","target":"/iiif/3/a.tif/info.json","status":200}"#;
        assert_eq!(parse(TEXT).unwrap().target, "/iiif/3/a.tif/info.json");
        assert_eq!(parse(TEXT), parse(json));
        for other in [
            "",
            "listening on http://127.0.0.1:8182",
            "{}",
            &TEXT.replace("GET", "POST"),
            &TEXT.replace("/iiif", "http://elsewhere/iiif"),
            &TEXT.replace("info.json", "\\u000d\\u000a"),
            &TEXT.replace("Nov", "Nof"),
        ] {
            assert_eq!(parse(other), None, "{other}");
        }
    }

    #[test]
    fn requests_of_one_second_are_spread_over_it_and_speed_divides() {
        let line = |second: u64| Line {
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(second),
            target: "/".to_owned(),
        };
        let lines = [line(10), line(10), line(12)];
        let ms =
            |speed| schedule(&lines, speed).iter().map(Duration::as_millis).collect::<Vec<_>>();
        assert_eq!(ms(1.0), [0, 500, 2000]);
        assert_eq!(ms(4.0), [0, 125, 500]);
        assert_eq!(ms(0.0), [0, 0, 0]);
        assert!(schedule(&[], 1.0).is_empty());
    }
}
