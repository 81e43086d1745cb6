//! `Filter`: the weights of pixels where a picture changes its size.

/// How samples are weighted where a picture changes its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Filter {
    /// The nearest pixel alone: no value that the image lacks, but aliasing. For maps of classes.
    Nearest,
    /// Triangle: soft.
    Bilinear,
    /// Cubic, a = -0.5: sharp, and almost without ringing.
    #[default]
    CatmullRom,
    /// Windowed sinc of three lobes: the sharpest, rings at hard edges, 1.7 times the work of
    /// [`Filter::CatmullRom`].
    Lanczos3,
}

impl Filter {
    /// All there are, by the words that settings and requests name them with.
    pub const NAMED: [(&str, Self); 4] = [
        ("nearest", Self::Nearest),
        ("bilinear", Self::Bilinear),
        ("bicubic", Self::CatmullRom),
        ("lanczos3", Self::Lanczos3),
    ];

    /// How far a pixel's neighbours count, in pixels of the smaller of source and target.
    pub const fn radius_px(self) -> u32 {
        match self {
            Self::Nearest => 0,
            Self::Bilinear => 1,
            Self::CatmullRom => 2,
            Self::Lanczos3 => 3,
        }
    }
}
