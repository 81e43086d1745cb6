//! Beyond the standard: changes of sample values as parameters behind an image's address, in words of their
//! own for what IIP's commands do. Parameters of other names are not ours (viewers add some against caches).

use crate::model::Fault;
use crate::protocols::change::{Change, Changes};
use crate::protocols::percent::{decode, encode_identifier};

/// The names, each with IIP's command for it.
const PARAMETERS: [(&str, &str); 10] = [
    ("bands", "CTW"),
    ("colormap", "CMP"),
    ("contrast", "CNT"),
    ("convolve", "CNV"),
    ("gamma", "GAM"),
    ("hillshade", "SHD"),
    ("interpolation", "INT"),
    ("invert", "INV"),
    ("preset", "PRE"),
    ("range", "MINMAX"),
];

/// What was asked behind an address, and the same as the canonical address has it: in the order of the
/// names, behind a question mark; empty where there is nothing.
#[derive(Debug, Default)]
pub(super) struct Extras {
    pub(super) changes: Changes,
    pub(super) canonical: String,
}

impl Extras {
    /// Reads a query, still percent-encoded.
    ///
    /// # Errors
    /// Bad request for a value that the parameter does not take, with its name.
    pub(super) fn parse(query: &str) -> Result<Self, Fault> {
        let mut extras = Self::default();
        if query.is_empty() {
            return Ok(extras);
        }
        for (name, command) in PARAMETERS {
            for value in values(query, name) {
                let value = decode(value)?;
                let told = |fault: Fault| Fault::new(fault.kind, format!("{name}: {}", fault.text));
                if name == "invert" && !matches!(&*value, "" | "1" | "true") {
                    return Err(Fault::bad_request("invert takes no value, 1 or true"));
                }
                if let Some(read) = Change::parse(command, &value) {
                    extras.changes.add(read.map_err(told)?).map_err(told)?;
                }
                extras.push(name, &value);
            }
        }
        Ok(extras)
    }

    fn push(&mut self, name: &str, value: &str) {
        self.canonical.push(if self.canonical.is_empty() { '?' } else { '&' });
        self.canonical.push_str(name);
        if !value.is_empty() {
            self.canonical.push('=');
            encode_identifier(value, &mut self.canonical);
        }
    }
}

fn values<'a>(query: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    query.split('&').filter_map(move |pair| {
        let (known, value) = pair.split_once('=').unwrap_or((pair, ""));
        (known == name).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_query_has_one_order_and_none_of_what_is_not_ours() {
        for (query, canonical) in [
            ("", ""),
            ("t=123&cache=no", ""),
            ("gamma=0.5&contrast=stretch", "?contrast=stretch&gamma=0.5"),
            ("contrast=st%72etch&x=y&gamma=0.5", "?contrast=stretch&gamma=0.5"),
            ("invert", "?invert"),
            ("bands=%5B0,1%5D&bands=[1]", "?bands=%5B0,1%5D&bands=%5B1%5D"),
        ] {
            assert_eq!(Extras::parse(query).unwrap().canonical, canonical, "{query}");
        }
    }

    #[test]
    fn a_wrong_value_is_told_by_the_name_that_was_asked() {
        for query in
            ["gamma=x", "contrast=-5", "colormap=rainbow", "invert=no", "range=1", "gamma=%zz"]
        {
            let fault = Extras::parse(query).unwrap_err();
            let name = query.split('=').next().unwrap();
            assert!(fault.text.starts_with(name) || query.ends_with("%zz"), "{query}: {fault}");
            assert_eq!(fault.kind.status(), 400);
        }
    }
}
