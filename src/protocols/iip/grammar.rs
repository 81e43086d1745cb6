//! The query as commands: `NAME=value` joined by `&`. Values stay percent-encoded.

use crate::protocols::percent::excerpt;

/// One command as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    /// Before the first `=`, in the client's capitals.
    pub(crate) name: &'a str,
    /// After it; the name itself where there is no `=`, so that `&ICC` works.
    pub(crate) value: &'a str,
}

impl Token<'_> {
    /// The name in capitals, fit for an error.
    pub(crate) fn shown_name(&self) -> String {
        excerpt(&self.name.to_ascii_uppercase())
    }
}

/// The commands of a query in order. As with iipsrv, one with an empty name or value is left out.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    text.split('&')
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, pair));
            Token { name, value }
        })
        .filter(|token| !token.name.is_empty() && !token.value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_falls_into_commands() {
        let pairs = |text| tokens(text).map(|token| (token.name, token.value)).collect::<Vec<_>>();
        assert_eq!(pairs("FIF=a.tif&&JTL=0,1&"), [("FIF", "a.tif"), ("JTL", "0,1")]);
        assert_eq!(pairs("ICC&CNT=&=x"), [("ICC", "ICC")]);
        assert_eq!(pairs("FIF=a=b"), [("FIF", "a=b")]);
        assert_eq!(pairs(""), []);
    }
}
