//! `ImageId`: the name of an image below the image root. It cannot hold a NUL, a control character, a
//! backward step or an absolute path; what it may still do (symbolic links) the source decides.

use std::fmt;
use std::num::NonZeroU16;
use std::sync::Arc;

use crate::model::slice::Slice;

/// Which bands of a picture are decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bands {
    /// Those that are shown where nobody asks for others: at most three, and alpha.
    #[default]
    Shown,
    /// All that are stored.
    All,
    /// All that are stored, of all pages where the picture is the first one of a stack of gray ones.
    OfPages,
}

/// Which picture of a file, and how much of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Selection {
    /// Which of its pictures.
    pub slice: Slice,
    /// Which bands.
    pub bands: Bands,
    /// How many quality layers of JPEG 2000; nothing: as many as the server is set to decode.
    pub layers: Option<NonZeroU16>,
}

/// A picture: a relative, slash-separated name below the image root, as UTF-8, and what is selected of
/// that which is found there.
///
/// Invariant: 1 to [`ImageId::BYTES_MAX`] bytes; no control characters; no empty, `.` or `..` segment;
/// no leading or trailing slash.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageId {
    name: Arc<str>,
    selection: Selection,
}

/// Why a text is no image name; the answer to all of them is "not found" or "bad request".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageIdError {
    /// Nothing is left of the name.
    #[error("the image name is empty")]
    Empty,
    /// Longer than [`ImageId::BYTES_MAX`].
    #[error("the image name is longer than {} bytes", ImageId::BYTES_MAX)]
    TooLong,
    /// A NUL or another control character.
    #[error("the image name holds a control character")]
    Control,
    /// A `..` segment, which would leave the folder.
    #[error("the image name may not step out of its folder")]
    Escapes,
}

impl ImageId {
    /// The longest name taken, in bytes: Linux takes no longer path (`PATH_MAX`, 4096 with the NUL).
    pub const BYTES_MAX: usize = 4095;

    /// Takes a decoded name. Leading slashes, empty and `.` segments are dropped (a leading `/` is
    /// relative to the root).
    ///
    /// # Errors
    /// Empty, too long, with control characters, or with a `..` segment.
    pub fn parse(name: &str) -> Result<Self, ImageIdError> {
        if Self::BYTES_MAX < name.len() {
            return Err(ImageIdError::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(ImageIdError::Control);
        }
        let segments: Vec<&str> =
            name.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
        if segments.contains(&"..") {
            return Err(ImageIdError::Escapes);
        }
        if segments.is_empty() {
            return Err(ImageIdError::Empty);
        }
        Ok(Self { name: segments.join("/").into(), selection: Selection::default() })
    }

    /// The same name, and this slice of it.
    pub fn with_slice(self, slice: Slice) -> Self {
        Self { selection: Selection { slice, ..self.selection }, ..self }
    }

    /// The same picture, and these bands of it.
    pub fn with_bands(self, bands: Bands) -> Self {
        Self { selection: Selection { bands, ..self.selection }, ..self }
    }

    /// The same picture, and so many of its quality layers.
    pub fn with_layers(self, layers: Option<NonZeroU16>) -> Self {
        Self { selection: Selection { layers, ..self.selection }, ..self }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Which picture of those under this name.
    pub const fn slice(&self) -> Slice {
        self.selection.slice
    }

    /// All that is selected of what is found under the name.
    pub const fn selection(&self) -> Selection {
        self.selection
    }

    /// The last segment without its last suffix: what a saved file is called.
    pub fn stem(&self) -> &str {
        let name = self.name.rsplit('/').next().unwrap_or_default();
        match name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => name,
        }
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_relative_and_never_leave() {
        for (text, expected) in [
            ("a.tif", Ok("a.tif")),
            ("/a.tif", Ok("a.tif")),
            ("//x/./y//z.tif", Ok("x/y/z.tif")),
            ("a+b c.tif", Ok("a+b c.tif")),
            ("..", Err(ImageIdError::Escapes)),
            ("x/../../etc/passwd", Err(ImageIdError::Escapes)),
            ("..a/b..", Ok("..a/b..")),
            ("a\0b", Err(ImageIdError::Control)),
            ("a\nb", Err(ImageIdError::Control)),
            ("", Err(ImageIdError::Empty)),
            ("///", Err(ImageIdError::Empty)),
        ] {
            let got = ImageId::parse(text);
            assert_eq!(got.as_ref().map(ImageId::as_str).map_err(|e| *e), expected, "{text:?}");
        }
        assert_eq!(ImageId::parse(&"x".repeat(4096)), Err(ImageIdError::TooLong));
    }

    #[test]
    fn the_stem_is_the_last_segment_without_suffix() {
        for (name, stem) in [("a/b.c.tif", "b.c"), ("plain", "plain"), ("x/.hidden", ".hidden")] {
            assert_eq!(ImageId::parse(name).unwrap().stem(), stem);
        }
    }
}
