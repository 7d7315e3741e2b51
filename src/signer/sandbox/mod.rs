//! What the signer gives up for good before it serves anybody: every system call that it does not need, every file that
//! is not its own, and the swap.
//!
//! All of it is inherited by threads that start later, so that it is done while there is one thread only.
mod calls;
mod files;
mod memory;
mod plugin_calls;
mod programs;
mod rules;

pub(crate) use files::Places;
pub(crate) use memory::{ENOUGH, MemoryLock};

use std::io;

/// Whether the signer goes on where the system cannot confine it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Demand {
    /// As a service it does not start.
    Required,
    /// As the child of a command, whose user could do all of it anyway, it does what can be done.
    Possible,
}

/// How far the process is confined.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Confined {
    /// Whether what it keeps in memory stays out of the swap.
    pub(crate) memory: MemoryLock,
    /// Whether the kernel keeps it to its own files (Landlock).
    pub(crate) files: bool,
    /// Whether the kernel refuses system calls that are not on its list (seccomp).
    pub(crate) calls: bool,
}

/// Reasons why a service does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SandboxError {
    /// The limit of locked memory is too low for the derivation of a key.
    #[error("{} MiB of memory may be locked, and opening a key takes up to {} MiB", .0 >> 20, ENOUGH >> 20)]
    MemoryLimit(u64),
    /// The system refuses to lock memory.
    #[error("memory cannot be kept out of the swap: {0}")]
    Memory(#[source] io::Error),
    /// The kernel has Landlock, and does not take the list of files.
    #[error("the files of others cannot be shut: {0}")]
    Files(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The kernel takes no list of system calls.
    #[error("system calls cannot be forbidden: {0}")]
    Calls(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Keeps the memory of a process that opens key files by itself out of the swap, where the limit of locked memory is high
/// enough for the largest one. Call it before another thread starts.
pub(crate) fn lock_memory() -> MemoryLock {
    memory::lock_for_every_file().unwrap_or(MemoryLock::Swappable)
}

/// Confines this process. Call it before another thread starts.
///
/// Landlock is used where the kernel has it; older kernels are no reason not to start.
///
/// # Errors
/// When it is required, and the memory cannot be locked, the system calls cannot be forbidden, or a kernel with Landlock
/// does not take the list of files.
pub(crate) fn confine(places: &Places, demand: Demand) -> Result<Confined, SandboxError> {
    let is_required = demand == Demand::Required;
    let memory = match memory::lock() {
        Ok(lock) => lock,
        Err(error) if is_required => return Err(error),
        Err(_) => MemoryLock::Swappable,
    };
    let files = match files::restrict(places) {
        Ok(files) => files,
        Err(error) if is_required => return Err(SandboxError::Files(error)),
        Err(_) => false,
    };
    let calls = match calls::restrict() {
        Ok(()) => true,
        Err(error) if is_required => return Err(SandboxError::Calls(error)),
        Err(_) => false,
    };
    Ok(Confined { memory, files, calls })
}

/// Confines a process that uses a module of tokens: it may load code, and reach readers, processes and networks. It
/// starts no program, looks into no other process, signals none, and has no descriptor that the process was started with
/// but the three standard ones. Where the kernel has Landlock, it keeps the process out of `/proc/PID/mem` of others too,
/// also of one that has not forbidden this yet.
///
/// # Errors
/// When the descriptors cannot be closed; where it is required, when the system calls cannot be forbidden, or a kernel
/// with Landlock does not keep the process apart.
pub(crate) fn confine_module(demand: Demand) -> io::Result<()> {
    let restrict = || {
        // before the list of calls, which lacks those of Landlock
        let apart = files::restrict_programs(&[]);
        calls::restrict_module().and(apart.map(drop))
    };
    confine_foreign(restrict, demand)
}

/// Confines a process that starts those of modules: it may start programs besides, for which these bounds hold too.
///
/// # Errors
/// As [`confine_module`].
pub(crate) fn confine_launcher(demand: Demand) -> io::Result<()> {
    confine_foreign(calls::restrict_launcher, demand)
}

fn confine_foreign(
    restrict: fn() -> Result<(), Box<dyn std::error::Error + Send + Sync>>,
    demand: Demand,
) -> io::Result<()> {
    close(|_| true)?;
    match restrict() {
        Err(error) if demand == Demand::Required => Err(io::Error::other(error)),
        // the user of a command could do all of it anyway
        _ => Ok(()),
    }
}

/// Closes those descriptors but the three standard ones.
fn close(is_meant: fn(&str) -> bool) -> io::Result<()> {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str().filter(|number| is_meant(number))?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    for number in open {
        // the directory that was read is among them, and closed already
        let _ = nix::unistd::close(number);
    }
    Ok(())
}

/// Returns whether programs that are executed get this descriptor. What the program has opened itself they do not.
fn is_inherited(number: &str) -> bool {
    let told = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap_or_default();
    let flags =
        told.lines().find_map(|line| u32::from_str_radix(line.strip_prefix("flags:")?.trim(), 8).ok());
    flags.is_some_and(|flags| flags & rustix::fs::OFlags::CLOEXEC.bits() == 0)
}

/// Confines the calling thread, and the plugins of age that it executes from then on, which inherit that: programs of
/// others, of which nothing is known but that they reach a token of their own. They get no privileges, look into no other
/// process, mount nothing, and make no sockets but local ones. Where the kernel has Landlock, no program is executed but
/// plugins and what the system executes them by, and no other process gets a signal of them; returns whether it does.
///
/// Closes the descriptors that this process was started with but the three standard ones: a passphrase is read from another
/// one ([`crate::signing::PassphraseSources`]).
///
/// # Errors
/// When the kernel does not do that.
pub(crate) fn confine_plugins() -> io::Result<bool> {
    close(is_inherited)?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_apart = files::restrict_programs(&programs::of_plugins(&path)).map_err(io::Error::other)?;
    plugin_calls::restrict().map_err(io::Error::other)?;
    Ok(is_apart)
}

#[cfg(test)]
mod tests;
