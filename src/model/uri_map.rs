//! `UriMap`: which paths a web server hands over for which protocol, as iipsrv's `URI_MAP` says it.

/// What follows the prefix of a mapped path is worded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mapped {
    /// The value of IIP's `FIF`, with further commands behind it.
    Iip,
    /// IIIF.
    Iiif,
    /// Deep Zoom.
    DeepZoom,
    /// Zoomify.
    Zoomify,
}

/// A path that is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappedPath<'a> {
    /// The protocol of what follows.
    pub to: Mapped,
    /// The path up to and with the slash before it.
    pub mount: &'a str,
    /// What follows, percent-encoded as sent.
    pub rest: &'a str,
}

/// Prefixes of paths and their protocols.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UriMap(Vec<(String, Mapped)>);

impl UriMap {
    /// Reads `PREFIX=>PROTOCOL`, several separated by commas; an empty prefix takes every path.
    ///
    /// # Errors
    /// What is allowed instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let entries: Option<Vec<(String, Mapped)>> = parts.map(entry).collect();
        let mut entries = entries.ok_or_else(|| {
            "PREFIX=>PROTOCOL, separated by commas, with IIP, IIIF, DeepZoom or Zoomify".to_owned()
        })?;
        // The longest prefix that fits is meant.
        entries.sort_by_key(|(prefix, _)| std::cmp::Reverse(prefix.len()));
        Ok(Self(entries))
    }

    /// What a path, which begins with a slash, is mapped to.
    pub fn find<'a>(&self, path: &'a str) -> Option<MappedPath<'a>> {
        self.0.iter().find_map(|(prefix, to)| {
            let behind = path.strip_prefix('/')?.strip_prefix(prefix.as_str())?;
            let rest = if prefix.is_empty() { behind } else { behind.strip_prefix('/')? };
            let mount = path.strip_suffix(rest)?;
            Some(MappedPath { to: *to, mount, rest })
        })
    }
}

fn entry(text: &str) -> Option<(String, Mapped)> {
    let (prefix, protocol) = text.split_once("=>")?;
    let to = match protocol.trim().to_ascii_lowercase().as_str() {
        "iip" => Mapped::Iip,
        "iiif" => Mapped::Iiif,
        "deepzoom" => Mapped::DeepZoom,
        "zoomify" => Mapped::Zoomify,
        _ => return None,
    };
    let prefix = prefix.trim().trim_matches('/');
    let is_plain =
        !prefix.contains(['?', '#', '%']) && prefix.bytes().all(|b| b.is_ascii_graphic());
    is_plain.then(|| (prefix.to_owned(), to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_that_ends_at_a_slash_is_meant() {
        let map = UriMap::parse("a=>IIIF, a/b => deepzoom,/z/=>Zoomify,i=>IIP").unwrap();
        let found = |path| map.find(path).map(|found| (found.to, found.mount, found.rest));
        for (path, expected) in [
            ("/a/x.tif/info.json", Some((Mapped::Iiif, "/a/", "x.tif/info.json"))),
            ("/a/b/x.dzi", Some((Mapped::DeepZoom, "/a/b/", "x.dzi"))),
            ("/a/bc", Some((Mapped::Iiif, "/a/", "bc"))),
            ("/z/x", Some((Mapped::Zoomify, "/z/", "x"))),
            ("/i/x.tif&OBJ=IIP", Some((Mapped::Iip, "/i/", "x.tif&OBJ=IIP"))),
            ("/a/", Some((Mapped::Iiif, "/a/", ""))),
            ("/a", None),
            ("/ax/y", None),
            ("/b/a/x", None),
            ("", None),
        ] {
            assert_eq!(found(path), expected, "{path}");
        }
    }

    #[test]
    fn an_empty_prefix_takes_every_path_that_no_other_does() {
        let map = UriMap::parse("=>IIIF,dz=>DeepZoom").unwrap();
        let found = |path| map.find(path).map(|found| (found.to, found.mount, found.rest));
        assert_eq!(found("/x/info.json"), Some((Mapped::Iiif, "/", "x/info.json")));
        assert_eq!(found("/dz/x.dzi"), Some((Mapped::DeepZoom, "/dz/", "x.dzi")));
        assert_eq!(UriMap::default().find("/x"), None);
    }

    #[test]
    fn what_is_no_map_is_refused() {
        for text in ["iiif", "iiif=>", "iiif=>IIIF3", "a?=>IIP", "a b=>IIP", "=>,a=>IIP"] {
            UriMap::parse(text).unwrap_err();
        }
        assert_eq!(UriMap::parse(" "), Ok(UriMap::default()));
    }
}
