//! Numbers as URLs write them: digits and at most one point; no sign, exponent, blank or infinity.

/// A whole number; nothing where it is none or too large for its type.
pub(crate) fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    // `parse` alone would take a sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// A decimal number (IIIF Image API 3.0, section 4.7): also `.9`, `0.90` and `5.`.
pub(crate) fn decimal(text: &str) -> Option<f64> {
    // `parse` alone would take signs, exponents, `inf` and `nan`.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = if plain { text.parse().ok()? } else { return None };
    value.is_finite().then_some(value)
}

/// Exactly `N` parts between commas.
pub(crate) fn parts<const N: usize>(text: &str) -> Option<[&str; N]> {
    let mut split = text.split(',');
    let mut parts = [""; N];
    for part in &mut parts {
        *part = split.next()?;
    }
    split.next().is_none().then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_digits_only() {
        for (text, expected) in [
            ("0", Some(0)),
            ("007", Some(7)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("+1", None),
            ("-1", None),
            ("1.0", None),
            ("", None),
            (" 1", None),
            ("1e3", None),
        ] {
            assert_eq!(whole::<u32>(text), expected, "{text:?}");
        }
    }

    #[test]
    fn decimals_have_one_point_and_no_exponent() {
        for (text, expected) in [
            ("41.6", Some(41.6)),
            (".9", Some(0.9)),
            ("0.90", Some(0.9)),
            ("5.", Some(5.0)),
            ("0", Some(0.0)),
            (".", None),
            ("", None),
            ("1.2.3", None),
            ("1e2", None),
            ("-1", None),
            ("inf", None),
            ("NaN", None),
        ] {
            assert_eq!(decimal(text), expected, "{text:?}");
        }
        assert_eq!(decimal(&"9".repeat(400)), None);
    }

    #[test]
    fn parts_are_counted() {
        assert_eq!(parts::<2>("1,2"), Some(["1", "2"]));
        assert_eq!(parts::<2>("1,"), Some(["1", ""]));
        assert_eq!(parts::<2>("1"), None);
        assert_eq!(parts::<2>("1,2,3"), None);
    }
}
