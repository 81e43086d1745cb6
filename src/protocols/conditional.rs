//! Conditional requests (RFC 9110, section 13) for answers that are words: their validator is known
//! only once they are written. Pictures are compared by the service, before any pixel is touched.

use crate::model::request::Conditions;

/// Whether the client has this answer already.
///
/// `etag` is strong and in quotes. `If-None-Match` is compared weakly (section 13.1.2); beside it
/// `If-Modified-Since` is not looked at.
pub(crate) fn is_not_modified(conditions: &Conditions, etag: &str, modified_s: i64) -> bool {
    match (&conditions.if_none_match, conditions.if_modified_since_s) {
        (Some(list), _) => list.split(',').map(str::trim).any(|candidate| {
            candidate == "*" || candidate.strip_prefix("W/").unwrap_or(candidate) == etag
        }),
        (None, Some(since_s)) => modified_s <= since_s,
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_weak_and_outranks_the_date() {
        for (if_none_match, if_modified_since_s, expected) in [
            (None, None, false),
            (Some("\"a\""), None, true),
            (Some("W/\"a\""), None, true),
            (Some("\"b\", \"a\""), None, true),
            (Some("*"), None, true),
            (Some("\"b\""), Some(200), false),
            (Some("a"), None, false),
            (None, Some(99), false),
            (None, Some(100), true),
            (None, Some(101), true),
        ] {
            let if_none_match = if_none_match.map(str::to_owned);
            let conditions = Conditions { if_none_match, if_modified_since_s };
            assert_eq!(is_not_modified(&conditions, "\"a\"", 100), expected, "{conditions:?}");
        }
    }
}
