//! Sockets that systemd opened before it started us.
//!
//! # Source
//! `sd_listen_fds(3)`: descriptors from 3 on, as many as `LISTEN_FDS` says, for the process whose number
//! is in `LISTEN_PID`.
#![expect(unsafe_code, reason = "descriptors come by number, which no safe call takes")]

use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_setfd};

/// The first of them (`SD_LISTEN_FDS_START`).
const FIRST: RawFd = 3;

/// Takes `count` descriptors over. To be called once, with what the environment of this very process
/// says.
pub(super) fn take(count: usize) -> Vec<OwnedFd> {
    let sockets = (FIRST..).take(count).map(|number| {
        // SAFETY: systemd says, to this process by its number, that these were open when it was started,
        // so nothing here can have been given one of the numbers; and nobody else takes them over.
        unsafe { OwnedFd::from_raw_fd(number) }
    });
    let sockets: Vec<OwnedFd> = sockets.collect();
    for socket in &sockets {
        // Programs that we start have no use for them; where that fails they are closed all the same.
        let _stays = fcntl_setfd(socket, FdFlags::CLOEXEC);
    }
    sockets
}
