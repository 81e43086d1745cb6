//! Zoomify: `NAME/ImageProperties.xml` and `NAME/TileGroupG/LEVEL-COLUMN-ROW.FORMAT`. Names may hold
//! slashes, so addresses are read from the right. The group tells nothing that the rest does not, and
//! some viewers always say 0: any number is taken.

use crate::model::request::{Frame, PictureRequest};
use crate::model::{Fault, Format, ImageInfo, Size, Want};
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

/// Reads what follows `/zoomify/`, or the value of `Zoomify=`.
pub(crate) fn parse(
    raw: &RawRequest<'_>,
    text: &str,
    settings: &Settings,
) -> Result<Parsed, Refusal> {
    let read = || {
        let (name, want) = split(text)?;
        let image = image_id(&decode(name)?, settings.delimiter.as_deref())?;
        Ok(Call::new(raw, image, want, Dialect::Zoomify).into())
    };
    read().map_err(|fault| Refusal::new(Protocol::Zoomify, fault))
}

fn split(text: &str) -> Result<(&str, Want), Fault> {
    if let Some(name) = text.strip_suffix("/ImageProperties.xml") {
        return Ok((name, Want::Info));
    }
    let tile = text.rsplit_once("/TileGroup").and_then(|(name, rest)| {
        let (group, tile) = rest.split_once('/')?;
        whole::<u32>(group)?;
        Some((name, tile))
    });
    let Some((name, tile)) = tile else {
        return Err(Fault::not_found(
            "Zoomify has NAME/ImageProperties.xml and NAME/TileGroupG/LEVEL-COLUMN-ROW.jpg",
        ));
    };
    let (frame, format) = read_tile(tile)?;
    Ok((name, Want::Picture(PictureRequest::plain(frame, format))))
}

fn read_tile(text: &str) -> Result<(Frame, Format), Fault> {
    let (numbers, format) = tile_name::split_format(text)?;
    let read = || {
        let (level, place) = numbers.split_once('-')?;
        let (column, row) = place.split_once('-')?;
        let (level, column, row) = (whole(level)?, whole(column)?, whole(row)?);
        Some(Frame::ZoomifyTile { level, column, row })
    };
    let frame = read().ok_or_else(|| {
        Fault::bad_request("a tile is LEVEL-COLUMN-ROW in whole numbers, such as 5-3-4.jpg")
    })?;
    Ok((frame, format))
}

/// The properties, in the order that viewers rely on. Tiles are square in Zoomify.
pub(crate) fn document(info: &ImageInfo) -> Document {
    let (width, height, tile) = (info.size.width(), info.size.height(), info.square_tile());
    let (tiles, side) = (tile_count(info.size, tile), tile.width());
    let body = format!(
        "<IMAGE_PROPERTIES WIDTH=\"{width}\" HEIGHT=\"{height}\" NUMTILES=\"{tiles}\" \
         NUMIMAGES=\"1\" VERSION=\"1.8\" TILESIZE=\"{side}\" />"
    );
    Document { content_type: "application/xml", body }
}

/// Tiles of all levels: the image halved, rounding down, until it fits one tile.
fn tile_count(image: Size, tile: Size) -> u64 {
    let mut count = 0;
    for steps in 0..u32::BITS {
        let level = image.halved_down(steps);
        let (columns, rows) = level.grid(tile);
        count += u64::from(columns) * u64::from(rows);
        if level.fits(tile) {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_counted_as_viewers_number_them() {
        for (width, height, tiles) in [
            (4993, 3877, 429),
            (1000, 1000, 21),
            (5120, 2880, 324),
            (257, 258, 5),
            (513, 513, 10),
            (1001, 701, 17),
            (256, 256, 1),
            (1, 1, 1),
        ] {
            let (image, tile) = (Size::new(width, height), Size::new(256, 256));
            assert_eq!(tile_count(image.unwrap(), tile.unwrap()), tiles, "{width}x{height}");
        }
    }
}
