//! What a tile of a JPEG 2000 file costs once the file is open: milliseconds and bytes read, for tiles of
//! several levels, in the middle of the picture. `cargo bench --bench jpeg2000 -- FILE...`;
//! `load-tests/jpeg2000.py` makes files and holds the figures beside OpenJPEG's own program.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at a terminal")]

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tessera::codecs::{self, Decode, DecodeLimits};
use tessera::model::{Bands, ReadAt, Slice, TileAddress};

/// All that disturbs a run only makes it longer: the least of so many is told.
const RUNS: u32 = 7;

/// A file that counts what is read of it.
#[derive(Debug)]
struct Counted {
    file: File,
    len_bytes: u64,
    read_bytes: AtomicU64,
}

impl ReadAt for Counted {
    fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset_bytes: u64) -> io::Result<()> {
        let len = u64::try_from(buffer.len()).unwrap_or(u64::MAX);
        self.read_bytes.fetch_add(len, Ordering::Relaxed);
        self.file.read_exact_at(buffer, offset_bytes)
    }
}

fn open(source: &Arc<Counted>) -> Arc<dyn Decode> {
    let source = Arc::clone(source);
    codecs::open(source, Slice::Main, Bands::Shown, &DecodeLimits::default()).unwrap()
}

fn main() {
    for path in env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let file = File::open(&path).unwrap();
        let len_bytes = fs::metadata(&path).unwrap().len();
        let source = Arc::new(Counted { file, len_bytes, read_bytes: AtomicU64::new(0) });
        let opened = measured(&source, || drop(open(&source)));
        tell(&path, "open", opened);
        let image = open(&source);
        let info = Arc::clone(image.info());
        for (stored, level) in
            info.stored.iter().enumerate().filter(|(_, level)| level.is_in_file())
        {
            let (columns, rows) = level.size.grid(level.tile);
            let at = TileAddress { stored, column: columns / 2, row: rows / 2 };
            let start = Instant::now();
            let size = image.decode_tile(at).unwrap().size();
            let first_ms = start.elapsed().as_secs_f64() * 1000.0;
            let found = measured(&source, || drop(image.decode_tile(at).unwrap()));
            let what = format!(
                "level {stored}, {}x{} pixels of {}x{}, the first after {first_ms:.1} ms",
                size.width(),
                size.height(),
                level.size.width(),
                level.size.height()
            );
            tell(&path, &what, found);
        }
    }
}

/// The least time, and the bytes of one run.
fn measured(source: &Counted, mut run: impl FnMut()) -> (Duration, u64) {
    let before = source.read_bytes.load(Ordering::Relaxed);
    let times = (0..RUNS).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    let least = times.min().unwrap_or_default();
    (least, (source.read_bytes.load(Ordering::Relaxed) - before) / u64::from(RUNS))
}

fn tell(path: &str, what: &str, (time, bytes): (Duration, u64)) {
    let (ms, kib) = (time.as_secs_f64() * 1000.0, bytes / 1024);
    println!("{path}: {what}: {ms:.2} ms, {kib} KiB");
}
