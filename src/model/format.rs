//! The picture formats of answers: suffix, media type, and what can be chosen within one.

/// A format that an answer can be encoded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Baseline JPEG, 8 bit, gray or colour.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
    /// AVIF: AV1 in a HEIF container.
    Avif,
    /// TIFF.
    Tiff,
    /// GIF of one picture.
    Gif,
    /// PDF of one page, with a JPEG on it.
    Pdf,
    /// JPEG XL without losses.
    Jxl,
}

impl Format {
    /// All of them, in the order that documents list them.
    pub const ALL: [Self; 8] = [
        Self::Jpeg,
        Self::Png,
        Self::Webp,
        Self::Avif,
        Self::Tiff,
        Self::Gif,
        Self::Pdf,
        Self::Jxl,
    ];

    /// The suffix that IIIF uses, without a dot.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
            Self::Avif => "avif",
            Self::Tiff => "tif",
            Self::Gif => "gif",
            Self::Pdf => "pdf",
            Self::Jxl => "jxl",
        }
    }

    /// The media type of an answer.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Tiff => "image/tiff",
            Self::Gif => "image/gif",
            Self::Pdf => "application/pdf",
            Self::Jxl => "image/jxl",
        }
    }

    /// Whether an answer in it can have transparent pixels.
    pub const fn has_alpha(self) -> bool {
        !matches!(self, Self::Jpeg | Self::Pdf)
    }

    /// Whether an answer in it can hold an ICC profile; one that cannot is sRGB.
    pub const fn has_profile(self) -> bool {
        !matches!(self, Self::Gif | Self::Jxl)
    }

    /// The format of an IIIF suffix (`jpg`, not `jpeg`), in lower case.
    pub fn from_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.suffix() == suffix)
    }
}

/// How the blocks of a TIFF answer are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum TiffCompression {
    /// Not at all.
    None,
    /// LZW.
    Lzw,
    /// Deflate.
    #[default]
    Deflate,
    /// JPEG, with losses, 8 bit, without alpha.
    Jpeg,
    /// WebP, with losses, 8 bit.
    Webp,
    /// Zstandard.
    Zstd,
}

impl TiffCompression {
    /// All of them, by iipsrv's numbers from 0 on.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Lzw, Self::Deflate, Self::Jpeg, Self::Webp, Self::Zstd];

    /// The word for it in settings and in IIP's `QLT`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Lzw => "lzw",
            Self::Deflate => "deflate",
            Self::Jpeg => "jpeg",
            Self::Webp => "webp",
            Self::Zstd => "zstd",
        }
    }

    /// Whether samples come back other than they were.
    pub const fn is_lossy(self) -> bool {
        matches!(self, Self::Jpeg | Self::Webp)
    }
}

/// How many pixels share a colour in JPEG answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Subsampling {
    /// Four: two columns by two rows.
    #[default]
    Quarter,
    /// Two beside each other.
    Half,
    /// None.
    Full,
}

/// How many bits a sample of an answer has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Depth {
    /// 8, as screens show it.
    #[default]
    Eight,
    /// 16: the image's own samples where it has no more.
    Sixteen,
    /// 32-bit floating point in the units of the image.
    Float,
}

impl Depth {
    /// The number of bits.
    pub const fn bits(self) -> u8 {
        match self {
            Self::Eight => 8,
            Self::Sixteen => 16,
            Self::Float => 32,
        }
    }
}
