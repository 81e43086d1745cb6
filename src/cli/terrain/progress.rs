//! How far the work is, for whoever watches it: a bar on a terminal, two lines elsewhere.

use std::io::{IsTerminal, Write};
use std::ops::ControlFlow;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

/// Is told how far a terrain is; all counts are of pixels of the full level.
pub trait Progress {
    /// Work begins, or goes on where `done_px` of `all_px` were finished before.
    fn begin(&self, done_px: u64, all_px: u64);

    /// `done_px` are finished and safe from a kill. `Break` stops the work, to be resumed later.
    fn advance(&self, done_px: u64) -> ControlFlow<()>;

    /// The file is complete.
    fn end(&self);
}

/// Progress on standard error: a bar where that is a terminal, else a line at the start and at the end.
#[derive(Debug)]
pub struct Console {
    name: String,
    bar: ProgressBar,
    plain: bool,
}

impl Console {
    /// Progress of the making of this file.
    pub fn new(path: &Path) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { ProgressBar::no_length() };
        Self { name: path.display().to_string(), bar, plain }
    }

    fn line(&self, text: &str) {
        if self.plain {
            // Nobody is served by a terrain that fails because its log is closed.
            drop(writeln!(std::io::stderr().lock(), "{text}"));
        }
    }
}

impl Progress for Console {
    fn begin(&self, done_px: u64, all_px: u64) {
        let template = "making {msg} {wide_bar} {percent} %, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        self.bar.set_message(self.name.clone());
        self.bar.set_length(all_px);
        self.bar.set_position(done_px);
        // What an earlier run did says nothing of the speed of this one.
        self.bar.reset_eta();
        let (megapixels, done) = (all_px / 1_000_000, done_px * 100 / all_px.max(1));
        self.line(&format!("making {}: {megapixels} megapixels, {done} % done", self.name));
    }

    fn advance(&self, done_px: u64) -> ControlFlow<()> {
        self.bar.set_position(done_px);
        ControlFlow::Continue(())
    }

    fn end(&self) {
        self.bar.finish_and_clear();
        self.line(&format!("made {}", self.name));
    }
}
