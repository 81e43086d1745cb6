//! What of a file will be slow to serve, and the command that mends it.

use serde::Serialize;

use crate::cli::inspect::report::tile_count;
use crate::model::{ImageInfo, Size, StoredLevel, TileEncoding};

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Viewers wait.
    Slow,
    /// Works well, costs more than it must.
    Note,
}

/// One thing to know about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What it is about: a word for programs, of those in this file.
    pub topic: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What is so, and what follows from it.
    pub text: String,
    /// A command line that makes a better file beside this one.
    pub remedy: Option<String>,
}

/// A tile with a longer side than this is decoded for long before its first pixel is sent, in pixels.
const TILE_PX_MAX: u32 = 1024;

/// Tiles with shorter sides than this make more requests than pixels.
const TILE_PX_MIN: u32 = 128;

/// More tiles than this in a level: at 16 bytes each their places fill 16 MiB while the image is open.
const TILES_MAX: u64 = 1 << 20;

/// A level that is computed of one at least this many times wider is worth storing: 16 tiles are decoded
/// for one. Some scanners store every second level; that is quick enough.
const COMPUTED_RATIO_MIN: f64 = 4.0;

/// Everything to know about a file called `file`; empty where there is nothing.
pub(super) fn advise(file: &str, info: &ImageInfo) -> Vec<Advice> {
    let Some(full) = info.stored.first() else { return Vec::new() };
    let found = if is_flat(info, full) {
        vec![no_tiles(info)]
    } else {
        vec![
            no_levels(info).or_else(|| missing_levels(info)),
            large_tiles(full),
            small_tiles(full),
            uneven_tiles(info),
            odd_factor(info),
            many_tiles(full),
            recoded_tiles(full),
        ]
    };
    found
        .into_iter()
        .flatten()
        .map(|(topic, weight, text)| {
            // A level that nobody can ask for does no harm: there is nothing to mend.
            let remedy = (topic != "odd-factor").then(|| remedy(file, info));
            Advice { topic, weight, text, remedy }
        })
        .collect()
}

type Found = Option<(&'static str, Weight, String)>;

/// The levels that the file itself has.
fn in_file(info: &ImageInfo) -> impl Iterator<Item = &StoredLevel> {
    info.stored.iter().filter(|level| level.is_in_file())
}

/// Whether what is decoded at once is the whole picture, or rows of it.
fn is_flat(info: &ImageInfo, full: &StoredLevel) -> bool {
    let whole_rows = full.tile.width() == full.size.width();
    whole_rows && (full.tile != info.tile || full.tile == full.size)
}

fn no_tiles(info: &ImageInfo) -> Found {
    let scaled = info.stored.iter().filter(|level| level.scaled).count();
    (1 < info.levels.len()).then(|| {
        let megapixels = megapixels(info.size);
        let smaller = if scaled == 0 { "" } else { ", or a part of them for a smaller view," };
        let text = format!(
            "the file has no tiles: all its {megapixels}{smaller} are decoded when it is first looked at, and again when there is no room to keep them"
        );
        ("no-tiles", Weight::Slow, text)
    })
}

fn no_levels(info: &ImageInfo) -> Found {
    let alone = in_file(info).count() == 1 && 1 < info.levels.len();
    alone.then(|| {
        let megapixels = megapixels(info.size);
        let text = format!(
            "the file has no smaller levels: a view of the whole image decodes all its {megapixels}"
        );
        ("no-levels", Weight::Slow, text)
    })
}

fn missing_levels(info: &ImageInfo) -> Found {
    let far: Vec<String> = (0..)
        .zip(&info.levels)
        .filter(|(_, level)| level.stored.is_none())
        .filter(|(halvings, _)| {
            let factor = f64::from(*halvings).exp2();
            let known = in_file(info).map(|stored| stored.factor);
            let nearest = known.filter(|known| *known <= factor).fold(1.0, f64::max);
            COMPUTED_RATIO_MIN <= factor / nearest
        })
        .map(|(_, level)| pixels(level.size))
        .collect();
    (!far.is_empty()).then(|| {
        let text = format!(
            "levels are missing, each of whose tiles is made of 16 stored ones or more: {}",
            far.join(", ")
        );
        ("missing-levels", Weight::Slow, text)
    })
}

fn large_tiles(full: &StoredLevel) -> Found {
    (TILE_PX_MAX < full.tile.longer()).then(|| {
        let text = format!(
            "tiles are {} pixels: the smallest view decodes {}",
            pixels(full.tile),
            megapixels(full.tile)
        );
        ("large-tiles", Weight::Slow, text)
    })
}

fn small_tiles(full: &StoredLevel) -> Found {
    let small = full.tile.longer() < TILE_PX_MIN && !full.size.fits(full.tile);
    small.then(|| {
        let tile = pixels(full.tile);
        let text = format!("tiles are {tile} pixels: a viewer makes many requests for little each");
        ("small-tiles", Weight::Slow, text)
    })
}

fn uneven_tiles(info: &ImageInfo) -> Found {
    let other: Vec<String> = in_file(info)
        .filter(|level| level.tile != info.tile)
        .map(|level| pixels(level.size))
        .collect();
    (!other.is_empty()).then(|| {
        let text = format!(
            "levels with tiles of another size than {}, so that theirs are always cut anew: {}",
            pixels(info.tile),
            other.join(", ")
        );
        ("uneven-tiles", Weight::Note, text)
    })
}

fn odd_factor(info: &ImageInfo) -> Found {
    let odd: Vec<String> = in_file(info)
        .filter(|level| level.factor.log2().fract().abs() > f64::EPSILON)
        .map(|level| format!("{} (1/{:.2})", pixels(level.size), level.factor))
        .collect();
    (!odd.is_empty()).then(|| {
        let text = format!(
            "levels that are no half of a half of the image: viewers are not offered them, smaller levels are made of them: {}",
            odd.join(", ")
        );
        ("odd-factor", Weight::Note, text)
    })
}

fn many_tiles(full: &StoredLevel) -> Found {
    let tiles = tile_count(full.size, full.tile);
    (TILES_MAX < tiles).then(|| {
        let mebibytes = (tiles * 16) >> 20;
        let text = format!(
            "the full level has {tiles} tiles: their places take {mebibytes} MiB of memory while the image is open"
        );
        ("many-tiles", Weight::Note, text)
    })
}

fn recoded_tiles(full: &StoredLevel) -> Found {
    (full.encoding == TileEncoding::Other).then(|| {
        let text = "tiles are neither JPEG nor WebP: each is decoded and encoded when it is asked for the first time, about a millisecond; right for masters that must stay lossless".to_owned();
        ("recoded-tiles", Weight::Note, text)
    })
}

/// The command that makes a pyramid of `file` that is served at its fastest.
fn remedy(file: &str, info: &ImageInfo) -> String {
    let usual = Size::at_least_one(256, 256);
    let tile_px = if tile_count(info.size, usual) <= TILES_MAX { 256 } else { 512 };
    // JPEG holds 8 bits a sample and no alpha.
    let compression = if info.bits <= 8 && !info.alpha {
        "--compression jpeg --Q 85"
    } else {
        "--compression deflate --predictor horizontal"
    };
    // A classic TIFF ends at 4 GiB; whether the compressed file would reach it nobody knows before.
    let raw_bytes = info.size.area() * u64::from(info.bands()) * u64::from(info.bits.div_ceil(8));
    let bigtiff = if raw_bytes < 4 << 30 { "" } else { " --bigtiff" };
    let stem = file.rsplit_once('.').map_or(
        file,
        |(stem, suffix)| {
            if suffix.contains('/') { file } else { stem }
        },
    );
    format!(
        "vips tiffsave {} {} --tile --pyramid {compression} --tile-width {tile_px} --tile-height {tile_px}{bigtiff}",
        quoted(file),
        quoted(&format!("{stem}-pyramid.tif")),
    )
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    // A leading hyphen would be an option.
    let word = if word.starts_with('-') { format!("./{word}") } else { word.to_owned() };
    if word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// `1411 x 1411`.
pub(super) fn pixels(size: Size) -> String {
    format!("{} x {}", size.width(), size.height())
}

/// Pixels as people count them.
pub(super) fn megapixels(size: Size) -> String {
    let area = size.area();
    match area {
        0..1_000_000 => format!("{area} pixels"),
        1_000_000..1_000_000_000 => {
            format!("{}.{} megapixels", area / 1_000_000, area / 100_000 % 10)
        }
        _ => format!("{}.{:02} gigapixels", area / 1_000_000_000, area / 10_000_000 % 100),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::ColourModel;

    fn size((width, height): (u32, u32)) -> Size {
        Size::new(width, height).unwrap()
    }

    /// An RGB TIFF of square tiles.
    pub(in crate::cli::inspect) fn image(
        full: (u32, u32),
        tile_px: u32,
        encoding: TileEncoding,
        levels: &[(u32, u32)],
    ) -> ImageInfo {
        let (full, tile) = (size(full), size((tile_px, tile_px)));
        let stored: Vec<StoredLevel> = levels
            .iter()
            .map(|&level| StoredLevel::in_file(full, size(level), tile, encoding))
            .collect();
        ImageInfo::new("TIFF", stored, tile, ColourModel::Rgb)
    }

    fn topics(info: &ImageInfo) -> Vec<&'static str> {
        advise("a.tif", info).into_iter().map(|advice| advice.topic).collect()
    }

    #[test]
    fn each_slow_file_is_told_by_what_makes_it_slow() {
        use TileEncoding::{Jpeg, Other, Webp};
        let pyramid = [(1000, 1000), (500, 500), (250, 250)];
        let huge = [(400_000, 400_000), (200_000, 200_000), (100_000, 100_000)];
        let cases: [(ImageInfo, &[&str]); 11] = [
            (image((1000, 1000), 256, Jpeg, &pyramid), &[]),
            (image((1000, 1000), 256, Webp, &pyramid), &[]),
            (image((1000, 1000), 256, Other, &pyramid), &["recoded-tiles"]),
            (image((1000, 1000), 256, Jpeg, &[(1000, 1000)]), &["no-levels"]),
            (image((200, 200), 256, Jpeg, &[(200, 200)]), &[]),
            (image((1000, 1000), 256, Jpeg, &[(1000, 1000), (250, 250)]), &[]),
            (image((4096, 4096), 256, Jpeg, &[(4096, 4096), (512, 512)]), &["missing-levels"]),
            (image((900, 900), 512, Jpeg, &[(900, 900), (450, 450), (300, 300)]), &["odd-factor"]),
            (image((5000, 5000), 4096, Jpeg, &[(5000, 5000), (2500, 2500)]), &["large-tiles"]),
            (image((200, 200), 64, Jpeg, &[(200, 200), (100, 100), (50, 50)]), &["small-tiles"]),
            (image((400_000, 400_000), 256, Jpeg, &huge), &["missing-levels", "many-tiles"]),
        ];
        let mut ran = 0;
        for (info, expected) in &cases {
            assert_eq!(topics(info), *expected, "{:?}", info.stored);
            ran += 1;
        }
        assert_eq!(ran, 11);
    }

    #[test]
    fn a_file_without_tiles_is_told_so_and_nothing_else() {
        let flat = |full: (u32, u32), scaled: bool| {
            let (full, tile) = (size(full), size((256, 256)));
            let mut stored = vec![StoredLevel::in_file(full, full, full, TileEncoding::Other)];
            stored.extend(scaled.then(|| StoredLevel::scaled(full, 1, u32::MAX)));
            ImageInfo::new("JPEG", ImageInfo::halved_to(stored, tile), tile, ColourModel::Rgb)
        };
        assert_eq!(topics(&flat((200, 100), false)), [""; 0]);
        assert_eq!(topics(&flat((256, 256), false)), [""; 0]);
        for scaled in [false, true] {
            let advice = advise("a.jpg", &flat((6000, 4000), scaled));
            assert_eq!(advice.len(), 1, "{advice:?}");
            assert_eq!(advice[0].topic, "no-tiles");
            assert!(advice[0].text.contains("24.0 megapixels"), "{}", advice[0].text);
            assert_eq!(advice[0].text.contains("smaller view"), scaled, "{}", advice[0].text);
            let remedy = advice[0].remedy.as_ref().unwrap();
            assert!(remedy.starts_with("vips tiffsave a.jpg a-pyramid.tif --tile --pyramid"));
        }
    }

    #[test]
    fn a_level_with_tiles_of_its_own_is_noted() {
        let mut info = image((1000, 1000), 512, TileEncoding::Jpeg, &[(1000, 1000), (500, 500)]);
        info.stored[1].tile = size((256, 256));
        assert_eq!(topics(&info), ["uneven-tiles"]);
    }

    #[test]
    fn the_remedy_fits_the_image() {
        let start = "vips tiffsave a.tif a-pyramid.tif --tile --pyramid";
        let end = "--tile-width 256 --tile-height 256";
        let small = image((1000, 1000), 256, TileEncoding::Jpeg, &[(1000, 1000)]);
        assert_eq!(remedy("a.tif", &small), format!("{start} --compression jpeg --Q 85 {end}"));
        let alpha = ImageInfo { alpha: true, ..small };
        let lossless = "--compression deflate --predictor horizontal";
        assert_eq!(remedy("a.tif", &alpha), format!("{start} {lossless} {end}"));
        let large = image((50_000, 50_000), 256, TileEncoding::Jpeg, &[(50_000, 50_000)]);
        assert!(remedy("a.tif", &large).ends_with(" --tile-height 256 --bigtiff"));
        let huge = image((400_000, 400_000), 256, TileEncoding::Jpeg, &[(400_000, 400_000)]);
        assert!(remedy("a.tif", &huge).ends_with(" --tile-height 512 --bigtiff"));
    }

    #[test]
    fn names_are_safe_to_paste() {
        for (name, expected) in [
            ("x/a.tif", "x/a.tif"),
            ("my scan.tif", "'my scan.tif'"),
            ("it's.tif", r"'it'\''s.tif'"),
            ("-rf", "./-rf"),
            ("$(x).tif", "'$(x).tif'"),
        ] {
            assert_eq!(quoted(name), expected);
        }
    }

    #[test]
    fn large_numbers_are_for_people() {
        for (side, expected) in [
            ((10, 10), "100 pixels"),
            ((1411, 1411), "1.9 megapixels"),
            ((32_768, 32_768), "1.07 gigapixels"),
        ] {
            assert_eq!(megapixels(size(side)), expected);
        }
    }
}
