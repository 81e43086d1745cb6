//! `Protocol`: whose words a request uses, and so whose words its answer uses.

use crate::protocols::settings::IiifVersion;

/// The protocols that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Internet Imaging Protocol 1.0, as iipsrv speaks it.
    Iip,
    /// IIIF Image API 2.1.
    Iiif2,
    /// IIIF Image API 3.0.
    Iiif3,
    /// Microsoft Deep Zoom.
    DeepZoom,
    /// Zoomify.
    Zoomify,
}

impl Protocol {
    /// The metric label and log word.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Iip => "iip",
            Self::Iiif2 => "iiif2",
            Self::Iiif3 => "iiif3",
            Self::DeepZoom => "deepzoom",
            Self::Zoomify => "zoomify",
        }
    }

    /// What `Allow` says.
    pub const fn methods(self) -> &'static str {
        match self {
            Self::Iip => "GET, HEAD, POST, OPTIONS",
            Self::Iiif2 | Self::Iiif3 | Self::DeepZoom | Self::Zoomify => "GET, HEAD, OPTIONS",
        }
    }

    /// IIIF in this version.
    pub(crate) const fn iiif(version: IiifVersion) -> Self {
        match version {
            IiifVersion::V2 => Self::Iiif2,
            IiifVersion::V3 => Self::Iiif3,
        }
    }
}
