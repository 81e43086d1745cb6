//! What is handed to `check.py`, which opens pictures with decoders that are not ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tessera::imaging::{Pixels, Raster};

/// How far pixels of files from the world may be off in the mean.
const OFF_MEAN_MAX: f64 = 4.0;

/// A folder of pictures and what they should show.
pub(crate) struct Checks {
    folder: PathBuf,
    rows: Vec<Value>,
}

impl Checks {
    /// An empty folder below `target/fixtures/out`.
    pub(crate) fn new(name: &str) -> Self {
        let folder = crate::manifest::path("out").join(name);
        if folder.is_dir() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(&folder).unwrap();
        Self { folder, rows: Vec::new() }
    }

    /// Adds a picture that should show `raster`, each sample off by at most `off_max`, and by `off_mean`
    /// in the mean. The row may be added to.
    pub(crate) fn picture(
        &mut self,
        name: &str,
        file: &[u8],
        raster: &Raster,
        (off_max, off_mean): (f64, f64),
    ) -> &mut Value {
        let raw = format!("{name}.raw");
        fs::write(self.folder.join(name), file).unwrap();
        fs::write(self.folder.join(&raw), raster.samples()).unwrap();
        let size = raster.size();
        self.rows.push(json!({
            "picture": name, "raw": raw, "off_max": off_max, "off_mean": off_mean,
            "width": size.width(), "height": size.height(), "bands": raster.bands(),
        }));
        self.rows.last_mut().unwrap()
    }

    /// Adds a picture that should show `pixels`, in samples of as many bits as the format has.
    pub(crate) fn deep(
        &mut self,
        name: &str,
        file: &[u8],
        pixels: &Pixels,
        (off_max, off_mean): (f64, f64),
    ) {
        let raw = format!("{name}.raw");
        let (samples, bytes) = raw_samples(pixels);
        self.file(name, file);
        self.file(&raw, &bytes);
        let size = pixels.size();
        let bands = pixels.colour().bands() + u8::from(pixels.alpha());
        self.rows.push(json!({
            "deep": name, "raw": raw, "samples": samples, "off_max": off_max, "off_mean": off_mean,
            "width": size.width(), "height": size.height(), "bands": bands,
        }));
    }

    /// Adds the decoded pixels of a page of a TIFF, each sample off by at most `off_max`.
    pub(crate) fn page(&mut self, tiff: &Path, page: usize, pixels: &Pixels, off_max: f64) {
        let raw = format!("{}.raw", self.rows.len());
        let (samples, bytes) = raw_samples(pixels);
        fs::write(self.folder.join(&raw), bytes).unwrap();
        self.rows.push(json!({
            "tiff": tiff, "page": page, "raw": raw, "samples": samples,
            "off_max": off_max, "off_mean": off_max.min(OFF_MEAN_MAX),
        }));
    }

    /// Writes a file into the folder, and returns its path.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// Adds what we show of a file, each sample off by at most `off_max` from what `by` makes of it, and
    /// by `off_mean` in the mean.
    pub(crate) fn shown(
        &mut self,
        file: &Path,
        by: &str,
        raster: &Raster,
        (off_max, off_mean): (f64, f64),
    ) {
        let raw = format!("{}.raw", self.rows.len());
        self.file(&raw, raster.samples());
        self.rows.push(json!({
            "shown": file, "by": by, "raw": raw, "bands": raster.bands(),
            "off_max": off_max, "off_mean": off_mean,
        }));
    }

    /// Runs `check.py` over the folder: it must find every row right.
    pub(crate) fn run(self) {
        fs::write(self.folder.join("checks.json"), Value::from(self.rows.clone()).to_string())
            .unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = root.join("target/venv/bin/python3");
        let python = if own.is_file() { own } else { PathBuf::from("python3") };
        let script = root.join("tests/golden/check.py");
        let output = Command::new(python).arg(script).arg(&self.folder).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}{errors}\nis Python set up? run ./dev fixtures");
        assert_eq!(text.trim(), format!("{} right", self.rows.len()));
    }
}

/// The samples' type and bytes.
fn raw_samples(pixels: &Pixels) -> (&'static str, Vec<u8>) {
    match pixels {
        Pixels::U8(raster) => ("u8", raster.samples().to_vec()),
        Pixels::U16(raster) => ("u16", bytes_of(raster.samples(), u16::to_ne_bytes)),
        Pixels::F32(raster) => ("f32", bytes_of(raster.samples(), f32::to_ne_bytes)),
    }
}

fn bytes_of<T: Copy, const N: usize>(samples: &[T], bytes: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    samples.iter().flat_map(|sample| bytes(*sample)).collect()
}
