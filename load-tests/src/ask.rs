//! What is asked of a server, apart from how a protocol spells it: each ask has one address per
//! syntax and one expectation that holds whoever answers.

use crate::jpeg;
use crate::pyramid::{HEIGHT_PX, Image, LEVEL_COUNT, TILE_PX, Tile, WIDTH_PX, grid};

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// A tile at its own size.
    Tile(Tile),
    /// A tile with more contrast, another gamma and its colours mixed: IIP alone.
    Processed(Tile),
    /// A rectangle of the full image, in its pixels, scaled to [`EXPORT_WIDTH_PX`].
    Export { image: Image, left: u32, top: u32, width: u32, height: u32 },
    /// The whole image scaled to a width.
    Thumbnail { image: Image, width_px: u32 },
    /// The description: `info.json`, or IIP's basic objects.
    Info { image: Image },
}

/// Width of every export.
pub(crate) const EXPORT_WIDTH_PX: u32 = 1024;

/// How an ask is spelt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// IIIF Image API 3.0, as OpenSeadragon words it.
    Iiif,
    /// IIP: `JTL` for tiles, `CVT` for the rest. iipsrv's fastest way, and the same query string
    /// for whoever speaks IIP.
    Iip,
    /// The name of a file that holds the answer.
    Static,
}

/// What an answer must be to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    /// A whole JPEG of this size; scaled heights may differ by `slack_px`, since servers round
    /// apart.
    Picture { width_px: u32, height_px: u32, slack_px: u32 },
    /// A text that names the full width.
    Description,
}

impl Ask {
    /// The request target in a syntax.
    pub(crate) fn path(self, syntax: Syntax) -> String {
        match syntax {
            Syntax::Iiif => self.iiif_path(),
            Syntax::Iip => self.iip_path(),
            Syntax::Static => self.static_path(),
        }
    }

    /// Whether a syntax has words for it.
    pub(crate) const fn is_spelt_in(self, syntax: Syntax) -> bool {
        matches!(syntax, Syntax::Iip) || !matches!(self, Self::Processed(_))
    }

    /// What the answer must be.
    pub(crate) fn expect(self) -> Expect {
        match self {
            Self::Tile(tile) | Self::Processed(tile) => {
                let (width_px, height_px) = tile.size_px();
                Expect::Picture { width_px, height_px, slack_px: 0 }
            }
            Self::Export { width, height, .. } => scaled(EXPORT_WIDTH_PX, width, height),
            Self::Thumbnail { width_px, .. } => scaled(width_px, WIDTH_PX, HEIGHT_PX),
            Self::Info { .. } => Expect::Description,
        }
    }

    fn iiif_path(self) -> String {
        match self {
            Self::Tile(tile) | Self::Processed(tile) => {
                let (left, top) = (tile.column * TILE_PX, tile.row * TILE_PX);
                let (width, height) = tile.size_px();
                let shift = tile.level;
                format!(
                    "/iiif/3/{}/{},{},{},{}/{width},{height}/0/default.jpg",
                    tile.image.file_name(),
                    left << shift,
                    top << shift,
                    width << shift,
                    height << shift,
                )
            }
            Self::Export { image, left, top, width, height } => format!(
                "/iiif/3/{}/{left},{top},{width},{height}/{EXPORT_WIDTH_PX},/0/default.jpg",
                image.file_name()
            ),
            Self::Thumbnail { image, width_px } => {
                format!("/iiif/3/{}/full/{width_px},/0/default.jpg", image.file_name())
            }
            Self::Info { image } => format!("/iiif/3/{}/info.json", image.file_name()),
        }
    }

    fn iip_path(self) -> String {
        match self {
            Self::Tile(tile) => iip_tile(tile, ""),
            Self::Processed(tile) => iip_tile(tile, PROCESSING),
            Self::Export { image, left, top, width, height } => format!(
                "/iip?FIF={}&WID={EXPORT_WIDTH_PX}&RGN={:.8},{:.8},{:.8},{:.8}&CVT=jpeg",
                image.file_name(),
                f64::from(left) / f64::from(WIDTH_PX),
                f64::from(top) / f64::from(HEIGHT_PX),
                f64::from(width) / f64::from(WIDTH_PX),
                f64::from(height) / f64::from(HEIGHT_PX),
            ),
            Self::Thumbnail { image, width_px } => {
                format!("/iip?FIF={}&WID={width_px}&CVT=jpeg", image.file_name())
            }
            Self::Info { image } => format!(
                "/iip?FIF={}&obj=IIP,1.0&obj=Max-size&obj=Tile-size&obj=Resolution-number",
                image.file_name()
            ),
        }
    }

    fn static_path(self) -> String {
        match self {
            Self::Tile(Tile { image, level, column, row })
            | Self::Processed(Tile { image, level, column, row }) => {
                format!("/{}/{level}/{column}_{row}.jpg", image.file_name())
            }
            Self::Export { image, left, top, width, height } => {
                format!("/{}/export/{left}_{top}_{width}_{height}.jpg", image.file_name())
            }
            Self::Thumbnail { image, width_px } => {
                format!("/{}/thumbnail/{width_px}.jpg", image.file_name())
            }
            Self::Info { image } => format!("/{}/info.txt", image.file_name()),
        }
    }
}

impl Expect {
    /// Holds an answer against the expectation; the complaint says what came instead.
    pub(crate) fn check(self, status: u16, body: &[u8]) -> Result<(), String> {
        if status != 200 {
            return Err(format!("status {status}"));
        }
        match self {
            Self::Picture { width_px, height_px, slack_px } => {
                let Some((width, height)) = jpeg::size_px(body) else {
                    return Err(format!("{} bytes that are no whole JPEG", body.len()));
                };
                if width != width_px || slack_px < height.abs_diff(height_px) {
                    return Err(format!("{width}x{height} instead of {width_px}x{height_px}"));
                }
                Ok(())
            }
            Self::Description => {
                let width = WIDTH_PX.to_string();
                let named = body.windows(width.len()).any(|part| part == width.as_bytes());
                if named { Ok(()) } else { Err("a description without the width".to_owned()) }
            }
        }
    }
}

/// What [`Ask::Processed`] asks for.
const PROCESSING: &str = "&CNT=1.2&GAM=1.4&CTW=[0.8,0.1,0.1;0.1,0.8,0.1;0.1,0.1,0.8]";

fn iip_tile(tile: Tile, setters: &str) -> String {
    let resolution = LEVEL_COUNT - 1 - tile.level;
    let index = tile.row * grid(tile.level).0 + tile.column;
    format!("/iip?FIF={}{setters}&JTL={resolution},{index}", tile.image.file_name())
}

/// The size of a `width` x `height` rectangle scaled to `width_px` columns.
fn scaled(width_px: u32, width: u32, height: u32) -> Expect {
    Expect::Picture { width_px, height_px: (width_px * height).div_ceil(width), slack_px: 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ask_names_the_same_pixels_in_every_syntax() {
        let tile = Ask::Tile(Tile { image: Image::Jpeg, level: 1, column: 39, row: 2 });
        let export =
            Ask::Export { image: Image::Deflate, left: 0, top: 7552, width: 5024, height: 3776 };
        for (ask, syntax, path) in [
            (tile, Syntax::Iiif, "/iiif/3/jpeg.tif/19968,1024,128,512/64,256/0/default.jpg"),
            (tile, Syntax::Iip, "/iip?FIF=jpeg.tif&JTL=6,119"),
            (tile, Syntax::Static, "/jpeg.tif/1/39_2.jpg"),
            (export, Syntax::Iiif, "/iiif/3/deflate.tif/0,7552,5024,3776/1024,/0/default.jpg"),
            (
                export,
                Syntax::Iip,
                "/iip?FIF=deflate.tif&WID=1024&RGN=0.00000000,0.50000000,0.25000000,0.25000000\
                 &CVT=jpeg",
            ),
        ] {
            assert_eq!(ask.path(syntax), path);
        }
        assert_eq!(tile.expect(), Expect::Picture { width_px: 64, height_px: 256, slack_px: 0 });
    }

    #[test]
    fn an_answer_that_is_no_picture_is_an_error_that_says_what_came() {
        let expect = Expect::Picture { width_px: 256, height_px: 256, slack_px: 0 };
        assert_eq!(expect.check(404, b""), Err("status 404".to_owned()));
        assert_eq!(expect.check(200, b"<html>"), Err("6 bytes that are no whole JPEG".to_owned()));
        assert_eq!(Expect::Description.check(200, b"Max-size:20096 15104\r\n"), Ok(()));
        assert!(Expect::Description.check(200, b"{}").is_err());
    }
}
