//! What an operator chooses about the wording of protocols, where configuration and protocols must mean the
//! same.

/// What IIIF 3.0's `!w,h` without `^` does where the box is larger than the region: the text of 4.2
/// can be read both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpscaleUnmarked {
    /// The region's own size is the answer, as Mirador expects for its thumbnails.
    #[default]
    Clip,
    /// An error, as the IIIF validator wants it.
    Refuse,
}

/// In which format a tile is given that is asked for as JPEG, where `Accept` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Negotiate {
    /// As JPEG.
    #[default]
    Off,
    /// As WebP.
    Webp,
    /// As AVIF, else as WebP.
    Avif,
}
