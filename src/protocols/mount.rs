//! `Mount`: which protocol a path belongs to. Everything after the mount is still percent-encoded.

use crate::model::{Mapped, MappedPath, UriMap};
use crate::protocols::protocol::Protocol;
use crate::protocols::settings::IiifVersion;

/// The paths whose query is the request: our own and the one that iipsrv is usually found at.
const QUERY_PATHS: [&str; 2] = ["/iip", "/fcgi-bin/iipsrv.fcgi"];

/// Where a request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mount<'a> {
    /// The request is in the query: IIP, and `IIIF=`, `DeepZoom=`, `Zoomify=`.
    Query,
    /// `/iiif/...`.
    Iiif {
        /// The version in the path; none for `/iiif/ID`, where the default holds.
        version: Option<IiifVersion>,
        /// Identifier and what follows it.
        rest: &'a str,
    },
    /// `/presentation/3/...`.
    Presentation(&'a str),
    /// `/deepzoom/...`.
    DeepZoom(&'a str),
    /// `/zoomify/...`.
    Zoomify(&'a str),
    /// A path of the settings' own.
    Mapped(MappedPath<'a>),
}

impl<'a> Mount<'a> {
    /// The mount of a path; none where it belongs to somebody else.
    pub(crate) fn find(path: &'a str, map: &UriMap) -> Option<Self> {
        if let Some(mapped) = map.find(path) {
            return Some(Self::Mapped(mapped));
        }
        if QUERY_PATHS.contains(&path) {
            return Some(Self::Query);
        }
        if let Some(rest) = path.strip_prefix("/iiif/") {
            return Some(Self::iiif(rest));
        }
        path.strip_prefix("/deepzoom/")
            .map(Self::DeepZoom)
            .or_else(|| path.strip_prefix("/presentation/3/").map(Self::Presentation))
            .or_else(|| path.strip_prefix("/zoomify/").map(Self::Zoomify))
    }

    /// Whose words an error on this mount uses.
    pub(crate) const fn protocol(self, default: IiifVersion) -> Protocol {
        match self {
            Self::Query | Self::Mapped(MappedPath { to: Mapped::Iip, .. }) => Protocol::Iip,
            Self::Iiif { version: Some(version), .. } => Protocol::iiif(version),
            Self::Iiif { version: None, .. }
            | Self::Mapped(MappedPath { to: Mapped::Iiif, .. }) => Protocol::iiif(default),
            Self::Presentation(_) => Protocol::Presentation,
            Self::DeepZoom(_) | Self::Mapped(MappedPath { to: Mapped::DeepZoom, .. }) => {
                Protocol::DeepZoom
            }
            Self::Zoomify(_) | Self::Mapped(MappedPath { to: Mapped::Zoomify, .. }) => {
                Protocol::Zoomify
            }
        }
    }

    fn iiif(rest: &'a str) -> Self {
        let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
        match head {
            "1" => Self::Iiif { version: Some(IiifVersion::V1), rest: tail },
            "2" => Self::Iiif { version: Some(IiifVersion::V2), rest: tail },
            "3" => Self::Iiif { version: Some(IiifVersion::V3), rest: tail },
            _ => Self::Iiif { version: None, rest },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_the_protocol_of_its_first_segment() {
        let iiif = |version, rest| Some(Mount::Iiif { version, rest });
        for (path, expected) in [
            ("/iip", Some(Mount::Query)),
            ("/fcgi-bin/iipsrv.fcgi", Some(Mount::Query)),
            ("/iip/", None),
            ("/iiif/3/a/info.json", iiif(Some(IiifVersion::V3), "a/info.json")),
            ("/iiif/2/a", iiif(Some(IiifVersion::V2), "a")),
            ("/iiif/3", iiif(Some(IiifVersion::V3), "")),
            ("/iiif/1/a/info.json", iiif(Some(IiifVersion::V1), "a/info.json")),
            ("/iiif/33/info.json", iiif(None, "33/info.json")),
            ("/iiif/a", iiif(None, "a")),
            ("/iiif", None),
            ("/deepzoom/x/a.dzi", Some(Mount::DeepZoom("x/a.dzi"))),
            ("/zoomify/a/ImageProperties.xml", Some(Mount::Zoomify("a/ImageProperties.xml"))),
            ("/presentation/3/a/manifest.json", Some(Mount::Presentation("a/manifest.json"))),
            ("/presentation/2/a/manifest.json", None),
            ("/deepzoomer/a.dzi", None),
            ("/view/a.tif", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(Mount::find(path, &UriMap::default()), expected, "{path}");
        }
    }
}
