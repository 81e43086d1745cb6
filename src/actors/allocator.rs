//! The allocator, told that what a tile needs will be needed again. By itself glibc gives the memory of
//! each larger buffer back to the system and takes it anew for the next one, page by page: as much time
//! as some changes of pixels take, three times as much as a curve.

/// Buffers from this size on are the system's own business; a tile's, in floats too, are below it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const BUFFER_BYTES_MAX: libc::c_int = 2 << 20;

/// What each thread's share of the heap may keep unused at its end.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES_MAX: libc::c_int = 4 << 20;

/// Has small buffers kept for the next tile. Elsewhere than with glibc nothing happens.
pub fn keep_small_buffers() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "glibc has no safe way in")]
    // SAFETY: `mallopt` takes two numbers, may be called at any time from any thread, and refuses what it
    // does not know; whether it did makes no difference to what is allocated, so its result is not needed.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, BUFFER_BYTES_MAX);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES_MAX);
    }
}
