//! Rights as `info.json` tells them: the address of a licence or a statement (IIIF Image API 3.0, section
//! 5.4), which these organisations give with `http:`.

/// Where such addresses begin, and what part of the path must follow.
const KNOWN: [&str; 4] = [
    "creativecommons.org/licenses/",
    "creativecommons.org/publicdomain/",
    "rightsstatements.org/vocab/",
    "rightsstatements.org/page/",
];

/// The address that a text is, if it is one.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let known = KNOWN.iter().any(|known| rest.len() > known.len() && rest.starts_with(known));
    let plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/".contains(&byte));
    // A statement's page describes what its entry in the vocabulary is.
    (known && plain).then(|| {
        format!(
            "http://{}",
            rest.replacen("rightsstatements.org/page/", "rightsstatements.org/vocab/", 1)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_licences_and_statements_are_told() {
        for (text, expected) in [
            (
                "https://creativecommons.org/licenses/by/4.0/",
                Some("http://creativecommons.org/licenses/by/4.0/"),
            ),
            (
                " http://www.creativecommons.org/publicdomain/zero/1.0/ ",
                Some("http://creativecommons.org/publicdomain/zero/1.0/"),
            ),
            (
                "https://rightsstatements.org/page/InC/1.0/",
                Some("http://rightsstatements.org/vocab/InC/1.0/"),
            ),
            ("https://creativecommons.org/licenses/", None),
            ("https://creativecommons.org/about/", None),
            ("https://evil.org/creativecommons.org/licenses/by/4.0/", None),
            ("http://creativecommons.org/licenses/by/4.0/\"", None),
            ("(c) Museum", None),
            ("", None),
        ] {
            assert_eq!(address(text).as_deref(), expected, "{text}");
        }
    }
}
