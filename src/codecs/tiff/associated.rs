//! Thumbnail, label and macro of a slide: which directory is one. No tag says so; scanners write the word
//! into `ImageDescription`, or rely on the order and on `NewSubfileType`.
//!
//! # Source
//! The Aperio digital slide format: the second directory is the thumbnail, in strips; label and macro are
//! the last, of subfile types 1 and 9.

use crate::codecs::tiff::outline::Outline;
use crate::model::Associated;

/// Aperio's `NewSubfileType` of the label.
const APERIO_LABEL: u64 = 1;
/// Aperio's `NewSubfileType` of the macro.
const APERIO_MACRO: u64 = 9;

/// Whether a description is by Aperio's software.
pub(super) fn is_aperio(description: &str) -> bool {
    description.starts_with("Aperio")
}

/// The picture that a description names: the first word of one of its first two lines.
pub(super) fn named(description: &str) -> Option<Associated> {
    description.lines().take(2).find_map(|line| {
        let end = line.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(line.len());
        line.get(..end).and_then(Associated::of_word)
    })
}

/// What an Aperio slide's directory number `index`, which names nothing, is beside the `main` picture.
pub(super) fn of_aperio(index: usize, outline: &Outline) -> Option<Associated> {
    match (outline.is_tiled(), outline.subfile_type) {
        (true, _) => None,
        (false, APERIO_MACRO) => Some(Associated::Macro),
        (false, APERIO_LABEL) => Some(Associated::Label),
        (false, _) => (index == 1).then_some(Associated::Thumbnail),
    }
}

/// Whether it is the tiled `main` picture made small for an overview: in strips, as no level would be.
pub(super) fn is_thumbnail(main: &Outline, outline: &Outline) -> bool {
    main.is_tiled() && !outline.is_tiled() && outline.is_reduction(main.size, main.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_name_pictures_by_the_first_word_of_a_line() {
        for (description, expected) in [
            ("Aperio Image Library v11.2.1 \nlabel 387x463", Some(Associated::Label)),
            ("Aperio Image Library v11.2.1 \r\nmacro 1280x431", Some(Associated::Macro)),
            ("Macro", Some(Associated::Macro)),
            ("thumbnail=1", Some(Associated::Thumbnail)),
            ("Aperio Image Library v11.2.1 \n2220x2967 -> 574x768 - ;", None),
            ("labelled by hand", None),
            ("a\nb\nlabel", None),
            ("", None),
            ("\u{e9}", None),
        ] {
            assert_eq!(named(description), expected, "{description}");
        }
    }
}
