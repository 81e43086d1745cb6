//! What a file is by its first bytes: who opens it, or how its refusal names it.

/// Bytes of a file that [`recognise`] wants to see.
pub(super) const HEAD_BYTES: usize = 132;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Magic {
    /// TIFF or BigTIFF, in either byte order.
    Tiff,
    /// JPEG, in JFIF's or Exif's frame or bare.
    Jpeg,
    /// PNG, moving or not.
    Png,
    /// WebP.
    Webp,
    /// GIF.
    Gif,
    /// A Windows or OS/2 bitmap.
    Bmp,
    /// JPEG 2000, in boxes or as a raw codestream.
    Jpeg2000 {
        /// Whether there are no boxes.
        is_raw: bool,
    },
    /// Another image format, by its name.
    Other(&'static str),
    /// Nothing known.
    Unknown,
}

/// Offset in bytes, bytes expected there, what they say.
const KNOWN: &[(usize, &[u8], Magic)] = &[
    (0, b"\x89PNG\r\n\x1a\n", Magic::Png),
    (0, b"\xff\xd8\xff", Magic::Jpeg),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Magic::Jpeg2000 { is_raw: false }),
    (0, b"\xff\x4f\xff\x51", Magic::Jpeg2000 { is_raw: true }),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", Magic::Other("JPEG XL")),
    (0, b"\xff\x0a", Magic::Other("JPEG XL codestream")),
    (8, b"WEBP", Magic::Webp),
    (4, b"ftypavif", Magic::Other("AVIF")),
    (4, b"ftypheic", Magic::Other("HEIF")),
    (4, b"ftypmif1", Magic::Other("HEIF")),
    (0, b"GIF8", Magic::Gif),
    (0, b"8BPS", Magic::Other("Photoshop")),
    (0, b"%PDF", Magic::Other("PDF")),
    (0, b"\x76\x2f\x31\x01", Magic::Other("OpenEXR")),
    (0, b"SIMPLE  =", Magic::Other("FITS")),
    (128, b"DICM", Magic::Other("DICOM")),
    (0, b"BM", Magic::Bmp),
];

/// Names the format of a file that begins with `head` ([`HEAD_BYTES`] bytes, or the whole file where
/// it is shorter).
pub(super) fn recognise(head: &[u8]) -> Magic {
    if let [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] = head {
        return Magic::Tiff;
    }
    let found = KNOWN
        .iter()
        .find(|(offset, bytes, _)| head.get(*offset..).is_some_and(|rest| rest.starts_with(bytes)));
    found.map_or(Magic::Unknown, |(_, _, magic)| *magic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_first_bytes() {
        for (head, expected) in [
            (&b"II*\0\x08\0\0\0"[..], Magic::Tiff),
            (b"MM\0*\0\0\0\x08", Magic::Tiff),
            (b"II+\0\x08\0\0\0", Magic::Tiff),
            (b"MM\0+\0\x08\0\0", Magic::Tiff),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Magic::Webp),
            (b"\xff\xd8\xff\xe0", Magic::Jpeg),
            (b"\x89PNG\r\n\x1a\n", Magic::Png),
            (b"\0\0\0\x0cjP  \r\n\x87\n", Magic::Jpeg2000 { is_raw: false }),
            (b"", Magic::Unknown),
            (b"II", Magic::Unknown),
            (b"hello", Magic::Unknown),
        ] {
            assert_eq!(recognise(head), expected, "{head:?}");
        }
    }
}
