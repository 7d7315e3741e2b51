//! Opening files whose owner and mode matter.
use super::access::{FileStatus, Finding, Rule};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::fs::File;
use std::io;
use std::path::Path;

/// Opens a file for reading that must obey a rule; the rule is applied to the file that was opened.
///
/// A symbolic link as its last part is refused, and a FIFO is not waited for.
///
/// # Errors
/// [`OpenError::Unsafe`] with what mends it, or the system's error.
pub fn open_checked(path: &Path, rule: Rule) -> Result<File, OpenError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let user = rustix::process::geteuid().as_raw();
    let file = match open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(errno) => {
            let status = path.symlink_metadata().ok().map(|metadata| FileStatus::from(&metadata));
            let finding = status
                .filter(|_| matches!(errno, Errno::LOOP | Errno::NXIO | Errno::ACCESS))
                .and_then(|status| rule.judge(path, &status, user).into_iter().next());
            return Err(finding.map_or_else(|| OpenError::Io(errno.into()), OpenError::Unsafe));
        }
    };
    let status = FileStatus::from(&file.metadata().map_err(OpenError::Io)?);
    match rule.judge(path, &status, user).into_iter().next() {
        Some(finding) => Err(OpenError::Unsafe(finding)),
        None => Ok(file),
    }
}

/// Why a file was not opened.
#[derive(Debug)]
pub enum OpenError {
    /// It breaks its rule.
    Unsafe(Finding),
    /// The system says no.
    Io(io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_a_link_nor_a_fifo_is_opened() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        let fifo = directory.path().join("fifo");
        let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&fifo).status().unwrap();
        assert!(made.success());
        for path in [link, fifo] {
            let opened = open_checked(&path, Rule::PRIVATE_FILE);
            assert!(matches!(opened, Err(OpenError::Unsafe(_))), "{opened:?}");
        }
        let absent = open_checked(&directory.path().join("absent"), Rule::PRIVATE_FILE);
        assert!(matches!(absent, Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound));
    }
}
