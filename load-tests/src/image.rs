//! Makes the two test pyramids once: a mosaic of the sample photographs, every cell with its own
//! orientation, colours and sensor noise, so that no two tiles are equal and none compresses better
//! than a photograph does. The same samples and the same vips give the same pixels.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{LoadError, Trying as _};
use crate::interrupt;
use crate::pyramid::{HEIGHT_PX, Image, TILE_PX, WIDTH_PX};
use crate::tools::{self, Tool};

/// Cells along each side of the mosaic.
const CELLS_A_SIDE: u32 = 16;
const CELL_WIDTH_PX: u32 = WIDTH_PX / CELLS_A_SIDE;
const CELL_HEIGHT_PX: u32 = HEIGHT_PX / CELLS_A_SIDE;
/// Standard deviation of the noise in eight-bit steps: a good camera in daylight.
const NOISE_SIGMA: &str = "1.5";
/// Larger files among the samples are not photographs but what other programs left there.
const PHOTOGRAPH_BYTES_MAX: u64 = 4 << 20;
/// Raised when the recipe below changes, so that older images are made again.
const RECIPE_VERSION: u32 = 1;
/// How a photograph is turned; quarter turns would change its shape.
const ORIENTATIONS: [&[&str]; 4] =
    [&["copy"], &["flip", "horizontal"], &["flip", "vertical"], &["rot", "d180"]];

/// Makes both images in `folder` unless they are there, made from the same samples.
///
/// # Errors
/// Without samples, and where vips fails.
pub(crate) fn ensure(vips: &Tool, samples: &Path, folder: &Path) -> Result<(), LoadError> {
    let photographs = photographs(samples)?;
    let recipe = recipe(&vips.version, &photographs)?;
    let record = folder.join("made-from.txt");
    if fs::read_to_string(&record).is_ok_and(|made| made == recipe) {
        return Ok(());
    }
    tools::progress("making the test image (once, a few minutes) ...");
    let work = folder.join("parts");
    fs::create_dir_all(&work).trying("cannot make a folder for the test image")?;
    let kitchen = Kitchen { vips, folder: &work };
    let bases = kitchen.bases(&photographs)?;
    let cells = kitchen.cells(&bases)?;
    for image in Image::ALL {
        kitchen.mosaic(&cells, image)?;
        fs::rename(work.join(image.file_name()), folder.join(image.file_name()))
            .trying("cannot put the test image in place")?;
    }
    fs::remove_dir_all(&work).trying("cannot clear the parts of the test image")?;
    fs::write(&record, recipe).trying("cannot record how the test image was made")
}

/// All `*.tif` of a photograph's size below a folder, in order of their paths.
fn photographs(folder: &Path) -> Result<Vec<PathBuf>, LoadError> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if is_photograph(&path) {
                found.push(path.canonicalize().trying(format!("cannot read {}", path.display()))?);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(LoadError::NoSamples { folder: folder.to_owned() });
    }
    Ok(found)
}

fn is_photograph(path: &Path) -> bool {
    let small = |bytes| bytes <= PHOTOGRAPH_BYTES_MAX;
    path.extension().is_some_and(|suffix| suffix == "tif")
        && path.metadata().is_ok_and(|metadata| small(metadata.len()))
}

/// What the pixels depend on, as text: where it differs, the images are made again.
fn recipe(vips_version: &str, photographs: &[PathBuf]) -> Result<String, LoadError> {
    let mut text = format!("recipe {RECIPE_VERSION}, {vips_version}\n");
    for path in photographs {
        let bytes = fs::metadata(path).trying("cannot read a sample")?.len();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        writeln!(text, "{name} {bytes} bytes").ok();
    }
    Ok(text)
}

/// vips at work in a folder; names of files are relative to it, since `arrayjoin` parts its list at
/// blanks.
struct Kitchen<'a> {
    vips: &'a Tool,
    folder: &'a Path,
}

impl Kitchen<'_> {
    fn vips(&self, arguments: &[&str]) -> Result<(), LoadError> {
        let done =
            tools::run(Command::new(&self.vips.path).args(arguments).current_dir(self.folder));
        // A terminal's Ctrl-C ends vips too, which is then no fault of vips.
        interrupt::check()?;
        done
    }

    /// Every photograph cropped to a cell, in every orientation, with its own noise.
    fn bases(&self, photographs: &[PathBuf]) -> Result<Vec<String>, LoadError> {
        let (width, height) = (CELL_WIDTH_PX.to_string(), CELL_HEIGHT_PX.to_string());
        let mut names = Vec::new();
        for (orientation, operation) in ORIENTATIONS.iter().enumerate() {
            for (photograph, path) in photographs.iter().enumerate() {
                let seed = names.len().to_string();
                let name = format!("base-{photograph}-{orientation}.v");
                let path = path.to_string_lossy();
                self.vips(&[
                    "thumbnail",
                    &path,
                    "fit.v",
                    &width,
                    "--height",
                    &height,
                    "--crop",
                    "centre",
                ])?;
                let (verb, options) = operation.split_first().unwrap_or((&"copy", &[]));
                self.vips(&[&[*verb, "fit.v", "turned.v"], options].concat())?;
                self.vips(&[
                    "gaussnoise",
                    "noise.v",
                    &width,
                    &height,
                    "--mean",
                    "0",
                    "--sigma",
                    NOISE_SIGMA,
                    "--seed",
                    &seed,
                ])?;
                self.vips(&["add", "turned.v", "noise.v", "sum.v"])?;
                self.vips(&["cast", "sum.v", &name, "uchar"])?;
                names.push(name);
            }
        }
        Ok(names)
    }

    /// One cell per place in the mosaic: a base with its own gain and offset in each band.
    fn cells(&self, bases: &[String]) -> Result<Vec<String>, LoadError> {
        let mut chance = fastrand::Rng::with_seed(20_096);
        let mut names = Vec::new();
        // Every base once, then every base again in another order.
        let mut deck: Vec<&String> = Vec::new();
        for cell in 0..CELLS_A_SIDE * CELLS_A_SIDE {
            if deck.is_empty() {
                deck.extend(bases);
                chance.shuffle(&mut deck);
            }
            let base = deck.pop().map_or("", String::as_str);
            let mut three = |low: u32, high: u32, unit: f64| {
                let mut value = || f64::from(chance.u32(low..=high)) * unit;
                format!("{:.3} {:.3} {:.3}", value(), value(), value())
            };
            let (gain, offset) = (three(700, 1100, 1e-3), three(0, 40, 1.0));
            let name = format!("cell-{cell}.v");
            self.vips(&["linear", base, &name, &gain, &offset, "--uchar"])?;
            names.push(name);
        }
        Ok(names)
    }

    fn mosaic(&self, cells: &[String], image: Image) -> Result<(), LoadError> {
        let compression = match image {
            Image::Jpeg => "compression=jpeg,Q=85",
            Image::Deflate => "compression=deflate,predictor=horizontal",
        };
        let target = format!(
            "{}[tile,pyramid,tile-width={TILE_PX},tile-height={TILE_PX},{compression}]",
            image.file_name()
        );
        let across = CELLS_A_SIDE.to_string();
        self.vips(&["arrayjoin", &cells.join(" "), &target, "--across", &across])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cells_fill_the_mosaic() {
        assert_eq!(CELL_WIDTH_PX * CELLS_A_SIDE, WIDTH_PX);
        assert_eq!(CELL_HEIGHT_PX * CELLS_A_SIDE, HEIGHT_PX);
    }

    #[test]
    fn cells_and_tiles_keep_step_nowhere_near() {
        // Else two cells of one base, far apart, would give equal tiles where they saturate.
        assert_ne!(CELL_WIDTH_PX % TILE_PX, 0);
        assert_ne!(CELL_HEIGHT_PX % TILE_PX, 0);
    }

    #[test]
    fn a_folder_without_samples_is_named() {
        let text = photographs(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(text.contains("/nowhere"), "{text}");
    }
}
