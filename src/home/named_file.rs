//! Files that are named to a program, outside of any home.
use super::access::{AccessFinding, AccessRule, FileStatus};
use super::names::second_name;
use super::{has_no_modes, mended_there, unsafe_way};
use std::path::Path;

/// Judges a file that was named, outside of a home: it is this user's or root's, nobody else may change it or replace it,
/// nor read it where it is `secret`. On file systems without modes the way to it counts.
///
/// # Errors
/// What gives others access, with the command that mends it.
pub fn verify_named(path: &Path, secret: bool) -> Result<(), AccessFinding> {
    if let Some(finding) = unsafe_way(path) {
        return Err(mended_there(finding));
    }
    let Ok(metadata) = path.metadata() else { return Ok(()) };
    if has_no_modes(path) {
        return Ok(());
    }
    let forbidden = if secret { 0o077 } else { 0o022 };
    let rule = AccessRule { forbidden, ..AccessRule::CONFIGURATION };
    let user = rustix::process::geteuid().as_raw();
    rule.judge(path, &FileStatus::from(&metadata), user).into_iter().next().map_or(Ok(()), Err)
}

/// Judges a file that was named and is to be replaced: what it had would stay under a second name.
///
/// # Errors
/// As [`verify_named`], and when it has a second name.
pub fn verify_replaced(path: &Path) -> Result<(), AccessFinding> {
    verify_named(path, false)?;
    second_name(path, rustix::process::geteuid().as_raw()).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::AccessCause;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown};

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_was_named_is_this_users_or_roots_and_in_no_place_of_others() {
        // P2
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.age");
        fs::write(&path, "x").unwrap();
        mode(&path, 0o600);
        assert_eq!((verify_named(&path, true), verify_replaced(&path)), (Ok(()), Ok(())));
        mode(&path, 0o644);
        assert!(verify_named(&path, false).is_ok() && verify_named(&path, true).is_err());
        mode(&path, 0o666);
        assert_eq!(verify_named(&path, false).unwrap_err().remedy, format!("chmod go-w {}", path.display()));
        mode(&path, 0o600);
        let other = directory.path().join("other");
        fs::hard_link(&path, &other).unwrap();
        assert_eq!(verify_named(&path, true), Ok(()), "it is read and not replaced");
        assert_eq!(verify_replaced(&path).unwrap_err().cause, AccessCause::Linked);
        fs::remove_file(other).unwrap();
        mode(directory.path(), 0o777);
        assert_eq!(verify_named(&path, true).unwrap_err().cause, AccessCause::Parent);
        mode(directory.path(), 0o700);
        if crate::testing::is_root() {
            // the directory of somebody else stays theirs
            chown(directory.path(), Some(65534), None).unwrap();
            let finding = verify_named(&path, true).unwrap_err();
            assert!(
                finding.remedy.contains("'#65534'") && !finding.remedy.contains("chown"),
                "{}",
                finding.remedy
            );
            chown(directory.path(), Some(0), None).unwrap();
            chown(&path, Some(65534), None).unwrap();
            assert_eq!(verify_named(&path, true).unwrap_err().cause, AccessCause::Owner);
        }
    }
}
