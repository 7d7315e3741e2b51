//! The system calls that the process may still make. Every other one fails with EPERM, those of other ABIs end it.
//!
//! It is a list of what is allowed, so that a call that a later kernel brings is forbidden from its first day.
use super::rules::{Rules, clone3_missing, condition, none_of, one_of, only, program};
use nix::libc::{self, c_long};
use seccompiler::{BackendError, SeccompCmpOp, SeccompRule, apply_filter_all_threads};
use std::collections::BTreeMap;
use std::error::Error;

/// Allowed with any arguments.
const ALLOWED: &[c_long] = &[
    // files that are named, which Landlock bounds
    libc::SYS_openat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fchmodat,
    libc::SYS_readlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_unlinkat,
    libc::SYS_mkdirat,
    libc::SYS_linkat,
    libc::SYS_getcwd,
    libc::SYS_umask,
    // files that are open
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_lseek,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_syncfs,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_flock,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_getdents64,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_pipe2,
    // connections that others made
    libc::SYS_accept4,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_shutdown,
    libc::SYS_getsockopt,
    libc::SYS_setsockopt,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    // memory that no code is run from
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_munlock,
    // threads; the filter before this one has clone3(2) not exist
    libc::SYS_clone3,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_rseq,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_membarrier,
    // signals
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    // time, chance, and what the process is
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_getgroups,
    libc::SYS_getrusage,
    libc::SYS_uname,
    libc::SYS_sysinfo,
];

/// Older names of the same, which only this architecture has.
#[cfg(target_arch = "x86_64")]
const ALSO_ALLOWED: &[c_long] = &[
    libc::SYS_open,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_access,
    libc::SYS_chmod,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_unlink,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_link,
    libc::SYS_dup2,
    libc::SYS_poll,
    libc::SYS_select,
    libc::SYS_time,
    libc::SYS_getrlimit,
];
#[cfg(target_arch = "x86_64")]
const ALSO_OF_TOKENS: &[c_long] =
    &[libc::SYS_epoll_create, libc::SYS_epoll_wait, libc::SYS_pipe, libc::SYS_arch_prctl, libc::SYS_getpgrp];
#[cfg(not(target_arch = "x86_64"))]
const ALSO_OF_TOKENS: &[c_long] = &[];
#[cfg(not(target_arch = "x86_64"))]
const ALSO_ALLOWED: &[c_long] = &[];

/// Requests of ioctl(2) that a question on a terminal takes, and those of descriptors: TCGETS, TCSETS, TCSETSW, TCSETSF,
/// their newer forms, TCFLSH, TIOCGPGRP, TIOCGWINSZ, FIONREAD, FIONBIO, FIOCLEX. TIOCSTI, which types for a person, is
/// not among them.
const IOCTLS: &[u64] = &[
    0x5401,
    0x5402,
    0x5403,
    0x5404,
    0x802C_542A,
    0x402C_542B,
    0x402C_542C,
    0x402C_542D,
    0x540B,
    0x540F,
    0x5413,
    0x541B,
    0x5421,
    0x5451,
];

/// What modules of tokens use besides: they reach readers, other processes and networks. They start no program and look
/// into no other process.
const OF_TOKENS: &[c_long] = &[
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_sendmmsg,
    libc::SYS_recvmmsg,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_eventfd2,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_settime,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_msync,
    libc::SYS_fadvise64,
    libc::SYS_utimensat,
    libc::SYS_fchown,
    libc::SYS_getresuid,
    libc::SYS_getresgid,
    libc::SYS_get_robust_list,
    libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler,
    libc::SYS_times,
    libc::SYS_mlockall,
    libc::SYS_munlockall,
];

/// What a process needs besides that starts those of modules, and these before they give it up.
const OF_LAUNCHER: &[c_long] = &[
    libc::SYS_execve,
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_seccomp,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_landlock_add_rule,
    libc::SYS_landlock_restrict_self,
];

/// TIOCSTI and TIOCLINUX of ioctl(2), which type for a person.
pub(super) const TYPING: [u64; 2] = [0x5412, 0x541C];
/// FIOSETOWN and SIOCSPGRP: signals of a socket for another process.
const OWNERS: [u64; 2] = [0x8901, 0x8902];
/// F_SETOWN, F_SETSIG and F_SETOWN_EX of fcntl(2): signals of a descriptor for another process.
const SIGNALLING: [u64; 3] = [8, 10, 15];
/// The sockets that modules make: readers are reached by local ones, or by netlink where they are found on the USB.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];
/// PROT_EXEC of mmap(2) and mprotect(2).
const EXECUTABLE: u64 = 4;
/// PR_SET_NAME, PR_GET_DUMPABLE and PR_SET_VMA of prctl(2): names of threads and of memory.
const PRCTLS: [u64; 3] = [15, 3, 0x5356_4d41];
/// PR_SET_NO_NEW_PRIVS, before a filter.
const PR_SET_NO_NEW_PRIVS: u64 = 38;
const PR_SET_DUMPABLE: u64 = 4;

/// CLONE_VM and CLONE_THREAD of clone(2): a thread of this process, and no process.
const THREAD: u64 = 0x0001_0100;
/// CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET.
pub(super) const NAMESPACES: u64 = 0x7E02_0000;

/// Has the kernel refuse every other call of this process, for all its threads and for good.
///
/// # Errors
/// When the kernel does not, or does not know the architecture.
pub(super) fn restrict() -> Result<(), Box<dyn Error + Send + Sync>> {
    without_clone3()?;
    Ok(apply_filter_all_threads(&program(rules()?)?)?)
}

/// Likewise for a process that uses a module of tokens, with what this needs.
///
/// # Errors
/// When the kernel does not, or does not know the architecture.
pub(super) fn restrict_module() -> Result<(), Box<dyn Error + Send + Sync>> {
    without_clone3()?;
    Ok(apply_filter_all_threads(&program(rules_of_module()?)?)?)
}

/// Likewise for a process that starts those of modules, with what these need before they give it up.
///
/// # Errors
/// When the kernel does not, or does not know the architecture.
pub(super) fn restrict_launcher() -> Result<(), Box<dyn Error + Send + Sync>> {
    without_clone3()?;
    Ok(apply_filter_all_threads(&program(rules_of_launcher()?)?)?)
}

/// Has clone3(2) not exist. Its flags are in memory, where no filter looks; the C library then uses clone(2).
fn without_clone3() -> Result<(), Box<dyn Error + Send + Sync>> {
    Ok(apply_filter_all_threads(&clone3_missing()?)?)
}

fn rules_of_module() -> Result<Rules, BackendError> {
    let mut rules = rules()?;
    for call in OF_TOKENS.iter().chain(ALSO_OF_TOKENS) {
        rules.insert(*call, Vec::new());
    }
    let families = FAMILIES.map(i32::unsigned_abs).map(u64::from);
    rules.insert(libc::SYS_socket, one_of(0, &families)?);
    rules.insert(libc::SYS_socketpair, one_of(0, &families)?);
    // readers have requests of their own
    rules.insert(libc::SYS_ioctl, none_of(1, &[TYPING, OWNERS].concat())?);
    Ok(rules)
}

fn rules_of_launcher() -> Result<Rules, BackendError> {
    let mut rules = rules_of_module()?;
    for call in OF_LAUNCHER {
        rules.insert(*call, Vec::new());
    }
    let not_dumpable =
        vec![condition(0, SeccompCmpOp::Eq, PR_SET_DUMPABLE)?, condition(1, SeccompCmpOp::Eq, 0)?];
    let mut prctls = one_of(0, &[&PRCTLS[..], &[PR_SET_NO_NEW_PRIVS]].concat())?;
    prctls.push(SeccompRule::new(not_dumpable)?);
    rules.insert(libc::SYS_prctl, prctls);
    // threads and processes, and no namespaces
    rules.insert(libc::SYS_clone, vec![only(0, SeccompCmpOp::MaskedEq(NAMESPACES), 0)?]);
    Ok(rules)
}

fn rules() -> Result<Rules, BackendError> {
    let mut rules = BTreeMap::new();
    for call in ALLOWED.iter().chain(ALSO_ALLOWED) {
        rules.insert(*call, Vec::new());
    }
    let code = SeccompCmpOp::MaskedEq(EXECUTABLE);
    for call in [libc::SYS_mmap, libc::SYS_mprotect] {
        rules.insert(call, vec![only(2, code.clone(), 0)?]);
    }
    // threads, and no processes or namespaces
    let threads = SeccompCmpOp::MaskedEq(THREAD | NAMESPACES);
    rules.insert(libc::SYS_clone, vec![only(0, threads, THREAD)?]);
    // of the process itself, and not of another
    rules.insert(libc::SYS_prlimit64, vec![only(0, SeccompCmpOp::Eq, 0)?]);
    rules.insert(libc::SYS_tgkill, vec![only(0, SeccompCmpOp::Eq, std::process::id().into())?]);
    rules.insert(libc::SYS_fcntl, none_of(1, &SIGNALLING)?);
    rules.insert(libc::SYS_ioctl, one_of(1, IOCTLS)?);
    rules.insert(libc::SYS_prctl, one_of(0, &PRCTLS)?);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_programs_reaches_others_or_looks_into_them_is_not_on_the_list() {
        let (rules, of_module) = (rules().unwrap(), rules_of_module().unwrap());
        for call in [libc::SYS_socket, libc::SYS_socketpair, libc::SYS_connect, libc::SYS_bind] {
            assert!(!rules.contains_key(&call), "{call}");
            assert!(of_module.contains_key(&call), "{call}");
        }
        for call in [
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_listen,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_process_vm_writev,
            libc::SYS_process_madvise,
            libc::SYS_pidfd_getfd,
            libc::SYS_pidfd_open,
            libc::SYS_kcmp,
            libc::SYS_kill,
            libc::SYS_io_uring_setup,
            libc::SYS_userfaultfd,
            libc::SYS_memfd_create,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_keyctl,
            libc::SYS_add_key,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_mount,
            libc::SYS_chroot,
            libc::SYS_init_module,
            libc::SYS_setuid,
            libc::SYS_seccomp,
            libc::SYS_open_by_handle_at,
        ] {
            assert!(!rules.contains_key(&call), "{call}");
            assert!(!of_module.contains_key(&call), "{call} of a module");
        }
        assert!(!rules.contains_key(&libc::SYS_munlockall));
        for rules in [&rules, &of_module] {
            let threads = SeccompCmpOp::MaskedEq(THREAD | NAMESPACES);
            assert_eq!(rules[&libc::SYS_clone], [only(0, threads, THREAD).unwrap()], "threads alone");
            let own = only(0, SeccompCmpOp::Eq, std::process::id().into()).unwrap();
            assert_eq!(rules[&libc::SYS_tgkill], [own], "signals to itself");
            assert_eq!(rules[&libc::SYS_fcntl], none_of(1, &[8, 10, 15]).unwrap(), "signals to itself");
            assert_eq!(rules[&libc::SYS_prctl], one_of(0, &PRCTLS).unwrap(), "never dumpable again");
        }
        assert_eq!(of_module[&libc::SYS_ioctl], none_of(1, &[0x5412, 0x541C, 0x8901, 0x8902]).unwrap());
        for call in [libc::SYS_socket, libc::SYS_socketpair] {
            assert_eq!(of_module[&call].len(), FAMILIES.len(), "{call}");
        }
        let of_launcher = rules_of_launcher().unwrap();
        let more: Vec<i64> =
            of_launcher.keys().filter(|call| !of_module.contains_key(call)).copied().collect();
        let mut expected = OF_LAUNCHER.to_vec();
        expected.retain(|call| *call != libc::SYS_tgkill);
        expected.sort_unstable();
        assert_eq!(more, expected, "what a launcher may do besides");
    }

    #[test]
    fn nothing_is_typed_into_a_terminal_and_the_process_does_not_become_dumpable_again() {
        assert!(TYPING.iter().all(|request| !IOCTLS.contains(request)));
        assert!(!PRCTLS.contains(&PR_SET_DUMPABLE));
        assert!(IOCTLS.iter().all(|request| u32::try_from(*request).is_ok()), "compared with 32 bits");
    }
}
