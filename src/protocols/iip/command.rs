//! `Command`: one IIP command with its value read. Values are percent-decoded once.

use std::num::NonZeroU16;

use crate::model::request::{Frame, Region};
use crate::model::samples::{Place, SamplesRequest};
use crate::model::{Depth, Fault, Format, ImageId, Slice, TiffCompression};
use crate::protocols::change::Change;
use crate::protocols::iip::error::IipError;
use crate::protocols::iip::grammar::Token;
use crate::protocols::iip::objects::Object;
use crate::protocols::image_name::image_id;
use crate::protocols::number::{decimal, parts, whole};
use crate::protocols::percent::{decode, excerpt};
use crate::protocols::settings::Settings;

/// What is taken, for errors that say so.
const TAKEN: &str = "FIF, SDS, OBJ, QLT, BPC, WID, HEI, RGN, ROT, MINMAX, CNT, GAM, INV, CMP, SHD, COL, CTW, \
                     CNV, INT, PRE, LYR, CVT, JTL, JTLS, PTL, WTL, ATL, TTL, TIL, PFL, SPECTRA";

/// One command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// `FIF`: the image.
    Image(ImageId),
    /// `SDS`: which page or view of it.
    View(Slice),
    /// `OBJ`: a question about it.
    Object(Object),
    /// `QLT`: the encoder's quality, -1 to 100, and the compression of a TIFF.
    EncoderQuality(i8, Option<TiffCompression>),
    /// `BPC`: bits of a sample.
    Depth(Depth),
    /// `WID` in pixels; none for 0, which means "as follows from the rest".
    Width(Option<u32>),
    /// `HEI` in pixels, likewise.
    Height(Option<u32>),
    /// `RGN`: a part of the image.
    Region(Region),
    /// `CVT`: the region as a file.
    Export(Format),
    /// `JTL`, `PTL`, `WTL`, `ATL`, `TTL`: a tile as a file.
    Tile(Frame, Format),
    /// `JTLS`: a JPEG tile of a view, which counts for this tile only.
    TileOfView(Slice, Frame),
    /// `TIL`: tiles in IIP's own frame.
    RawTiles {
        /// 0 is the smallest level.
        resolution: u32,
        /// Counted row by row.
        start: u32,
        /// The same where it is one tile.
        end: u32,
    },
    /// `PFL`: values along a line.
    Profile(SamplesRequest),
    /// `SPECTRA`: the values of one pixel in every page.
    Spectra(SamplesRequest),
    /// What changes samples, colours or orientation.
    Change(Change),
    /// `LYR`: quality layers of JPEG 2000; 0 is as many as the server is set to decode.
    Layers(Option<NonZeroU16>),
    /// A command that leaves the picture as it is: viewers send it along.
    Neutral,
}

impl Command {
    /// Reads one command.
    ///
    /// # Errors
    /// Malformed values; commands and objects that are not taken.
    pub(crate) fn parse(token: Token<'_>, settings: &Settings) -> Result<Self, IipError> {
        let malformed = |fault| IipError::malformed_command(token, fault);
        let value = decode(token.value).map_err(malformed)?;
        let value: &str = &value;
        let is = |name: &str| token.name.eq_ignore_ascii_case(name);
        if is("OBJ") {
            return object(value).map(Self::Object);
        }
        // Profiles are embedded as settings say.
        if is("ICC") {
            return Ok(Self::Neutral);
        }
        if let Some(change) = Change::parse(token.name, value) {
            return change.map(Self::Change).map_err(malformed);
        }
        let parsed = if is("FIF") {
            image_id(value, settings.delimiter.as_deref()).map(Self::Image)
        } else if is("JTL") {
            tile(value).map(|frame| Self::Tile(frame, Format::Jpeg))
        } else if is("PTL") {
            tile(value).map(|frame| Self::Tile(frame, Format::Png))
        } else if is("WTL") {
            tile(value).map(|frame| Self::Tile(frame, Format::Webp))
        } else if is("ATL") {
            tile(value).map(|frame| Self::Tile(frame, Format::Avif))
        } else if is("TTL") {
            tile(value).map(|frame| Self::Tile(frame, Format::Tiff))
        } else if is("TIL") {
            raw_tiles(value)
        } else if is("PFL") {
            profile(value).map(Self::Profile)
        } else if is("SPECTRA") {
            spectra(value).map(Self::Spectra)
        } else if is("JTLS") {
            tile_of_view(value)
        } else if is("SDS") {
            view(value).map(Self::View)
        } else if is("CVT") {
            export(value)
        } else if is("WID") {
            side(value, "WID").map(Self::Width)
        } else if is("HEI") {
            side(value, "HEI").map(Self::Height)
        } else if is("RGN") {
            region(value).map(Self::Region)
        } else if is("QLT") {
            encoder_quality(value)
        } else if is("BPC") {
            depth(value).map(Self::Depth)
        } else if is("LYR") {
            layers(value).map(Self::Layers)
        } else {
            return Err(unsupported(token));
        };
        parsed.map_err(malformed)
    }
}

fn layers(value: &str) -> Result<Option<NonZeroU16>, Fault> {
    let count = whole::<u32>(value).ok_or_else(|| {
        Fault::bad_request(format!("LYR is a number of quality layers, not {}", excerpt(value)))
    })?;
    // No image has more than are counted in 16 bits.
    Ok(NonZeroU16::new(u16::try_from(count).unwrap_or(u16::MAX)))
}

fn unsupported(token: Token<'_>) -> IipError {
    let name = token.shown_name();
    let fault = Fault::bad_request(format!("there is no command {name}; known are {TAKEN}"));
    IipError::unsupported_command(token, fault)
}

fn object(value: &str) -> Result<Object, IipError> {
    let name = value.to_ascii_lowercase();
    Object::parse(&name).ok_or_else(|| {
        let fault = Fault::bad_request(format!(
            "there is no object {}; known are {}",
            excerpt(&name),
            Object::KNOWN
        ));
        IipError::unsupported_object(name, fault)
    })
}

fn tile(value: &str) -> Result<Frame, Fault> {
    let (resolution, index) = tile_numbers(value)?;
    Ok(Frame::IipTile { resolution, index })
}

/// `x`, or `x,y`. As of a sequence, a view looks level unless it says otherwise.
fn view(value: &str) -> Result<Slice, Fault> {
    let (horizontal, vertical) = match value.split_once(',') {
        Some((horizontal, vertical)) => (whole(horizontal), whole(vertical)),
        None => (whole(value), Some(Slice::LEVEL_DEG)),
    };
    horizontal.zip(vertical).map(|(x, y)| Slice::view(x, y)).ok_or_else(|| {
        let shown = excerpt(value);
        Fault::bad_request(format!(
            "SDS takes a page or a horizontal angle, and perhaps a vertical angle, such as 3 or \
             10,90, not {shown}"
        ))
    })
}

/// `x,r,t,y`: the form of older viewers of sequences.
fn tile_of_view(value: &str) -> Result<Command, Fault> {
    let read = || {
        let [horizontal, resolution, index, vertical] = parts::<4>(value)?;
        let view = Slice::view(whole(horizontal)?, whole(vertical)?);
        let (resolution, index) = (whole(resolution)?, whole(index)?);
        Some(Command::TileOfView(view, Frame::IipTile { resolution, index }))
    };
    read().ok_or_else(|| {
        let shown = excerpt(value);
        Fault::bad_request(format!(
            "JTLS takes HORIZONTAL,RESOLUTION,TILE,VERTICAL in whole numbers, not {shown}"
        ))
    })
}

fn tile_numbers(value: &str) -> Result<(u32, u32), Fault> {
    parts::<2>(value)
        .and_then(|[resolution, index]| Some((whole(resolution)?, whole(index)?)))
        .ok_or_else(|| {
            let shown = excerpt(value);
            Fault::bad_request(format!("a tile is RESOLUTION,TILE in whole numbers, not {shown}"))
        })
}

/// `r,t`, or `r,t-t` for the rectangle between two.
fn raw_tiles(value: &str) -> Result<Command, Fault> {
    let (first, end) = value.split_once('-').map_or((value, None), |(it, end)| (it, Some(end)));
    let (resolution, start) = tile_numbers(first)?;
    let end = end.map_or(Some(start), whole).ok_or_else(|| {
        let shown = excerpt(value);
        Fault::bad_request(format!(
            "TIL takes RESOLUTION,TILE or RESOLUTION,TILE-TILE, not {shown}"
        ))
    })?;
    Ok(Command::RawTiles { resolution, start, end })
}

/// `r:x1,y1`, or `r:x1,y1-x2,y2`: from the first pixel to before the second, along a row, or along a column
/// where the second is not to the right.
fn profile(value: &str) -> Result<SamplesRequest, Fault> {
    let point = |text: &str| {
        let [x, y] = parts::<2>(text)?;
        Some((whole::<u32>(x)?, whole::<u32>(y)?))
    };
    let read = || {
        let (resolution, line) = value.split_once(':')?;
        let (from, to) = line.split_once('-').map_or((line, None), |(from, to)| (from, Some(to)));
        let (left, top) = point(from)?;
        let (right, bottom) = to.map_or(Some((left, top)), point)?;
        let (width, height) = match (right.checked_sub(left), bottom.checked_sub(top)) {
            (Some(width @ 1..), _) => (width, 1),
            (_, Some(height @ 1..)) => (1, height),
            _ => (1, 1),
        };
        let place = Place::Area { left, top, width, height };
        Some(SamplesRequest { resolution: whole(resolution)?, place })
    };
    read().ok_or_else(|| {
        let shown = excerpt(value);
        Fault::bad_request(format!(
            "PFL takes RESOLUTION:X,Y or RESOLUTION:X,Y-X,Y in whole numbers, not {shown}"
        ))
    })
}

/// `r,t,x,y`.
fn spectra(value: &str) -> Result<SamplesRequest, Fault> {
    let read = || {
        let [resolution, index, x, y] = parts::<4>(value)?;
        let place = Place::InTile { index: whole(index)?, x: whole(x)?, y: whole(y)? };
        Some(SamplesRequest { resolution: whole(resolution)?, place })
    };
    read().ok_or_else(|| {
        let shown = excerpt(value);
        Fault::bad_request(format!(
            "SPECTRA takes RESOLUTION,TILE,X,Y in whole numbers, X and Y within the tile, not {shown}"
        ))
    })
}

fn export(value: &str) -> Result<Command, Fault> {
    match value.to_ascii_lowercase().as_str() {
        "jpeg" | "jpg" => Ok(Command::Export(Format::Jpeg)),
        "png" => Ok(Command::Export(Format::Png)),
        "webp" => Ok(Command::Export(Format::Webp)),
        "avif" => Ok(Command::Export(Format::Avif)),
        "tiff" | "tif" => Ok(Command::Export(Format::Tiff)),
        "gif" => Ok(Command::Export(Format::Gif)),
        "pdf" => Ok(Command::Export(Format::Pdf)),
        "jxl" => Ok(Command::Export(Format::Jxl)),
        _ => {
            let shown = excerpt(value);
            Err(Fault::bad_request(format!(
                "CVT takes jpeg, png, webp, avif, tiff, gif, pdf or jxl, not {shown}"
            )))
        }
    }
}

/// The whole part of a number: viewers compute sizes and send `512.5`.
fn whole_part(value: &str) -> Option<u32> {
    decimal(value)?;
    let (integer, _) = value.split_once('.').unwrap_or((value, ""));
    if integer.is_empty() { Some(0) } else { whole(integer) }
}

fn side(value: &str, name: &str) -> Result<Option<u32>, Fault> {
    let pixels = whole_part(value).ok_or_else(|| {
        let shown = excerpt(value);
        Fault::bad_request(format!("{name} takes a number of pixels from 0 on, not {shown}"))
    })?;
    Ok((pixels != 0).then_some(pixels))
}

/// Fractions of the image. What lies before the left and upper edge is cut here, as the plan cuts
/// what lies beyond the far edges.
fn region(value: &str) -> Result<Region, Fault> {
    let fault = || {
        let shown = excerpt(value);
        Fault::bad_request(format!(
            "RGN takes four fractions x,y,width,height between 0 and 1, width and height above 0, \
             not {shown}"
        ))
    };
    let numbers = parts::<4>(value).ok_or_else(fault)?.map(fraction);
    let [Some(left), Some(top), Some(width), Some(height)] = numbers else { return Err(fault()) };
    let (right, bottom) = (left + width, top + height);
    if width <= 0.0 || height <= 0.0 || right <= 0.0 || bottom <= 0.0 {
        return Err(fault());
    }
    let (x, y) = (left.max(0.0), top.max(0.0));
    // The far edge is worked out again only where the near one moved: 0.1 + 0.2 - 0.1 is not 0.2.
    let width = if left < 0.0 { right } else { width };
    let height = if top < 0.0 { bottom } else { height };
    Ok(Region::Percent {
        x: x * 100.0,
        y: y * 100.0,
        width: width.min(1.0) * 100.0,
        height: height.min(1.0) * 100.0,
    })
}

/// A finite number of moderate size; unlike IIIF's, viewers compute these and send `-0.01` and `1e-7`.
fn fraction(text: &str) -> Option<f64> {
    let value: f64 = text.trim().parse().ok()?;
    (value.abs() <= 1e6).then_some(value)
}

/// `QLT=n`, or `QLT=compression:n`, whose word is for TIFF alone; -1 is "without losses".
fn encoder_quality(value: &str) -> Result<Command, Fault> {
    let fault = || {
        let shown = excerpt(value);
        Fault::bad_request(format!(
            "QLT takes a number from 0 to 100, or -1 for no losses, perhaps after none:, lzw:, deflate:, \
             jpeg:, webp: or zstd:, not {shown}"
        ))
    };
    let (word, number) = match value.split_once(':') {
        Some((word, number)) => (Some(word.to_ascii_lowercase()), number),
        None => (None, value),
    };
    let quality = match number {
        "-1" => -1,
        // LZW has no level.
        "" if word.is_some() => 0,
        _ => {
            let quality = whole_part(number).ok_or_else(fault)?;
            i8::try_from(quality.min(100)).unwrap_or(100)
        }
    };
    let compression = match word {
        Some(word) => {
            let mut known = TiffCompression::ALL.into_iter();
            Some(known.find(|known| known.word() == word).ok_or_else(fault)?)
        }
        None => None,
    };
    Ok(Command::EncoderQuality(quality, compression))
}

fn depth(value: &str) -> Result<Depth, Fault> {
    let depths = [Depth::Eight, Depth::Sixteen, Depth::Float];
    let known = depths.into_iter().find(|depth| whole(value) == Some(u32::from(depth.bits())));
    known.ok_or_else(|| {
        let shown = excerpt(value);
        Fault::bad_request(format!("BPC takes 8, 16 or 32 bits a sample, not {shown}"))
    })
}
