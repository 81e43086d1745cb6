//! The coarse grid: elevation, rivers and climate, one sample every 8 pixels. Everything that needs many
//! octaves of noise is computed here, 64 times less often than pixels are.
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "pixel loops over rows of a fixed length"
)]

use crate::cli::terrain::noise::{fractal, next_octave, slope, smoothstep};
use crate::cli::terrain::spline::SPACING_PX;

/// Samples of the grid before the first pixel of the area, in each direction: two for the margin that
/// shading needs, one for the spline.
pub(super) const MARGIN: usize = 3;

/// Samples after the last one.
const MARGIN_AFTER: usize = 2;

/// The finest wave of the coarse grid in pixels: four samples.
const WAVE_PX_MIN: f32 = 32.0;

/// Banks farther away than this make no difference.
const BANK_PX_MAX: f32 = 200.0;

/// A world: the same seed and side give the same terrain.
#[derive(Clone, Copy, Debug)]
pub(super) struct World {
    /// Pixels of its side.
    pub(super) side_px: u32,
    /// What makes it another world.
    pub(super) seed: u32,
}

/// What is known of a place before its pixels are painted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Height in pixels, 0 at the sea.
    pub(super) height_px: f32,
    /// Pixels to the bank of the nearest river, negative in its bed.
    pub(super) bank_px: f32,
    /// 0 desert to 1 rain forest, now and then beyond.
    pub(super) moisture: f32,
}

/// One property of a square area, one sample every 8 pixels, with margins.
#[derive(Clone, Debug)]
pub(super) struct Grid {
    /// Samples of a row.
    side: usize,
    samples: Vec<f32>,
}

impl Grid {
    /// Samples `from..from + len` of a row, both counted from the margin's corner.
    pub(super) fn part(&self, row: usize, from: usize, len: usize) -> &[f32] {
        let start = row * self.side + from;
        &self.samples[start..start + len]
    }
}

/// All properties of a square area.
#[derive(Clone, Debug)]
pub(super) struct Relief {
    /// The area's upper left pixel.
    pub(super) left: u32,
    pub(super) top: u32,
    pub(super) height_px: Grid,
    pub(super) bank_px: Grid,
    pub(super) moisture: Grid,
}

impl Relief {
    /// Computes the area of `side_px` pixels whose upper left pixel is (`left`, `top`).
    pub(super) fn compute(world: World, left: u32, top: u32, side_px: u32) -> Self {
        let side = side_px as usize / SPACING_PX + MARGIN + MARGIN_AFTER;
        let at = |origin: u32, index: usize| {
            origin as f32 + (index as f32 - MARGIN as f32) * SPACING_PX as f32
        };
        let grid = || Grid { side, samples: Vec::with_capacity(side * side) };
        let mut relief = Self { left, top, height_px: grid(), bank_px: grid(), moisture: grid() };
        for row in 0..side {
            for column in 0..side {
                let place = world.place(at(left, column), at(top, row));
                relief.height_px.samples.push(place.height_px);
                relief.bank_px.samples.push(place.bank_px);
                relief.moisture.samples.push(place.moisture);
            }
        }
        relief
    }
}

impl World {
    /// Height of the highest peaks in pixels; on the 32768 pixels of the whole world, 1640.
    pub(super) fn peak_px(self) -> f32 {
        self.side_px as f32 * 0.05
    }

    fn place(self, x_px: f32, y_px: f32) -> Place {
        let side_px = self.side_px as f32;
        let (x, y) = (x_px / side_px, y_px / side_px);
        let latitude = y;
        // Bending the plane first is what makes coasts and ranges wind.
        let bend_x = fractal(x * 5.0, y * 5.0, self.seed ^ 0x0A11, 4);
        let bend_y = fractal(x * 5.0 + 7.7, y * 5.0 - 3.1, self.seed ^ 0x0B22, 4);
        let (x, y) = (x + 0.055 * bend_x, y + 0.055 * bend_y);
        let land = self.land(x, y);
        if land < -0.02 {
            return Place { height_px: land * self.peak_px(), bank_px: BANK_PX_MAX, moisture: 0.5 };
        }
        let great_px = self.river(x, y, 7.0);
        let small_px = self.river(x + 0.37, y + 0.11, 26.0);
        let valley = carve(land, great_px / side_px, 0.016, 0.7);
        let elevation = carve(valley, small_px / side_px, 0.004, 0.3);
        // Rivers narrow as they come from higher ground, and begin somewhere.
        let great_bank_px = great_px - side_px * 0.00062 * (1.0 - 2.4 * elevation);
        let small_bank_px = small_px - side_px * 0.00019 * (1.0 - 2.0 * elevation);
        Place {
            height_px: elevation * self.peak_px(),
            bank_px: great_bank_px.min(small_bank_px).min(BANK_PX_MAX),
            moisture: self.moisture(x, y, latitude) - 0.2 * elevation,
        }
    }

    /// Elevation without rivers: -1 to 1, 0 at the sea.
    fn land(self, x: f32, y: f32) -> f32 {
        let continent = fractal(x * 2.7 + 3.0, y * 2.7, self.seed ^ 0x0D44, 4) + 0.17;
        let base = 0.34 * continent;
        let inland = smoothstep(-0.03, 0.2, base);
        let hills = self.eroded(x * 11.0, y * 11.0, 11.0);
        let lowland = base + 0.12 * hills * (0.35 + 0.65 * inland);
        let ranges = fractal(x * 3.4, y * 3.4 + 5.0, self.seed ^ 0x0E55, 2);
        let mountainous = inland * smoothstep(-0.05, 0.6, ranges);
        if mountainous <= 0.0 {
            return lowland;
        }
        lowland + 0.85 * mountainous * self.ridged(x * 9.0, y * 9.0, 9.0)
    }

    /// Rain: forests and clearings of all sizes, a dry belt south of the middle.
    fn moisture(self, x: f32, y: f32, latitude: f32) -> f32 {
        let rain = fractal(x * 4.1 + 11.0, y * 4.1, self.seed ^ 0x0C33, 6);
        0.32 + 0.68 * rain + 0.7 * (latitude - 0.62).abs()
    }

    /// Hills whose slopes are smoother than their feet, as rain leaves them: each octave counts less
    /// where the ones before are steep. `waves` is how many waves of the first octave cross the world.
    fn eroded(self, mut x: f32, mut y: f32, waves: f32) -> f32 {
        let (mut sum, mut amplitude, mut dx, mut dy) = (0.0, 1.0, 0.0, 0.0);
        for octave in 0..self.octaves(waves) {
            let noise = slope(x, y, (self.seed ^ 0x0F66).wrapping_add(octave));
            dx += noise.dx * 0.6;
            dy += noise.dy * 0.6;
            sum += amplitude * noise.value / (1.0 + dx * dx + dy * dy);
            amplitude *= 0.54;
            (x, y) = next_octave(x, y);
        }
        sum
    }

    /// Mountains with sharp crests, rougher the higher; 0 to about 1.
    ///
    /// Source: Musgrave, "Texturing and Modeling", chapter 16, ridged multifractal.
    fn ridged(self, mut x: f32, mut y: f32, waves: f32) -> f32 {
        let (mut sum, mut amplitude, mut weight) = (0.0, 0.5, 1.0);
        for octave in 0..self.octaves(waves) {
            let noise = slope(x, y, (self.seed ^ 0x1077).wrapping_add(octave));
            let crest = 1.0 - noise.value.abs();
            let signal = crest * crest * weight;
            weight = (signal * 1.9).clamp(0.0, 1.0);
            sum += signal * amplitude;
            amplitude *= 0.5;
            (x, y) = next_octave(x, y);
        }
        sum
    }

    /// Octaves from one of `waves` waves a world down to the finest of the grid.
    fn octaves(self, waves: f32) -> u32 {
        let mut wave_px = self.side_px as f32 / waves;
        let mut count = 1;
        while WAVE_PX_MIN < wave_px {
            wave_px *= 0.5;
            count += 1;
        }
        count
    }

    /// Pixels to the middle of the nearest river of a family of `waves` waves a world: rivers run where a
    /// noise is zero, and the distance is its value over its slope.
    fn river(self, x: f32, y: f32, waves: f32) -> f32 {
        let (x, y) = (x * waves, y * waves);
        let wide = slope(x, y, self.seed ^ 0x1188);
        let (bend_x, bend_y) = next_octave(x * 2.0, y * 2.0);
        let bends = slope(bend_x, bend_y, self.seed ^ 0x1299);
        let (bend_x, bend_y) = next_octave(bend_x * 2.0, bend_y * 2.0);
        let small_bends = slope(bend_x, bend_y, self.seed ^ 0x13AA);
        let value = wide.value + 0.12 * bends.value + 0.03 * small_bends.value;
        let steep = (wide.dx * wide.dx + wide.dy * wide.dy).sqrt().max(0.3);
        (value / steep).abs() * self.side_px as f32 / waves
    }
}

/// Lowers the land beside a river to a valley, the more the nearer; mountains stop rivers. Distance and
/// width are shares of the world's side, `depth` is how much of the height goes at most.
fn carve(land: f32, distance: f32, width: f32, depth: f32) -> f32 {
    if land <= 0.0 {
        return land;
    }
    let near = distance / width;
    let valley = 1.0 / (1.0 + near * near);
    let reach = 1.0 - smoothstep(0.2, 0.5, land);
    land * (1.0 - depth * valley * reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORLD: World = World { side_px: 32_768, seed: 1 };

    #[test]
    fn rivers_lower_the_land_beside_them_and_no_peak() {
        assert!(carve(0.1, 0.0, 0.01, 0.7) < 0.05);
        assert!((carve(0.1, 1.0, 0.01, 0.7) - 0.1).abs() < 1e-3);
        assert!((carve(0.6, 0.0, 0.01, 0.7) - 0.6).abs() < 1e-6);
        assert!((carve(-0.1, 0.0, 0.01, 0.7) + 0.1).abs() < 1e-6);
    }

    #[test]
    fn neighbouring_areas_agree_where_they_overlap() {
        let one = Relief::compute(WORLD, 512, 512, 256);
        let next = Relief::compute(WORLD, 768, 512, 256);
        assert_eq!(one.height_px.part(4, 32, 5), next.height_px.part(4, 0, 5));
        assert_eq!(one.bank_px.part(4, 32, 5), next.bank_px.part(4, 0, 5));
        assert_eq!(one.moisture.part(4, 32, 5), next.moisture.part(4, 0, 5));
    }

    #[test]
    fn a_world_has_sea_lowland_and_mountains() {
        let heights: Vec<f32> = (0_u8..64)
            .flat_map(|row| (0_u8..64).map(move |column| (f32::from(column), f32::from(row))))
            .map(|(x, y)| WORLD.place(x * 512.0, y * 512.0).height_px / WORLD.peak_px())
            .collect();
        let share = |wanted: fn(f32) -> bool| {
            heights.iter().filter(|height| wanted(**height)).count() * 100 / heights.len()
        };
        assert!((10..60).contains(&share(|height| height < 0.0)), "sea");
        assert!((20..80).contains(&share(|height| (0.0..0.3).contains(&height))), "lowland");
        assert!((3..40).contains(&share(|height| 0.3 <= height)), "mountains");
    }
}
