//! The last parameter, quality and format: IIIF Image API 3.0 and 2.1, sections 4.4 and 4.5.

use crate::model::request::Quality;
use crate::model::{Fault, Format};
use crate::protocols::percent::excerpt;

/// Reads a decoded `default.jpg`.
///
/// # Errors
/// Bad request for an unknown quality or format, and where there is no format.
pub(crate) fn parse(text: &str) -> Result<(Quality, Format), Fault> {
    let Some((quality, suffix)) = text.rsplit_once('.') else {
        return Err(Fault::bad_request(format!(
            "the address must end in QUALITY.FORMAT, such as default.jpg, not in {}",
            excerpt(text)
        )));
    };
    let format = Format::from_suffix(suffix).ok_or_else(|| {
        Fault::bad_request(format!(
            "the format is jpg, png, webp, avif or tif, not {}",
            excerpt(suffix)
        ))
    })?;
    let quality = match quality {
        "default" => Quality::Default,
        "color" => Quality::Color,
        "gray" => Quality::Gray,
        "bitonal" => Quality::Bitonal,
        _ => {
            return Err(Fault::bad_request(format!(
                "the quality is default, color, gray or bitonal, not {}",
                excerpt(quality)
            )));
        }
    };
    Ok((quality, format))
}

/// The quality as the canonical address has it.
pub(crate) const fn print(quality: Quality) -> &'static str {
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
            ("default.gif", None),
            ("default.", None),
            ("default", None),
            (".jpg", None),
            ("native.jpg", None),
            ("grey.jpg", None),
            ("default.jpg.jpg", None),
            ("", None),
        ] {
            assert_eq!(parse(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_printed_quality_is_read_back() {
        for quality in [Quality::Default, Quality::Color, Quality::Gray, Quality::Bitonal] {
            for format in Format::ALL {
                let text = format!("{}.{}", print(quality), format.suffix());
                assert_eq!(parse(&text), Ok((quality, format)));
            }
        }
    }
}
