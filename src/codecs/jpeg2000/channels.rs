//! `Channels`: which components, palette columns and boxes make colours and alpha of a picture.
//!
//! # Source
//! T.800, I.5.3; T.801, M.11.7.3, for the enumerated colour spaces beyond.

use crate::codecs::CodecError;
use crate::codecs::jpeg2000::boxes::{ColourBox, Container, Definition, PaletteBox};
use crate::codecs::jpeg2000::bytes::Bytes;
use crate::codecs::jpeg2000::markers::{Siz, SizComponent};
use crate::codecs::jpeg2000::{malformed, unsupported};
use crate::codecs::number::usize_of;
use crate::model::{ColourModel, SampleRange, SampleType};

/// `D50` as an illuminant, which is the default.
const D50: u32 = 0x0044_3530;

/// What colours are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Space {
    Gray,
    Rgb,
    /// Luma and colour differences of sRGB.
    SYcc,
    Cmyk,
    /// L*a*b*: of each colour what code 0 stands for, and a step.
    Lab([(f32, f32); 3]),
}

/// Where a channel's samples come from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Channel {
    /// The component's number in the file.
    pub(super) component: usize,
    pub(super) stated: SizComponent,
    /// Bytes by index, where it is looked up.
    pub(super) table: Option<Vec<u8>>,
}

/// How components make a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Channels {
    pub(super) space: Space,
    pub(super) colours: Vec<Channel>,
    pub(super) alpha: Option<Channel>,
    /// Whether colours were multiplied by it.
    pub(super) is_associated: bool,
    /// An ICC profile, unread.
    pub(super) icc: Option<Vec<u8>>,
}

impl Channels {
    /// Decides by the boxes of a file, or by its components where it has none.
    ///
    /// # Errors
    /// `Malformed` where channels are missing; `Unsupported` for colours that we do not know.
    pub(super) fn of(container: &Container, siz: &Siz) -> Result<Self, CodecError> {
        let sources = sources(container, siz)?;
        let (space, icc) = space(container, siz, &sources)?;
        let colour_count = usize::from(space.model().bands());
        let of_colour = |colour: usize| {
            let is_it = |definition: &&Definition| {
                definition.kind == 0 && usize::from(definition.of) == colour + 1
            };
            let defined = container.definitions.iter().find(is_it);
            let at = defined.map_or(colour, |definition| definition.channel.into());
            let missing = || malformed(format!("colour {} has no channel", colour + 1));
            sources.get(at).cloned().ok_or_else(missing)
        };
        let colours = (0..colour_count).map(of_colour).collect::<Result<Vec<_>, _>>()?;
        let defined =
            container.definitions.iter().find(|definition| matches!(definition.kind, 1 | 2));
        let alpha = match defined {
            Some(definition) => sources.get(usize::from(definition.channel)).cloned(),
            // One more channel that nothing describes.
            None if container.definitions.is_empty() && sources.len() == colour_count + 1 => {
                sources.last().cloned()
            }
            None => None,
        };
        let is_associated = defined.is_some_and(|definition| definition.kind == 2);
        let channels = Self { space, colours, alpha, is_associated, icc };
        if space == Space::SYcc && channels.sample_type() == SampleType::F32 {
            return Err(unsupported("sYCC of more than 16 bits"));
        }
        Ok(channels)
    }

    /// Colours and alpha.
    pub(super) fn all(&self) -> impl Iterator<Item = &Channel> {
        self.colours.iter().chain(&self.alpha)
    }

    /// The type that samples have in memory.
    pub(super) fn sample_type(&self) -> SampleType {
        let is_plain = |channel: &Channel| {
            channel.table.is_some() || channel.stated.bits <= 16 && !self.is_signed(channel)
        };
        let is_short = |channel: &Channel| channel.table.is_some() || channel.stated.bits <= 8;
        match self.space {
            Space::Lab(_) => SampleType::F32,
            _ if !self.all().all(is_plain) => SampleType::F32,
            _ if self.all().all(is_short) => SampleType::U8,
            _ => SampleType::U16,
        }
    }

    /// Whether a channel has negative samples: colour differences may have without being numbers of
    /// their own.
    fn is_signed(&self, channel: &Channel) -> bool {
        let is_difference = self.space == Space::SYcc
            && self.colours.iter().skip(1).any(|colour| colour == channel);
        channel.stated.signed && !is_difference
    }

    /// What is black and white of each colour, where the samples' type does not say so.
    pub(super) fn ranges(&self) -> Vec<SampleRange> {
        if self.sample_type() != SampleType::F32 || matches!(self.space, Space::Lab(_)) {
            return Vec::new();
        }
        let range = |channel: &Channel| {
            let bits = i32::from(channel.stated.bits);
            if channel.stated.signed {
                let half = 2_f32.powi(bits - 1);
                SampleRange { black: -half, white: half - 1.0 }
            } else {
                SampleRange { black: 0.0, white: 2_f32.powi(bits) - 1.0 }
            }
        };
        self.colours.iter().map(range).collect()
    }
}

impl Space {
    /// What decoded pixels are.
    pub(super) const fn model(self) -> ColourModel {
        match self {
            Self::Gray => ColourModel::Gray,
            Self::Rgb | Self::SYcc => ColourModel::Rgb,
            Self::Cmyk => ColourModel::Cmyk,
            Self::Lab(_) => ColourModel::Lab,
        }
    }
}

/// All channels: those of `cmap`, or the components.
fn sources(container: &Container, siz: &Siz) -> Result<Vec<Channel>, CodecError> {
    let component = |component: usize, table: Option<Vec<u8>>| {
        let missing = || malformed(format!("there is no component {component}"));
        let stated = *siz.components.get(component).ok_or_else(missing)?;
        Ok(Channel { component, stated, table })
    };
    let Some(palette) = &container.palette else {
        return (0..siz.components.len()).map(|at| component(at, None)).collect();
    };
    if container.mapping.is_empty() {
        return Err(malformed("pclr without cmap"));
    }
    let mapped = container.mapping.iter().map(|(of, column)| {
        let table = column.map(|column| table(palette, column.into())).transpose()?;
        component(usize::from(*of), table)
    });
    mapped.collect()
}

/// A column of a palette as bytes.
fn table(palette: &PaletteBox, column: usize) -> Result<Vec<u8>, CodecError> {
    let depth = palette.depths.get(column).copied();
    let bits = u32::from(depth.ok_or_else(|| malformed("cmap names no column of pclr"))?) + 1;
    if 32 < bits {
        return Err(unsupported(format!("a palette of {bits} bits or of signed numbers")));
    }
    let largest = u64::from(u32::MAX >> (u32::BITS - bits));
    let entries = palette.entries.iter().skip(column).step_by(palette.depths.len());
    let byte = |entry: &u32| {
        let scaled = (u64::from(*entry) * 510 + largest) / (2 * largest);
        u8::try_from(scaled).unwrap_or(u8::MAX)
    };
    Ok(entries.map(byte).collect())
}

/// The first colour space that we know, and the profile if it is one.
fn space(
    container: &Container,
    siz: &Siz,
    sources: &[Channel],
) -> Result<(Space, Option<Vec<u8>>), CodecError> {
    let mut unknown = None;
    for colour in &container.colours {
        match colour {
            ColourBox::Enumerated(number, about) => match enumerated(*number, about, sources)? {
                Some(space) => return Ok((space, None)),
                None => unknown = Some(format!("enumerated colour space {number}")),
            },
            ColourBox::Profile(icc) => match icc.get(16..20) {
                Some(b"GRAY") => return Ok((Space::Gray, Some(icc.clone()))),
                Some(b"RGB ") => return Ok((Space::Rgb, Some(icc.clone()))),
                Some(b"CMYK") => return Ok((Space::Cmyk, Some(icc.clone()))),
                other => {
                    let name = String::from_utf8_lossy(other.unwrap_or_default());
                    unknown = Some(format!("colours of an ICC profile for `{}`", name.trim()));
                }
            },
            ColourBox::Other(method) => unknown = Some(format!("colour method {method}")),
        }
    }
    match unknown {
        Some(feature) => Err(unsupported(feature)),
        None => Ok((by_components(siz, sources), None)),
    }
}

fn enumerated(number: u32, about: &[u8], sources: &[Channel]) -> Result<Option<Space>, CodecError> {
    Ok(Some(match number {
        12 => Space::Cmyk,
        14 => Space::Lab(lab(about, sources)?),
        16 => Space::Rgb,
        17 => Space::Gray,
        18 => Space::SYcc,
        _ => return Ok(None),
    }))
}

/// What a file without boxes shows: subsampled second and third components are colour differences.
fn by_components(siz: &Siz, sources: &[Channel]) -> Space {
    let step = |at: usize| siz.components.get(at).map(|component| component.step);
    match sources.len() {
        0..=2 => Space::Gray,
        _ if step(0) != step(1) && step(1) == step(2) => Space::SYcc,
        _ => Space::Rgb,
    }
}

/// Codes of L*a*b* (M.11.7.4.1): ranges and offsets, or those that hold where none are named.
fn lab(about: &[u8], sources: &[Channel]) -> Result<[(f32, f32); 3], CodecError> {
    let bits = |at: usize| sources.get(at).map_or(8, |channel| channel.stated.bits);
    let power = |bits: u8| 2_f32.powi(bits.into());
    let (a_bits, b_bits) = (bits(1), bits(2));
    let b_zero = power(b_bits) / 4.0 + power(b_bits) / 8.0;
    let mut codes = [(100.0, 0.0), (170.0, power(a_bits) / 2.0), (200.0, b_zero)];
    let mut from = Bytes::of("colr", about);
    if !from.is_empty() {
        for code in &mut codes {
            *code = (float(from.u32()?), float(from.u32()?));
        }
        let illuminant = from.u32()?;
        if illuminant != D50 {
            return Err(unsupported(format!("CIELAB of illuminant {illuminant:#x}")));
        }
    }
    let mut at = 0;
    Ok(codes.map(|(range, zero)| {
        let step = range / (power(bits(at)) - 1.0);
        at += 1;
        (-zero * step, step)
    }))
}

/// A number of a header, near enough for a colour.
#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "24 bits are enough")]
fn float(number: u32) -> f32 {
    number as f32
}

/// The components that are decoded: those that channels come from, and the first three where they may
/// have been mixed.
pub(super) fn decoded_components(channels: &Channels, siz: &Siz) -> Vec<usize> {
    let mut components: Vec<usize> = channels.all().map(|channel| channel.component).collect();
    if 3 <= siz.components.len() && components.iter().any(|component| *component < 3) {
        components.extend(0..3);
    }
    components.sort_unstable();
    components.dedup();
    components
}

/// A whole number of the file as a place in a table.
pub(super) fn place(index: i32) -> usize {
    u32::try_from(index).map_or(0, usize_of)
}
