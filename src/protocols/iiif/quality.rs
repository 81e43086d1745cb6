//! The last parameter, quality and format: IIIF Image API 3.0 and 2.1, sections 4.4 and 4.5; 1.1, sections
//! 4.4 and 4.5, where the format may be left to `Accept`.

use crate::model::processing::{Contrast, Processing, Tone};
use crate::model::request::Quality;
use crate::model::{Fault, FaultKind, Format};
use crate::protocols::accept::weight;
use crate::protocols::percent::excerpt;
use crate::protocols::settings::IiifVersion;

/// Qualities beyond the standard's, where they are switched on: those of iipsrv.
pub(super) const EXTENSIONS: [&str; 4] = ["negative", "stretch", "equalization", "log"];

/// The formats that version 1.1 knows and we write.
pub(super) const FORMATS_1: [Format; 5] =
    [Format::Jpeg, Format::Png, Format::Tiff, Format::Gif, Format::Pdf];

/// What a parameter is read against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spoken<'a> {
    pub(super) version: IiifVersion,
    /// Whether [`EXTENSIONS`] are taken.
    pub(super) extensions: bool,
    /// For the format of version 1.1.
    pub(super) accept: &'a str,
}

/// Colours as they were asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) quality: Quality,
    /// What one of [`EXTENSIONS`] does, and its word.
    pub(super) extension: Option<(Processing, &'static str)>,
    pub(super) format: Format,
}

/// Reads a decoded `default.jpg`.
///
/// # Errors
/// Bad request for an unknown quality or format, and where there is no format; in version 1.1 an unknown
/// format is 415.
pub(super) fn parse(text: &str, spoken: Spoken<'_>) -> Result<Asked, Fault> {
    let is_first = spoken.version == IiifVersion::V1;
    let (quality, format) = match text.rsplit_once('.') {
        Some((quality, suffix)) => (quality, format(suffix, spoken.version)?),
        None if is_first => (text, accepted(spoken.accept)),
        None => {
            return Err(Fault::bad_request(format!(
                "the address must end in QUALITY.FORMAT, such as default.jpg, not in {}",
                excerpt(text)
            )));
        }
    };
    let plain = |quality| Ok(Asked { quality, extension: None, format });
    match (quality, is_first) {
        ("native", true) | ("default", false) => return plain(Quality::Default),
        ("color", _) => return plain(Quality::Color),
        ("grey", true) | ("gray", false) => return plain(Quality::Gray),
        ("bitonal", _) => return plain(Quality::Bitonal),
        _ => {}
    }
    let extension = Some(quality).filter(|_| spoken.extensions && !is_first).and_then(extension);
    if extension.is_some() {
        return Ok(Asked { quality: Quality::Default, extension, format });
    }
    let known = if is_first { "native, color, grey" } else { "default, color, gray" };
    let shown = excerpt(quality);
    Err(Fault::bad_request(format!("the quality is {known} or bitonal, not {shown}")))
}

fn format(suffix: &str, version: IiifVersion) -> Result<Format, Fault> {
    let known = Format::from_suffix(suffix);
    let (kind, names) = match version {
        IiifVersion::V1 => (FaultKind::UnsupportedFormat, "jpg, png, tif, gif or pdf"),
        IiifVersion::V2 | IiifVersion::V3 => {
            (FaultKind::BadRequest, "jpg, png, webp, avif, tif, gif or pdf")
        }
    };
    known
        .filter(|format| version != IiifVersion::V1 || FORMATS_1.contains(format))
        .ok_or_else(|| Fault::new(kind, format!("the format is {names}, not {}", excerpt(suffix))))
}

/// What `Accept` prefers of [`FORMATS_1`]; JPEG where it says nothing.
fn accepted(accept: &str) -> Format {
    let weighed =
        FORMATS_1.map(|format| (weight(accept, format.media_type()).unwrap_or(0.0), format));
    let mut best = (0.0, Format::Jpeg);
    for (weight, format) in weighed {
        if best.0 < weight {
            best = (weight, format);
        }
    }
    best.1
}

fn extension(word: &str) -> Option<(Processing, &'static str)> {
    let word = EXTENSIONS.into_iter().find(|known| *known == word)?;
    let plain = Processing::default();
    let processing = match word {
        "negative" => Processing { invert: true, ..plain },
        "stretch" => Processing { contrast: Contrast::Stretch, ..plain },
        "equalization" => Processing { equalise: true, ..plain },
        _ => Processing { tone: Tone::Log, ..plain },
    };
    Some((processing, word))
}

/// The quality as the canonical address has it, which versions 2 and 3 have.
pub(super) const fn print(quality: Quality) -> &'static str {
    match quality {
        Quality::Default => "default",
        Quality::Color => "color",
        Quality::Gray => "gray",
        Quality::Bitonal | Quality::BitonalByImage => "bitonal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const V3: Spoken<'_> =
        Spoken { version: IiifVersion::V3, extensions: false, accept: "image/png" };

    fn plain(text: &str, spoken: Spoken<'_>) -> Option<(Quality, Format)> {
        parse(text, spoken).ok().map(|asked| (asked.quality, asked.format))
    }

    #[test]
    fn quality_and_format_are_words_of_the_standard() {
        for (text, expected) in [
            ("default.jpg", Some((Quality::Default, Format::Jpeg))),
            ("color.png", Some((Quality::Color, Format::Png))),
            ("gray.webp", Some((Quality::Gray, Format::Webp))),
            ("bitonal.png", Some((Quality::Bitonal, Format::Png))),
            ("default.jpeg", None),
            ("default.JPG", None),
            ("color.avif", Some((Quality::Color, Format::Avif))),
            ("default.tif", Some((Quality::Default, Format::Tiff))),
            ("default.tiff", None),
            ("default.gif", Some((Quality::Default, Format::Gif))),
            ("gray.pdf", Some((Quality::Gray, Format::Pdf))),
            ("default.jp2", None),
            ("default.", None),
            ("default", None),
            (".jpg", None),
            ("native.jpg", None),
            ("grey.jpg", None),
            ("negative.jpg", None),
            ("default.jpg.jpg", None),
            ("", None),
        ] {
            assert_eq!(plain(text, V3), expected, "{text}");
        }
    }

    #[test]
    fn the_first_version_has_words_of_its_own_and_takes_the_format_from_accept() {
        let by = |accept| Spoken { version: IiifVersion::V1, extensions: true, accept };
        for (text, accept, expected) in [
            ("native.jpg", "", Some((Quality::Default, Format::Jpeg))),
            ("native", "", Some((Quality::Default, Format::Jpeg))),
            ("native", "image/png;q=1.0", Some((Quality::Default, Format::Png))),
            ("grey", "image/jpeg;q=0.5,image/tiff", Some((Quality::Gray, Format::Tiff))),
            ("bitonal", "image/webp,*/*", Some((Quality::Bitonal, Format::Jpeg))),
            ("default.jpg", "", None),
            ("gray.jpg", "", None),
            ("negative.jpg", "", None),
        ] {
            assert_eq!(plain(text, by(accept)), expected, "{text} {accept}");
        }
        for suffix in ["webp", "avif", "jp2", "xyz"] {
            let fault = parse(&format!("native.{suffix}"), by("")).unwrap_err();
            assert_eq!(fault.kind.status(), 415, "{suffix}");
        }
    }

    #[test]
    fn extensions_are_taken_where_they_are_switched_on() {
        let on = Spoken { extensions: true, ..V3 };
        for word in EXTENSIONS {
            let asked = parse(&format!("{word}.jpg"), on).unwrap();
            let (processing, found) = asked.extension.unwrap();
            assert_eq!(found, word);
            assert_ne!(processing, Processing::default());
        }
    }

    #[test]
    fn a_printed_quality_is_read_back() {
        for quality in [Quality::Default, Quality::Color, Quality::Gray, Quality::Bitonal] {
            for format in Format::ALL {
                let text = format!("{}.{}", print(quality), format.suffix());
                assert_eq!(plain(&text, V3), Some((quality, format)));
            }
        }
    }
}
