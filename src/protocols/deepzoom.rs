//! Deep Zoom: `NAME.dzi` and `NAME_files/LEVEL/COLUMN_ROW.FORMAT`. Names may hold slashes, so addresses
//! are read from the right. The form is that of Microsoft's schema of 2008, as iipsrv writes it.

use crate::model::request::{Frame, PictureRequest};
use crate::model::{Fault, Format, ImageInfo, Want};
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

/// Reads what follows `/deepzoom/`, or the value of `DeepZoom=`.
pub(crate) fn parse(
    raw: &RawRequest<'_>,
    text: &str,
    settings: &Settings,
) -> Result<Parsed, Refusal> {
    let read = || {
        let (name, want) = split(text)?;
        let image = image_id(&decode(name)?, settings.delimiter.as_deref())?;
        Ok(Call::new(raw, image, want, Dialect::DeepZoom).into())
    };
    read().map_err(|fault| Refusal::new(Protocol::DeepZoom, fault))
}

fn split(text: &str) -> Result<(&str, Want), Fault> {
    if let Some(name) = text.strip_suffix(".dzi") {
        return Ok((name, Want::Info));
    }
    let Some((name, tile)) = text.rsplit_once("_files/") else {
        return Err(Fault::not_found("Deep Zoom has NAME.dzi and NAME_files/LEVEL/COLUMN_ROW.jpg"));
    };
    let (frame, format) = read_tile(tile)?;
    Ok((name, Want::Picture(PictureRequest::plain(frame, format))))
}

fn read_tile(text: &str) -> Result<(Frame, Format), Fault> {
    let (numbers, format) = tile_name::split_format(text)?;
    let read = || {
        let (level, place) = numbers.split_once('/')?;
        let (column, row) = place.split_once('_')?;
        let (level, column, row) = (whole(level)?, whole(column)?, whole(row)?);
        Some(Frame::DeepZoomTile { level, column, row })
    };
    let frame = read().ok_or_else(|| {
        Fault::bad_request("a tile is LEVEL/COLUMN_ROW in whole numbers, such as 12/3_4.jpg")
    })?;
    Ok((frame, format))
}

/// The descriptor. Tiles are square in Deep Zoom.
pub(crate) fn document(info: &ImageInfo) -> Document {
    let (width, height, side) = (info.size.width(), info.size.height(), info.square_tile().width());
    let body = format!(
        "<Image xmlns=\"http://schemas.microsoft.com/deepzoom/2008\" TileSize=\"{side}\" \
         Overlap=\"0\" Format=\"jpg\"><Size Width=\"{width}\" Height=\"{height}\"/></Image>"
    );
    Document { content_type: "application/xml", body }
}
