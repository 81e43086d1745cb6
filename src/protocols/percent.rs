//! Percent-encoding (RFC 3986, section 2.1): decoded exactly once, after splitting; `+` is a plus.

use std::borrow::Cow;
use std::fmt::Write;

use crate::model::Fault;

/// Decodes one segment or value.
///
/// # Errors
/// Bad request, where a `%` is not followed by two hexadecimal digits or the bytes are no UTF-8.
pub(crate) fn decode(text: &str) -> Result<Cow<'_, str>, Fault> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            decoded.push(first);
            rest = after;
            continue;
        }
        let (byte, after) = escaped_byte(after).ok_or_else(|| {
            Fault::bad_request("a percent sign must be followed by two hexadecimal digits")
        })?;
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Fault::bad_request(format!("the decoded text is not UTF-8 from byte {at} on"))
    })
}

fn escaped_byte(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (high, rest) = digits.split_first()?;
    let (low, rest) = rest.split_first()?;
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    Some((value(*high)? << 4 | value(*low)?, rest))
}

/// Appends a decoded identifier segment as clients must ask for it: IIIF Image API 3.0, section 9,
/// wants `/ ? # [ ] @ %` and all beyond ASCII encoded and `:` left alone; `&` and `+` are encoded too,
/// because they mean something in a query.
pub(crate) fn encode_identifier(segment: &str, into: &mut String) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:!$'()*,;=".contains(&byte) {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(into, "%{byte:02X}").unwrap_or_default();
        }
    }
}

/// A client's text as an error may repeat it: short, and with nothing that a terminal obeys.
pub(crate) fn excerpt(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    let mut shown: String = text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_decoded_once_and_plus_stays() {
        for (text, expected) in [
            ("plain", Some("plain")),
            ("a%2Fb%2fc", Some("a/b/c")),
            ("1:%253C69", Some("1:%3C69")),
            ("a+b%20c", Some("a+b c")),
            ("%C3%A9", Some("\u{e9}")),
            ("%E9", None),
            ("%C3%", None),
            ("%2", None),
            ("%zz", None),
            ("%+1", None),
        ] {
            let got = decode(text).ok();
            assert_eq!(got.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        assert_eq!(excerpt("a\n\u{1b}b"), "a\\n\\u{1b}b");
        assert_eq!(excerpt(&"x".repeat(41)).len(), 43);
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes_to_itself(name in "\\PC*") {
            let mut encoded = String::new();
            encode_identifier(&name, &mut encoded);
            prop_assert!(encoded.is_ascii() && !encoded.contains(['/', '?', '#', '&', '+', ' ']));
            prop_assert_eq!(decode(&encoded).unwrap(), name);
        }
    }
}
