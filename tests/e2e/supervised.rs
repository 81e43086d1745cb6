//! What systemd hears, and its unit.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use crate::harness::{PATIENCE, RETINA, Server, folder_with};

#[test]
fn systemd_hears_when_it_is_ready_that_it_lives_and_that_it_stops() {
    let folder = folder_with(&[("a.tif", RETINA)]);
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")];
    let mut server = Server::start_with(folder.path(), &[], &environment);
    let hear = || {
        let mut bytes = [0; 100];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    };
    assert_eq!(hear(), "READY=1");
    for _ in 0..5 {
        assert_eq!(hear(), "WATCHDOG=1");
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    socket.set_nonblocking(true).unwrap();
    let mut bytes = [0; 100];
    let mut rest = Vec::new();
    while let Ok(length) = socket.recv(&mut bytes) {
        rest.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
    }
    assert!(rest.contains(&"STOPPING=1".to_owned()), "{rest:?}");
    server.finish(&[]);
}

#[test]
fn the_unit_is_one_that_systemd_takes() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd/tessera.service");
    let text = std::fs::read_to_string(unit).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_tessera");
    let changed = text.replace("/usr/bin/tessera", program);
    assert_ne!(text, changed);
    let path = folder.path().join("tessera.service");
    std::fs::write(&path, changed).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    // systemd's own measure of what a service could still do, from 0 to 100.
    let mut security = Command::new("systemd-analyze");
    let output =
        security.args(["security", "--offline=true", "--threshold=20"]).arg(&path).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
