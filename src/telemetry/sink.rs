//! `Sink`: where log lines go: the standard streams, a file that may be rotated under us, or syslog.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use crate::telemetry::syslog::{SOCKET, Severity, Syslog};

/// Who may read a log that we make: those of our group, but nobody else, since it names all that is asked.
const MODE: u32 = 0o640;

/// How often it is said that the log cannot be written: a disk stays full for longer.
const COMPLAINT_INTERVAL: Duration = Duration::from_hours(1);

/// Where lines are to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Events to standard error, accesses to standard output.
    Standard,
    /// All to the system's log.
    Syslog,
    /// All to the end of a file.
    File(PathBuf),
}

/// An open target. Clones share it.
#[derive(Clone, Debug)]
pub struct Sink(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    kind: Kind,
    lost: AtomicU64,
    complained: Mutex<Option<Instant>>,
}

#[derive(Debug)]
enum Kind {
    Standard,
    Syslog(Syslog),
    File(LogFile),
}

impl Sink {
    /// Opens a target.
    ///
    /// # Errors
    /// The file cannot be made or written to; there is no syslog.
    pub fn open(target: &Target) -> io::Result<Self> {
        let kind = match target {
            Target::Standard => Kind::Standard,
            Target::Syslog => Kind::Syslog(Syslog::open(Path::new(SOCKET))?),
            Target::File(path) => Kind::File(LogFile::open(path)?),
        };
        let (lost, complained) = (AtomicU64::new(0), Mutex::default());
        Ok(Self(Arc::new(Shared { kind, lost, complained })))
    }

    /// Whether somebody may be looking at it who likes colours.
    pub(super) fn is_standard(&self) -> bool {
        matches!(self.0.kind, Kind::Standard)
    }

    /// Lines that could not be written.
    pub fn lost(&self) -> u64 {
        self.0.lost.load(Ordering::Relaxed)
    }

    /// Writes whole access lines.
    pub(super) fn write_accesses(&self, lines: &str) {
        if let Err(error) = self.try_write_accesses(lines) {
            self.lose(lines.lines().count(), &error);
        }
    }

    fn try_write_accesses(&self, lines: &str) -> io::Result<()> {
        match &self.0.kind {
            Kind::Standard => io::stdout().lock().write_all(lines.as_bytes()),
            Kind::Syslog(syslog) => {
                lines.lines().try_for_each(|line| syslog.send(Severity::Info, line))
            }
            Kind::File(file) => file.append(lines.as_bytes()),
        }
    }

    fn write_event(&self, line: &[u8], severity: Severity) -> io::Result<()> {
        match &self.0.kind {
            Kind::Standard => io::stderr().write_all(line),
            Kind::Syslog(syslog) => syslog.send(severity, &String::from_utf8_lossy(line)),
            Kind::File(file) => file.append(line),
        }
    }

    /// Counts lines that are lost. What cannot be written cannot say so itself: standard error is told,
    /// which is the supervisor's log in most places.
    fn lose(&self, lines: usize, error: &io::Error) {
        self.0.lost.fetch_add(u64::try_from(lines).unwrap_or(u64::MAX), Ordering::Relaxed);
        let mut complained = self.0.complained.lock().unwrap_or_else(PoisonError::into_inner);
        if complained.is_none_or(|last| COMPLAINT_INTERVAL <= last.elapsed()) {
            *complained = Some(Instant::now());
            let text = "the log cannot be written, requests are answered all the same";
            // Where that is closed too, the counter is what is left.
            let _closed = writeln!(io::stderr(), "warning: {text}: {error}");
        }
    }
}

impl<'a> MakeWriter<'a> for Sink {
    type Writer = EventWriter<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        EventWriter { sink: self, severity: Severity::Info }
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Self::Writer {
        let severity = match *meta.level() {
            Level::ERROR => Severity::Error,
            Level::WARN => Severity::Warning,
            Level::INFO => Severity::Info,
            _ => Severity::Debug,
        };
        EventWriter { sink: self, severity }
    }
}

/// Takes one event, which is written in one piece.
#[derive(Debug)]
pub struct EventWriter<'a> {
    sink: &'a Sink,
    severity: Severity,
}

impl Write for EventWriter<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Err(error) = self.sink.write_event(line, self.severity) {
            self.sink.lose(1, &error);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is appended to. Where it was renamed or removed, the next line begins a new one, so that
/// whoever rotates logs needs to tell nobody.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: Mutex<File>,
}

impl LogFile {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), file: Mutex::new(appendable(path)?) })
    }

    fn append(&self, lines: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_at(&file, &self.path) {
            // Without a new one, the old one is better than none.
            if let Ok(new) = appendable(&self.path) {
                *file = new;
            }
        }
        file.write_all(lines)
    }
}

fn appendable(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).mode(MODE).open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(found)) => place(open) == place(found),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_was_rotated_is_begun_anew_and_loses_no_line() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
        fs::write(&path, "before\n").unwrap();
        let sink = Sink::open(&Target::File(path.clone())).unwrap();
        sink.write_accesses("one\n");
        fs::rename(&path, &old).unwrap();
        sink.make_writer().write_all(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&old).unwrap(), "before\none\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o137, 0);
    }

    #[test]
    fn lines_that_a_full_disk_does_not_take_are_counted_and_are_no_error() {
        let sink = Sink::open(&Target::File(PathBuf::from("/dev/full"))).unwrap();
        sink.write_accesses("one\ntwo\n");
        sink.make_writer().write_all(b"three\n").unwrap();
        assert_eq!(sink.lost(), 3);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_an_error() {
        let path = PathBuf::from("/no/such/folder/log");
        assert_eq!(Sink::open(&Target::File(path)).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
