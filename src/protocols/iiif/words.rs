//! `Words`: how an IIIF answer is worded: the version, the image's public address, the media type of
//! its description (3.0, section 5.1; 2.1, section 5), and the `Link` header.

use crate::model::request::PictureRequest;
use crate::model::{ImageInfo, Picture};
use crate::protocols::accept::weight;
use crate::protocols::answer::Document;
use crate::protocols::iiif::{canonical, info_json};
use crate::protocols::protocol::Protocol;
use crate::protocols::settings::{IiifVersion, Settings};
use crate::protocols::wire::Response;

const JSON: &str = "application/json";
const JSON_LD: &str = "application/ld+json";
const JSON_LD_V3: &str = "application/ld+json;profile=\"http://iiif.io/api/image/3/context.json\"";

/// What the wording of an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    version: IiifVersion,
    base_uri: String,
    /// Where the image's manifest is, if that is known.
    manifest: Option<String>,
    info_media_type: &'static str,
    /// The word of a quality beyond the standard's.
    extension: Option<&'static str>,
    /// What is asked behind the address, as the canonical one has it.
    query: String,
    /// Whether the answer has a canonical address at all.
    pub(crate) is_canonical: bool,
}

/// The `Link` that every answer has.
pub(crate) fn profile_link(version: IiifVersion) -> String {
    let mut link = String::new();
    push_profile(version, &mut link);
    link
}

fn push_profile(version: IiifVersion, link: &mut String) {
    for part in ["<", info_json::profile_uri(version), ">;rel=\"profile\""] {
        link.push_str(part);
    }
}

impl Words {
    /// The wording for an image at `base_uri`, which has no slash at its end.
    pub(crate) fn new(version: IiifVersion, base_uri: String, accept: &str) -> Self {
        let info_media_type = match (wants_json_ld(accept, version), version) {
            (false, _) => JSON,
            (true, IiifVersion::V1 | IiifVersion::V2) => JSON_LD,
            (true, IiifVersion::V3) => JSON_LD_V3,
        };
        Self {
            version,
            base_uri,
            manifest: None,
            info_media_type,
            extension: None,
            query: String::new(),
            is_canonical: version != IiifVersion::V1,
        }
    }

    /// The same for an image whose manifest is at this address.
    pub(super) fn with_manifest(self, manifest: Option<String>) -> Self {
        Self { manifest, ..self }
    }

    /// The same with what the canonical address says beyond the standard.
    pub(super) fn with_extras(self, extension: Option<&'static str>, query: String) -> Self {
        Self { extension, query, ..self }
    }

    /// The protocol and its version.
    pub const fn protocol(&self) -> Protocol {
        Protocol::iiif(self.version)
    }

    /// `info.json`.
    pub(crate) fn document(&self, info: &ImageInfo, settings: &Settings) -> Document {
        let addresses = (self.base_uri.as_str(), self.manifest.as_deref());
        let body = info_json::print(self.version, addresses, info, settings);
        Document { content_type: self.info_media_type, body }
    }

    /// What `info.json` says beside its text: its type depends on `Accept`.
    pub(crate) fn add_info_headers(&self, response: Response) -> Response {
        response.with("Vary", "Accept").with("Link", profile_link(self.version))
    }

    /// One `Link` header for both relations: validators look at the first header only. In version 1.1 the
    /// format may depend on `Accept`.
    pub(crate) fn add_picture_headers(
        &self,
        response: Response,
        asked: &PictureRequest,
        picture: &Picture,
        settings: &Settings,
    ) -> Response {
        let mut link = String::with_capacity(self.base_uri.len() + 128);
        if self.is_canonical {
            link.push('<');
            link.push_str(&self.base_uri);
            let asked = (asked, self.extension);
            canonical::push(self.version, asked, &picture.resolved, &settings.limits, &mut link);
            link.push_str(&self.query);
            link.push_str(">;rel=\"canonical\",");
        }
        push_profile(self.version, &mut link);
        match self.version {
            IiifVersion::V1 => response.with("Vary", "Accept").with("Link", link),
            IiifVersion::V2 | IiifVersion::V3 => response.with("Link", link),
        }
    }
}

/// Whether `info.json` goes out as JSON-LD: what `Accept` prefers; where it names neither, version 3
/// should and version 2 must not.
fn wants_json_ld(accept: &str, version: IiifVersion) -> bool {
    let by_default = version == IiifVersion::V3;
    match (weight(accept, JSON_LD), weight(accept, JSON)) {
        (Some(linked), Some(plain)) => plain < linked || (plain <= linked && by_default),
        (Some(linked), None) => 0.0 < linked || by_default,
        (None, Some(plain)) => plain <= 0.0 && by_default,
        (None, None) => by_default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_media_type_of_a_description_is_negotiated_by_version() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, version_2, version_3) in [
            ("", JSON, JSON_LD_V3),
            ("*/*", JSON, JSON_LD_V3),
            (browser, JSON, JSON_LD_V3),
            ("application/json", JSON, JSON),
            ("application/ld+json", JSON_LD, JSON_LD_V3),
            ("Application/LD+JSON", JSON_LD, JSON_LD_V3),
            ("application/json, application/ld+json", JSON, JSON_LD_V3),
            ("application/json;q=0.5, application/ld+json", JSON_LD, JSON_LD_V3),
            ("application/ld+json;q=0.5, application/json", JSON, JSON),
            ("application/ld+json;profile=\"http://x\";q=0.9", JSON_LD, JSON_LD_V3),
        ] {
            let of = |version| Words::new(version, String::new(), accept).info_media_type;
            assert_eq!(
                (of(IiifVersion::V2), of(IiifVersion::V3)),
                (version_2, version_3),
                "{accept}"
            );
        }
    }
}
