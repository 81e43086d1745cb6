//! The allocator, told that what a tile needs will be needed again. By itself glibc gives the memory of
//! each larger buffer back to the system and takes it anew for the next one, page by page: as much time
//! as many a change of pixels takes.

/// What glibc is told: buffers of 2 MiB and more are the system's own business, a tile's, in floats too,
/// being smaller; and of each thread's heap 4 MiB may stay unused at its end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const OPTIONS: [(libc::c_int, libc::c_int); 2] =
    [(libc::M_MMAP_THRESHOLD, 2 << 20), (libc::M_TRIM_THRESHOLD, 4 << 20)];

/// Has the memory of small buffers kept. Elsewhere than with glibc nothing happens.
pub fn keep_small_buffers() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (option, bytes) in OPTIONS {
        #[expect(unsafe_code, reason = "glibc has no safe way in")]
        // SAFETY: `mallopt` takes two numbers, may be called from any thread at any time, and refuses what
        // it does not know, which changes nothing.
        let _taken = unsafe { libc::mallopt(option, bytes) };
    }
}
