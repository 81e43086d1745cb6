//! Deep Zoom: `NAME.dzi` and `NAME_files/LEVEL/COLUMN_ROW.FORMAT`. Names may hold slashes, so addresses
//! are read from the right. The form is that of Microsoft's schema of 2008, as iipsrv writes it; where
//! `.xml` or `.js` stands for `.dzi`, as OpenSeadragon asks for them.

use crate::model::request::{Frame, PictureRequest};
use crate::model::{DeepZoomCut, Fault, Format, ImageInfo, Want};
use crate::protocols::answer::Document;
use crate::protocols::call::{Call, Dialect, Parsed};
use crate::protocols::image_name::image_id;
use crate::protocols::number::whole;
use crate::protocols::percent::decode;
use crate::protocols::protocol::Protocol;
use crate::protocols::refusal::Refusal;
use crate::protocols::settings::Settings;
use crate::protocols::tile_name;
use crate::protocols::wire::RawRequest;

/// The schema that says what the numbers mean.
const NAMESPACE: &str = "http://schemas.microsoft.com/deepzoom/2008";

/// How a descriptor is worded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Words {
    /// As XML.
    Xml,
    /// As a script that hands it to a function of the page, which may be known by any of these names.
    Script(Vec<String>),
}

/// Reads what follows `/deepzoom/`, or the value of `DeepZoom=`.
pub(crate) fn parse(
    raw: &RawRequest<'_>,
    text: &str,
    settings: &Settings,
) -> Result<Parsed, Refusal> {
    let read = || {
        let (name, want, words) = split(text, settings.deep_zoom.cut)?;
        let image = image_id(&decode(name)?, settings.delimiter.as_deref())?;
        Ok(Call::new(raw, image, want, Dialect::DeepZoom(words)).into())
    };
    read().map_err(|fault| Refusal::new(Protocol::DeepZoom, fault))
}

fn split(text: &str, cut: DeepZoomCut) -> Result<(&str, Want, Words), Fault> {
    if let Some(name) = text.strip_suffix(".dzi").or_else(|| text.strip_suffix(".xml")) {
        return Ok((name, Want::Info, Words::Xml));
    }
    if let Some(name) = text.strip_suffix(".js") {
        return Ok((name, Want::Info, Words::Script(callbacks(name)?)));
    }
    let Some((name, tile)) = text.rsplit_once("_files/") else {
        return Err(Fault::not_found(
            "Deep Zoom has NAME.dzi, NAME.xml, NAME.js and NAME_files/LEVEL/COLUMN_ROW.jpg",
        ));
    };
    let (frame, format) = read_tile(tile, cut)?;
    Ok((name, Want::Picture(PictureRequest::plain(frame, format)), Words::Xml))
}

/// The names of the function that takes a script's descriptor: that of the file, as the address has it
/// and decoded, since a page may have written it either way.
fn callbacks(name: &str) -> Result<Vec<String>, Fault> {
    let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
    let mut names = vec![file.to_owned(), decode(file)?.into_owned()];
    names.dedup();
    Ok(names)
}

fn read_tile(text: &str, cut: DeepZoomCut) -> Result<(Frame, Format), Fault> {
    let (numbers, format) = tile_name::split_format(text)?;
    let read = || {
        let (level, place) = numbers.split_once('/')?;
        let (column, row) = place.split_once('_')?;
        let (level, column, row) = (whole(level)?, whole(column)?, whole(row)?);
        Some(Frame::DeepZoomTile { level, column, row, cut })
    };
    let frame = read().ok_or_else(|| {
        Fault::bad_request("a tile is LEVEL/COLUMN_ROW in whole numbers, such as 12/3_4.jpg")
    })?;
    Ok((frame, format))
}

impl Words {
    /// The descriptor.
    pub(crate) fn document(&self, info: &ImageInfo, settings: &Settings) -> Document {
        let (width, height) = (info.size.width(), info.size.height());
        let DeepZoomCut { overlap_px, .. } = settings.deep_zoom.cut;
        let side = settings.deep_zoom.cut.tile(info).width();
        let suffix = settings.deep_zoom.format.suffix();
        match self {
            Self::Xml => Document {
                content_type: "application/xml",
                body: format!(
                    "<Image xmlns=\"{NAMESPACE}\" TileSize=\"{side}\" Overlap=\"{overlap_px}\" \
                     Format=\"{suffix}\"><Size Width=\"{width}\" Height=\"{height}\"/></Image>"
                ),
            },
            Self::Script(callbacks) => {
                let function = |name: &String| format!("window[{}]", serde_json::json!(name));
                let functions: Vec<String> = callbacks.iter().map(function).collect();
                let image = serde_json::json!({ "Image": {
                    "xmlns": NAMESPACE,
                    "Format": suffix,
                    "Overlap": overlap_px,
                    "TileSize": side,
                    "Size": { "Width": width, "Height": height },
                }});
                Document {
                    content_type: "text/javascript; charset=utf-8",
                    body: format!("({})({image});\n", functions.join(" || ")),
                }
            }
        }
    }
}
