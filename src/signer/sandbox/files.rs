//! Keeps the process to its own files, by Landlock.
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::error::Error;
use std::path::{Path, PathBuf};

/// The newest rules that the crate knows; a kernel that has fewer of them gets those that it has.
const RULES: ABI = ABI::V10;

/// The files that the process may still open. What is open already stays open.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Places {
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    terminal: bool,
}

impl Places {
    /// A file, or all that is below a directory, to be read.
    #[must_use]
    pub(crate) fn read(mut self, path: &Path) -> Self {
        self.read.push(path.to_owned());
        self
    }

    /// All that is below a directory, to be read, written, made, renamed and removed.
    #[must_use]
    pub(crate) fn write(mut self, directory: &Path) -> Self {
        self.write.push(directory.to_owned());
        self
    }

    /// The terminal of the process, to ask a person.
    #[must_use]
    pub(crate) fn terminal(mut self) -> Self {
        self.terminal = true;
        self
    }
}

/// Restricts the calling thread, and those that it starts, to these places, without TCP and without signals to others.
/// Returns whether the kernel does. A place that is not there stays shut.
///
/// # Errors
/// When the kernel has such rules and does not take them.
pub(super) fn restrict(places: &Places) -> Result<bool, Box<dyn Error + Send + Sync>> {
    Ok(restricted(places)? != RulesetStatus::NotEnforced)
}

fn restricted(places: &Places) -> Result<RulesetStatus, RulesetError> {
    let all = AccessFs::from_all(RULES);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let terminal = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
    let mut rules = Ruleset::default()
        .handle_access(all)?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?;
    for path in &places.read {
        rules = allow(rules, path, read)?;
    }
    for path in &places.write {
        rules = allow(rules, path, all & !AccessFs::Execute & !devices())?;
    }
    if places.terminal {
        // /dev/tty stands for the terminal itself, which is never opened by its own name
        rules = allow(rules, Path::new("/dev/tty"), terminal)?;
    }
    Ok(rules.restrict_self()?.ruleset)
}

/// Lets the calling thread, and the processes that it starts, execute these programs alone, and send signals to nobody
/// else. Returns whether the kernel does: one without Landlock, or without rules for signals, does not keep to it.
///
/// # Errors
/// When the kernel has such rules and does not take them.
pub(super) fn restrict_programs(programs: &[PathBuf]) -> Result<bool, Box<dyn Error + Send + Sync>> {
    let ruleset = Ruleset::default().handle_access(AccessFs::Execute)?.scope(Scope::Signal)?.create()?;
    let mut rules = ruleset;
    for program in programs {
        rules = allow(rules, program, AccessFs::Execute)?;
    }
    Ok(rules.restrict_self()?.ruleset == RulesetStatus::FullyEnforced)
}

/// What would make a device, a socket or a FIFO, or drive a device.
fn devices() -> BitFlags<AccessFs> {
    AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock | AccessFs::MakeFifo | AccessFs::IoctlDev
}

fn allow(
    rules: RulesetCreated,
    path: &Path,
    access: impl Into<BitFlags<AccessFs>>,
) -> Result<RulesetCreated, RulesetError> {
    let Ok(opened) = PathFd::new(path) else { return Ok(rules) };
    let access = access.into();
    // rights that only directories have are refused for a file
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(RULES) };
    rules.add_rule(PathBeneath::new(opened, access))
}
