//! Reads files that decide what a command does, wherever a user keeps them: configuration, lists of keys.
use super::access::{AccessFinding, AccessRule, FileStatus, Owners};
use super::open::read_open;
use super::trail::Trail;
use super::{Accounts, Home, ReadError};
use crate::error::{Code, Problem, Shown as _};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Reason why a file was refused.
#[derive(Debug)]
pub(crate) enum GivenError {
    /// Other users can change or replace it.
    Unsafe(Problem),
    /// It cannot be read.
    Read(ReadError),
}

impl Home {
    /// Reads a file of at most `most` octets that only this user, root and the owners of the home can change or
    /// replace. Symbolic links are followed.
    ///
    /// # Errors
    /// `config.unsafe` (exit 10) when another user can change or replace it, or the error of reading it.
    pub(crate) fn read_given(&self, path: &Path, most: u64) -> Result<Vec<u8>, GivenError> {
        let user = rustix::process::geteuid().as_raw();
        let private_group = Accounts::of_system().private_group_of(user);
        let permissions = [self.directory(), self.configuration_directory(), &self.status_directory()];
        let owners = permissions.iter().filter_map(|place| fs::metadata(place).ok().map(|place| place.uid()));
        let owners: Vec<u32> = owners.collect();
        let (octets, metadata) = read_open(path, most).map_err(GivenError::Read)?;
        let mut findings = judge(path, FileStatus::from(&metadata), user, private_group, &owners);
        findings.extend(Trail::to(path).findings(user, private_group, &owners));
        if findings.is_empty() { Ok(octets) } else { Err(GivenError::Unsafe(refusal(path, &findings))) }
    }
}

fn judge(
    path: &Path,
    status: FileStatus,
    user: u32,
    group: Option<u32>,
    owners: &[u32],
) -> Vec<AccessFinding> {
    let owner = if owners.contains(&status.owner) { user } else { status.owner };
    // A private group has no other member.
    let forbidden = if group == Some(status.group) { 0o002 } else { 0o022 };
    let rule = AccessRule { owners: Owners::UserOrRoot, forbidden, ..AccessRule::CONFIGURATION };
    rule.judge(path, &FileStatus { owner, ..status }, user)
}

fn refusal(path: &Path, findings: &[AccessFinding]) -> Problem {
    let faults: Vec<String> = findings.iter().map(ToString::to_string).collect();
    let mut remedies: Vec<&str> = findings.iter().map(|finding| finding.remedy.as_str()).collect();
    remedies.dedup();
    let message = format!("{} is not safe to use: {}", path.shown(), faults.join("\n"));
    Problem::new(Code::ConfigUnsafe, message)
        .hint(format!("look at what is in it, then run: {}", remedies.join("\nrun: ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::FileKind;

    #[test]
    fn what_others_can_change_is_refused() {
        // P2
        let told = |owner, group, mode| {
            let status = FileStatus { kind: FileKind::File, owner, group, mode, links: 1 };
            judge(Path::new("/x"), status, 1000, Some(1000), &[900]).len()
        };
        for (owner, group, mode) in
            [(1000, 100, 0o644), (0, 0, 0o644), (900, 900, 0o644), (1000, 1000, 0o664)]
        {
            assert_eq!(told(owner, group, mode), 0, "{owner} {group} {mode:o}");
        }
        for (owner, group, mode) in
            [(1001, 100, 0o644), (1000, 100, 0o664), (1000, 1000, 0o666), (0, 0, 0o666), (900, 900, 0o664)]
        {
            assert_eq!(told(owner, group, mode), 1, "{owner} {group} {mode:o}");
        }
    }
}
