//! The Debian package as dpkg installs, upgrades, removes and purges it, in a root that is thrown away.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::harness::{RETINA, Server, sample};
use crate::packaged;
use crate::throwaway_root::Root;

const SETTINGS: &str = "etc/default/tessera";

/// What dpkg writes down and what systemd-sysusers adds: all that a purge may leave.
const LEFT: [&str; 11] = [
    "var/lib/dpkg/",
    "var/log/dpkg.log",
    "var/cache/",
    "etc/passwd",
    "etc/group",
    "etc/shadow",
    "etc/gshadow",
    "etc/subuid",
    "etc/subgid",
    "etc/.pwd.lock",
    "package.deb",
];

/// In the places of systemctl, which says that all is well and writes down what it was told, and of the
/// rule by which containers forbid packages to start anything.
const PRETENDED: [(&str, &str); 2] = [
    ("usr/bin/systemctl", "#!/bin/sh\necho \"$@\" >> /told\n"),
    ("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 0\n"),
];

fn succeeded(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Lines `KEY=VALUE` behind a prefix.
fn assignments<'a>(text: &'a str, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    text.lines().filter_map(move |line| line.strip_prefix(prefix)?.split_once('='))
}

/// What systemd would run: the unit's command, with its environment and that of the settings, as its user.
fn as_the_unit_says(root: &Root) -> Command {
    let unit = fs::read_to_string(root.path("usr/lib/systemd/system/tessera.service")).unwrap();
    let settings = fs::read_to_string(root.path(SETTINGS)).unwrap();
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let mut words = line.split(' ').filter(|word| *word != "$TESSERA_ARGS");
    let mut command = root.run_as("tessera", words.next().unwrap());
    command.args(words).envs(assignments(&unit, "Environment="));
    command.envs(
        assignments(&settings, "TESSERA").map(|(key, value)| (format!("TESSERA{key}"), value)),
    );
    command
}

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

/// What systemctl was told since it was asked last; the package believes that systemd runs.
fn told(root: &Root) -> String {
    let told = root.path("told");
    let text = fs::read_to_string(&told).unwrap();
    fs::remove_file(told).unwrap();
    text
}

fn pretend_systemd(root: &Root) {
    fs::create_dir_all(root.path("run/systemd/system")).unwrap();
    for (place, script) in PRETENDED {
        let path = root.path(place);
        // Where it is a link, what it leads to stays as it is.
        let _was_there = fs::remove_file(&path);
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// What is there and was not before, but for what dpkg and systemd-sysusers write down.
fn left_behind(root: &Root) -> Vec<String> {
    root.changed()
        .into_iter()
        .filter(|path| {
            path.contains("tessera") || !LEFT.iter().any(|known| path.starts_with(known))
        })
        .filter(|path| !PRETENDED.iter().any(|(pretended, _)| path == pretended))
        .collect()
}

#[test]
fn dpkg_installs_a_server_that_answers_keeps_its_settings_and_purges_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let package = packaged::package(folder.path());
    let root = Root::new();
    // Past the capture of tests' output: how strong this proof was must be seen where it passes.
    writeln!(io::stderr(), "installing the package in {}", root.kind()).unwrap();

    let dpkg = |arguments: &[&str]| succeeded(&root.dpkg().args(arguments).output().unwrap());
    let file = root.bring(&package);
    dpkg(&["--install", &file]);
    assert_eq!(dpkg(&["--verify", "tessera"]), "", "other files than the package's");
    let passwd = fs::read_to_string(root.path("etc/passwd")).unwrap();
    assert!(passwd.lines().any(|line| line.starts_with("tessera:")), "{passwd}");

    let edited = format!(
        "TESSERA_SERVER_BIND=127.0.0.1:0\nTESSERA_SERVER_ADMIN=127.0.0.1:0\n\
         TESSERA_IMAGES_ROOT={}\n",
        root.seen_inside("srv/images")
    );
    append(&root.path(SETTINGS), &edited);
    fs::copy(sample(RETINA), root.path("srv/images/a.tif")).unwrap();
    let mut server = Server::spawn(&mut as_the_unit_says(&root));
    assert_eq!(server.get("/iiif/3/a.tif/info.json").status, 200);
    if root.has_users() {
        let status = fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
        assert!(status.contains("\nCapEff:\t0000000000000000\n"), "it has rights:\n{status}");
        pretend_systemd(&root);
    }

    // The same again is an upgrade: the binary is replaced beneath a server that goes on.
    dpkg(&["--install", &file]);
    assert_eq!(server.get("/iiif/3/a.tif/0,0,256,256/256,/0/default.jpg").status, 200);
    assert!(fs::read_to_string(root.path(SETTINGS)).unwrap().ends_with(&edited));
    if root.has_users() {
        let told = told(&root);
        assert!(
            told.contains("daemon-reload\n--quiet is-active tessera.service\nreload "),
            "{told}"
        );
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    server.finish(&[]);

    dpkg(&["--remove", "tessera"]);
    let is_there = |place: &str| root.path(place).try_exists().unwrap();
    assert!(!is_there("usr/bin/tessera") && is_there(SETTINGS));
    if root.has_users() {
        let told = told(&root);
        assert!(told.contains("stop tessera.service\ndisable tessera.service\n"), "{told}");
        fs::remove_dir(root.path("run/systemd/system")).unwrap();
    }
    fs::create_dir_all(root.path("var/log/tessera")).unwrap();
    fs::write(root.path("var/log/tessera/log"), "a line\n").unwrap();
    dpkg(&["--purge", "tessera"]);
    fs::remove_file(root.path("srv/images/a.tif")).expect("the images are not the package's");
    assert_eq!(left_behind(&root), [""; 0], "a purge left these");
}
