//! Presets: named changes of sample values that lie beside an image, in a file of its name and
//! `.presets.toml`. Curators and scientists write them once, viewers ask for them by name.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::processing::{
    BandRange, ColourMap, Contrast, Kernel, Light, Processing, Tone, Twist,
};
use crate::model::{ImageId, ReadAt, SourceVersion};
use crate::sources::folder::{Folder, SourceError};

/// Bytes of a file of presets at most.
const BYTES_MAX: u64 = 64 << 10;

/// What an image's file of presets holds.
#[derive(Debug, Default)]
pub struct Presets {
    /// That of the file; none where there is none.
    version: Option<SourceVersion>,
    named: BTreeMap<String, Processing>,
    /// Why the file could not be read.
    broken: Option<String>,
}

/// Why there is no such preset.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    /// No preset of this name.
    #[error("there is no preset of this name; the image has {known}")]
    Absent {
        /// The names that there are.
        known: String,
    },
    /// The file of presets is wrong, for one of them or all.
    #[error("the image's presets cannot be read: {reason}")]
    Broken {
        /// What is wrong.
        reason: String,
    },
}

impl Presets {
    /// The preset of a name.
    ///
    /// # Errors
    /// None of that name; a file that is wrong.
    pub fn find(&self, name: &str) -> Result<&Processing, PresetError> {
        if let Some(reason) = &self.broken {
            return Err(PresetError::Broken { reason: reason.clone() });
        }
        self.named.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.named.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            PresetError::Absent { known }
        })
    }
}

impl Folder {
    /// The presets of an image; none where no file of them lies beside it.
    pub fn presets(&self, image: &ImageId) -> Presets {
        let file = match self.file(&self.presets_name(image)) {
            Ok(file) => file,
            Err(SourceError::NotFound | SourceError::NoView { .. }) => return Presets::default(),
            Err(error) => return Presets { broken: Some(error.to_string()), ..Presets::default() },
        };
        let version = Some(*file.version());
        match read(&file).and_then(|text| parse(&text)) {
            Ok(named) => Presets { version, named, broken: None },
            Err(reason) => Presets { version, broken: Some(reason), ..Presets::default() },
        }
    }

    /// Whether the file of presets is the one that was read, or there still is none.
    pub fn presets_are_current(&self, image: &ImageId, presets: &Presets) -> bool {
        self.file_version(&self.presets_name(image)).ok() == presets.version
    }

    fn presets_name(&self, image: &ImageId) -> String {
        format!("{}.presets.toml", self.file_name(image))
    }
}

fn read(file: &dyn ReadAt) -> Result<String, String> {
    let len = file.len_bytes();
    if BYTES_MAX < len {
        return Err(format!("the file has {len} bytes, over the limit of {BYTES_MAX}"));
    }
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    file.read_exact_at(&mut bytes, 0).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// A table for each preset.
fn parse(text: &str) -> Result<BTreeMap<String, Processing>, String> {
    let written: BTreeMap<String, Written> =
        toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let named = |(name, written): (String, Written)| {
        let processing = written.processing().map_err(|takes| format!("{name}: {takes}"))?;
        Ok((name, processing))
    };
    written.into_iter().map(named).collect()
}

/// A preset as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// `[[band, min, max]]`
    ranges: Option<Vec<(u16, f32, f32)>>,
    /// `[azimuth_deg, elevation_deg]`
    light: Option<(f32, f32)>,
    /// A row for each band of the answer.
    twist: Option<Vec<Vec<f32>>>,
    /// An exponent, or `log`.
    gamma: Option<NumberOr>,
    invert: Option<bool>,
    /// A name.
    colour_map: Option<String>,
    /// A name, or 1, 9 or 25 numbers.
    kernel: Option<KernelWritten>,
    /// A factor, `stretch` or `equalization`.
    contrast: Option<NumberOr>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOr {
    Number(f32),
    Word(String),
}

impl NumberOr {
    const fn number(&self) -> Option<f32> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Word(_) => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum KernelWritten {
    Name(String),
    Weights(Vec<f32>),
}

impl Written {
    fn processing(self) -> Result<Processing, &'static str> {
        let mut processing =
            Processing { invert: self.invert == Some(true), ..Processing::default() };
        for (band, min, max) in self.ranges.unwrap_or_default() {
            let takes = "ranges takes [BAND, MIN, MAX] with MIN below MAX";
            processing.ranges.push(BandRange::new(Some(band), min, max).ok_or(takes)?);
        }
        if let Some((azimuth_deg, elevation_deg)) = self.light {
            let takes = "light takes [AZIMUTH, ELEVATION], -360 to 360 and -90 to 90 degrees";
            processing.light = Some(Light::new(azimuth_deg, elevation_deg).ok_or(takes)?);
        }
        if let Some(rows) = self.twist {
            let takes = "twist takes 1 to 4 rows of up to 256 numbers";
            processing.twist = Some(Twist::new(rows).ok_or(takes)?);
        }
        match self.gamma {
            None => {}
            Some(NumberOr::Word(word)) if word == "log" => processing.tone = Tone::Log,
            Some(number) => {
                let takes = "gamma takes a number from 0 to 100, or \"log\"";
                processing.tone = number.number().and_then(Tone::power).ok_or(takes)?;
            }
        }
        if let Some(name) = self.colour_map {
            let takes =
                "colour_map takes the name of one, or custom:RRGGBB,RRGGBB of 2 to 32 colours";
            processing.colour_map = Some(ColourMap::of_text(&name).ok_or(takes)?);
        }
        if let Some(kernel) = self.kernel {
            let kernel = match kernel {
                KernelWritten::Name(name) => Kernel::of_name(&name),
                KernelWritten::Weights(weights) => Kernel::new(&weights),
            };
            let takes = "kernel takes the name of one, or 1, 9 or 25 numbers";
            processing.kernel = Some(kernel.ok_or(takes)?);
        }
        match self.contrast {
            None => {}
            Some(NumberOr::Word(word)) if word == "stretch" => {
                processing.contrast = Contrast::Stretch;
            }
            Some(NumberOr::Word(word)) if word == "equalization" => processing.equalise = true,
            Some(number) => {
                let takes = "contrast takes a number from 0, \"stretch\" or \"equalization\"";
                processing.contrast = number.number().and_then(Contrast::factor).ok_or(takes)?;
            }
        }
        Ok(processing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_says_all_that_requests_can() {
        let text = "[false-colour]\ntwist = [[0, 0, 1], [0, 1.5, 0], [1, 0, 0]]\ngamma = 0.5\n\
                    ranges = [[0, 10, 4095]]\ncontrast = \"stretch\"\n\
                    [relief]\nlight = [45, 30]\ninvert = true\nkernel = \"sobel\"\ngamma = \"log\"\n\
                    [depth]\ncolour_map = \"viridis\"\nkernel = [0, 0, 0, 0, 1, 0, 0, 0, 0]\ncontrast = 2\n";
        let named = parse(text).unwrap();
        assert_eq!(named.keys().collect::<Vec<_>>(), ["depth", "false-colour", "relief"]);
        let colours = &named["false-colour"];
        assert_eq!(colours.twist.as_ref().unwrap().columns(), 3);
        assert_eq!((colours.tone, colours.contrast), (Tone::Power(0.5), Contrast::Stretch));
        assert!(named["relief"].invert && named["depth"].colour_map == Some(ColourMap::Viridis));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_preset() {
        for (text, words) in [
            ("[a]\ngama = 1\n", "gama"),
            ("[a]\ngamma = -1\n", "a: gamma takes"),
            ("[a]\ngamma = \"cube\"\n", "a: gamma takes"),
            ("[a]\ncontrast = -1\n", "a: contrast takes"),
            ("[a]\ntwist = []\n", "a: twist takes"),
            ("[a]\nkernel = [1, 2]\n", "a: kernel takes"),
            ("[a]\ncolour_map = \"rainbow\"\n", "a: colour_map takes"),
            ("[a]\nlight = [0, 91]\n", "a: light takes"),
            ("[a]\nranges = [[0, 5, 5]]\n", "a: ranges takes"),
            ("a = 1\n", "invalid type"),
            ("[a\n", ""),
        ] {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
        }
    }

    #[test]
    fn an_absent_preset_is_told_with_those_there_are() {
        let named = parse("[x]\ninvert = true\n[y]\ninvert = true\n").unwrap();
        let presets = Presets { named, ..Presets::default() };
        presets.find("x").unwrap();
        assert_eq!(presets.find("z"), Err(PresetError::Absent { known: "x, y".to_owned() }));
        let none = Presets::default().find("z").unwrap_err();
        assert!(none.to_string().ends_with("the image has none"), "{none}");
    }
}
