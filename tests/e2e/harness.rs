//! The real binary on port 0, its log collected, and the least HTTP client that can send anything.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take before a test fails; a bound against hanging, never a measure.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A sample image of the repository.
pub fn sample(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    assert!(path.is_file(), "no sample at {}", path.display());
    path
}

/// A folder with samples under the names asked for.
pub fn folder_with(names: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, of) in names {
        let target = folder.path().join(name);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(sample(of), target).unwrap();
    }
    folder
}

/// The gray sample, 1411 x 1411 as RGB JPEG tiles.
pub const RETINA: &str = "science/retina.tif";
/// A second picture of another size.
pub const CHELSEA: &str = "everyday/chelsea.tif";

/// Runs a program with these arguments; fails with what it said.
pub fn run(program: impl AsRef<OsStr>, arguments: &[&OsStr]) {
    let program = program.as_ref();
    let output = Command::new(program).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}: {}", program.display(), String::from_utf8_lossy(&said));
}

/// Runs a script of this folder with the tests' own Python.
pub fn run_python(script: &str, arguments: &[&OsStr]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("target/venv/bin/python");
    assert!(python.is_file(), "no {}: run ./dev unit", python.display());
    let script = root.join("tests/e2e").join(script);
    run(python, &[&[script.as_os_str()], arguments].concat());
}

/// Makes a tiled TIFF of a sample with `vips tiffsave` and these options.
pub fn make_tiff(of: &str, to: &Path, options: &[&str]) {
    let from = sample(of);
    let mut arguments = vec![OsStr::new("tiffsave"), from.as_os_str(), to.as_os_str()];
    arguments.extend(["--tile"].iter().chain(options).map(OsStr::new));
    run("vips", &arguments);
}

/// A running server. Dropping it kills it.
pub struct Server {
    child: Child,
    pub address: String,
    pub admin: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Starts `tessera serve FOLDER` with more arguments, on free ports unless those say where.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_with(folder, arguments, &[])
    }

    /// The same with environment variables.
    pub fn start_with(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start_by(&[], folder, arguments, environment)
    }

    /// The same by a program that becomes what its last arguments say.
    pub fn start_by(
        program: &[&str],
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let usual = ["--bind", "127.0.0.1:0", "--admin", "127.0.0.1:0"];
        let usual = usual.chunks(2).filter(|flag| !arguments.contains(&flag[0])).flatten();
        let words = [program, &[env!("CARGO_BIN_EXE_tessera")]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("serve").arg(folder).args(usual).args(arguments);
        Self::spawn(command.envs(environment.iter().copied()))
    }

    /// Starts a command that is, or becomes, a server for HTTP with an admin listener.
    pub fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = collect(child.stderr.take().unwrap(), Arc::clone(&log));
        let address = wait_for(&lines, "listening on ", &log);
        let admin = wait_for(&lines, "admin listening on ", &log);
        Self { child, address, admin, log }
    }

    /// What follows `start` in the line that begins with it, said before the server was ready.
    pub fn announced(&self, start: &str) -> String {
        let log = self.log();
        let line = log.iter().find_map(|line| line.strip_prefix(start));
        line.unwrap_or_else(|| panic!("no `{start}`:\n{}", log.join("\n"))).to_owned()
    }

    /// `GET target`.
    pub fn get(&self, target: &str) -> Response {
        request(&self.address, "GET", target, &[], b"")
    }

    /// `GET target` with headers.
    pub fn get_with(&self, target: &str, headers: &[(&str, &str)]) -> Response {
        request(&self.address, "GET", target, headers, b"")
    }

    /// Any method.
    pub fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        request(&self.address, method, target, headers, body)
    }

    /// The sum of a metric over the series that hold all of `labels`.
    pub fn metric(&self, name: &str, labels: &[&str]) -> f64 {
        let text = request(&self.admin, "GET", "/metrics", &[], b"").text();
        let series = text.lines().filter(|line| {
            let rest = line.strip_prefix(name);
            rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
                && labels.iter().all(|label| line.contains(label))
        });
        series.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(status.unwrap().success());
    }

    /// Waits for the process' end; its exit code.
    pub fn wait(&mut self) -> Option<i32> {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(since.elapsed() < PATIENCE, "the server did not end");
            thread::yield_now();
        }
    }

    /// Lines on standard error so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Ends the test: the log holds no warning and no error but those expected.
    pub fn finish(self, expected: &[&str]) {
        let unexpected: Vec<String> = self
            .log()
            .into_iter()
            .filter(|line| ["WARN", "ERROR", "panicked"].iter().any(|word| line.contains(word)))
            .filter(|line| !expected.iter().any(|word| line.contains(word)))
            .collect();
        assert!(unexpected.is_empty(), "unexpected in the log:\n{}", unexpected.join("\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn collect(stderr: impl Read + Send + 'static, log: Arc<Mutex<Vec<String>>>) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            log.lock().unwrap().push(line.clone());
            let _nobody_waits = sender.send(line);
        }
    });
    lines
}

fn wait_for(lines: &Receiver<String>, start: &str, log: &Mutex<Vec<String>>) -> String {
    loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                if let Some(address) = line.strip_prefix(start) {
                    return address.trim_start_matches("http://").to_owned();
                }
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                panic!("the server did not say `{start}`:\n{}", log.lock().unwrap().join("\n"))
            }
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Width and height of a JPEG or PNG body.
    pub fn picture_size(&self) -> (u32, u32) {
        picture_size(&self.body).unwrap_or_else(|| panic!("no picture: {}", self.text()))
    }
}

/// Sends one request on a connection of its own; the target goes out as it is.
pub fn request(
    address: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    exchange(&mut stream, address, (method, target), headers, body)
}

/// One request and its answer over an open connection that is closed afterwards.
pub fn exchange(
    stream: &mut (impl Read + Write),
    host: &str,
    (method, target): (&str, &str),
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    let mut head = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|(name, _)| *name == "Host") {
        write!(head, "Host: {host}\r\n").unwrap();
    }
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    if !body.is_empty() {
        write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    parse(&answer)
}

/// An answer's head and body: HTTP's, or what a CGI script writes.
pub fn parse(answer: &[u8]) -> Response {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no HTTP answer: {:?}", String::from_utf8_lossy(answer)));
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Response { status, headers, body: answer[end + 4..].to_vec() }
}

/// Width and height out of a JPEG's frame header or a PNG's IHDR.
pub fn picture_size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG") {
        let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        return Some((number(16)?, number(20)?));
    }
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 2..at + 4)?.try_into().ok()?));
        if matches!(marker, 0xC0..=0xC2) {
            let side = |at: usize| {
                Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
            };
            return Some((side(at + 7)?, side(at + 5)?));
        }
        at += 2 + length;
    }
}
