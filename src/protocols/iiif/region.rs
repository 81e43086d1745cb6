//! The region parameter: IIIF Image API 3.0, 2.1 and 1.1, section 4.1.

use crate::model::Fault;
use crate::model::request::Region;
use crate::protocols::number::{decimal, parts, whole};
use crate::protocols::percent::excerpt;
use crate::protocols::settings::IiifVersion;

/// Reads a decoded region. Where it lies is for the plan to say, which knows the image.
///
/// # Errors
/// Bad request for anything but the four forms, and for a width or height of 0.
pub(crate) fn parse(text: &str, version: IiifVersion) -> Result<Region, Fault> {
    let region = match text {
        "full" => Some(Region::Full),
        "square" if version != IiifVersion::V1 => Some(Region::Square),
        _ => match text.strip_prefix("pct:") {
            Some(numbers) => percent(numbers),
            None => pixels(text),
        },
    };
    region.ok_or_else(|| {
        Fault::bad_request(format!(
            "the region is full, square, x,y,w,h or pct:x,y,w,h with w and h above 0, not {}",
            excerpt(text)
        ))
    })
}

fn pixels(text: &str) -> Option<Region> {
    let [x, y, width, height] = parts::<4>(text)?.map(whole::<u64>);
    let (width, height) = (width?, height?);
    (width != 0 && height != 0).then_some(Region::Pixels { x: x?, y: y?, width, height })
}

fn percent(text: &str) -> Option<Region> {
    let [x, y, width, height] = parts::<4>(text)?.map(decimal);
    let (width, height) = (width?, height?);
    (0.0 < width && 0.0 < height).then_some(Region::Percent { x: x?, y: y?, width, height })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn regions_are_read_as_the_standard_writes_them() {
        for (text, expected) in [
            ("full", Some(Region::Full)),
            ("square", Some(Region::Square)),
            ("125,15,120,140", Some(Region::Pixels { x: 125, y: 15, width: 120, height: 140 })),
            (
                "pct:41.6,7.5,40,70",
                Some(Region::Percent { x: 41.6, y: 7.5, width: 40.0, height: 70.0 }),
            ),
            ("pct:.5,0.50,1,1", Some(Region::Percent { x: 0.5, y: 0.5, width: 1.0, height: 1.0 })),
            ("0,0,0,10", None),
            ("0,0,10,0", None),
            ("pct:0,0,0,10", None),
            ("-1,0,10,10", None),
            ("+1,0,10,10", None),
            ("0.5,0,10,10", None),
            ("0,0,10", None),
            ("0,0,10,10,10", None),
            ("0,0,10,1e3", None),
            ("pct:1e1,0,10,10", None),
            ("pct:inf,0,10,10", None),
            ("pct:", None),
            ("Full", None),
            ("", None),
            (",,,", None),
            ("99999999999999999999,0,1,1", None),
        ] {
            assert_eq!(parse(text, IiifVersion::V3).ok(), expected, "{text}");
        }
    }

    fn print(region: Region) -> String {
        match region {
            Region::Full => "full".to_owned(),
            Region::Square => "square".to_owned(),
            Region::Pixels { x, y, width, height } => format!("{x},{y},{width},{height}"),
            Region::Percent { x, y, width, height } => format!("pct:{x},{y},{width},{height}"),
        }
    }

    proptest! {
        #[test]
        fn a_printed_region_is_read_back(
            x: u64, y: u64, width in 1..=u64::MAX, height in 1..=u64::MAX,
            left in 0.0..100.0, top in 0.0..100.0, w in 1e-9..1e9, h in 1e-9..1e9,
        ) {
            let pixels = Region::Pixels { x, y, width, height };
            prop_assert_eq!(parse(&print(pixels), IiifVersion::V3), Ok(pixels));
            let percent = Region::Percent { x: left, y: top, width: w, height: h };
            prop_assert_eq!(parse(&print(percent), IiifVersion::V3), Ok(percent));
        }

        #[test]
        fn junk_never_panics_and_is_never_repeated_raw(text in "\\PC*") {
            if let Err(fault) = parse(&text, IiifVersion::V3) {
                prop_assert!(!fault.text.contains(char::is_control));
            }
        }
    }
}
