//! `Object`: what `OBJ` asks, and the answer to the byte, as clients parse it with regular
//! expressions. Lines end in CRLF.

use std::fmt::Write;

use serde_json::Value;

use crate::model::{ColourModel, Field, ImageInfo, Metadata, SampleRange, StackPage};

/// Version of the IIP server family, as iipsrv has always said it.
const IIP_SERVER: &str = "IIP-server:3.65\r\n";

/// What is asked of an image or of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Object {
    /// `IIP,1.0`: a header line, no body.
    IipVersion,
    /// `IIP-server`.
    IipServer,
    /// `IIP-opt-comm`: commands beyond the protocol's least.
    OptionalCommands,
    /// `IIP-opt-obj`: objects beyond the protocol's least.
    OptionalObjects,
    /// `Basic-Info`: server, size, number of resolutions, colour.
    BasicInfo {
        /// As [`Object::MaxSize`].
        turned: bool,
    },
    /// `Max-size`: the full image in pixels.
    MaxSize {
        /// Whether an earlier `ROT` makes its height its width.
        turned: bool,
    },
    /// `Resolution-number`: how many levels.
    ResolutionNumber,
    /// `Resolutions`: their sizes, smallest first.
    Resolutions,
    /// `Tile-size` in pixels.
    TileSize,
    /// `Bits-per-channel` as stored.
    BitsPerChannel,
    /// `Colorspace`.
    Colorspace,
    /// `Min-Max-sample-values`: the range of each band's samples.
    SampleRange,
    /// `Horizontal-views`: the pages of a stack or the angles of a sequence; else one, at 0.
    HorizontalViews,
    /// `Vertical-views`: the angles of a sequence; else one, at 90.
    VerticalViews,
    /// `stack`: the pages of a stack with names and scales, as JSON; of others nothing.
    Stack,
    /// `DPI`: in spite of its name, pixels a metre.
    Dpi,
    /// `metadata`: all that the file says in words, as JSON.
    Metadata,
    /// `Summary-info`: rights, description, creator, date and software, as far as there are, a line each.
    Summary,
    /// One field by its name, such as `rights`: its text alone.
    Text(Field),
    /// `xmp`.
    Xmp,
    /// `last-author` and the like, which no format that we read tells: nothing.
    Untold,
}

/// What iipsrv knows of besides, and no format that we read tells.
const UNTOLD: [&str; 6] =
    ["last-author", "rev-number", "edit-time", "last-printed", "last-save-dtm", "scale"];

/// The fields of a summary, in its order.
const SUMMARY: [Field; 5] =
    [Field::Rights, Field::Description, Field::Creator, Field::Date, Field::Software];

impl Object {
    /// All of them, for errors that say so.
    pub(crate) const KNOWN: &str = "IIP,1.0, IIP-server, IIP-opt-comm, IIP-opt-obj, Basic-Info, \
        Max-size, Resolution-number, Resolutions, Tile-size, Bits-per-channel, Colorspace, \
        Min-Max-sample-values, Horizontal-views, Vertical-views, stack, DPI, metadata, \
        Summary-info, xmp, rights, title, description, creator, keywords, comment, date, software, \
        make, model";

    /// The object of a name in lower case.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "iip-server" => Self::IipServer,
            "iip-opt-comm" => Self::OptionalCommands,
            "iip-opt-obj" => Self::OptionalObjects,
            "basic-info" => Self::BasicInfo { turned: false },
            "max-size" => Self::MaxSize { turned: false },
            "resolution-number" => Self::ResolutionNumber,
            "resolutions" => Self::Resolutions,
            "tile-size" => Self::TileSize,
            "bits-per-channel" => Self::BitsPerChannel,
            "min-max-sample-values" => Self::SampleRange,
            "horizontal-views" => Self::HorizontalViews,
            "vertical-views" => Self::VerticalViews,
            "stack" => Self::Stack,
            "dpi" => Self::Dpi,
            "metadata" => Self::Metadata,
            "summary-info" => Self::Summary,
            "xmp" => Self::Xmp,
            _ if UNTOLD.contains(&name) => Self::Untold,
            _ if Field::ALL.iter().any(|field| field.name() == name) => {
                Self::Text(Field::ALL.into_iter().find(|field| field.name() == name)?)
            }
            _ if name.starts_with("iip,") => Self::IipVersion,
            // Clients write `Colorspace,*,*` as well.
            _ if name.contains("colorspace") => Self::Colorspace,
            _ => return None,
        })
    }

    /// The object of a picture that is turned by a quarter.
    pub(crate) const fn turned(self) -> Self {
        match self {
            Self::BasicInfo { .. } => Self::BasicInfo { turned: true },
            Self::MaxSize { .. } => Self::MaxSize { turned: true },
            other => other,
        }
    }

    /// The answer where it is the same for every image; none where an image is needed.
    pub(crate) const fn constant(self) -> Option<&'static str> {
        match self {
            Self::IipVersion => Some(""),
            Self::IipServer => Some(IIP_SERVER),
            Self::OptionalCommands => {
                Some("IIP-opt-comm:CVT CNT QLT JTL JTLS WID HEI RGN MINMAX SHD CMP INV CTW\r\n")
            }
            Self::OptionalObjects => Some(
                "IIP-opt-obj:Horizontal-views Vertical-views Tile-size Bits-per-channel \
                 Min-Max-sample-values Resolutions\r\n",
            ),
            Self::BasicInfo { .. }
            | Self::MaxSize { .. }
            | Self::ResolutionNumber
            | Self::Resolutions
            | Self::TileSize
            | Self::BitsPerChannel
            | Self::Colorspace
            | Self::SampleRange
            | Self::HorizontalViews
            | Self::VerticalViews
            | Self::Stack
            | Self::Dpi
            | Self::Metadata
            | Self::Summary
            | Self::Text(_)
            | Self::Xmp
            | Self::Untold => None,
        }
    }

    /// The media type where it is not IIP's own.
    pub(crate) const fn media_type(self) -> Option<&'static str> {
        match self {
            Self::Stack | Self::Metadata => Some("application/json"),
            Self::Summary | Self::Text(_) | Self::Untold => Some("text/plain; charset=utf-8"),
            Self::Xmp => Some("application/xml"),
            _ => None,
        }
    }

    /// Appends the answer.
    pub(crate) fn write(self, info: &ImageInfo, lines: &mut String) {
        if let Some(text) = self.constant() {
            lines.push_str(text);
            return;
        }
        // Writing to a String cannot fail.
        self.write_line(info, lines).unwrap_or_default();
    }

    fn write_line(self, info: &ImageInfo, lines: &mut String) -> std::fmt::Result {
        match self {
            Self::BasicInfo { turned } => {
                lines.push_str(IIP_SERVER);
                for part in [Self::MaxSize { turned }, Self::ResolutionNumber, Self::Colorspace] {
                    part.write_line(info, lines)?;
                }
                Ok(())
            }
            Self::MaxSize { turned } => {
                let size = if turned { info.size.turned() } else { info.size };
                write!(lines, "Max-size:{} {}\r\n", size.width(), size.height())
            }
            Self::ResolutionNumber => write!(lines, "Resolution-number:{}\r\n", info.levels.len()),
            Self::Resolutions => write_resolutions(info, lines),
            Self::TileSize => {
                write!(lines, "Tile-size:{} {}\r\n", info.tile.width(), info.tile.height())
            }
            Self::BitsPerChannel => write!(lines, "Bits-per-channel:{}\r\n", info.bits),
            Self::Colorspace => write_colorspace(info, lines),
            Self::SampleRange => write_sample_range(info, lines),
            Self::HorizontalViews => {
                write!(lines, "Horizontal-views:{}\r\n", angles(&info.views.horizontal))
            }
            Self::VerticalViews => {
                write!(lines, "Vertical-views:{}\r\n", angles(&info.views.vertical))
            }
            Self::Stack => write_stack(&info.views.stack, lines),
            Self::Dpi => match info.resolution {
                Some(density) => {
                    let (x, y) = (density.x_per_metre, density.y_per_metre);
                    write!(lines, "DPI:{x:.6} {y:.6}\r\n")
                }
                None => Ok(()),
            },
            Self::Metadata => write_metadata(&info.metadata, lines),
            Self::Summary => {
                SUMMARY.iter().try_for_each(|field| write_text(&info.metadata, *field, lines))
            }
            Self::Text(field) => write_text(&info.metadata, field, lines),
            Self::Xmp => match &info.metadata.xmp {
                Some(xmp) => write!(lines, "{}\r\n", String::from_utf8_lossy(xmp)),
                None => Ok(()),
            },
            Self::Untold => Ok(()),
            Self::IipVersion | Self::IipServer | Self::OptionalCommands | Self::OptionalObjects => {
                Ok(())
            }
        }
    }
}

fn angles(angles: &[u32]) -> String {
    let angles: Vec<String> = angles.iter().map(u32::to_string).collect();
    angles.join(" ")
}

/// A JSON list in iipsrv's layout, for those who read it by lines; unlike there, names are escaped.
fn write_stack(pages: &[StackPage], lines: &mut String) -> std::fmt::Result {
    if pages.is_empty() {
        return Ok(());
    }
    lines.push_str("[ \n");
    for (index, StackPage { name, scale }) in pages.iter().enumerate() {
        let comma = if index == 0 { "" } else { ",\n" };
        let name = Value::from(name.as_str());
        write!(lines, "{comma}\t{{\n\t\t\"id\": {index},\n\t\t\"name\": {name},\n")?;
        write!(lines, "\t\t\"scale\": {scale}\n\t}}")?;
    }
    lines.write_str("\n]\r\n")
}

/// The fields by name as a JSON object; unlike iipsrv's, what they say is escaped.
fn write_metadata(metadata: &Metadata, lines: &mut String) -> std::fmt::Result {
    lines.push('{');
    for (index, (field, text)) in metadata.texts().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(lines, "{comma}\n\t\"{}\": {}", field.name(), Value::from(text))?;
    }
    lines.write_str("\n}\r\n")
}

/// What a field says, where it says something.
fn write_text(metadata: &Metadata, field: Field, lines: &mut String) -> std::fmt::Result {
    metadata.text(field).map_or(Ok(()), |text| write!(lines, "{text}\r\n"))
}

fn write_resolutions(info: &ImageInfo, lines: &mut String) -> std::fmt::Result {
    lines.push_str("Resolutions:");
    for (index, level) in info.levels.iter().rev().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(lines, "{comma}{} {}", level.size.width(), level.size.height())?;
    }
    lines.write_str("\r\n")
}

/// Levels, then "calibrated, opacity, space, planes": 1 is gray, 3 RGB, 4 L*a*b*; alpha is not counted.
fn write_colorspace(info: &ImageInfo, lines: &mut String) -> std::fmt::Result {
    let last = info.levels.len().saturating_sub(1);
    let (calibrated, planes) = match info.colour {
        ColourModel::Gray => (0, "1 1 0"),
        ColourModel::Rgb | ColourModel::Cmyk | ColourModel::Multi(_) => (0, "3 3 0 1 2"),
        ColourModel::Lab => (1, "4 3 0 1 2"),
    };
    write!(lines, "Colorspace,0-{last},0:{calibrated} 0 {planes}\r\n")
}

/// For each band, alpha too, ` MIN ` and ` MAX ` with a blank on both sides, the last blank left out; in the
/// units of the file.
fn write_sample_range(info: &ImageInfo, lines: &mut String) -> std::fmt::Result {
    let unit = info.unit();
    let range = |band: usize| {
        let SampleRange { black, white } = info.range(band);
        format!(" {}  {} ", nine_digits(black / unit), nine_digits(white / unit))
    };
    let bands: String = (0..usize::from(info.bands())).map(range).collect();
    write!(lines, "Min-Max-sample-values:{}\r\n", bands.trim_end())
}

/// A number as C's `%.9g` prints it: up to nine digits, an exponent where it is very small or large.
pub(crate) fn nine_digits(number: f32) -> String {
    let exact = f64::from(number);
    let scientific = format!("{exact:.8e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |text: &str| match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text.to_owned(),
    };
    if (-4..9).contains(&exponent) {
        let decimals = usize::try_from(8 - exponent).unwrap_or(0);
        return trimmed(&format!("{exact:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(digits), exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed by C's `printf("%.9g")`.
    #[test]
    fn numbers_are_printed_as_c_does() {
        for (number, expected) in [
            (0.0, "0"),
            (255.0, "255"),
            (65_535.0, "65535"),
            (-1.5, "-1.5"),
            (0.1, "0.100000001"),
            (1e-5, "9.99999975e-06"),
            (16_777_216.0, "16777216"),
            (3.4e38, "3.39999995e+38"),
            (1e9, "1e+09"),
        ] {
            assert_eq!(nine_digits(number), expected, "{number}");
        }
    }
}
