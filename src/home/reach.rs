//! Files that the user who runs the program cannot reach because they are another user's.
use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Returns whether access failed because the file, or the directory that it is in or would be in, belongs to another
/// user. This is so for a service user in the directory of an administrator.
#[must_use]
pub fn is_of_another_user(path: &Path, error: &io::Error) -> bool {
    error.kind() == ErrorKind::PermissionDenied
        && owner_of_nearest(path).is_some_and(|owner| owner != rustix::process::geteuid().as_raw())
}

/// Returns the owner of the path, or else of the nearest directory above it that can be looked at.
fn owner_of_nearest(path: &Path) -> Option<u32> {
    // The name of the present directory is known even where the directory cannot be entered.
    let path = std::path::absolute(path).ok()?;
    path.ancestors().find_map(|place| fs::metadata(place).ok()).map(|found| found.uid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::is_root;
    use std::os::unix::fs::chown;

    #[test]
    fn only_a_refusal_in_another_users_directory_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/file");
        let refused = io::Error::from(ErrorKind::PermissionDenied);
        assert!(!is_of_another_user(&file, &refused));
        if !is_root() {
            return;
        }
        chown(directory.path(), Some(12345), None).unwrap();
        assert!(is_of_another_user(&file, &refused));
        assert!(!is_of_another_user(&file, &io::Error::from(ErrorKind::NotFound)));
        fs::write(directory.path().join("own"), "").unwrap();
        assert!(!is_of_another_user(&directory.path().join("own"), &refused));
    }
}
