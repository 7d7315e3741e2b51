//! Rules for owners and modes. They are applied to values, so that they can be tested as any user.
use crate::error::Shown as _;
use std::fmt;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// One fault that gives other users access to a file or that denies it to the owner, with the command that
/// corrects it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AccessFinding {
    /// The file or directory.
    pub path: PathBuf,
    /// The kind of fault.
    pub cause: AccessCause,
    /// The fault, worded to follow the path.
    pub fault: String,
    /// A shell command that corrects the fault.
    pub remedy: String,
}

/// Kind of fault of a file or directory.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessCause {
    /// The path is of another kind: a symbolic link, a hard link to another user's file, a FIFO or a directory.
    Kind,
    /// The owner is another user.
    Owner,
    /// The file has these permission bits too many.
    Mode(u32),
    /// The file gives these permission bits, meant for the daemon's group, to a group with other members.
    Shared(u32),
    /// The owner lacks these permission bits.
    Shut(u32),
    /// The group differs from that of the directory, so that the daemon cannot read the file.
    Group,
    /// The directory is above the home and can be changed by other users.
    Parent,
    /// The status of the path cannot be read.
    Unreadable,
    /// The file has a second name, which would keep what is in it.
    Linked,
}

impl fmt::Display for AccessFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.shown(), self.fault)
    }
}

/// Kind of file at a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A FIFO, socket or device.
    Special,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Symlink => "a symbolic link",
            Self::Special => "a FIFO, socket or device",
        })
    }
}

/// Kind, owner and mode of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FileStatus {
    /// The kind of the file.
    pub kind: FileKind,
    /// User number of the owner.
    pub owner: u32,
    /// Group number.
    pub group: u32,
    /// Permission bits with set-id and sticky bits, at most 0o7777.
    pub mode: u32,
    /// Number of hard links.
    pub links: u64,
}

impl From<&Metadata> for FileStatus {
    fn from(metadata: &Metadata) -> Self {
        let kind = if metadata.is_symlink() {
            FileKind::Symlink
        } else if metadata.is_dir() {
            FileKind::Directory
        } else if metadata.is_file() {
            FileKind::File
        } else {
            FileKind::Special
        };
        Self {
            kind,
            owner: metadata.uid(),
            group: metadata.gid(),
            mode: metadata.mode() & 0o7777,
            links: metadata.nlink(),
        }
    }
}

/// The owners that a file may have besides the user who runs the program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Owners {
    /// No other owner.
    User,
    /// Root too, because what only root can change is safe from other users.
    UserOrRoot,
    /// Any owner; only the mode is checked.
    Anybody,
}

/// Requirements for a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct AccessRule {
    /// The required kind.
    pub kind: FileKind,
    /// The permitted owners.
    pub owners: Owners,
    /// The permission bits that the file must not have.
    pub forbidden: u32,
}

impl AccessRule {
    /// A file for its owner only: a key, a passphrase, the index.
    pub(crate) const PRIVATE_FILE: Self =
        Self { kind: FileKind::File, owners: Owners::User, forbidden: 0o077 };
    /// A file that its group may read: the responder's key.
    pub(crate) const GROUP_FILE: Self = Self { kind: FileKind::File, owners: Owners::User, forbidden: 0o027 };
    /// A file that only the owner may change: the configuration, a profile.
    pub(crate) const CONFIGURATION: Self =
        Self { kind: FileKind::File, owners: Owners::UserOrRoot, forbidden: 0o022 };

    /// Returns the rule for a directory with these owners and forbidden bits.
    #[must_use]
    pub(crate) const fn directory(owners: Owners, forbidden: u32) -> Self {
        Self { kind: FileKind::Directory, owners, forbidden }
    }

    /// Returns every fault of a file of this status, for the user of this number.
    #[must_use]
    pub(crate) fn judge(&self, path: &Path, status: &FileStatus, user: u32) -> Vec<AccessFinding> {
        if status.kind != self.kind {
            return vec![finding(
                path,
                AccessCause::Kind,
                format!("is {} where {} belongs", status.kind, self.kind),
                aside(path),
            )];
        }
        let mut findings = Vec::new();
        let owned = match self.owners {
            Owners::User => status.owner == user,
            Owners::UserOrRoot => status.owner == user || status.owner == 0,
            Owners::Anybody => true,
        };
        let is_theirs = status.owner != user && self.owners != Owners::Anybody;
        if is_theirs && status.kind == FileKind::File && status.links > 1 {
            // A change of owner here would also change the other user's file.
            let fault = format!("is a hard link to a file of user {}", status.owner);
            return vec![finding(path, AccessCause::Kind, fault, aside(path))];
        }
        if !owned {
            let remedy = format!("sudo chown {user} {}", quoted(path));
            findings.push(finding(
                path,
                AccessCause::Owner,
                format!("belongs to user {}", status.owner),
                remedy,
            ));
        }
        let excess = status.mode & self.forbidden;
        if excess != 0 {
            let verb = if excess & 0o022 != 0 { "changed" } else { "read" };
            let remedy = format!("chmod {} {}", without(self.forbidden), quoted(path));
            findings.push(finding(
                path,
                AccessCause::Mode(excess),
                format!("can be {verb} by others (mode {:04o})", status.mode),
                remedy,
            ));
        }
        findings
    }
}

/// Returns the fault of a directory above the home, if any. Whoever can rename entries in it can replace the
/// home.
///
/// `private_group` is the group that has only this user. Its write permission counts as the user's own.
#[must_use]
pub(super) fn judge_parent(
    path: &Path,
    status: &FileStatus,
    user: u32,
    private_group: Option<u32>,
) -> Vec<AccessFinding> {
    let mut findings = Vec::new();
    if status.owner != user && status.owner != 0 {
        let fault = format!("belongs to user {}, who can replace what is in it", status.owner);
        findings.push(finding(path, AccessCause::Parent, fault, format!("sudo chown root {}", quoted(path))));
    }
    let own_group = private_group == Some(status.group);
    let forbidden = if own_group { 0o002 } else { 0o022 };
    let sticky = status.mode & 0o1000 != 0;
    if status.mode & forbidden != 0 && !sticky {
        let chmod = if status.owner == user { "chmod" } else { "sudo chmod" };
        findings.push(finding(
            path,
            AccessCause::Parent,
            format!("can be changed by others (mode {:04o})", status.mode),
            format!("{chmod} {} {}", without(forbidden), quoted(path)),
        ));
    }
    findings
}

pub(super) fn finding(path: &Path, cause: AccessCause, fault: String, remedy: String) -> AccessFinding {
    AccessFinding { path: path.to_owned(), cause, fault, remedy }
}

/// Returns the command that renames what is at a path, so that the right file can be created there.
pub(super) fn aside(path: &Path) -> String {
    let mut to = path.as_os_str().to_owned();
    to.push(".aside");
    format!("mv {} {}", quoted(path), quoted(Path::new(&to)))
}

/// Returns the argument of `chmod` that removes these bits.
fn without(bits: u32) -> String {
    let letters = |bits: u32| -> String {
        [(4, 'r'), (2, 'w'), (1, 'x')].iter().filter(|(bit, _)| bits & bit != 0).map(|(_, c)| *c).collect()
    };
    let (group, others) = (letters(bits >> 3 & 7), letters(bits & 7));
    match (group.as_str(), others.as_str()) {
        (group, others) if group == others => format!("go-{group}"),
        ("", others) => format!("o-{others}"),
        (group, "") => format!("g-{group}"),
        (group, others) => format!("g-{group},o-{others}"),
    }
}

/// Returns the path quoted for a shell. A path with control characters or invalid UTF-8 is written as `$'...'`
/// of bash.
#[must_use]
pub fn quoted(path: &Path) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:,@%=".contains(c);
    match path.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => format!("'{}'", text.replace('\'', r"'\''")),
        _ => {
            let octets = path.as_os_str().as_bytes().iter();
            let written = octets.map(|octet| match octet {
                b'\'' | b'\\' => format!(r"\{}", char::from(*octet)),
                b' '..=b'~' => char::from(*octet).to_string(),
                other => format!(r"\x{other:02x}"),
            });
            format!("$'{}'", written.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FileKind::{Directory, File, Special, Symlink};

    fn status(kind: FileKind, owner: u32, mode: u32) -> FileStatus {
        FileStatus { kind, owner, group: 100, mode, links: 1 }
    }

    fn judged(rule: AccessRule, kind: FileKind, owner: u32, mode: u32) -> Vec<String> {
        let findings = rule.judge(Path::new("/ca/keys/a.age"), &status(kind, owner, mode), 1000);
        findings.into_iter().map(|finding| format!("{}: {}", finding.fault, finding.remedy)).collect()
    }

    #[test]
    fn a_key_is_its_owners_alone() {
        // K1, P2
        assert!(judged(AccessRule::PRIVATE_FILE, File, 1000, 0o600).is_empty());
        assert!(judged(AccessRule::PRIVATE_FILE, File, 1000, 0o400).is_empty());
        assert_eq!(
            judged(AccessRule::PRIVATE_FILE, File, 1000, 0o640),
            ["can be read by others (mode 0640): chmod go-rwx /ca/keys/a.age"]
        );
        assert_eq!(
            judged(AccessRule::PRIVATE_FILE, File, 1001, 0o620),
            [
                "belongs to user 1001: sudo chown 1000 /ca/keys/a.age",
                "can be changed by others (mode 0620): chmod go-rwx /ca/keys/a.age"
            ]
        );
        assert_eq!(judged(AccessRule::PRIVATE_FILE, File, 0, 0o600).len(), 1, "root's is not the user's");
    }

    #[test]
    fn a_hard_link_to_somebody_elses_file_is_moved_away_and_their_file_left_as_it_is() {
        // P2
        let linked = FileStatus { links: 2, ..status(File, 0, 0o644) };
        let found = AccessRule::PRIVATE_FILE.judge(Path::new("/ca/it's"), &linked, 1000);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].fault, "is a hard link to a file of user 0");
        assert_eq!(found[0].remedy, r"mv '/ca/it'\''s' '/ca/it'\''s.aside'");
        let own = FileStatus { links: 2, ..status(File, 1000, 0o600) };
        assert_eq!(
            AccessRule::PRIVATE_FILE.judge(Path::new("/ca/a"), &own, 1000),
            [],
            "a backup made by cp -al"
        );
    }

    #[test]
    fn the_responders_key_is_read_by_its_group_and_nobody_else() {
        // K1
        assert!(judged(AccessRule::GROUP_FILE, File, 1000, 0o640).is_empty());
        assert_eq!(
            judged(AccessRule::GROUP_FILE, File, 1000, 0o660),
            ["can be changed by others (mode 0660): chmod g-w,o-rwx /ca/keys/a.age"]
        );
        assert_eq!(judged(AccessRule::GROUP_FILE, File, 1000, 0o644).len(), 1);
    }

    #[test]
    fn something_else_in_the_place_of_a_file_is_refused() {
        // P2
        for kind in [Directory, Symlink, Special] {
            let found = judged(AccessRule::PRIVATE_FILE, kind, 1000, 0o600);
            assert_eq!(
                found,
                [format!("is {kind} where a file belongs: mv /ca/keys/a.age /ca/keys/a.age.aside")]
            );
        }
    }

    #[test]
    fn configuration_may_be_roots_and_readable_but_not_writable() {
        assert!(judged(AccessRule::CONFIGURATION, File, 0, 0o644).is_empty());
        assert_eq!(judged(AccessRule::CONFIGURATION, File, 1001, 0o644).len(), 1);
        assert_eq!(
            judged(AccessRule::CONFIGURATION, File, 1000, 0o664),
            ["can be changed by others (mode 0664): chmod go-w /ca/keys/a.age"]
        );
    }

    #[test]
    fn a_parent_that_others_can_change_is_refused_unless_it_is_sticky() {
        // P2
        let parent = |owner, mode, private_group| {
            let found = judge_parent(Path::new("/srv"), &status(Directory, owner, mode), 1000, private_group);
            found.into_iter().map(|finding| finding.remedy).collect::<Vec<_>>()
        };
        assert!(parent(0, 0o755, None).is_empty());
        assert!(parent(1000, 0o700, None).is_empty());
        assert!(parent(0, 0o1777, None).is_empty());
        assert_eq!(parent(0, 0o777, None), ["sudo chmod go-w /srv"]);
        assert_eq!(parent(1000, 0o775, None), ["chmod go-w /srv"]);
        assert!(parent(1000, 0o775, Some(100)).is_empty(), "the user's own group");
        assert_eq!(parent(1000, 0o777, Some(100)), ["chmod o-w /srv"]);
        assert_eq!(parent(1001, 0o755, None), ["sudo chown root /srv"]);
    }

    #[test]
    fn paths_are_quoted_for_the_shell() {
        assert_eq!(quoted(Path::new("/a/b-1.age")), "/a/b-1.age");
        assert_eq!(quoted(Path::new("/a b/it's")), r"'/a b/it'\''s'");
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"a\n'\xff;\\"));
        assert_eq!(quoted(odd), r"$'a\x0a\'\xff;\\'");
        let mut echo = std::process::Command::new("bash");
        echo.args(["-c", &format!("printf %s {}", quoted(odd))]);
        assert_eq!(echo.output().unwrap().stdout, odd.as_os_str().as_bytes());
    }
}
