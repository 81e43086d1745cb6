//! `Encoding`: what an encoder is told, and what of the picture's source goes with the samples.

use std::sync::Arc;

use crate::model::image_info::Resolution;
use crate::model::{Field, Format, Metadata, Subsampling, TiffCompression};

/// How pixels are to be encoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Encoding {
    /// The format.
    pub format: Format,
    /// JPEG: quality 1 to 100. PNG: level 0 to 9. WebP: quality 0 to 100, -1 lossless. AVIF: quality 0 to
    /// 100, -1 the least losses. TIFF: what its compression takes, Deflate 0 to 9, Zstandard 1 to 19, JPEG
    /// and WebP as above.
    pub quality: i8,
    /// Colours of JPEG.
    pub subsampling: Subsampling,
    /// Whether a JPEG is made as small as can be, which takes some forty times as long.
    pub trellis: bool,
    /// The blocks of a TIFF.
    pub compression: TiffCompression,
    /// What goes with the samples.
    pub about: About,
}

/// What a file says of its picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// The profile to embed.
    pub icc: Option<Arc<[u8]>>,
    /// Pixels a metre of the picture as it is encoded.
    pub resolution: Option<Resolution>,
    /// What the source says; each format takes what it can hold.
    pub metadata: Option<Arc<Metadata>>,
}

impl Encoding {
    /// Samples alone, in the format's usual way.
    pub fn plain(format: Format, quality: i8) -> Self {
        Self {
            format,
            quality,
            subsampling: Subsampling::default(),
            trellis: false,
            compression: TiffCompression::default(),
            about: About::default(),
        }
    }

    /// The same with a profile.
    #[must_use]
    pub fn with_icc(mut self, icc: Option<Arc<[u8]>>) -> Self {
        self.about.icc = icc;
        self
    }
}

impl About {
    /// What a field of the source says.
    pub(super) fn text(&self, field: Field) -> Option<&str> {
        self.metadata.as_ref().and_then(|metadata| metadata.text(field))
    }

    /// XMP of the source, the picture said to stand upright: it was turned so.
    pub(super) fn xmp(&self) -> Option<Vec<u8>> {
        let metadata = self.metadata.as_ref()?;
        metadata.xmp.as_deref().map(upright)
    }

    /// IPTC's records of the source.
    pub(super) fn iptc(&self) -> Option<&[u8]> {
        self.metadata.as_ref()?.iptc.as_deref()
    }

    /// Bytes that may go with the samples, for buffers.
    pub(super) fn len(&self) -> usize {
        let metadata = self.metadata.as_ref();
        let block = |of: fn(&Metadata) -> &Option<Arc<[u8]>>| {
            metadata.and_then(|metadata| of(metadata).as_ref()).map_or(0, |bytes| bytes.len())
        };
        let icc = self.icc.as_ref().map_or(0, |icc| icc.len());
        icc + block(|all| &all.exif) + block(|all| &all.xmp) + block(|all| &all.iptc) + 1024
    }
}

/// XMP whose `tiff:Orientation`, as attribute or element, is 1.
fn upright(xmp: &[u8]) -> Vec<u8> {
    let mut upright = xmp.to_vec();
    for start in [&b"tiff:Orientation=\""[..], b"tiff:Orientation='", b"<tiff:Orientation>"] {
        let mut from = 0;
        while let Some(at) = find(&upright, start, from) {
            from = at + start.len();
            if let Some(digit @ b'1'..=b'8') = upright.get_mut(from) {
                *digit = b'1';
            }
        }
    }
    upright
}

/// Where `part` begins in `bytes`, from a place on.
fn find(bytes: &[u8], part: &[u8], from: usize) -> Option<usize> {
    let found = bytes.get(from..)?.windows(part.len()).position(|window| window == part)?;
    Some(from + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xmp_of_a_turned_picture_says_upright() {
        for (found, expected) in [
            ("<a tiff:Orientation=\"6\"/>", "<a tiff:Orientation=\"1\"/>"),
            ("<tiff:Orientation>8</tiff:Orientation>", "<tiff:Orientation>1</tiff:Orientation>"),
            ("<a tiff:Orientation='x'/>", "<a tiff:Orientation='x'/>"),
            ("tiff:Orientation=\"", "tiff:Orientation=\""),
            ("", ""),
        ] {
            assert_eq!(upright(found.as_bytes()), expected.as_bytes());
        }
    }
}
