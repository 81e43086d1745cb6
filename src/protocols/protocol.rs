//! `Protocol`: whose words a request uses, and so whose words its answer uses.

use crate::protocols::settings::IiifVersion;

/// The protocols that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Internet Imaging Protocol 1.0, as iipsrv speaks it.
    Iip,
    /// IIIF Image API 1.1.
    Iiif1,
    /// IIIF Image API 2.1.
    Iiif2,
    /// IIIF Image API 3.0.
    Iiif3,
    /// IIIF Presentation API 3.0.
    Presentation,
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
            Self::Iiif1 => "iiif1",
            Self::Iiif2 => "iiif2",
            Self::Iiif3 => "iiif3",
            Self::Presentation => "presentation",
            Self::DeepZoom => "deepzoom",
            Self::Zoomify => "zoomify",
        }
    }

    /// What `Allow` says.
    pub const fn methods(self) -> &'static str {
        match self {
            Self::Iip => "GET, HEAD, POST, OPTIONS",
            Self::Iiif1
            | Self::Iiif2
            | Self::Iiif3
            | Self::Presentation
            | Self::DeepZoom
            | Self::Zoomify => "GET, HEAD, OPTIONS",
        }
    }

    /// IIIF in this version.
    pub(crate) const fn iiif(version: IiifVersion) -> Self {
        match version {
            IiifVersion::V1 => Self::Iiif1,
            IiifVersion::V2 => Self::Iiif2,
            IiifVersion::V3 => Self::Iiif3,
        }
    }
}
