//! How much memory this process may use: the machine's, or less where its control group says so.
//!
//! # Source
//! `proc_meminfo(5)`; the kernel's `admin-guide/cgroup-v2`, `memory.max`; `admin-guide/cgroup-v1/memory`,
//! `memory.limit_in_bytes`.

use std::fs;
use std::path::{Path, PathBuf};

/// What is held to be there where nothing tells: the least that anybody runs an image server on.
const UNKNOWN_BYTES: u64 = 2 << 30;

/// Where control groups are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Bytes of memory that this process may use.
pub(super) fn bytes() -> u64 {
    least_limit(|path| fs::read_to_string(path).ok()).unwrap_or(UNKNOWN_BYTES)
}

/// The smallest of the limits that these files tell.
fn least_limit(read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let machine = read(Path::new("/proc/meminfo")).and_then(|text| total(&text));
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    let limits = groups.lines().flat_map(limit_files);
    let limits = limits.filter_map(|file| read(&file)?.trim().parse::<u64>().ok());
    limits.chain(machine).min()
}

/// `MemTotal` in bytes.
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The files that limit the memory of a group and of all those that it is in; `HIERARCHY:CONTROLLERS:PATH`.
fn limit_files(group: &str) -> Vec<PathBuf> {
    let mut parts = group.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { return Vec::new() };
    let (root, file) = if controllers.is_empty() {
        (PathBuf::from(CGROUPS), "memory.max")
    } else if controllers.split(',').any(|controller| controller == "memory") {
        (Path::new(CGROUPS).join("memory"), "memory.limit_in_bytes")
    } else {
        return Vec::new();
    };
    // In a container the path may be that of the host, whose groups are not mounted: the root is then ours.
    let own = Path::new(path.trim_start_matches('/')).to_owned();
    own.ancestors().map(|group| root.join(group).join(file)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: (&str, &str) = ("/proc/meminfo", "MemTotal:       8000000 kB\nMemFree: 1 kB\n");
    const MACHINE_BYTES: u64 = 8_000_000 * 1024;

    #[test]
    fn the_least_limit_counts() {
        for (files, expected) in [
            (&[MACHINE][..], Some(MACHINE_BYTES)),
            (&[], None),
            (
                &[MACHINE, ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "500\n")],
                Some(500),
            ),
            (
                &[MACHINE, ("/proc/self/cgroup", "0::/\n"), ("/sys/fs/cgroup/memory.max", "max\n")],
                Some(MACHINE_BYTES),
            ),
            (
                &[
                    ("/proc/self/cgroup", "0::/a.slice/b.service\n"),
                    ("/sys/fs/cgroup/a.slice/b.service/memory.max", "900\n"),
                    ("/sys/fs/cgroup/a.slice/memory.max", "700\n"),
                ],
                Some(700),
            ),
            (
                &[
                    MACHINE,
                    ("/proc/self/cgroup", "5:cpu:/x\n4:hugetlb,memory:/docker/1\n"),
                    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "600\n"),
                    ("/sys/fs/cgroup/cpu/memory.limit_in_bytes", "1\n"),
                ],
                Some(600),
            ),
        ] {
            let read = |path: &Path| {
                let found = files.iter().find(|(name, _)| Path::new(name) == path);
                found.map(|(_, text)| (*text).to_owned())
            };
            assert_eq!(least_limit(read), expected, "{files:?}");
        }
    }

    #[test]
    fn this_machine_has_some() {
        assert!(64 << 20 < bytes());
    }
}
