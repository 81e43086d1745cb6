//! `Confinement`: what a decoder's process takes from itself before it runs a line of the decoder. The
//! server starts every decoder through its own binary (`tessera module`), which does this and then becomes
//! the decoder: so nothing runs between fork and exec, and no code here is unsafe.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetError, Scope,
};
use rustix::process::{
    Resource, Rlimit, Signal, getppid, set_parent_process_death_signal, setrlimit,
};
use rustix::thread::set_no_new_privs;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

use crate::modules::descriptors::close_all;

/// Descriptors of one process: a Python with its libraries has a dozen.
const DESCRIPTORS_MAX: u64 = 64;

/// What the kernel's sandbox is asked for; a kernel that knows less gives what it knows.
const SANDBOX: ABI = ABI::V6;

/// All that a decoder needs that computes with what it is handed: to talk and to be given memory, to read
/// and write it, to end. Opening files, starting threads and programs, and whatever else there is, is not
/// among it.
const CALLS: [i64; 22] = [
    libc::SYS_recvmsg,
    libc::SYS_sendmsg,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_futex,
    libc::SYS_getrandom,
    libc::SYS_clock_gettime,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// The machine whose calls those are.
const ARCHITECTURE: TargetArch =
    if cfg!(target_arch = "aarch64") { TargetArch::aarch64 } else { TargetArch::x86_64 };

/// The command of `fcntl` that reads a descriptor's flags.
const F_GETFD: u64 = 1;

/// What is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// The process that started it, and without which it must not live.
    pub parent: i32,
    /// Bytes of address space.
    pub memory_bytes_max: u64,
}

impl Confinement {
    /// Takes it: the process ends with its parent, gains no rights by programs that lend them, leaves no
    /// core file, has so much memory and so many descriptors and no more; and, as far as the kernel knows
    /// how, writes no file, speaks no TCP and signals nobody outside.
    ///
    /// # Errors
    /// Where the kernel refuses, or the parent is gone already.
    pub fn take(&self) -> io::Result<()> {
        close_all();
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The parent may have gone before the line above.
        if getppid().map(|parent| parent.as_raw_nonzero().get()) != Some(self.parent) {
            return Err(io::Error::other("its parent is gone"));
        }
        set_no_new_privs(true)?;
        limit(Resource::As, self.memory_bytes_max)?;
        limit(Resource::Core, 0)?;
        limit(Resource::Nofile, DESCRIPTORS_MAX)?;
        sandbox().map_err(io::Error::other)
    }
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let most = Some(most);
    Ok(setrlimit(resource, Rlimit { current: most, maximum: most })?)
}

/// Takes the right to write files, but for the one that swallows all, and to reach others.
fn sandbox() -> Result<(), RulesetError> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_write(SANDBOX))?
        .handle_access(AccessNet::from_all(SANDBOX))?
        .scope(Scope::from_all(SANDBOX))?
        .create()?;
    let rules = match PathFd::new("/dev/null") {
        Ok(null) => rules.add_rule(PathBeneath::new(null, AccessFs::WriteFile))?,
        Err(_none) => rules,
    };
    rules.restrict_self().map(drop)
}

/// Takes all calls to the kernel but `CALLS`; any other ends the process. For decoders within this
/// binary, once they are ready.
///
/// # Errors
/// Where the kernel knows no such filters.
pub fn only_compute() -> io::Result<()> {
    let filter = filter().map_err(io::Error::other)?;
    seccompiler::apply_filter(&filter).map_err(io::Error::other)
}

fn filter() -> Result<BpfProgram, BackendError> {
    let mut allowed: BTreeMap<_, _> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    // Whether a descriptor is open, which Rust's library asks in debug builds before it closes one.
    let is_open = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, F_GETFD)?;
    allowed.insert(libc::SYS_fcntl, vec![SeccompRule::new(vec![is_open])?]);
    let (kill, allow) = (SeccompAction::KillProcess, SeccompAction::Allow);
    SeccompFilter::new(allowed, kill, allow, ARCHITECTURE)?.try_into()
}

/// Becomes another program; returns where that fails.
pub fn become_program(program: &Path, arguments: &[String]) -> io::Error {
    Command::new(program).args(arguments).exec()
}
