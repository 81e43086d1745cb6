//! What a process of its own costs a JPEG 2000 tile of 256 x 256 pixels, and how soon the next one answers
//! when one was killed, in microseconds: `cargo bench --bench isolation -- FILE.j2k`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at a terminal")]

use std::env;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tessera::actors::isolated::IsolatedDecoder;
use tessera::actors::module::{Module, ModuleLimits};
use tessera::codecs::jpeg2000::{CodestreamDecoder, OpenJpeg};
use tessera::model::{Rect, Size};
use tessera::modules::Program;
use tessera::modules::process::Run;

const RUNS: u32 = 200;
const DEATHS: u32 = 20;

/// Far longer than anything here takes.
const LIMIT: Duration = Duration::from_mins(1);

fn module() -> Arc<Module> {
    let program = Program {
        name: "openjpeg".to_owned(),
        launcher: PathBuf::from(env!("CARGO_BIN_EXE_tessera")),
        run: Run::Own("openjpeg"),
        path: String::new(),
        memory_bytes_max: 1 << 30,
    };
    let limits = ModuleLimits { processes_max: 1, open: LIMIT, decode: LIMIT, idle: LIMIT };
    Arc::new(Module::new(program, limits))
}

/// The middle of many runs.
fn median(runs: u32, mut run: impl FnMut() -> Duration) -> u128 {
    let mut took: Vec<Duration> = (0..runs).map(|_| run()).collect();
    took.sort_unstable();
    took.get(took.len() / 2).unwrap().as_micros()
}

fn decoding(decoder: &dyn CodestreamDecoder, codestream: &[u8]) -> Duration {
    let area = Rect::whole(Size::at_least_one(256, 256));
    let since = Instant::now();
    black_box(decoder.decode(black_box(codestream), area).unwrap());
    since.elapsed()
}

fn main() {
    let Some(file) = env::args().skip(1).find(|argument| !argument.starts_with('-')) else {
        println!("name a codestream: cargo bench --bench isolation -- FILE.j2k");
        return;
    };
    let codestream = fs::read(file).unwrap();
    let module = module();
    let isolated = IsolatedDecoder::new(Arc::clone(&module));
    decoding(&isolated, &codestream);
    println!("in this process       {:>8}", median(RUNS, || decoding(&OpenJpeg, &codestream)));
    println!("in one of its own     {:>8}", median(RUNS, || decoding(&isolated, &codestream)));
    let killed = || {
        let process = module.idle_process_ids().first().unwrap().to_string();
        Command::new("kill").args(["-SEGV", &process]).status().unwrap();
        decoding(&isolated, &codestream)
    };
    println!("after one was killed  {:>8}", median(DEATHS, killed));
}
