//! Exports: rectangles of 4:3, from 2048 to 8192 pixels wide, scaled to 1024 pixels; no two alike
//! and none on a tile's border, so that every one is decoded, scaled and encoded.

use crate::ask::Ask;
use crate::pyramid::{HEIGHT_PX, Image, WIDTH_PX};
use crate::scenarios::{CONNECTION_COUNT, DEFLATE_EXPORTS, JPEG_EXPORTS, Scenario, State};

pub(super) fn scenario(image: Image, count: usize) -> Scenario {
    let mut chance = fastrand::Rng::with_seed(1024);
    let asks = (0..count).map(|_| export(image, &mut chance)).collect();
    let name = match image {
        Image::Jpeg => JPEG_EXPORTS,
        Image::Deflate => DEFLATE_EXPORTS,
    };
    Scenario { name, state: State::Cold, connection_count: CONNECTION_COUNT, floor: false, asks }
}

/// A rectangle somewhere in the image.
pub(super) fn export(image: Image, chance: &mut fastrand::Rng) -> Ask {
    let width = chance.u32(512..=2048) * 4;
    let height = width / 4 * 3;
    let left = chance.u32(0..=WIDTH_PX - width) | 1;
    let top = chance.u32(0..=HEIGHT_PX - height) | 1;
    Ask::Export {
        image,
        left: left.min(WIDTH_PX - width),
        top: top.min(HEIGHT_PX - height),
        width,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_lie_in_the_image_and_differ() {
        let asks = scenario(Image::Jpeg, 500).asks;
        let distinct: std::collections::HashSet<&Ask> = asks.iter().collect();
        assert_eq!(distinct.len(), 500);
        for ask in asks {
            let Ask::Export { left, top, width, height, .. } = ask else { panic!("{ask:?}") };
            assert!(left + width <= WIDTH_PX && top + height <= HEIGHT_PX, "{ask:?}");
        }
    }
}
