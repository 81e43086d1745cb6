//! The report on a file: facts and advice, made of its header alone. Its fields are the JSON of
//! `tessera inspect --json`; a field may be added, none changes its meaning.

use serde::Serialize;

use crate::cli::inspect::advice::{Advice, advise};
use crate::model::image_info::Resolution;
use crate::model::{ColourModel, ImageInfo, Level, Size, StackPage, StoredLevel, TileEncoding};

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The name it was asked for by.
    pub file: String,
    /// `TIFF`, `BigTIFF`, `JPEG`, `PNG`, `WebP`, `GIF`, `BMP`.
    pub container: String,
    /// Length of the file.
    pub len_bytes: u64,
    /// Pixels of the full image.
    pub width_px: u32,
    /// Pixels of the full image.
    pub height_px: u32,
    /// What a pixel consists of, in order: `gray`, or `red`, `green`, `blue`; then `alpha`.
    pub bands: Vec<&'static str>,
    /// Bits of a sample as stored.
    pub bits: u8,
    /// Length of the embedded ICC profile.
    pub icc_bytes: Option<usize>,
    /// Pixels a metre, along a row and along a column.
    pub pixels_per_metre: Option<[f64; 2]>,
    /// The pages of a stack or document; empty where there is one picture only.
    pub pages: Vec<PageReport>,
    /// What lies beside the main picture: `thumbnail`, `label`, `macro`.
    pub associated: Vec<&'static str>,
    /// What the file holds, largest first.
    pub stored: Vec<StoredReport>,
    /// What viewers are offered, largest first.
    pub offered: Vec<OfferedReport>,
    /// What will be slow and how to mend it; empty where nothing will.
    pub advice: Vec<Advice>,
}

/// A page of a stack.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PageReport {
    /// Its name, empty where it has none.
    pub name: String,
    /// What its samples are multiplied by.
    pub scale: f32,
}

/// A level of the file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredReport {
    /// Pixels of the level.
    pub width_px: u32,
    /// Pixels of the level.
    pub height_px: u32,
    /// How many times narrower than the full image.
    pub factor: f64,
    /// Pixels of a whole tile.
    pub tile_width_px: u32,
    /// Pixels of a whole tile.
    pub tile_height_px: u32,
    /// How many tiles cover the level.
    pub tiles: u64,
    /// `JPEG`, `WebP`, or `other`.
    pub encoding: &'static str,
}

/// A level that viewers see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OfferedReport {
    /// Pixels of the level.
    pub width_px: u32,
    /// Pixels of the level.
    pub height_px: u32,
    /// Whether the file lacks it, so that it is computed from the next larger one.
    pub computed: bool,
}

/// Reports on a file called `file` of `len_bytes` bytes.
pub fn report(file: &str, info: &ImageInfo, len_bytes: u64) -> Report {
    Report {
        file: file.to_owned(),
        container: info.container.to_string(),
        len_bytes,
        width_px: info.size.width(),
        height_px: info.size.height(),
        bands: bands(info),
        bits: info.bits,
        icc_bytes: info.icc.as_ref().map(|profile| profile.len()),
        pixels_per_metre: info
            .resolution
            .map(|Resolution { x_per_metre, y_per_metre }| [x_per_metre, y_per_metre]),
        pages: info.views.stack.iter().map(page).collect(),
        associated: info.views.associated.iter().map(|beside| beside.word()).collect(),
        stored: info.stored.iter().filter(|level| level.is_in_file()).map(stored).collect(),
        offered: info.levels.iter().map(offered).collect(),
        advice: advise(file, info),
    }
}

fn bands(info: &ImageInfo) -> Vec<&'static str> {
    let mut bands = match info.colour {
        ColourModel::Gray => vec!["gray"],
        ColourModel::Rgb => vec!["red", "green", "blue"],
        ColourModel::Cmyk => vec!["cyan", "magenta", "yellow", "black"],
        ColourModel::Lab => vec!["lightness", "a", "b"],
        ColourModel::Multi(bands) => vec!["band"; bands.into()],
    };
    bands.extend(info.alpha.then_some("alpha"));
    bands
}

fn page(page: &StackPage) -> PageReport {
    PageReport { name: page.name.clone(), scale: page.scale }
}

fn stored(level: &StoredLevel) -> StoredReport {
    StoredReport {
        width_px: level.size.width(),
        height_px: level.size.height(),
        factor: level.factor,
        tile_width_px: level.tile.width(),
        tile_height_px: level.tile.height(),
        tiles: tile_count(level.size, level.tile),
        encoding: match level.encoding {
            TileEncoding::Jpeg => "JPEG",
            TileEncoding::Webp => "WebP",
            TileEncoding::Other => "other",
        },
    }
}

fn offered(level: &Level) -> OfferedReport {
    OfferedReport {
        width_px: level.size.width(),
        height_px: level.size.height(),
        computed: level.stored.is_none(),
    }
}

/// Tiles of `tile` that cover a level of `size`.
pub(super) fn tile_count(size: Size, tile: Size) -> u64 {
    let (columns, rows) = size.grid(tile);
    u64::from(columns) * u64::from(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::inspect::advice::tests::image;
    use crate::imaging::read_profile;
    use crate::model::Associated;

    #[test]
    fn a_report_says_what_the_header_says() {
        let mut info = image((1001, 701), 256, TileEncoding::Jpeg, &[(1001, 701), (500, 350)]);
        info.alpha = true;
        info.icc = Some(read_profile(vec![0; 3144].into()));
        info.resolution = Some(Resolution { x_per_metre: 300.0, y_per_metre: 200.0 });
        let page = |name: &str, scale| StackPage { name: name.to_owned(), scale };
        info.views.stack = vec![page("", 1.0), page("red", 0.5)];
        info.views.associated = vec![Associated::Label];
        let report = report("a.tif", &info, 12_345);
        let json = serde_json::to_value(&report).unwrap();
        for (pointer, expected) in [
            ("/file", "\"a.tif\""),
            ("/container", "\"TIFF\""),
            ("/len_bytes", "12345"),
            ("/width_px", "1001"),
            ("/height_px", "701"),
            ("/bands", "[\"red\",\"green\",\"blue\",\"alpha\"]"),
            ("/bits", "8"),
            ("/icc_bytes", "3144"),
            ("/pixels_per_metre", "[300.0,200.0]"),
            ("/pages/1/name", "\"red\""),
            ("/pages/1/scale", "0.5"),
            ("/associated", "[\"label\"]"),
            ("/stored/0/tiles", "12"),
            ("/stored/0/encoding", "\"JPEG\""),
            ("/stored/1/factor", "2.0"),
            ("/stored/1/tile_width_px", "256"),
            ("/offered/1/computed", "false"),
            ("/offered/2/computed", "true"),
            ("/offered/2/width_px", "250"),
        ] {
            assert_eq!(json.pointer(pointer).unwrap().to_string(), expected, "{pointer}");
        }
    }

    #[test]
    fn what_a_file_does_not_say_is_null() {
        let info = image((100, 100), 256, TileEncoding::Other, &[(100, 100)]);
        let json = serde_json::to_value(report("a.tif", &info, 1)).unwrap();
        assert!(json["icc_bytes"].is_null() && json["pixels_per_metre"].is_null());
    }
}
