//! JPEG 2000 codestreams in processes of their own: the same samples, and a crash costs one answer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tessera::actors::isolated::IsolatedDecoder;
use tessera::actors::module::{Module, ModuleLimits};
use tessera::codecs::CodecError;
use tessera::codecs::jpeg2000::{CodestreamDecoder, OpenJpeg};
use tessera::model::{Rect, Size};
use tessera::modules::Program;
use tessera::modules::process::Run;

use crate::harness::{PATIENCE, Server};

/// A codestream of three bands of so many values at random, by Pillow's OpenJPEG.
fn codestream(folder: &Path, side: u32, values: u32) -> Vec<u8> {
    let file = folder.join(format!("{side}.j2k"));
    let made = "import sys, numpy; from PIL import Image; side, values = map(int, sys.argv[2:]); \
        noise = numpy.random.default_rng(1).integers(0, values, (side, side, 3), 'uint8'); \
        Image.fromarray(noise).save(sys.argv[1])";
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin/python");
    let (side, values) = (side.to_string(), values.to_string());
    let arguments =
        ["-c".as_ref(), made.as_ref(), file.as_os_str(), side.as_ref(), values.as_ref()];
    crate::harness::run(python, &arguments);
    fs::read(file).unwrap()
}

fn module(memory_bytes_max: u64) -> Arc<Module> {
    let program = Program {
        name: "openjpeg".to_owned(),
        launcher: PathBuf::from(env!("CARGO_BIN_EXE_tessera")),
        run: Run::Own("openjpeg"),
        path: String::new(),
        memory_bytes_max,
    };
    let limits =
        ModuleLimits { processes_max: 2, open: PATIENCE, decode: PATIENCE, idle: PATIENCE };
    Arc::new(Module::new(program, limits))
}

fn square(left: u32, side: u32) -> Rect {
    Rect::new(left, left, Size::new(side, side).unwrap()).unwrap()
}

#[test]
fn samples_are_those_of_openjpeg_in_this_process() {
    let folder = tempfile::tempdir().unwrap();
    let codestream = codestream(folder.path(), 300, 256);
    let module = module(1 << 30);
    let isolated = IsolatedDecoder::new(Arc::clone(&module));
    for area in [square(0, 300), square(17, 100), square(299, 1)] {
        let here = OpenJpeg.decode(&codestream, area).unwrap();
        assert_eq!(isolated.decode(&codestream, area).unwrap(), here);
        assert_eq!(here.len(), 3);
    }
    let error = isolated.decode(&codestream[..4000], square(0, 300)).unwrap_err();
    let here = OpenJpeg.decode(&codestream[..4000], square(0, 300)).unwrap_err();
    assert_eq!(error.to_string(), here.to_string());
    isolated.decode(b"", square(0, 1)).unwrap_err();
    assert_eq!(module.processes(), 1, "none of this ended it");
}

/// Kills the process of this decoder with a segmentation fault, once it is at work; none of those that
/// were killed before.
fn segfault(module: &Module, memory_bytes_max: u64, killed: &mut Vec<String>) {
    let since = Instant::now();
    loop {
        assert!(since.elapsed() < PATIENCE, "no process is at work");
        let idle = module.idle_process_ids();
        let others = |id: &String| {
            let is_idle = idle.iter().any(|it| it.to_string() == *id);
            !killed.contains(id) && !is_idle && is_at_work(id)
        };
        if let Some(process) = processes(memory_bytes_max).into_iter().find(others) {
            // The first such signal is Rust's own: it waits for the next one to see where it came from.
            while is_alive(&process) {
                Command::new("kill").args(["-SEGV", &process]).status().unwrap();
            }
            killed.push(process);
            return;
        }
    }
}

/// Whether a process has computed for 50 ms: one that is killed while it starts is another matter.
fn is_at_work(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // Behind the name in brackets: state, nine other fields, and user time in hundredths of a second.
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = fields.split(' ').nth(11).and_then(|ticks| ticks.parse::<u64>().ok());
    ticks.is_some_and(|ticks| 5 <= ticks)
}

fn is_alive(process: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

/// Processes that were started with this bound, which tells them from those of other tests.
fn processes(memory_bytes_max: u64) -> Vec<String> {
    let bound = format!(
        "\0openjpeg\0--parent\0{}\0--memory-bytes-max\0{memory_bytes_max}\0",
        process::id()
    );
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ours = entries.filter(|entry| {
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(&bound)
    });
    ours.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_segfault_costs_one_answer_at_most_and_the_next_one_is_there_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (large, small) = (codestream(folder.path(), 2000, 256), codestream(folder.path(), 64, 256));
    let memory_bytes_max = (1 << 30) + 4096;
    let module = module(memory_bytes_max);
    let isolated = IsolatedDecoder::new(Arc::clone(&module));
    let (mut worst, mut killed) = (Duration::ZERO, Vec::new());
    for round in 0..4 {
        // A process that has worked before is not believed to be the large one's victim: another one
        // does its work. Only where that dies too, the answer is lost.
        isolated.decode(&small, square(0, 64)).unwrap();
        let deaths = 1 + round % 2;
        let result = thread::scope(|scope| {
            let work = scope.spawn(|| isolated.decode(&large, square(0, 2000)));
            for _ in 0..deaths {
                segfault(&module, memory_bytes_max, &mut killed);
            }
            work.join().unwrap()
        });
        let since = Instant::now();
        match result {
            Ok(planes) => assert_eq!((deaths, planes.len()), (1, 3)),
            Err(error) => {
                // By the signal, or because that interrupted its waiting.
                assert!(error.to_string().contains("it ended"), "{error}");
                assert_eq!(deaths, 2);
            }
        }
        isolated.decode(&small, square(0, 64)).unwrap();
        worst = worst.max(since.elapsed());
    }
    println!("from the death of one process to the answer of the next: {worst:?} at most");
    assert!(worst < Duration::from_secs(2), "{worst:?}");
}

#[test]
fn memory_of_a_process_has_a_bound() {
    let folder = tempfile::tempdir().unwrap();
    let (large, small) = (codestream(folder.path(), 3000, 1), codestream(folder.path(), 64, 256));
    let isolated = IsolatedDecoder::new(module(128 << 20));
    let planes = isolated.decode(&large, square(0, 3000)).map(|planes| planes.len());
    let error = planes.unwrap_err();
    let is_told = matches!(error, CodecError::Malformed { .. } | CodecError::Io(_));
    assert!(is_told || error.is_deadly(), "{error}");
    isolated.decode(&small, square(0, 64)).unwrap();
}

#[test]
fn the_server_isolates_openjpeg_unless_it_is_told_not_to_and_asks_it_only_where_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    codestream(folder.path(), 600, 256);
    let openjpeg = ["--jpeg2000-decoder", "openjpeg"];
    let in_process = [&openjpeg[..], &["--jpeg2000-isolated", "false"]].concat();
    let mut pictures = Vec::new();
    for (settings, is_isolated) in [(&openjpeg[..], true), (&in_process, false), (&[], false)] {
        let server = Server::start(folder.path(), settings);
        let answer = server.get("/iiif/3/600.j2k/full/max/0/default.png");
        assert_eq!((answer.status, answer.picture_size()), (200, (600, 600)), "{}", answer.text());
        pictures.push(answer.body);
        let jobs = server.metric("tessera_module_jobs_total", &["openjpeg"]);
        assert_eq!(0.5 < jobs, is_isolated, "{settings:?}: {jobs} jobs");
        server.finish(&[]);
    }
    assert!(pictures.iter().all(|picture| *picture == pictures[0]));
}
