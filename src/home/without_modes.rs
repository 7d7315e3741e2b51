//! File systems without owners and modes, as media often have, and files outside of a home.
use super::access::{AccessCause, AccessFinding, AccessRule, FileKind, FileStatus, Owners, quoted};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// statfs(2) of FAT, exFAT and NTFS: what they show as owner and mode is said by the options of the mount.
const WITHOUT_MODES: [u64; 3] = [0x4d44, 0x2011_bab0, 0x7366_746e];

/// Returns whether the file system of a path has no owners and modes of its own.
#[must_use]
pub fn has_no_modes(path: &Path) -> bool {
    let kind = rustix::fs::statfs(path).map(|found| found.f_type);
    kind.is_ok_and(|kind| u64::try_from(kind).is_ok_and(|kind| WITHOUT_MODES.contains(&kind)))
}

/// Options by which such a file system shows everything as this user's alone.
fn options(user: u32) -> String {
    format!("uid={user},fmask=0177,dmask=0077")
}

/// Returns the finding with what mends it where its file is, outside of a home: on a file system without modes that is not
/// chmod and chown, but the options of the mount; and a directory of somebody else, such as a home directory, stays theirs.
#[must_use]
pub fn mended_there(finding: AccessFinding) -> AccessFinding {
    if !has_no_modes(&finding.path) {
        let owner = finding.path.symlink_metadata().map(|metadata| metadata.uid());
        return match owner {
            Ok(owner) if finding.cause == AccessCause::Parent && finding.remedy.starts_with("sudo chown") => {
                let remedy = format!(
                    "the same as its owner (sudo -u '#{owner}' ...), or with a copy in a directory of your own"
                );
                AccessFinding { remedy, ..finding }
            }
            _ => finding,
        };
    }
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let absolute = finding.path.canonicalize().unwrap_or_else(|_| finding.path.clone());
    let user = rustix::process::geteuid().as_raw();
    let remedy = mounted_again(&absolute, &mounts, user);
    let fault =
        format!("{}; its file system has no modes, and the options of the mount say them", finding.fault);
    AccessFinding { remedy, fault, ..finding }
}

/// Returns the commands that mount the file system of a path so that everything on it is this user's alone. `mounts` is
/// what /proc/self/mounts says.
fn mounted_again(path: &Path, mounts: &str, user: u32) -> String {
    let rows = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?, unescaped(words.next()?)))
    });
    let own = rows.filter(|(_, at)| path.starts_with(at)).max_by_key(|(_, at)| at.components().count());
    let options = options(user);
    match own {
        Some((device, at)) => {
            let at = quoted(&at);
            format!("sudo umount {at} && sudo mount -o {options} {} {at}", quoted(Path::new(device)))
        }
        None => format!("mount the medium again with -o {options}"),
    }
}

/// Returns a path as /proc/self/mounts has it: with octal escapes of what divides its words.
fn unescaped(text: &str) -> PathBuf {
    let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
    escapes.iter().fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain)).into()
}

/// Judges a file outside of a home, whoever owns it: nobody else may change it, nor read it where it is `secret`. On file
/// systems without modes nothing is said.
///
/// # Errors
/// What gives others access, with the command that mends it.
pub fn verify_given(path: &Path, secret: bool) -> Result<(), AccessFinding> {
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    if has_no_modes(path) {
        return Ok(());
    }
    let forbidden = if secret { 0o077 } else { 0o022 };
    let rule = AccessRule { kind: FileKind::File, owners: Owners::Anybody, forbidden };
    rule.judge(path, &FileStatus::from(&metadata), metadata.uid()).into_iter().next().map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_outside_is_judged_by_who_else_can_change_it_and_a_secret_one_by_who_can_read_it() {
        // P2
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("share");
        fs::write(&path, "x").unwrap();
        for (mode, given, secret) in [
            (0o600, true, true),
            (0o644, true, false),
            (0o640, true, false),
            (0o664, false, false),
            (0o602, false, false),
        ] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(verify_given(&path, false).is_ok(), given, "{mode:o}");
            assert_eq!(verify_given(&path, true).is_ok(), secret, "{mode:o}");
        }
        let finding = verify_given(&path, true).unwrap_err();
        assert_eq!(finding.remedy, format!("chmod go-rwx {}", path.display()));
        assert_eq!(verify_given(&directory.path().join("none"), true), Ok(()), "the reader says that");
        assert!(!has_no_modes(directory.path()));
    }

    #[test]
    fn a_medium_without_modes_is_mounted_again_for_its_user_alone() {
        // P2, G6
        let mounts =
            "/dev/sda1 / ext4 rw 0 0\n/dev/sdb1 /media/my\\040stick vfat rw 0 0\ntmpfs /media tmpfs rw 0 0\n";
        let again = mounted_again(Path::new("/media/my stick/genfic/genfic.age"), mounts, 977);
        let expected = "sudo umount '/media/my stick' && sudo mount -o uid=977,fmask=0177,dmask=0077 /dev/sdb1 '/media/my stick'";
        assert_eq!(again, expected);
        assert!(mounted_again(Path::new("relative"), mounts, 0).contains("uid=0,fmask=0177"));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        let finding = verify_given(&path, false).unwrap_err();
        assert_eq!(mended_there(finding.clone()), finding, "with modes it stays what it is");
    }
}
