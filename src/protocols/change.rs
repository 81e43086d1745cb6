//! `Change`: the commands that change sample values, colours and orientation, each with its value read.
//! Numbers may have a sign, a point and an exponent; they are finite and moderate.

use crate::model::processing::{
    BandRange, ColourMap, Contrast, Kernel, Light, Processing, Tone, Twist, is_moderate,
};
use crate::model::request::{PictureRequest, Quality, Rotation};
use crate::model::{Bands, Fault, Filter, ImageId, Tilt};
use crate::protocols::number::{parts, whole};
use crate::protocols::percent::excerpt;

/// Bytes of a preset's name at most.
const PRESET_BYTES_MAX: usize = 64;

/// What one command sets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// `CNT` as a factor, or stretched.
    Contrast(Contrast),
    /// `CNT=eq`.
    Equalise,
    /// `GAM`.
    Tone(Tone),
    /// `INV`.
    Invert,
    /// `CMP`.
    ColourMap(ColourMap),
    /// `SHD`.
    Light(Light),
    /// `COL`.
    Quality(Quality),
    /// `CTW`: rows that are added to those before.
    Twist(Vec<Vec<f32>>),
    /// `CNV`.
    Kernel(Kernel),
    /// `MINMAX`.
    Range(BandRange),
    /// `PRE`, beyond iipsrv.
    Preset(String),
    /// `INT`, beyond iipsrv.
    Filter(Filter),
    /// `ROT`.
    Turn {
        /// Mirrored first.
        mirror: bool,
        /// Clockwise.
        rotation: Rotation,
        /// And by so much more.
        tilt: Tilt,
    },
}

impl Change {
    /// Reads a command of this name; nothing where it is none of these.
    pub(crate) fn parse(name: &str, value: &str) -> Option<Result<Self, Fault>> {
        let read: fn(&str) -> Result<Self, &'static str> = match name.to_ascii_uppercase().as_str()
        {
            "CNT" => contrast,
            "GAM" => tone,
            "INV" => |_| Ok(Self::Invert),
            "CMP" => colour_map,
            "SHD" => light,
            "COL" => quality,
            "CTW" => twist,
            "CNV" => kernel,
            "MINMAX" => range,
            "PRE" => preset,
            "INT" => filter,
            "ROT" => turn,
            _ => return None,
        };
        let fault = |takes| Fault::bad_request(format!("{takes}, not {}", excerpt(value)));
        Some(read(value).map_err(fault))
    }
}

impl Change {
    /// Whether it changes sample values, and not which colours are shown or how they are turned.
    pub(crate) const fn is_of_values(&self) -> bool {
        !matches!(self, Self::Quality(_) | Self::Turn { .. })
    }
}

/// All changes that were asked for so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Changes {
    processing: Processing,
    twist: Vec<Vec<f32>>,
    quality: Quality,
    preset: Option<String>,
    filter: Option<Filter>,
    mirror: bool,
    /// The turn, for `OBJ=Max-size` too.
    pub(crate) rotation: Rotation,
    tilt: Tilt,
}

impl Changes {
    /// Adds one; of two of a kind the later counts, but rows and ranges add up.
    ///
    /// # Errors
    /// A matrix of too many rows.
    pub(crate) fn add(&mut self, change: Change) -> Result<(), Fault> {
        let processing = &mut self.processing;
        match change {
            Change::Contrast(contrast) => processing.contrast = contrast,
            Change::Equalise => processing.equalise = true,
            Change::Tone(tone) => processing.tone = tone,
            Change::Invert => processing.invert = true,
            Change::ColourMap(map) => processing.colour_map = Some(map),
            Change::Light(light) => processing.light = Some(light),
            Change::Quality(quality) => self.quality = quality,
            Change::Kernel(kernel) => processing.kernel = Some(kernel),
            Change::Range(range) if processing.ranges.len() < Twist::COLUMNS_MAX => {
                processing.ranges.push(range);
            }
            Change::Range(_) => {
                return Err(Fault::bad_request("MINMAX may be given 256 times, once for a band"));
            }
            Change::Twist(rows) => {
                self.twist.extend(rows);
                let twist = Twist::new(self.twist.clone());
                let takes = "CTW takes 1 to 4 rows in all, one for each band of the answer";
                processing.twist = Some(twist.ok_or_else(|| Fault::bad_request(takes))?);
            }
            Change::Preset(name) => self.preset = Some(name),
            Change::Filter(filter) => self.filter = Some(filter),
            Change::Turn { mirror, rotation, tilt } => {
                (self.mirror, self.rotation, self.tilt) = (mirror, rotation, tilt);
            }
        }
        Ok(())
    }

    /// The image with the bands that a matrix looks at: of a stack those of all pages, unless `chosen` says
    /// that the client named one of them.
    pub(crate) fn on(&self, image: ImageId, chosen: bool) -> ImageId {
        let columns = self.processing.twist.as_ref().map_or(0, Twist::columns);
        // What a preset looks at is not known before the image is open.
        let columns = if self.preset.is_some() { Twist::COLUMNS_MAX } else { columns };
        let bands = match (columns, chosen) {
            (0 | 1, _) | (2 | 3, true) => Bands::Shown,
            (_, false) => Bands::OfPages,
            (_, true) => Bands::All,
        };
        image.with_bands(bands)
    }

    /// The picture with what was asked of sample values, and of nothing else: what it asks itself comes
    /// first.
    pub(crate) fn valued(&self, picture: PictureRequest) -> PictureRequest {
        if *self == Self::default() {
            return picture;
        }
        PictureRequest {
            processing: picture.processing.over(&self.processing),
            preset: self.preset.clone().or(picture.preset),
            filter: self.filter.or(picture.filter),
            ..picture
        }
    }

    /// The picture with all that was asked.
    pub(crate) fn applied(&self, picture: &PictureRequest) -> PictureRequest {
        PictureRequest {
            mirror: self.mirror,
            rotation: self.rotation,
            tilt: self.tilt,
            quality: self.quality,
            processing: self.processing.clone(),
            preset: self.preset.clone(),
            filter: self.filter,
            ..picture.clone()
        }
    }
}

fn number(text: &str) -> Option<f32> {
    let value: f32 = text.trim().parse().ok()?;
    is_moderate(value).then_some(value)
}

fn contrast(value: &str) -> Result<Change, &'static str> {
    let takes = "CNT takes a factor from 0 on, stretch or equalization";
    match value.to_ascii_lowercase().as_str() {
        "eq" | "equalization" | "equalisation" => return Ok(Change::Equalise),
        "st" | "stretch" => return Ok(Change::Contrast(Contrast::Stretch)),
        _ => {}
    }
    let factor = number(value).ok_or(takes)?;
    Ok(Change::Contrast(match factor {
        -1.0 => Contrast::Stretch,
        factor => Contrast::factor(factor).ok_or(takes)?,
    }))
}

fn tone(value: &str) -> Result<Change, &'static str> {
    let takes = "GAM takes an exponent from 0 to 100, or log";
    if ["log", "logarithm"].iter().any(|word| word.eq_ignore_ascii_case(value)) {
        return Ok(Change::Tone(Tone::Log));
    }
    Ok(Change::Tone(match number(value).ok_or(takes)? {
        -1.0 => Tone::Log,
        exponent => Tone::power(exponent).ok_or(takes)?,
    }))
}

fn colour_map(value: &str) -> Result<Change, &'static str> {
    let takes = "CMP takes hot, cold, jet, blue, green, red, gray, viridis, magma, inferno, turbo, \
                 or custom:RRGGBB,RRGGBB of 2 to 32 colours";
    ColourMap::of_text(value).map(Change::ColourMap).ok_or(takes)
}

fn light(value: &str) -> Result<Change, &'static str> {
    let takes = "SHD takes AZIMUTH,ELEVATION in degrees, from -360 to 360 clockwise from the top, and from \
                 -90 to 90 above the horizon";
    let [azimuth, elevation] = parts::<2>(value).ok_or(takes)?;
    let (azimuth, elevation) = number(azimuth).zip(number(elevation)).ok_or(takes)?;
    Light::new(azimuth, elevation).map(Change::Light).ok_or(takes)
}

fn quality(value: &str) -> Result<Change, &'static str> {
    match value.to_ascii_lowercase().as_str() {
        "gray" | "grey" => Ok(Change::Quality(Quality::Gray)),
        "binary" => Ok(Change::Quality(Quality::BitonalByImage)),
        _ => Err("COL takes gray or binary"),
    }
}

/// What stands between the first `[` and the first `]`; all of it where there are none.
fn bracketed(value: &str) -> &str {
    let inner = value.split_once('[').map_or(value, |(_, inner)| inner);
    inner.split_once(']').map_or(inner, |(inner, _)| inner)
}

fn twist(value: &str) -> Result<Change, &'static str> {
    let takes = "CTW takes rows of numbers such as [1,0,0;0,1,0;0,0,1]: 1 to 4 rows, one for each band of \
                 the answer, of up to 256 columns, one for each band of the image";
    let row = |row: &str| row.split(',').map(number).collect::<Option<Vec<f32>>>();
    let rows = bracketed(value).split(';').map(row).collect::<Option<Vec<_>>>().ok_or(takes)?;
    // Checked here, so that the error names this command; kept as rows, since another may add to them.
    Twist::new(rows.clone()).map(|_| Change::Twist(rows)).ok_or(takes)
}

fn kernel(value: &str) -> Result<Change, &'static str> {
    let takes = "CNV takes sobel, prewitt, scharr, laplace, gaussian, sharpen, emboss, or 1, 9 or 25 numbers \
                 such as [0,-1,0,-1,5,-1,0,-1,0]";
    let inner = bracketed(value);
    let weights = || {
        // One more than fit is enough to know that they do not.
        let weights: Vec<f32> = inner.split(',').take(26).map(number).collect::<Option<_>>()?;
        Kernel::new(&weights)
    };
    Kernel::of_name(inner.trim()).or_else(weights).map(Change::Kernel).ok_or(takes)
}

fn range(value: &str) -> Result<Change, &'static str> {
    let takes =
        "MINMAX takes BAND:MIN,MAX with a band counted from 0, or - for all, and MIN below MAX";
    let (band, limits) = value.split_once(':').ok_or(takes)?;
    let band = match band.trim() {
        "-" => None,
        band => Some(whole(band).ok_or(takes)?),
    };
    let [min, max] = parts::<2>(limits).ok_or(takes)?;
    let (min, max) = number(min).zip(number(max)).ok_or(takes)?;
    BandRange::new(band, min, max).map(Change::Range).ok_or(takes)
}

fn preset(value: &str) -> Result<Change, &'static str> {
    let fits = (1..=PRESET_BYTES_MAX).contains(&value.len());
    let takes = "PRE takes the name of a preset beside the image, of 1 to 64 bytes";
    fits.then(|| Change::Preset(value.to_owned())).ok_or(takes)
}

fn filter(value: &str) -> Result<Change, &'static str> {
    let mut known = Filter::NAMED.into_iter();
    let found = known.find(|(name, _)| name.eq_ignore_ascii_case(value));
    let takes = "INT takes nearest, bilinear, bicubic or lanczos3";
    found.map(|(_, filter)| Change::Filter(filter)).ok_or(takes)
}

/// `!` for a mirror, and an angle, either way round.
fn turn(value: &str) -> Result<Change, &'static str> {
    let takes = "ROT takes an angle in degrees from -3600 to 3600, with ! before it for a mirror";
    let (mirror, angle) = match value.trim().strip_prefix('!') {
        Some(angle) => (true, angle),
        None => (false, value),
    };
    let angle = number(angle).filter(|angle| angle.abs() <= 3600.0).ok_or(takes)?;
    let (rotation, tilt) = Tilt::split(f64::from(angle)).ok_or(takes)?;
    Ok(Change::Turn { mirror, rotation, tilt })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Option<Change> {
        Change::parse(name, value).unwrap().ok()
    }

    #[test]
    fn values_are_read_as_iipsrv_writes_them() {
        let range = |band| Change::Range(BandRange { band, min: 50.0, max: 100.0 });
        let light = |azimuth_deg| Change::Light(Light { azimuth_deg, elevation_deg: 30.0 });
        let turn = |mirror, rotation| Change::Turn { mirror, rotation, tilt: Tilt::default() };
        for (name, value, expected) in [
            ("CNT", "eq", Change::Equalise),
            ("cnt", "STRETCH", Change::Contrast(Contrast::Stretch)),
            ("CNT", "-1", Change::Contrast(Contrast::Stretch)),
            ("CNT", "2.5", Change::Contrast(Contrast::Factor(2.5))),
            ("CNT", "1.0", Change::Contrast(Contrast::None)),
            ("GAM", "log", Change::Tone(Tone::Log)),
            ("GAM", "0.5", Change::Tone(Tone::Power(0.5))),
            ("GAM", "1", Change::Tone(Tone::Linear)),
            ("INV", "INV", Change::Invert),
            ("CMP", "Jet", Change::ColourMap(ColourMap::Jet)),
            ("SHD", "45,30", light(45.0)),
            ("SHD", "-90,30", light(270.0)),
            ("COL", "GREY", Change::Quality(Quality::Gray)),
            ("COL", "binary", Change::Quality(Quality::BitonalByImage)),
            ("CTW", "[1,0;0,-1e-2]", Change::Twist(vec![vec![1.0, 0.0], vec![0.0, -0.01]])),
            ("CTW", "1", Change::Twist(vec![vec![1.0]])),
            ("PRE", "false colour", Change::Preset("false colour".to_owned())),
            ("INT", "Lanczos3", Change::Filter(Filter::Lanczos3)),
            ("CNV", "sobel", Change::Kernel(Kernel::of_name("sobel").unwrap())),
            ("CNV", "[1]", Change::Kernel(Kernel::new(&[1.0]).unwrap())),
            ("MINMAX", "0:50,100", range(Some(0))),
            ("MINMAX", "-:50,100", range(None)),
            ("ROT", "90", turn(false, Rotation::Quarter)),
            ("ROT", "-90", turn(false, Rotation::ThreeQuarters)),
            ("ROT", "!180", turn(true, Rotation::Half)),
            ("ROT", "360", turn(false, Rotation::None)),
        ] {
            assert_eq!(read(name, value), Some(expected), "{name}={value}");
        }
        let stops = ColourMap::Custom([[0, 0, 0], [255, 128, 0]].into());
        assert_eq!(read("CMP", "custom:000000,FF8000"), Some(Change::ColourMap(stops)));
        assert!(Change::parse("FIF", "x").is_none());
    }

    #[test]
    fn senseless_values_are_refused_with_what_is_taken() {
        let long = vec!["1"; 10_000].join(",");
        let tall = vec!["1"; 10_000].join(";");
        for (name, value) in [
            ("CNT", "abc"),
            ("CNT", "-2"),
            ("CNT", "nan"),
            ("CNT", "inf"),
            ("GAM", "-3"),
            ("GAM", "1e9"),
            ("GAM", ""),
            ("CMP", "rainbow"),
            ("CMP", "custom:00"),
            ("CMP", "custom:000000"),
            ("SHD", "45"),
            ("SHD", "1e9,30"),
            ("SHD", "45,91"),
            ("COL", "blue"),
            ("CTW", "[]"),
            ("CTW", ""),
            ("CTW", "[1,x]"),
            ("CTW", long.as_str()),
            ("CTW", tall.as_str()),
            ("CNV", "[1,2,3,4]"),
            ("CNV", "blur"),
            ("CNV", long.as_str()),
            ("MINMAX", "0:100,50"),
            ("MINMAX", "x:0,1"),
            ("MINMAX", "0,1"),
            ("MINMAX", "-1:0,1"),
            ("MINMAX", "0:nan,1"),
            ("PRE", ""),
            ("INT", "cubic"),
            ("ROT", "1e9"),
            ("ROT", "x"),
        ] {
            let fault = Change::parse(name, value).unwrap().unwrap_err();
            assert!(fault.text.starts_with(name) && fault.text.contains("takes"), "{fault:?}");
            assert!(fault.text.len() < 400, "{name}: {}", fault.text.len());
        }
    }

    #[test]
    fn rows_add_up_to_one_matrix() {
        let mut changes = Changes::default();
        for value in ["[1,0]", "[0,1]", "[0,0,0,1]"] {
            changes.add(read("CTW", value).unwrap()).unwrap();
        }
        let image = ImageId::parse("a.tif").unwrap();
        assert_eq!(changes.on(image.clone(), true).selection().bands, Bands::All);
        assert_eq!(changes.on(image, false).selection().bands, Bands::OfPages);
        changes.add(read("CTW", "[1]").unwrap()).unwrap();
        changes.add(read("CTW", "[1]").unwrap()).unwrap_err();
    }
}
