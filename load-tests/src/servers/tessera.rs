//! Tessera as its users start it: one process, HTTP on a port of its choice, no admin listener,
//! cache and log as they come.

use std::net::SocketAddr;
use std::process::Command;

use crate::error::LoadError;
use crate::servers::guard::Guard;
use crate::servers::{JPEG_QUALITY, Rig, Running};

/// What it writes to standard error once it accepts.
const LISTENING: &str = "listening on http://";

/// Starts it over the test images.
pub(super) fn start(rig: &Rig) -> Result<Running, LoadError> {
    let mut command = Command::new(&rig.tessera.path);
    command
        .arg("serve")
        .arg(&rig.images)
        .args(["--bind", "127.0.0.1:0", "--admin", "none"])
        .env("JPEG_QUALITY", JPEG_QUALITY);
    let mut guard = Guard::spawn("tessera", &command, &rig.scratch.join("tessera.log"))?;
    let address = guard.wait_for(|guard| listening_address(&guard.log()))?;
    Ok(Running { address, guards: vec![guard] })
}

/// The address in the first whole line that names one.
fn listening_address(log: &str) -> Option<SocketAddr> {
    let whole_lines = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole_lines
        .filter_map(|line| line.split_once(LISTENING))
        .find_map(|(_, address)| address.split_whitespace().next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_once_its_line_is_whole() {
        let address = "127.0.0.1:8182".parse().ok();
        for (log, expected) in [
            ("listening on http://127.0.0.1:8182\n", address),
            ("INFO x\n2026 listening on http://127.0.0.1:8182 workers=2\n", address),
            ("listening on http://127.0.0.1:81", None),
            ("", None),
        ] {
            assert_eq!(listening_address(log), expected, "{log}");
        }
    }
}
