//! The system calls that plugins of age may make: programs of others, whose needs nobody knows beforehand.
use super::calls::{NAMESPACES, TYPING};
use super::rules::{Rules, clone3_missing, none_of, one_of, only, program};
use nix::libc::{self, c_long};
use seccompiler::{BackendError, SeccompCmpOp, apply_filter};
use std::error::Error;

/// The last call whose number is known here.
const LAST: c_long = 462;
/// What no plugin of age needs: what looks into other processes or takes their descriptors, runs code that is in no file,
/// or changes the system, its clock or its file systems, which root could.
const NOT_OF_PLUGINS: &[c_long] = &[
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_execveat,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_by_handle_at,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_personality,
    libc::SYS_fanotify_init,
    libc::SYS_vhangup,
];
#[cfg(target_arch = "x86_64")]
const ALSO_NOT_OF_PLUGINS: &[c_long] =
    &[libc::SYS_iopl, libc::SYS_ioperm, libc::SYS_modify_ldt, libc::SYS_uselib];
#[cfg(not(target_arch = "x86_64"))]
const ALSO_NOT_OF_PLUGINS: &[c_long] = &[];

/// Refuses the calling thread, and the processes that it starts, what no plugin of age needs.
///
/// # Errors
/// When the kernel does not, or does not know the architecture.
pub(super) fn restrict() -> Result<(), Box<dyn Error + Send + Sync>> {
    apply_filter(&clone3_missing()?)?;
    Ok(apply_filter(&program(rules()?)?)?)
}

/// All calls that were there when this was written, but [`NOT_OF_PLUGINS`].
fn rules() -> Result<Rules, BackendError> {
    let all = (0..=LAST).filter(|call| !NOT_OF_PLUGINS.contains(call) && !ALSO_NOT_OF_PLUGINS.contains(call));
    let mut rules: Rules = all.map(|call| (call, Vec::new())).collect();
    let local = [libc::AF_UNIX, libc::AF_NETLINK].map(i32::unsigned_abs).map(u64::from);
    rules.insert(libc::SYS_socket, one_of(0, &local)?);
    rules.insert(libc::SYS_clone, vec![only(0, SeccompCmpOp::MaskedEq(NAMESPACES), 0)?]);
    rules.insert(libc::SYS_prlimit64, vec![only(0, SeccompCmpOp::Eq, 0)?]);
    rules.insert(libc::SYS_ioctl, none_of(1, &TYPING)?);
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plugin_gets_no_call_that_is_not_known_and_none_of_those_that_look_into_others() {
        let rules = rules().unwrap();
        for call in NOT_OF_PLUGINS.iter().chain(ALSO_NOT_OF_PLUGINS) {
            assert!(!rules.contains_key(call), "{call}");
        }
        assert!(rules.keys().all(|call| (0..=LAST).contains(call)), "of other numbers none, as of x32");
        assert_eq!(rules[&libc::SYS_ioctl], none_of(1, &[0x5412, 0x541C]).unwrap());
        for call in [libc::SYS_execve, libc::SYS_connect, libc::SYS_openat, libc::SYS_futex] {
            assert_eq!(rules[&call], [], "{call}");
        }
        assert_eq!(rules[&libc::SYS_socket].len(), 2, "local ones");
        assert!(program(rules).unwrap().len() < 4096, "the kernel takes no longer one");
    }
}
