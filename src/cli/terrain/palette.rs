//! Colours of the ground: by height and moisture, as on a physical map, but of an air photograph's hues.
#![expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "lookup in tables of a fixed size, with clamped indices"
)]

/// Red, green, blue, each 0 to 255, before light falls on it.
pub(super) type Colour = [f32; 3];

pub(super) const ROCK: Colour = [128.0, 117.0, 106.0];
pub(super) const SNOW: Colour = [216.0, 222.0, 232.0];
pub(super) const SAND: Colour = [216.0, 200.0, 158.0];
pub(super) const RIVER: Colour = [44.0, 98.0, 122.0];
pub(super) const SHALLOWS: Colour = [92.0, 138.0, 136.0];
pub(super) const TREE: Colour = [44.0, 78.0, 40.0];

/// Height (1.0 is a peak) and the colours of dry, middling and wet ground there.
const GROUND: [(f32, [Colour; 3]); 6] = [
    (0.0, [[205.0, 184.0, 132.0], [142.0, 152.0, 84.0], [66.0, 104.0, 58.0]]),
    (0.08, [[206.0, 176.0, 118.0], [126.0, 144.0, 72.0], [48.0, 90.0, 46.0]]),
    (0.22, [[190.0, 150.0, 100.0], [112.0, 124.0, 66.0], [38.0, 76.0, 44.0]]),
    (0.40, [[168.0, 128.0, 92.0], [118.0, 116.0, 76.0], [54.0, 80.0, 56.0]]),
    (0.58, [[146.0, 124.0, 104.0], [128.0, 120.0, 98.0], [98.0, 104.0, 80.0]]),
    (1.0, [[150.0, 142.0, 134.0], [146.0, 140.0, 134.0], [140.0, 138.0, 134.0]]),
];

/// Depth (1.0 is as deep as peaks are high) and the colour of the sea there.
const SEA: [(f32, Colour); 5] = [
    (0.0, [128.0, 190.0, 180.0]),
    (0.012, [74.0, 156.0, 166.0]),
    (0.05, [38.0, 108.0, 142.0]),
    (0.14, [20.0, 66.0, 108.0]),
    (0.4, [10.0, 34.0, 72.0]),
];

const HEIGHTS: usize = 256;
const MOISTURES: usize = 32;
const DEPTHS: usize = 512;

/// The tables, filled once.
#[derive(Debug)]
pub(super) struct Palette {
    ground: Vec<Colour>,
    sea: Vec<Colour>,
}

impl Palette {
    pub(super) fn new() -> Self {
        let ground = (0..HEIGHTS * MOISTURES).map(|index| {
            let height = (index / MOISTURES) as f32 / (HEIGHTS - 1) as f32;
            ground(height, (index % MOISTURES) as f32 / (MOISTURES - 1) as f32)
        });
        let sea = (0..DEPTHS)
            .map(|index| between(&SEA, 0.4 * index as f32 / (DEPTHS - 1) as f32, |colour| *colour));
        Self { ground: ground.collect(), sea: sea.collect() }
    }

    /// Ground at a height of 0 to 1 (a peak) and a moisture of 0 to 1; beyond, the nearest.
    pub(super) fn ground(&self, height: f32, moisture: f32) -> Colour {
        // Casts to unsigned saturate: below 0 is 0.
        let row = ((height * (HEIGHTS - 1) as f32) as usize).min(HEIGHTS - 1);
        let column = ((moisture * (MOISTURES - 1) as f32 + 0.5) as usize).min(MOISTURES - 1);
        self.ground[row * MOISTURES + column]
    }

    /// The sea at a depth of 0 to 0.4 peaks; deeper, as there.
    pub(super) fn sea(&self, depth: f32) -> Colour {
        self.sea[((depth * (DEPTHS - 1) as f32 * 2.5) as usize).min(DEPTHS - 1)]
    }
}

fn ground(height: f32, moisture: f32) -> Colour {
    let [dry, middling, wet] =
        [0, 1, 2].map(|climate| between(&GROUND, height, |colours| colours[climate]));
    if moisture < 0.5 {
        mix(dry, middling, moisture * 2.0)
    } else {
        mix(middling, wet, moisture * 2.0 - 1.0)
    }
}

/// The colour at `at` on a scale, straight between its marks.
fn between<Mark>(scale: &[(f32, Mark)], at: f32, colour: impl Fn(&Mark) -> Colour) -> Colour {
    let above = scale.iter().position(|(mark, _)| at < *mark).unwrap_or(scale.len() - 1).max(1);
    let ((low, first), (high, second)) = (&scale[above - 1], &scale[above]);
    let share = ((at - low) / (high - low)).clamp(0.0, 1.0);
    mix(colour(first), colour(second), share)
}

/// `share` of the second colour in the first.
#[inline]
pub(super) fn mix(first: Colour, second: Colour, share: f32) -> Colour {
    let blend = |band: usize| first[band] + share * (second[band] - first[band]);
    [blend(0), blend(1), blend(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_have_their_own_colours_and_the_ends_go_on() {
        let palette = Palette::new();
        for (found, expected) in [
            (palette.sea(0.0), SEA[0].1),
            (palette.sea(9.0), SEA[4].1),
            (palette.ground(0.0, 0.0), GROUND[0].1[0]),
            (palette.ground(7.0, 3.0), GROUND[5].1[2]),
            (palette.ground(-1.0, -1.0), GROUND[0].1[0]),
        ] {
            let differs = found.iter().zip(expected).any(|(a, b)| 0.01 < (a - b).abs());
            assert!(!differs, "{found:?} {expected:?}");
        }
    }

    #[test]
    fn between_two_marks_colours_are_mixed() {
        let colour = between(&SEA, f32::midpoint(0.012, 0.05), |colour| *colour);
        assert!((colour[0] - f32::midpoint(74.0, 38.0)).abs() < 0.01);
    }
}
