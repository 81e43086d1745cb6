//! The README is true: its servers start, and each command in a block marked `run` succeeds against
//! them, as it stands there. Only what a test must not take is replaced: ports and the socket's path.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
#![expect(clippy::panic, reason = "tests fail by panicking")]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;

/// Commands in blocks marked `serve` and `run`.
const SERVERS: usize = 2;
const COMMANDS: usize = 22;
/// Files that the commands leave behind; each has to be a picture.
const PICTURES: usize = 7;

const SOCKET: &str = "/run/tessera.sock";
const ADDRESS: &str = "127.0.0.1:8182";
const ADMIN: &str = "127.0.0.1:8183";

#[test]
fn every_command_of_the_readme_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let place = Place::new(root);

    let mut servers = Vec::new();
    let mut replaced = vec![(SOCKET.to_owned(), place.path("tessera.sock"))];
    for command in commands(&readme, "serve") {
        servers.push(Server::start(&place, &command, &mut replaced));
    }
    let mut ran = 0;
    for command in commands(&readme, "run") {
        place.run(&replace(&command, &replaced));
        ran += 1;
    }
    assert_eq!((servers.len(), ran), (SERVERS, COMMANDS), "the README has other blocks now");
    assert_eq!(place.pictures(), PICTURES);
}

/// The lines of all blocks marked so.
fn commands(readme: &str, mark: &str) -> Vec<String> {
    let begin = format!("```sh {mark}\n");
    let blocks = readme.split(&begin).skip(1);
    blocks.flat_map(|rest| rest.split("```").next().unwrap().lines()).map(str::to_owned).collect()
}

fn replace(command: &str, replaced: &[(String, String)]) -> String {
    replaced.iter().fold(command.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// A folder as README's reader has it: the samples, and `tessera` on the path.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(root: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        symlink(root.join("samples"), folder.path().join("samples")).unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_tessera"), folder.path().join("bin/tessera")).unwrap();
        // A status that is an error ends the command with one.
        fs::write(folder.path().join(".curlrc"), "fail\nsilent\nshow-error\n").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn shell(&self, command: &str) -> Command {
        let mut shell = Command::new("sh");
        let path = std::env::var_os("PATH").unwrap();
        let path = format!("{}:{}", self.path("bin"), path.to_str().unwrap());
        shell.args(["-euc", command]).current_dir(self.folder.path());
        shell.env("PATH", path).env("CURL_HOME", self.folder.path()).stdin(Stdio::null());
        shell
    }

    fn run(&self, command: &str) {
        let output = self.shell(command).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}\n{said}");
        let wrote = command.contains(" -o ") || !output.stdout.is_empty();
        assert!(wrote, "{command}\nsays nothing");
    }

    /// How many files were left behind, all of them JPEG or PNG.
    fn pictures(&self) -> usize {
        let entries = fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let pictures = entries.filter(|path| {
            path.extension().is_some_and(|extension| extension == "jpg" || extension == "png")
        });
        let check = |path: std::path::PathBuf| {
            let bytes = fs::read(&path).unwrap();
            let is_picture = bytes.starts_with(b"\xff\xd8\xff") || bytes.starts_with(b"\x89PNG");
            assert!(is_picture, "{}", path.display());
        };
        pictures.map(check).count()
    }
}

/// A running server; dropping it kills it.
struct Server(Child);

impl Server {
    /// Starts the command on free ports, and says by what README's addresses are to be replaced.
    fn start(place: &Place, command: &str, replaced: &mut Vec<(String, String)>) -> Self {
        let mut command = replace(command, replaced);
        if !command.contains("--bind") {
            command.push_str(" --bind 127.0.0.1:0 --admin 127.0.0.1:0");
        }
        // The shell becomes the server, so that killing one kills the other.
        let mut child = place
            .shell(&format!("exec {command}"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let server = Self(child);
        let address = announced(&mut log, "listening on ");
        if let Some(address) = address.strip_prefix("http://") {
            let admin = announced(&mut log, "admin listening on http://");
            replaced.push((ADDRESS.to_owned(), address.to_owned()));
            replaced.push((ADMIN.to_owned(), admin));
        }
        // Read on, or the server would wait for somebody to take its lines.
        thread::spawn(move || log.read_to_end(&mut Vec::new()));
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// What follows `start` in the first line that begins so.
fn announced(log: &mut BufReader<ChildStderr>, start: &str) -> String {
    let mut said = String::new();
    for line in log.by_ref().lines().map_while(Result::ok) {
        if let Some(rest) = line.strip_prefix(start) {
            return rest.to_owned();
        }
        said = format!("{said}{line}\n");
    }
    panic!("the server did not say `{start}`:\n{said}")
}
