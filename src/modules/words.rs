//! What decoders write to their standard error: lines of our log, cut where they are long and ended
//! where they are many, so that nobody fills a disk by them.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::process::ChildStderr;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Bytes of a line that are kept.
const LINE_BYTES_MAX: usize = 500;

/// Lines of one process that are kept.
const LINES_MAX: usize = 100;

/// Reads behind its end: what it said last. Children that it left behind are not listened to.
const LAST_READS_MAX: usize = 16;

/// Listens until the process that `process` stands for ends.
///
/// # Errors
/// Where a thread cannot be started.
pub(super) fn listen(module: String, stderr: ChildStderr, process: OwnedFd) -> io::Result<()> {
    let listener = move || {
        let said = |line: &str| tracing::info!(module, "{line}");
        // What cannot be listened to any more has nothing to say.
        let _lost = follow(stderr, &process, &mut Lines::default(), said);
    };
    thread::Builder::new().name("module-words".to_owned()).spawn(listener).map(drop)
}

fn follow(
    mut stderr: ChildStderr,
    process: &OwnedFd,
    lines: &mut Lines,
    said: impl Fn(&str),
) -> io::Result<()> {
    let mut buffer = [0; 4096];
    let mut last_reads = 0;
    while last_reads < LAST_READS_MAX {
        let mut ready = [PollFd::new(&stderr, PollFlags::IN), PollFd::new(process, PollFlags::IN)];
        match poll(&mut ready, None) {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        let [words, end] = ready.map(|one| !one.revents().is_empty());
        last_reads += usize::from(end);
        if words {
            let count = stderr.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            lines.take(buffer.get(..count).unwrap_or_default(), &said);
        } else if end {
            break;
        }
    }
    lines.end(&said);
    Ok(())
}

/// Bytes made lines.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
    count: usize,
}

impl Lines {
    fn take(&mut self, bytes: &[u8], said: &impl Fn(&str)) {
        for byte in bytes {
            match byte {
                b'\n' => self.end(said),
                byte if self.begun.len() < LINE_BYTES_MAX => self.begun.push(*byte),
                _ => {}
            }
        }
    }

    fn end(&mut self, said: &impl Fn(&str)) {
        let line = String::from_utf8_lossy(&self.begun).replace(char::is_control, " ");
        self.begun.clear();
        if line.trim().is_empty() {
            return;
        }
        self.count += 1;
        if self.count <= LINES_MAX {
            said(line.trim_end());
        } else if self.count == LINES_MAX + 1 {
            said("what else it says is left out");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn lines_are_cut_where_they_are_long_and_ended_where_they_are_many() {
        let kept = RefCell::new(Vec::new());
        let said = |line: &str| kept.borrow_mut().push(line.to_owned());
        let mut lines = Lines::default();
        lines.take(b"\x1b[31mred\n\n  \nbegun, ", &said);
        lines.take(&[b'x'; 2000], &said);
        lines.end(&said);
        lines.take("again\n".repeat(500).as_bytes(), &said);
        let kept = kept.into_inner();
        assert_eq!(kept[0], " [31mred");
        assert_eq!(kept[1].len(), 500);
        assert_eq!(kept.len(), 101);
        assert_eq!(kept[100], "what else it says is left out");
    }
}
