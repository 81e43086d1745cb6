//! The rotation parameter: IIIF Image API 3.0 and 2.1, section 4.3.

use std::fmt::Write;

use crate::model::request::{PictureRequest, Rotation};
use crate::model::{Fault, Tilt};
use crate::protocols::number::decimal;
use crate::protocols::percent::excerpt;
use crate::protocols::settings::IiifVersion;

/// Reads a decoded rotation: whether the image is mirrored first, its quarter turns, and what is left.
///
/// # Errors
/// Bad request for junk and for angles outside 0 to 360.
pub(crate) fn parse(text: &str, version: IiifVersion) -> Result<(bool, Rotation, Tilt), Fault> {
    let mirrored = text.strip_prefix('!').filter(|_| version != IiifVersion::V1);
    let (mirror, angle) = match mirrored {
        Some(angle) => (true, angle),
        None => (false, text),
    };
    let degrees = decimal(angle).filter(|degrees| (0.0..=360.0).contains(degrees));
    let split = degrees.and_then(Tilt::split).map(|(rotation, tilt)| (mirror, rotation, tilt));
    split.ok_or_else(|| {
        Fault::bad_request(format!(
            "the rotation is a number of degrees from 0 to 360, behind ! to mirror first, not {}",
            excerpt(text)
        ))
    })
}

/// Appends the parameter as the canonical address has it: the shortest decimal.
pub(crate) fn push(asked: &PictureRequest, into: &mut String) {
    if asked.mirror {
        into.push('!');
    }
    let quarters = match asked.rotation {
        Rotation::None => 0,
        Rotation::Quarter => 90,
        Rotation::Half => 180,
        Rotation::ThreeQuarters => 270,
    };
    let (degrees, rest) =
        (asked.tilt.microdegrees() / 1_000_000, asked.tilt.microdegrees() % 1_000_000);
    // Writing to a String cannot fail.
    write!(into, "{}", quarters + degrees).unwrap_or_default();
    if rest != 0 {
        let digits = format!("{rest:06}");
        into.push('.');
        into.push_str(digits.trim_end_matches('0'));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Format;
    use crate::model::request::Frame;

    /// Read, and written as the canonical address has it.
    fn canonical(text: &str) -> Option<String> {
        let (mirror, rotation, tilt) = parse(text, IiifVersion::V3).ok()?;
        let frame = Frame::IipTile { resolution: 0, index: 0 };
        let plain = PictureRequest::plain(frame, Format::Jpeg);
        let mut printed = String::new();
        push(&PictureRequest { mirror, rotation, tilt, ..plain }, &mut printed);
        Some(printed)
    }

    #[test]
    fn rotations_are_read_as_the_standard_writes_them() {
        for (text, expected) in [
            ("0", Some("0")),
            ("360", Some("0")),
            ("90", Some("90")),
            ("90.0", Some("90")),
            ("180", Some("180")),
            ("!270", Some("!270")),
            ("!0", Some("!0")),
            ("22.5", Some("22.5")),
            ("22.50", Some("22.5")),
            (".5", Some("0.5")),
            ("!1", Some("!1")),
            ("359.9999999", Some("0")),
            ("123.456789", Some("123.456789")),
            ("361", None),
            ("450", None),
            ("-90", None),
            ("+90", None),
            ("9e1", None),
            ("!", None),
            ("!!0", None),
            ("90x", None),
            ("nan", None),
            ("", None),
        ] {
            assert_eq!(canonical(text).as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_rotation_is_read_back(mirror: bool, millionths in 0_u32..360_000_000) {
            let mark = if mirror { "!" } else { "" };
            let printed = canonical(&format!("{mark}{}", f64::from(millionths) / 1e6)).unwrap();
            prop_assert_eq!(canonical(&printed), Some(printed));
        }

        #[test]
        fn junk_never_panics_and_is_never_repeated_raw(text in "\\PC*") {
            if let Err(fault) = parse(&text, IiifVersion::V1) {
                prop_assert!(!fault.text.contains(char::is_control));
            }
        }
    }
}
