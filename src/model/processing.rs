//! `Processing`: what a client wants done to sample values, beyond showing them. Protocols read it, `plan`
//! puts it in order.

use std::sync::Arc;

/// Changes of sample values, in no order: [`crate::plan`] knows which comes first. The default changes
/// nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Processing {
    /// What is shown as black and white, in the file's own units, for bands counted from 0 (`MINMAX`);
    /// of two for the same band the later counts.
    pub ranges: Vec<BandRange>,
    /// Light on a surface whose normals the three bands are (`SHD`).
    pub light: Option<Light>,
    /// A matrix over the bands (`CTW`).
    pub twist: Option<Twist>,
    /// A curve over all samples (`GAM`).
    pub tone: Tone,
    /// White becomes black (`INV`).
    pub invert: bool,
    /// Colours for the first band's values (`CMP`).
    pub colour_map: Option<ColourMap>,
    /// Weights of a pixel's neighbours (`CNV`).
    pub kernel: Option<Kernel>,
    /// Steeper or flatter (`CNT`).
    pub contrast: Contrast,
    /// Each gray as often as the others (`CNT=eq`).
    pub equalise: bool,
}

impl Processing {
    /// All of this, and where it says nothing, what `other` says.
    #[must_use]
    pub fn over(&self, other: &Self) -> Self {
        let ranges = [other.ranges.as_slice(), &self.ranges].concat();
        Self {
            ranges,
            light: self.light.or(other.light),
            twist: self.twist.clone().or_else(|| other.twist.clone()),
            tone: if self.tone == Tone::Linear { other.tone } else { self.tone },
            invert: self.invert || other.invert,
            colour_map: self.colour_map.clone().or_else(|| other.colour_map.clone()),
            kernel: self.kernel.clone().or_else(|| other.kernel.clone()),
            contrast: if self.contrast == Contrast::None { other.contrast } else { self.contrast },
            equalise: self.equalise || other.equalise,
        }
    }

    /// Whether it is done to samples as numbers between 0 and 1, and not only to the bytes they become.
    pub fn is_in_floats(&self) -> bool {
        *self != Self { equalise: self.equalise, ..Self::default() }
    }
}

/// The largest factor, weight or sample value that processing takes: beyond, 32-bit floats lose the units of
/// 16-bit samples.
pub const NUMBER_MAX: f32 = 1e9;

/// Whether it is a number, and a moderate one.
pub const fn is_moderate(number: f32) -> bool {
    number.abs() <= NUMBER_MAX
}

/// Black and white of one band, or of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BandRange {
    /// From 0; none: every band.
    pub band: Option<u16>,
    /// Shown as black.
    pub min: f32,
    /// Shown as white; above `min`.
    pub max: f32,
}

impl BandRange {
    /// A range of moderate numbers, `min` below `max`.
    pub fn new(band: Option<u16>, min: f32, max: f32) -> Option<Self> {
        let fits = is_moderate(min) && is_moderate(max) && min < max;
        fits.then_some(Self { band, min, max })
    }
}

/// Where light comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Clockwise from the top, in degrees, 0 to 360.
    pub azimuth_deg: f32,
    /// Above the horizon, in degrees, -90 to 90.
    pub elevation_deg: f32,
}

impl Light {
    /// Light from `azimuth_deg`, -360 to 360 and either way round, and -90 to 90 degrees.
    pub fn new(azimuth_deg: f32, elevation_deg: f32) -> Option<Self> {
        let fits = azimuth_deg.abs() <= 360.0 && elevation_deg.abs() <= 90.0;
        fits.then(|| Self { azimuth_deg: azimuth_deg.rem_euclid(360.0), elevation_deg })
    }
}

/// A matrix: a row for each band of the answer, a column for each of the image.
///
/// Invariant: 1 to [`Twist::ROWS_MAX`] rows, none longer than [`Twist::COLUMNS_MAX`], not all empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Twist(Arc<[Vec<f32>]>);

impl Twist {
    /// Bands of an answer at most: red, green, blue, alpha.
    pub const ROWS_MAX: usize = 4;
    /// Bands of an image at most.
    pub const COLUMNS_MAX: usize = 256;

    /// A matrix of these rows; what is missing of a row is 0.
    pub fn new(rows: Vec<Vec<f32>>) -> Option<Self> {
        let fits = (1..=Self::ROWS_MAX).contains(&rows.len())
            && rows.iter().all(|row| row.len() <= Self::COLUMNS_MAX)
            && rows.iter().flatten().all(|number| is_moderate(*number))
            && rows.iter().any(|row| !row.is_empty());
        fits.then(|| Self(rows.into()))
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<f32>] {
        &self.0
    }

    /// The length of the longest row: bands that are looked at.
    pub fn columns(&self) -> usize {
        self.0.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// A curve over samples of 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Tone {
    /// As they are.
    #[default]
    Linear,
    /// To this power, 0 or more: above 1 darkens.
    Power(f32),
    /// `ln(1 + 255 v) / ln(256)`.
    Log,
}

impl Tone {
    /// The largest exponent: all but white is black long before.
    pub const EXPONENT_MAX: f32 = 100.0;

    /// To this power, 0 to [`Tone::EXPONENT_MAX`].
    pub const fn power(exponent: f32) -> Option<Self> {
        match exponent {
            1.0 => Some(Self::Linear),
            0.0..=Self::EXPONENT_MAX => Some(Self::Power(exponent)),
            _ => None,
        }
    }
}

/// Steeper or flatter.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Contrast {
    /// As it is.
    #[default]
    None,
    /// Times this, 0 or more.
    Factor(f32),
    /// The darkest of the image becomes black, the brightest white.
    Stretch,
}

impl Contrast {
    /// Times this moderate number, 0 or more.
    pub const fn factor(factor: f32) -> Option<Self> {
        match factor {
            1.0 => Some(Self::None),
            0.0..=NUMBER_MAX => Some(Self::Factor(factor)),
            _ => None,
        }
    }
}

/// Colours for the values of one band.
#[derive(Clone, Debug, PartialEq)]
pub enum ColourMap {
    /// Black, red, yellow, white.
    Hot,
    /// Black, blue, cyan, white.
    Cold,
    /// Dark blue, cyan, yellow, dark red.
    Jet,
    /// Black to blue.
    Blue,
    /// Black to green.
    Green,
    /// Black to red.
    Red,
    /// Black to white.
    Gray,
    /// Perceptually even, dark blue to yellow.
    Viridis,
    /// Perceptually even, black by purple to light yellow.
    Magma,
    /// Perceptually even, black by red to yellow.
    Inferno,
    /// A rainbow that is smoother than [`ColourMap::Jet`].
    Turbo,
    /// Between these colours, evenly spaced from 0 to 1: 2 to [`ColourMap::STOPS_MAX`].
    Custom(Arc<[[u8; 3]]>),
}

impl ColourMap {
    /// Colours of a custom map at most.
    pub const STOPS_MAX: usize = 32;

    /// All that have a name, with it.
    pub const NAMED: [(&'static str, Self); 11] = [
        ("hot", Self::Hot),
        ("cold", Self::Cold),
        ("jet", Self::Jet),
        ("blue", Self::Blue),
        ("green", Self::Green),
        ("red", Self::Red),
        ("gray", Self::Gray),
        ("viridis", Self::Viridis),
        ("magma", Self::Magma),
        ("inferno", Self::Inferno),
        ("turbo", Self::Turbo),
    ];

    /// The map of a name, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        let known = Self::NAMED.into_iter();
        known.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, map)| map)
    }

    /// One colour, `RRGGBB`.
    pub fn stop_of_text(text: &str) -> Option<[u8; 3]> {
        let is_plain = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = if is_plain { u32::from_str_radix(text, 16).ok()? } else { return None };
        let [_, red, green, blue] = number.to_be_bytes();
        Some([red, green, blue])
    }

    /// A name, or `custom:` and colours in hexadecimal digits, from 0 to 1: `custom:RRGGBB,RRGGBB`.
    pub fn of_text(text: &str) -> Option<Self> {
        let custom = || {
            // One more than fit is enough to know that they do not.
            let stops = text.strip_prefix("custom:")?.split(',').take(Self::STOPS_MAX + 1);
            let stops: Vec<[u8; 3]> = stops.map(Self::stop_of_text).collect::<Option<_>>()?;
            let fits = (2..=Self::STOPS_MAX).contains(&stops.len());
            fits.then(|| Self::Custom(stops.into()))
        };
        Self::of_name(text).or_else(custom)
    }
}

/// Weights of a square of pixels around each pixel, row by row.
///
/// Invariant: 1, 9 or 25 moderate weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel(Arc<[f32]>);

impl Kernel {
    /// Kernels that have a name, as iipsrv knows them.
    pub const NAMED: [(&'static str, [f32; 9]); 7] = [
        ("sobel", [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0]),
        ("prewitt", [1.0, 0.0, -1.0, 1.0, 0.0, -1.0, 1.0, 0.0, -1.0]),
        ("scharr", [-3.0, 0.0, 3.0, -10.0, 0.0, 10.0, -3.0, 0.0, 3.0]),
        ("laplace", [-1.0, -1.0, -1.0, -1.0, 8.0, -1.0, -1.0, -1.0, -1.0]),
        ("gaussian", [1.0, 2.0, 1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 1.0]),
        ("sharpen", [0.0, -1.0, 0.0, -1.0, 5.0, -1.0, 0.0, -1.0, 0.0]),
        ("emboss", [-2.0, -1.0, 0.0, -1.0, 1.0, 1.0, 0.0, 1.0, 2.0]),
    ];

    /// A kernel of these weights.
    pub fn new(weights: &[f32]) -> Option<Self> {
        let fits = matches!(weights.len(), 1 | 9 | 25) && weights.iter().all(|w| is_moderate(*w));
        fits.then(|| Self(weights.into()))
    }

    /// The kernel of a name, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        let mut known = Self::NAMED.iter();
        let found = known.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Self::new(&found.1)
    }

    /// The weights, row by row.
    pub fn weights(&self) -> &[f32] {
        &self.0
    }

    /// How many pixels of each side weigh in: 0, 1 or 2.
    pub fn radius_px(&self) -> u32 {
        match self.0.len() {
            1 => 0,
            9 => 1,
            _ => 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrices_and_kernels_have_bounds() {
        let row = |columns: usize| vec![1.0; columns];
        assert_eq!(Twist::new(vec![row(3), row(1)]).unwrap().columns(), 3);
        for rows in [vec![], vec![vec![]], vec![row(1); 5], vec![row(257)], vec![vec![f32::NAN]]] {
            assert_eq!(Twist::new(rows.clone()), None, "{rows:?}");
        }
        for (count, radius_px) in [(1, Some(0)), (9, Some(1)), (25, Some(2)), (4, None), (0, None)]
        {
            let kernel = Kernel::new(&row(count));
            assert_eq!(kernel.map(|kernel| kernel.radius_px()), radius_px, "{count}");
        }
        assert_eq!(Kernel::of_name("Sobel").unwrap().weights()[2].to_bits(), 1_f32.to_bits());
        assert_eq!(ColourMap::of_name("VIRIDIS"), Some(ColourMap::Viridis));
    }

    #[test]
    fn what_is_asked_goes_before_what_a_preset_says() {
        let preset = Processing { tone: Tone::Log, invert: true, ..Processing::default() };
        let asked = Processing {
            tone: Tone::Power(2.0),
            contrast: Contrast::Stretch,
            ..Processing::default()
        };
        let both = asked.over(&preset);
        assert_eq!((both.tone, both.contrast), (Tone::Power(2.0), Contrast::Stretch));
        assert!(both.invert && Processing::default().over(&preset) == preset);
    }

    #[test]
    fn equalising_is_done_to_bytes() {
        let equalised = Processing { equalise: true, ..Processing::default() };
        assert!(!equalised.is_in_floats());
        assert!(Processing { invert: true, ..equalised }.is_in_floats());
    }
}
