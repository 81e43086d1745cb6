//! The settings of watermarks to marks in memory: images are read whole and texts drawn, once, before
//! anything else starts. A setting that leads to no mark is refused with its key and its value.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::codecs::{self, CodecError, Decode, DecodeLimits};
use crate::config::{WatermarkConfig, WatermarkSettings};
use crate::imaging::{
    self, ImagingError, LetteringError, Mark, Scratch, Tools, Watermark, lettering,
};
use crate::model::image_id::ImageIdError;
use crate::model::request::{
    Frame, OverLimit, PictureRequest, Quality, Region, ScaleTo, SizeForm, Upscale,
};
use crate::model::{ColourRule, Format, ImageId, Limits, Selection};
use crate::plan::{self, PlanError, Rules, Watermarks};
use crate::sources::{FileSource, SourceError};

/// A setting of watermarks that leads to no mark.
#[derive(Debug, thiserror::Error)]
pub enum MarkError {
    /// The image cannot be a mark.
    #[error("watermark.image = `{path}` is not allowed: an image file that can be read")]
    Image {
        /// As it was set.
        path: String,
        /// Why.
        source: ImageError,
    },
    /// The image is too large for one.
    #[error(
        "watermark.image = `{path}` of {px} pixels is not allowed: up to {px_max} (watermark.px_max)"
    )]
    OverLimit {
        /// As it was set.
        path: String,
        /// What it has.
        px: u64,
        /// What is allowed.
        px_max: u64,
    },
    /// The text cannot be drawn.
    #[error("watermark.text = `{text}` is not allowed: text that can be drawn")]
    Text {
        /// As it was set.
        text: String,
        /// Why.
        source: LetteringError,
    },
}

/// Why an image was not read.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The file's own name.
    #[error(transparent)]
    Name(#[from] ImageIdError),
    /// No file, or none that is one.
    #[error("cannot open the file")]
    File(#[from] io::Error),
    /// The file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It is no image that is read.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// It cannot be shown.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Its pixels do not fit together.
    #[error(transparent)]
    Imaging(#[from] ImagingError),
}

/// All marks of a configuration.
///
/// # Errors
/// The first that cannot be had.
pub fn load(config: &WatermarkConfig) -> Result<Watermarks, MarkError> {
    let mut workshop = Workshop { px_max: config.px_max, made: HashMap::new() };
    let elsewhere = workshop.watermark(&config.elsewhere)?;
    let mut folders = HashMap::new();
    for rule in &config.rules {
        let settings = rule.settings.as_ref();
        let watermark = settings.map(|settings| workshop.watermark(settings)).transpose()?;
        folders.insert(rule.folder.clone(), watermark.flatten());
    }
    Ok(Watermarks { elsewhere, folders })
}

/// What a mark is made of.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Origin {
    Image(PathBuf),
    Text(String, u16),
}

/// Makes each mark once, for however many rules.
struct Workshop {
    px_max: u64,
    made: HashMap<Origin, Arc<Mark>>,
}

impl Workshop {
    /// Nothing where there is no mark, or it would never be put on.
    fn watermark(
        &mut self,
        settings: &WatermarkSettings,
    ) -> Result<Option<Arc<Watermark>>, MarkError> {
        if settings.is_none() {
            return Ok(None);
        }
        let origin = if settings.text.is_empty() {
            Origin::Image(settings.image.clone())
        } else {
            Origin::Text(settings.text.clone(), settings.text_px)
        };
        let mark = self.mark(origin)?;
        let shows = 0.0 < settings.probability && 0.0 < settings.opacity;
        Ok(shows.then(|| {
            Arc::new(Watermark {
                mark,
                blend: settings.blend,
                position: settings.position,
                probability: settings.probability,
                opacity: settings.opacity,
            })
        }))
    }

    fn mark(&mut self, origin: Origin) -> Result<Arc<Mark>, MarkError> {
        if let Some(mark) = self.made.get(&origin) {
            return Ok(Arc::clone(mark));
        }
        let mark = Arc::new(match &origin {
            Origin::Image(path) => read(path, self.px_max)?,
            Origin::Text(text, text_px) => draw(text, *text_px, self.px_max)?,
        });
        self.made.insert(origin, Arc::clone(&mark));
        Ok(mark)
    }
}

fn draw(text: &str, text_px: u16, px_max: u64) -> Result<Mark, MarkError> {
    let raster = lettering(text, text_px, px_max);
    let refused = |source| MarkError::Text { text: text.to_owned(), source };
    raster.map(Mark::of).map_err(refused)
}

fn read(path: &Path, px_max: u64) -> Result<Mark, MarkError> {
    let shown = path.display().to_string();
    let refused = |source| MarkError::Image { path: shown.clone(), source };
    let (image, plan) = open(path).map_err(refused)?;
    let px = image.info().size.area();
    if px_max < px {
        return Err(MarkError::OverLimit { path: shown, px, px_max });
    }
    decode(&*image, &plan).map_err(refused)
}

/// Opens the file, and plans its answer: the whole image, as a screen shows it.
fn open(path: &Path) -> Result<(Arc<dyn Decode>, plan::Plan), ImageError> {
    // Opening a pipe would wait for whoever writes to it.
    if !fs::metadata(path)?.is_file() {
        return Err(SourceError::NotFound.into());
    }
    let source = FileSource::open_path(path)?;
    let version = *source.version();
    let image = codecs::open(Arc::new(source), Selection::default(), &DecodeLimits::default())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let limits =
        Limits { output_side_px_max: u32::MAX, source_px_max: u64::MAX, ..Limits::default() };
    let rules = Rules { limits, colour: ColourRule::Convert, ..Rules::default() };
    let plan = plan::plan(&whole(), &ImageId::parse(&name)?, &version, image.info(), &rules)?;
    Ok((image, plan))
}

/// The request for an image as it is, in a format that has alpha.
fn whole() -> PictureRequest {
    let (form, upscale) = (SizeForm::Max, Upscale::Clip);
    let size = ScaleTo { form, upscale, over_limit: OverLimit::Clamp };
    let frame = Frame::Region { region: Region::Full, size };
    PictureRequest { quality: Quality::Color, ..PictureRequest::plain(frame, Format::Png) }
}

fn decode(image: &dyn Decode, plan: &plan::Plan) -> Result<Mark, ImageError> {
    let (info, source) = (image.info(), &plan.source);
    let tile = |at| image.decode_tile(at).map_err(ImageError::from);
    let pixels = imaging::assemble(info, (source.area, source.shrink), source.tiles(), tile)?;
    let mut tools = Tools { scratch: &mut Scratch::new(), histogram: None };
    Ok(Mark::of(imaging::apply(&plan.steps, pixels, &mut tools)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codecs::{Encoding, encode};
    use crate::config::WatermarkRule;
    use crate::imaging::Raster;
    use crate::model::{ColourModel, Size};

    fn config(image: &Path) -> WatermarkConfig {
        let image = image.to_owned();
        let (probability, opacity) = (1.0, 1.0);
        let elsewhere = WatermarkSettings { image, probability, opacity, ..Default::default() };
        WatermarkConfig { elsewhere, px_max: 100, rules: Vec::new() }
    }

    fn png(size: Size, colour: ColourModel, alpha: bool, samples: Vec<u8>) -> Vec<u8> {
        let raster = Raster::new(size, colour, alpha, samples).unwrap();
        encode(&raster.into(), &Encoding::plain(Format::Png, 1)).unwrap().to_vec()
    }

    #[test]
    fn marks_are_read_with_their_alpha_and_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.png");
        let size = Size::new(2, 1).unwrap();
        let samples = vec![1, 2, 3, 4, 5, 6, 7, 8];
        fs::write(&path, png(size, ColourModel::Rgb, true, samples.clone())).unwrap();
        let mut config = config(&path);
        let faint = WatermarkSettings { opacity: 0.5, ..config.elsewhere.clone() };
        let never = WatermarkSettings { probability: 0.0, ..config.elsewhere.clone() };
        let rules = [("faint", Some(faint)), ("never", Some(never)), ("off", None)];
        let rule =
            |(folder, settings): (&str, _)| WatermarkRule { folder: folder.to_owned(), settings };
        config.rules = rules.map(rule).into();
        let marks = load(&config).unwrap();
        let elsewhere = marks.elsewhere.unwrap();
        let raster = Raster::new(size, ColourModel::Rgb, true, samples).unwrap();
        assert_eq!(*elsewhere.mark, Mark::of(raster));
        let faint = marks.folders["faint"].as_ref().unwrap();
        assert!(Arc::ptr_eq(&faint.mark, &elsewhere.mark));
        assert_eq!((&marks.folders["never"], &marks.folders["off"]), (&None, &None));
    }

    #[test]
    fn gray_and_text_are_marks_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.png");
        let size = Size::new(1, 1).unwrap();
        fs::write(&path, png(size, ColourModel::Gray, false, vec![9])).unwrap();
        let mark = load(&config(&path)).unwrap().elsewhere.unwrap();
        let raster = Raster::new(size, ColourModel::Gray, false, vec![9]).unwrap();
        assert_eq!(*mark.mark, Mark::of(raster));
        let mut text = config(Path::new(""));
        text.elsewhere.text = "a".to_owned();
        text.elsewhere.text_px = 6;
        assert!(load(&text).unwrap().elsewhere.is_some());
        assert_eq!(load(&config(Path::new(""))).unwrap(), Watermarks::default());
    }

    #[test]
    fn what_is_no_mark_is_refused_with_key_value_and_reason() {
        let dir = tempfile::tempdir().unwrap();
        let large = dir.path().join("large.png");
        let size = Size::new(11, 10).unwrap();
        fs::write(&large, png(size, ColourModel::Gray, false, vec![0; 110])).unwrap();
        let text = dir.path().join("a.txt");
        fs::write(&text, "no image").unwrap();
        for (path, expected) in [
            (large, "of 110 pixels is not allowed: up to 100 (watermark.px_max)"),
            (text, "an image file that can be read"),
            (dir.path().to_owned(), "an image file that can be read"),
            (dir.path().join("none.png"), "an image file that can be read"),
        ] {
            let error = load(&config(&path)).unwrap_err().to_string();
            let begins = format!("watermark.image = `{}`", path.display());
            assert!(error.starts_with(&begins) && error.ends_with(expected), "{error}");
        }
        let mut text = config(Path::new(""));
        (text.elsewhere.text, text.elsewhere.text_px) = ("\u{4e2d}".to_owned(), 20);
        let error = load(&text).unwrap_err().to_string();
        assert!(error.starts_with("watermark.text = `\u{4e2d}` is not allowed"), "{error}");
    }
}
