//! `Lane`: whether an answer is cheap or dear, decided from its plan before any of it is made. Dear ones
//! have threads, a queue and room of their own, so that they never hold up what somebody looks at.

use crate::plan::class::RequestClass;
use crate::plan::cost::Cost;

/// Pixels, decoded and answered together, above which tiles and thumbnails are dear too: about a second's
/// work. A tile of an image of one piece takes decoding all of it, and viewers of images up to this size
/// must not wait behind exports.
const VIEWED_PX_MAX: u64 = 128 << 20;

/// The same for any other part of an image: as much work as sixteen tiles of 256 x 256.
const REGION_PX_MAX: u64 = 16 * 65_536;

/// Bytes to read above which tiles and thumbnails are dear: what these pixels take uncompressed.
const VIEWED_BYTES_MAX: u64 = 4 * VIEWED_PX_MAX;

/// The same for any other part of an image: sixteen tiles of four 32-bit samples. A disk that brings a
/// hundred MB a second takes a sixth of a second for it.
const REGION_BYTES_MAX: u64 = 16 * REGION_PX_MAX;

/// Which queue an answer waits in, and which threads make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Somebody looks at the screen for it: descriptions, tiles, thumbnails, small regions.
    Cheap,
    /// Exports: large regions and full images.
    Dear,
}

impl Lane {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Cheap, Self::Dear];

    /// The metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Cheap => "cheap",
            Self::Dear => "dear",
        }
    }

    /// The lane of what is of this class and costs so much.
    pub(super) const fn of(class: RequestClass, cost: &Cost) -> Self {
        let (px_max, bytes_max) = match class {
            RequestClass::Tile | RequestClass::Thumbnail => (VIEWED_PX_MAX, VIEWED_BYTES_MAX),
            RequestClass::Region | RequestClass::Full => (REGION_PX_MAX, REGION_BYTES_MAX),
        };
        let px = cost.source_px.saturating_add(cost.output_px);
        if px <= px_max && cost.bytes_to_read <= bytes_max { Self::Cheap } else { Self::Dear }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::request::{Region, SizeForm};
    use crate::plan::fixtures::{iiif, pixels, planned, pyramid, stored};

    #[test]
    fn what_viewers_ask_for_is_cheap_and_what_is_carried_away_is_dear() {
        let info = pyramid((20_000, 20_000), 256);
        for (frame, expected) in [
            (iiif(pixels(512, 0, 512, 512), SizeForm::Width(256)), Lane::Cheap),
            (iiif(pixels(3, 0, 512, 512), SizeForm::Width(256)), Lane::Cheap),
            (iiif(Region::Full, SizeForm::Width(200)), Lane::Cheap),
            (iiif(Region::Full, SizeForm::Width(4000)), Lane::Dear),
            (iiif(pixels(3, 0, 3000, 3000), SizeForm::Max), Lane::Dear),
        ] {
            assert_eq!(planned(frame, &info).unwrap().lane(), expected, "{frame:?}");
        }
    }

    #[test]
    fn what_takes_long_to_read_is_dear_however_few_pixels_it_has() {
        for (stored_bytes, expected) in [(16 << 20, Lane::Cheap), (17 << 20, Lane::Dear)] {
            let mut info = stored(&[(512, 512)], 256);
            info.stored[0].stored_bytes = stored_bytes;
            let frame = iiif(pixels(3, 0, 500, 512), SizeForm::Max);
            assert_eq!(planned(frame, &info).unwrap().lane(), expected, "{stored_bytes}");
        }
    }

    #[test]
    fn a_thumbnail_of_an_image_of_one_piece_is_cheap_up_to_a_size() {
        for (side_px, expected) in [(6000, Lane::Cheap), (15_000, Lane::Dear)] {
            let info = stored(&[(side_px, side_px)], side_px);
            let frame = iiif(Region::Full, SizeForm::Width(200));
            assert_eq!(planned(frame, &info).unwrap().lane(), expected, "{side_px}");
        }
    }
}
