//! What a tile of a JPEG 2000 file costs once the file is open: milliseconds of processor time and bytes
//! read, for a tile of each level, in the middle of the picture: alone, beside tiles that were asked for
//! before, and by OpenJPEG. `cargo bench --bench jpeg2000 -- FILE...`;
//! `load-tests/jpeg2000.py` makes files and holds the figures beside OpenJPEG's own program.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at a terminal")]

use std::env;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tessera::codecs::jpeg2000::KeptBlocks;
use tessera::codecs::{self, Decode, DecodeLimits, Decoders, Jpeg2000Decoders};
use tessera::model::{ReadAt, Selection, TileAddress};

/// Of so many runs the mean is told: the kernel counts in steps of some milliseconds.
const RUNS: u32 = 16;

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

fn open(source: &Arc<Counted>, decoders: &Decoders) -> Arc<dyn Decode> {
    let source = Arc::clone(source);
    codecs::open_with(source, Selection::default(), &DecodeLimits::default(), decoders).unwrap()
}

fn main() {
    let ours = || Decoders::default().jpeg2000;
    let nothing = Arc::new(KeptBlocks::new(0));
    let ways = [
        ("alone", Jpeg2000Decoders { kept: nothing, ..ours() }),
        ("kept", ours()),
        ("OpenJPEG", Jpeg2000Decoders { all: true, ..ours() }),
    ];
    for path in env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let file = File::open(&path).unwrap();
        let len_bytes = fs::metadata(&path).unwrap().len();
        let source = Arc::new(Counted { file, len_bytes, read_bytes: AtomicU64::new(0) });
        let opened = measured(&source, || drop(open(&source, &Decoders::default())));
        tell(&path, "open", opened);
        for (way, jpeg2000) in &ways {
            let decoders = Decoders { jpeg2000: jpeg2000.clone() };
            tell_levels(&format!("{path}, {way}"), &source, &*open(&source, &decoders));
        }
    }
}

fn tell_levels(path: &str, source: &Counted, image: &dyn Decode) {
    let info = Arc::clone(image.info());
    let levels = info.stored.iter().enumerate();
    for (stored, level) in levels.filter(|(_, level)| level.is_in_file()) {
        let (columns, rows) = level.size.grid(level.tile);
        let at = TileAddress { stored, column: columns / 2, row: rows / 2 };
        let start_ms = cpu_ms();
        let size = image.decode_tile(at).unwrap().size();
        let first_ms = cpu_ms() - start_ms;
        let found = measured(source, || drop(image.decode_tile(at).unwrap()));
        let what = format!(
            "level {stored}, {}x{} pixels of {}x{}, the first after {first_ms:.1} ms",
            size.width(),
            size.height(),
            level.size.width(),
            level.size.height()
        );
        tell(path, &what, found);
    }
}

/// Processor time that this thread has used, as the kernel counts it.
fn cpu_ms() -> f64 {
    let counts = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    let ns: u64 = counts.split(' ').next().unwrap().parse().unwrap();
    // 32 bits of microseconds are more than an hour.
    f64::from(u32::try_from(ns / 1000).unwrap()) / 1000.0
}

/// Milliseconds and bytes of one run.
fn measured(source: &Counted, mut run: impl FnMut()) -> (f64, u64) {
    let (bytes, start_ms) = (source.read_bytes.load(Ordering::Relaxed), cpu_ms());
    (0..RUNS).for_each(|_| run());
    let read = source.read_bytes.load(Ordering::Relaxed) - bytes;
    ((cpu_ms() - start_ms) / f64::from(RUNS), read / u64::from(RUNS))
}

fn tell(path: &str, what: &str, (ms, bytes): (f64, u64)) {
    println!("{path}: {what}: {ms:.2} ms, {} KiB", bytes / 1024);
}
