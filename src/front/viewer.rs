//! The gallery and the deep-zoom page with all they need, embedded in the program so that they work
//! without a network. Their files are those of `viewer/`; OpenSeadragon comes from
//! `viewer/node_modules`, whose presence `build.rs` checks.

use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_128;

/// What the pages may load, as the value of `Content-Security-Policy`: only what this server sends.
/// OpenSeadragon sets styles on its elements; a thumbnail asked for twice comes as a `blob:`.
///
/// # Source
/// W3C Content Security Policy Level 3.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; \
    base-uri 'none'; frame-ancestors 'self'";

/// One embedded file.
#[derive(Clone, Copy, Debug)]
pub struct Asset {
    /// The value of `Content-Type`; texts are UTF-8 and say so.
    pub media_type: &'static str,
    /// The file.
    pub bytes: &'static [u8],
    /// Strong validator without quotes: 32 hexadecimal digits made of the bytes.
    pub etag: &'static str,
}

const CSS: &str = "text/css; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! viewer_file {
    ($name:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/viewer/", $name))
    };
}

/// A path, its media type and its bytes.
type File = (&'static str, &'static str, &'static [u8]);

const GALLERY_PAGE: File = ("/", HTML, viewer_file!("index.html"));

const VIEW_PAGE: File = ("/view/", HTML, viewer_file!("view.html"));

const FILES: &[File] = &[
    ("/assets/address.js", JAVASCRIPT, viewer_file!("address.js")),
    ("/assets/base.css", CSS, viewer_file!("base.css")),
    ("/assets/fault.js", JAVASCRIPT, viewer_file!("fault.js")),
    ("/assets/gallery.css", CSS, viewer_file!("gallery.css")),
    ("/assets/gallery.js", JAVASCRIPT, viewer_file!("gallery.js")),
    ("/assets/icon.svg", SVG, viewer_file!("icon.svg")),
    ("/assets/place.js", JAVASCRIPT, viewer_file!("place.js")),
    ("/assets/share.js", JAVASCRIPT, viewer_file!("share.js")),
    ("/assets/slices.js", JAVASCRIPT, viewer_file!("slices.js")),
    ("/assets/toast.js", JAVASCRIPT, viewer_file!("toast.js")),
    ("/assets/view.css", CSS, viewer_file!("view.css")),
    ("/assets/view.js", JAVASCRIPT, viewer_file!("view.js")),
    (
        "/assets/openseadragon/openseadragon.min.js",
        JAVASCRIPT,
        viewer_file!("node_modules/openseadragon/build/openseadragon/openseadragon.min.js"),
    ),
    (
        "/assets/openseadragon/LICENSE.txt",
        PLAIN,
        viewer_file!("node_modules/openseadragon/LICENSE.txt"),
    ),
];

/// The table as it is asked for: each file hashed once, when the first page is.
struct Shelf {
    gallery_page: Asset,
    view_page: Asset,
    assets: Vec<(&'static str, Asset)>,
}

static SHELF: LazyLock<Shelf> = LazyLock::new(|| Shelf {
    gallery_page: shelve(GALLERY_PAGE),
    view_page: shelve(VIEW_PAGE),
    assets: FILES.iter().map(|file| (file.0, shelve(*file))).collect(),
});

fn shelve((_, media_type, bytes): File) -> Asset {
    // Leaked on purpose: a few dozen bytes a file, once, for as long as the program runs.
    let etag = format!("{:032x}", xxh3_128(bytes)).leak();
    Asset { media_type, bytes, etag }
}

/// The file that the pages know by this path, such as `/assets/view.js`; no percent-decoding is
/// needed, for no path of theirs holds a character that would be encoded.
pub fn asset(path: &str) -> Option<Asset> {
    SHELF.assets.iter().find(|(known, _)| *known == path).map(|(_, asset)| *asset)
}

/// The gallery, for `/`: which folder it shows is in the query (`folder`), which the page reads.
pub fn gallery_page() -> Asset {
    SHELF.gallery_page
}

/// The deep-zoom page, for `/view/` and the percent-encoded path of any image: the page reads it.
pub fn view_page() -> Asset {
    SHELF.view_page
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quoted strings of a text that begin with `start`.
    fn references<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
        text.split('"').skip(1).step_by(2).filter(|quoted| quoted.starts_with(start)).collect()
    }

    fn text(asset: Asset) -> &'static str {
        std::str::from_utf8(asset.bytes).unwrap()
    }

    #[test]
    fn every_file_that_a_page_names_is_embedded() {
        let mut checked = 0;
        for page in [gallery_page(), view_page()] {
            for path in references(text(page), "/assets/") {
                assert!(asset(path).is_some(), "{path}");
                checked += 1;
            }
        }
        for (_, _, bytes) in FILES.iter().filter(|file| file.0.matches('/').count() == 2) {
            for module in references(std::str::from_utf8(bytes).unwrap(), "./") {
                let path = module.replacen('.', "/assets", 1);
                assert!(asset(&path).is_some(), "{path}");
                checked += 1;
            }
        }
        assert!(15 < checked, "found only {checked} references: are they written otherwise?");
    }

    #[test]
    fn pages_work_under_their_content_security_policy() {
        for page in [gallery_page(), view_page()] {
            let html = text(page);
            assert!(html.starts_with("<!doctype html>"));
            assert_eq!(html.matches("<script").count(), html.matches("></script>").count());
            for inline in ["onclick=", "onload=", "javascript:", "<style", "style=", "http://"] {
                assert!(!html.contains(inline), "{inline}");
            }
        }
    }

    #[test]
    fn our_own_files_are_ascii() {
        let own = FILES.iter().filter(|file| !file.0.contains("openseadragon"));
        for (path, _, bytes) in own.chain([&GALLERY_PAGE, &VIEW_PAGE]) {
            assert!(bytes.is_ascii(), "{path}");
        }
    }

    #[test]
    fn the_notice_of_openseadragon_is_served_and_linked() {
        let path = "/assets/openseadragon/LICENSE.txt";
        let notice = asset(path).unwrap();
        assert!(text(notice).contains("OpenSeadragon contributors"));
        for page in [gallery_page(), view_page()] {
            assert!(text(page).contains(path));
        }
    }

    #[test]
    fn validators_are_stable_and_tell_files_apart() {
        let mut etags: Vec<&str> =
            FILES.iter().map(|(path, _, _)| asset(path).unwrap().etag).collect();
        etags.extend([gallery_page().etag, view_page().etag]);
        assert_eq!(gallery_page().etag, gallery_page().etag);
        assert!(etags.iter().all(|etag| etag.len() == 32));
        etags.sort_unstable();
        etags.dedup();
        assert_eq!(etags.len(), FILES.len() + 2);
    }

    #[test]
    fn what_is_not_embedded_is_not_found() {
        for path in ["", "/assets/", "/assets/view", "/assets/../view.html", "/view.js"] {
            assert!(asset(path).is_none(), "{path}");
        }
    }
}
