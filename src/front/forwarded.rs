//! How clients reach the server, where a proxy that is trusted says so: `Forwarded` (RFC 7239), else
//! `X-Forwarded-Proto`, `-Host` and `-Prefix`, and `X-IIIF-ID`. What does not look as it should is as if it
//! were not there, since it is echoed into addresses.

/// The headers as they came.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Forwarded<'a> {
    pub(super) standard: Option<&'a str>,
    pub(super) proto: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) prefix: Option<&'a str>,
    pub(super) iiif_id: Option<&'a str>,
}

/// The beginning of public addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Public<'a> {
    pub(super) scheme: &'a str,
    pub(super) host: &'a str,
    /// What the proxy takes away before the path, without a slash at its end.
    pub(super) prefix: &'a str,
    /// An image's whole address.
    pub(super) iiif_id: Option<&'a str>,
}

impl<'a> Forwarded<'a> {
    /// What the headers say, and where they say nothing, what the connection does.
    pub(super) fn public(self, scheme: &'a str, host: &'a str) -> Public<'a> {
        let said = |name, other: Option<&'a str>| {
            let standard = self.standard.and_then(|header| parameter(first(header), name));
            standard.or_else(|| other.map(first))
        };
        let proto = said("proto", self.proto);
        Public {
            scheme: proto.filter(|it| matches!(*it, "http" | "https")).unwrap_or(scheme),
            host: said("host", self.host).filter(|it| is_host(it)).unwrap_or(host),
            prefix: self.prefix.map(first).and_then(prefix).unwrap_or(""),
            iiif_id: self.iiif_id.map(str::trim).filter(|it| is_address(it)),
        }
    }
}

/// Whether a text holds only what a host and port can (RFC 3986, section 3.2.2).
pub(super) fn is_host(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:[]".contains(&byte);
    !text.is_empty() && text.len() <= 255 && text.bytes().all(allowed)
}

/// The element of a list that was added first: by the proxy that the client spoke to.
fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or_default().trim()
}

/// A parameter of one element of `Forwarded`.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(value.trim_matches('"'))
}

/// A path that an address may begin with.
fn prefix(text: &str) -> Option<&str> {
    let path = text.trim_end_matches('/');
    let fits = path.is_empty() || (path.starts_with('/') && !path.starts_with("//"));
    (fits && is_plain(path)).then_some(path)
}

fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && is_plain(rest))
}

/// Whether a text holds only what paths do, escapes among it (RFC 3986, section 3.3), and queries.
fn is_plain(text: &str) -> bool {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?[]".contains(&byte);
    text.len() <= 2048 && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn public(forwarded: Forwarded<'_>) -> (&str, &str, &str) {
        let Public { scheme, host, prefix, .. } = forwarded.public("http", "inner:8182");
        (scheme, host, prefix)
    }

    #[test]
    fn the_proxy_nearest_to_the_client_counts() {
        let nothing = Forwarded::default();
        assert_eq!(public(nothing), ("http", "inner:8182", ""));
        let (proto, host, prefix) = (Some("https, http"), Some("a.org, b.org"), Some("/images/"));
        let listed = Forwarded { proto, host, prefix, ..nothing };
        assert_eq!(public(listed), ("https", "a.org", "/images"));
        let standard = Some("for=1.2.3.4;Host=\"c.org:443\";proto=https, for=5.6.7.8;host=d.org");
        assert_eq!(public(Forwarded { standard, ..nothing }), ("https", "c.org:443", ""));
        // Both: the standard's own.
        assert_eq!(public(Forwarded { standard, ..listed }), ("https", "c.org:443", "/images"));
    }

    #[test]
    fn what_would_break_an_address_is_not_taken() {
        let nothing = Forwarded::default();
        for (proto, host, prefix) in [
            ("javascript", "a b", "images"),
            ("", "a\"b", "//evil.org"),
            ("ftp", "a/b", "/a b"),
            ("HTTPS", "", "/a\"b"),
        ] {
            let forwarded =
                Forwarded { proto: Some(proto), host: Some(host), prefix: Some(prefix), ..nothing };
            assert_eq!(public(forwarded), ("http", "inner:8182", ""), "{proto} {host} {prefix}");
        }
        for (id, taken) in [
            ("https://a.org/iiif/x%2Fy.tif", true),
            ("a.org/x", false),
            ("https://", false),
            ("https://a.org/\"x", false),
            ("https://a.org/x>;rel", false),
        ] {
            let iiif_id = Forwarded { iiif_id: Some(id), ..nothing }.public("http", "x").iiif_id;
            assert_eq!(iiif_id.is_some(), taken, "{id}");
        }
    }

    #[test]
    fn only_hosts_are_hosts() {
        for host in ["example.org", "example.org:8182", "[::1]:80", "127.0.0.1"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "a b", "a\"b", "a/b", "<script>", "a\r\nb", "user@host"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
