//! Name-value pairs: the content of a PARAMS stream, and of `GET_VALUES` and its result.
//!
//! # Source
//! FastCGI Specification 1.0, section 3.4; RFC 3875 (CGI) for the names.

/// A pair that is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name or value is longer than what is left")]
pub(super) struct PairError;

/// The pairs of a whole stream, in order.
#[derive(Clone, Debug)]
pub(super) struct Pairs<'a>(&'a [u8]);

impl<'a> Pairs<'a> {
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn pair(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let name_bytes = self.length()?;
        let value_bytes = self.length()?;
        Some((self.take(name_bytes)?, self.take(value_bytes)?))
    }

    /// A length: one byte, or four where the first bit is set.
    fn length(&mut self) -> Option<usize> {
        let (&first, rest) = self.0.split_first()?;
        if first < 0x80 {
            self.0 = rest;
            return Some(usize::from(first));
        }
        let (four, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*four) & 0x7FFF_FFFF).ok()
    }

    fn take(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), PairError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let pair = self.pair();
        if pair.is_none() {
            self.0 = &[];
        }
        Some(pair.ok_or(PairError))
    }
}

/// Appends a pair of short texts, as `GET_VALUES_RESULT` holds them.
pub(super) fn put_short_pair(out: &mut Vec<u8>, name: &str, value: &str) {
    for text in [name, value] {
        let length = u8::try_from(text.len()).unwrap_or(0);
        debug_assert!(length < 0x80, "`{text}` needs a long length");
        out.push(length);
    }
    out.extend(name.as_bytes());
    out.extend(value.as_bytes());
}

/// What we read of a request's variables; the last of a name counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Variables<'a> {
    pub(super) request_method: Option<&'a str>,
    pub(super) request_uri: Option<&'a str>,
    pub(super) query_string: Option<&'a str>,
    pub(super) script_name: Option<&'a str>,
    pub(super) path_info: Option<&'a str>,
    pub(super) content_length: Option<&'a str>,
    pub(super) https: Option<&'a str>,
    pub(super) http_host: Option<&'a str>,
    pub(super) server_name: Option<&'a str>,
    pub(super) http_accept: Option<&'a str>,
    pub(super) http_if_none_match: Option<&'a str>,
    pub(super) http_if_modified_since: Option<&'a str>,
    pub(super) remote_addr: Option<&'a str>,
    /// The headers of proxies before the web server.
    pub(super) http_forwarded: Option<&'a str>,
    /// `X-Forwarded-Proto`.
    pub(super) http_x_forwarded_proto: Option<&'a str>,
    /// `X-Forwarded-Host`.
    pub(super) http_x_forwarded_host: Option<&'a str>,
    /// `X-Forwarded-Prefix`.
    pub(super) http_x_forwarded_prefix: Option<&'a str>,
    /// `X-IIIF-ID`.
    pub(super) http_x_iiif_id: Option<&'a str>,
    /// `X-Request-Id`.
    pub(super) http_x_request_id: Option<&'a str>,
    /// `traceparent`.
    pub(super) http_traceparent: Option<&'a str>,
}

/// Variables that are no variables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum VariablesError {
    /// Lengths that lie.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// A value that we read is no text.
    #[error("{name} is not UTF-8")]
    NotUtf8 {
        /// The variable.
        name: String,
        /// Where it stops being text.
        source: std::str::Utf8Error,
    },
}

impl<'a> Variables<'a> {
    /// Reads a whole PARAMS stream. A variable without a value is as if it were not there, because web
    /// servers send all that they are configured to.
    pub(super) fn read(params: &'a [u8]) -> Result<Self, VariablesError> {
        let mut variables = Self::default();
        for pair in Pairs::of(params) {
            let (name, value) = pair?;
            let Some(slot) = variables.slot(name) else { continue };
            let text = std::str::from_utf8(value).map_err(|source| VariablesError::NotUtf8 {
                name: String::from_utf8_lossy(name).into_owned(),
                source,
            })?;
            *slot = Some(text).filter(|text| !text.is_empty());
        }
        Ok(variables)
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'a str>> {
        Some(match name {
            b"REQUEST_METHOD" => &mut self.request_method,
            b"REQUEST_URI" => &mut self.request_uri,
            b"QUERY_STRING" => &mut self.query_string,
            b"SCRIPT_NAME" => &mut self.script_name,
            b"PATH_INFO" => &mut self.path_info,
            b"CONTENT_LENGTH" => &mut self.content_length,
            b"HTTPS" => &mut self.https,
            b"HTTP_HOST" => &mut self.http_host,
            b"SERVER_NAME" => &mut self.server_name,
            b"HTTP_ACCEPT" => &mut self.http_accept,
            b"HTTP_IF_NONE_MATCH" => &mut self.http_if_none_match,
            b"HTTP_IF_MODIFIED_SINCE" => &mut self.http_if_modified_since,
            b"REMOTE_ADDR" => &mut self.remote_addr,
            b"HTTP_FORWARDED" => &mut self.http_forwarded,
            b"HTTP_X_FORWARDED_PROTO" => &mut self.http_x_forwarded_proto,
            b"HTTP_X_FORWARDED_HOST" => &mut self.http_x_forwarded_host,
            b"HTTP_X_FORWARDED_PREFIX" => &mut self.http_x_forwarded_prefix,
            b"HTTP_X_IIIF_ID" => &mut self.http_x_iiif_id,
            b"HTTP_X_REQUEST_ID" => &mut self.http_x_request_id,
            b"HTTP_TRACEPARENT" => &mut self.http_traceparent,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn put_pair(out: &mut Vec<u8>, name: &[u8], value: &[u8], long: bool) {
        for text in [name, value] {
            match u8::try_from(text.len()) {
                Ok(length) if length < 0x80 && !long => out.push(length),
                _ => {
                    let length = u32::try_from(text.len()).unwrap() | 0x8000_0000;
                    out.extend(length.to_be_bytes());
                }
            }
        }
        out.extend(name);
        out.extend(value);
    }

    proptest! {
        #[test]
        fn pairs_are_read_as_they_were_written_in_either_form(
            pairs in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..200),
                 prop::collection::vec(any::<u8>(), 0..200), any::<bool>()), 0..10),
        ) {
            let mut bytes = Vec::new();
            for (name, value, long) in &pairs {
                put_pair(&mut bytes, name, value, *long);
            }
            let read: Vec<_> = Pairs::of(&bytes).map(Result::unwrap).collect();
            let expected: Vec<_> = pairs.iter().map(|(name, value, _)| (&name[..], &value[..])).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn a_stream_that_is_cut_is_an_error_and_not_another_request(cut in 1..30_usize) {
            let mut bytes = Vec::new();
            put_pair(&mut bytes, b"QUERY_STRING", b"FIF=a.tif&OBJ=IIP", false);
            let cut = cut.min(bytes.len() - 1);
            let read = Variables::read(&bytes[..cut]);
            prop_assert_eq!(read.unwrap_err(), VariablesError::Pair(PairError));
        }

        #[test]
        fn junk_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let pairs = Pairs::of(&bytes).count();
            prop_assert!(pairs <= bytes.len());
        }
    }

    #[test]
    fn a_length_of_two_gigabytes_is_an_error_and_no_allocation() {
        let bytes = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, b'x'];
        assert_eq!(Pairs::of(&bytes).collect::<Vec<_>>(), [Err(PairError)]);
    }

    #[test]
    fn the_last_of_a_name_counts_and_an_empty_value_is_none() {
        let mut bytes = Vec::new();
        put_pair(&mut bytes, b"HTTP_HOST", b"a", false);
        put_pair(&mut bytes, b"HTTP_HOST", b"b", true);
        put_pair(&mut bytes, b"HTTPS", b"", false);
        put_pair(&mut bytes, b"HTTP_COOKIE", b"\xFF", false);
        let variables = Variables::read(&bytes).unwrap();
        assert_eq!((variables.http_host, variables.https), (Some("b"), None));
    }

    #[test]
    fn a_value_that_is_no_text_is_named() {
        let mut bytes = Vec::new();
        put_pair(&mut bytes, b"REQUEST_URI", b"/\xFF", false);
        let error = Variables::read(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "REQUEST_URI is not UTF-8");
    }
}
