//! Closing what a process was started with and has no use for.
#![expect(unsafe_code, reason = "a call to the system that is in no safe library")]

/// Closes all descriptors but the standard three. Kernels before Linux 5.9 cannot; there those are closed
/// that say so themselves, which are all of the server's own.
///
/// To be called before this process has opened anything.
pub(super) fn close_all() {
    // SAFETY: it takes numbers. Nothing in this process owns one of the descriptors that it closes, since
    // nothing was opened yet: arguments were read, and no more.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
}
