//! The rotation parameter: IIIF Image API 3.0 and 2.1, section 4.3.

use crate::model::request::Rotation;
use crate::model::{Fault, FaultKind};
use crate::protocols::number::decimal;
use crate::protocols::percent::excerpt;

/// The angles that are done, in degrees clockwise.
const TURNS: [(f64, Rotation); 5] = [
    (0.0, Rotation::None),
    (90.0, Rotation::Quarter),
    (180.0, Rotation::Half),
    (270.0, Rotation::ThreeQuarters),
    (360.0, Rotation::None),
];

/// Reads a decoded rotation: whether the image is mirrored first, and its quarter turns.
///
/// # Errors
/// Bad request for junk and for angles outside 0 to 360; not implemented for angles between the
/// quarter turns.
pub(crate) fn parse(text: &str) -> Result<(bool, Rotation), Fault> {
    let (mirror, angle) = match text.strip_prefix('!') {
        Some(angle) => (true, angle),
        None => (false, text),
    };
    let degrees =
        decimal(angle).filter(|degrees| (0.0..=360.0).contains(degrees)).ok_or_else(|| {
            Fault::bad_request(format!(
                "the rotation is a number of degrees from 0 to 360, behind ! to mirror first, not {}",
                excerpt(text)
            ))
        })?;
    let rotation = TURNS.iter().find(|(angle, _)| degrees.total_cmp(angle).is_eq());
    rotation.map(|(_, rotation)| (mirror, *rotation)).ok_or_else(|| {
        Fault::new(
            FaultKind::NotImplemented,
            format!("images are turned by 0, 90, 180 or 270 degrees, not by {degrees}"),
        )
    })
}

/// The parameter as the canonical address has it.
pub(crate) const fn print(mirror: bool, rotation: Rotation) -> &'static str {
    match (mirror, rotation) {
        (false, Rotation::None) => "0",
        (false, Rotation::Quarter) => "90",
        (false, Rotation::Half) => "180",
        (false, Rotation::ThreeQuarters) => "270",
        (true, Rotation::None) => "!0",
        (true, Rotation::Quarter) => "!90",
        (true, Rotation::Half) => "!180",
        (true, Rotation::ThreeQuarters) => "!270",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rotations_are_read_as_the_standard_writes_them() {
        for (text, expected) in [
            ("0", Ok((false, Rotation::None))),
            ("360", Ok((false, Rotation::None))),
            ("90", Ok((false, Rotation::Quarter))),
            ("90.0", Ok((false, Rotation::Quarter))),
            ("180", Ok((false, Rotation::Half))),
            ("!270", Ok((true, Rotation::ThreeQuarters))),
            ("!0", Ok((true, Rotation::None))),
            ("22.5", Err(FaultKind::NotImplemented)),
            ("!1", Err(FaultKind::NotImplemented)),
            ("361", Err(FaultKind::BadRequest)),
            ("450", Err(FaultKind::BadRequest)),
            ("-90", Err(FaultKind::BadRequest)),
            ("+90", Err(FaultKind::BadRequest)),
            ("9e1", Err(FaultKind::BadRequest)),
            ("!", Err(FaultKind::BadRequest)),
            ("!!0", Err(FaultKind::BadRequest)),
            ("90x", Err(FaultKind::BadRequest)),
            ("", Err(FaultKind::BadRequest)),
        ] {
            assert_eq!(parse(text).map_err(|fault| fault.kind), expected, "{text}");
        }
    }

    #[test]
    fn a_printed_rotation_is_read_back() {
        let all = [Rotation::None, Rotation::Quarter, Rotation::Half, Rotation::ThreeQuarters];
        for turn in all.into_iter().flat_map(|rotation| [(false, rotation), (true, rotation)]) {
            assert_eq!(parse(print(turn.0, turn.1)), Ok(turn));
        }
    }

    proptest! {
        #[test]
        fn junk_never_panics_and_is_never_repeated_raw(text in "\\PC*") {
            if let Err(fault) = parse(&text) {
                prop_assert!(!fault.text.contains(char::is_control));
            }
        }
    }
}
