//! What processes have used, from `/proc` (proc(5)): processor time and peak memory of a process
//! and all its descendants.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::Duration;

/// Processor time and memory of a tree of processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// User and system time of every process in the tree and of those already reaped. The kernel
    /// keeps it in nanoseconds and shows it in ticks of 10 ms.
    pub(crate) cpu: Duration,
    /// Sum of each process's highest resident size; pages shared by processes count in each.
    pub(crate) resident_peak_bytes: u64,
}

/// The two fields of `/proc/PID/stat` that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    ticks: u64,
}

/// The usage of these processes and all their descendants.
///
/// # Errors
/// Where `/proc` cannot be listed.
pub(crate) fn usage(roots: &[u32]) -> io::Result<Usage> {
    let processes = all_stats()?;
    let mut total = Usage::default();
    let mut ticks = 0;
    for pid in tree(roots, &processes) {
        ticks += processes.get(&pid).map_or(0, |stat| stat.ticks);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        total.resident_peak_bytes += resident_peak_bytes(&status).unwrap_or(0);
    }
    total.cpu = Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second());
    Ok(total)
}

/// The processes below these, themselves included.
pub(crate) fn descendants(roots: &[u32]) -> io::Result<Vec<u32>> {
    Ok(tree(roots, &all_stats()?))
}

fn all_stats() -> io::Result<HashMap<u32, Stat>> {
    let mut stats = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between the listing and the reading.
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if let Some(stat) = parse_stat(&text) {
            stats.insert(pid, stat);
        }
    }
    Ok(stats)
}

fn tree(roots: &[u32], stats: &HashMap<u32, Stat>) -> Vec<u32> {
    let mut found: Vec<u32> = roots.to_vec();
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(stats.iter().filter(|(_, stat)| stat.parent == parent).map(|(pid, _)| pid));
        next += 1;
    }
    found
}

/// Field 4 is the parent, 14 to 17 are utime, stime, cutime, cstime. The name, field 2, is in
/// parentheses and may hold blanks and parentheses itself, so counting starts after the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, after_name) = text.rsplit_once(')')?;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let ticks = number(14)? + number(15)? + number(16)? + number(17)?;
    Some(Stat { parent: u32::try_from(number(4)?).ok()?, ticks })
}

fn resident_peak_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_name() {
        let rest = "S 7 1 1 0 -1 0 1 2 3 4 100 20 3 4 20 0 1 0 5 6";
        for name in ["nginx", "a b", "x) S 9 (y"] {
            let expected = Stat { parent: 7, ticks: 127 };
            assert_eq!(parse_stat(&format!("42 ({name}) {rest}\n")), Some(expected), "{name}");
        }
        assert_eq!(parse_stat("42 (cut) S 7 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    fn the_peak_is_read_in_bytes() {
        assert_eq!(
            resident_peak_bytes("Name:\tx\nVmHWM:\t   12 kB\nVmRSS:\t 1 kB\n"),
            Some(12_288)
        );
        assert_eq!(resident_peak_bytes("Name:\tkthreadd\n"), None);
    }

    #[test]
    fn a_tree_holds_children_of_children_and_nobody_else() {
        let stats = [(1, 0), (2, 1), (3, 2), (4, 2), (5, 1)]
            .map(|(pid, parent)| (pid, Stat { parent, ticks: 1 }))
            .into();
        let mut found = tree(&[2], &stats);
        found.sort_unstable();
        assert_eq!(found, [2, 3, 4]);
    }

    #[test]
    fn our_own_process_has_memory() {
        assert!(0 < usage(&[std::process::id()]).unwrap().resident_peak_bytes);
    }
}
