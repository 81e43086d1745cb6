//! `Settings`: what an operator may choose about the protocols.

use crate::model::{DeepZoomCut, ExtraInfo, Format, Limits, Negotiate, UpscaleUnmarked, UriMap};

/// The versions of the IIIF Image API that are spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum IiifVersion {
    /// 1.1.
    V1,
    /// 2.1 (2.1.1).
    V2,
    /// 3.0.
    #[default]
    V3,
}

/// What Deep Zoom's descriptors say of its tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeepZoomSettings {
    /// How levels are cut.
    pub cut: DeepZoomCut,
    /// The format that clients are to ask for.
    pub format: Format,
}

impl Default for DeepZoomSettings {
    fn default() -> Self {
        Self { cut: DeepZoomCut::default(), format: Format::Jpeg }
    }
}

/// What the protocols need to know of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// What an answer may be at most: advertised in `info.json`.
    pub limits: Limits,
    /// The version of `/iiif/ID` and `?IIIF=ID`.
    pub iiif_version: IiifVersion,
    /// `!w,h` above the region in IIIF 3.0.
    pub iiif_upscale_unmarked: UpscaleUnmarked,
    /// `Cache-Control` of pictures and descriptions; empty leaves the header out.
    pub cache_control: String,
    /// The public address in place of `scheme://host`, for servers behind a proxy; the mount follows.
    pub base_url: Option<String>,
    /// What stands before the identifier in public addresses of the query form: iipsrv's `BASE_URL`,
    /// for a web server in front that turns `/iiif/ID` into `?IIIF=ID`.
    pub iiif_query_base_url: Option<String>,
    /// The longest path and query taken together, and the longest body, in bytes.
    pub uri_bytes_max: usize,
    /// What stands between an image's name and a page number or the word of an associated picture, in
    /// every protocol; none: neither is part of names.
    pub delimiter: Option<String>,
    /// Whether an IIIF identifier on a path mount may hold a bare `/`. The validator wants 404.
    pub allow_bare_slash: bool,
    /// Tiles in newer formats than JPEG.
    pub negotiate: Negotiate,
    /// Tiles of Deep Zoom.
    pub deep_zoom: DeepZoomSettings,
    /// Whether IIIF's qualities beyond the standard's are taken (`IIIF_EXTENSIONS`).
    pub extensions: bool,
    /// What every `info.json` tells besides (`IIIF_EXTRA_INFO`).
    pub extra_info: ExtraInfo,
    /// Paths of further addresses (`URI_MAP`).
    pub uri_map: UriMap,
    /// Images of a manifest at most.
    pub canvases_max: usize,
    /// Formats that `info.json` of version 3 recommends, the best first.
    pub preferred_formats: Vec<Format>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            iiif_version: IiifVersion::default(),
            iiif_upscale_unmarked: UpscaleUnmarked::default(),
            cache_control: "max-age=86400".to_owned(),
            base_url: None,
            iiif_query_base_url: None,
            uri_bytes_max: 8192,
            delimiter: None,
            allow_bare_slash: false,
            negotiate: Negotiate::default(),
            deep_zoom: DeepZoomSettings::default(),
            extensions: false,
            extra_info: ExtraInfo::default(),
            uri_map: UriMap::default(),
            canvases_max: 500,
            preferred_formats: Vec::new(),
        }
    }
}
