//! Opens files whose owner and mode matter.
use super::access::{AccessFinding, AccessRule, FileKind, FileStatus};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// Opens a file for reading that must obey a rule. The rule is applied to the opened file, not to the path.
///
/// A symbolic link as the last part of the path is refused, and a FIFO is not waited for.
///
/// # Errors
/// [`OpenError::Unsafe`] with the command that corrects the fault, or the system's error.
pub(crate) fn open_checked(path: &Path, rule: AccessRule) -> Result<File, OpenError> {
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

/// Opens a file for reading and follows symbolic links. Other kinds of files are refused, and a FIFO is not
/// waited for.
///
/// # Errors
/// When it is not a regular file, or the system's error.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    open_regular(path).map_err(|error| match error {
        ReadError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidInput, format!("it {other}")),
    })
}

/// Opens a regular file without waiting.
///
/// # Errors
/// The kind when it is not a regular file, or the system's error.
pub fn open_regular(path: &Path) -> Result<File, ReadError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(Errno::NXIO) => return Err(ReadError::Kind(FileKind::Special)),
        Err(errno) => return Err(ReadError::Io(errno.into())),
    };
    match FileStatus::from(&file.metadata().map_err(ReadError::Io)?).kind {
        FileKind::File => Ok(file),
        other => Err(ReadError::Kind(other)),
    }
}

/// Reads a file that a user named, and follows symbolic links. It must be a regular file of at most `most`
/// octets. The function never waits for a FIFO or a device.
///
/// # Errors
/// The kind when it is not a regular file, the bound when it is too large, or the system's error.
pub fn read_file(path: &Path, most: u64) -> Result<Vec<u8>, ReadError> {
    Ok(read_open(path, most)?.0)
}

/// Reads the file, and returns its contents with its metadata.
pub(super) fn read_open(path: &Path, most: u64) -> Result<(Vec<u8>, Metadata), ReadError> {
    let file = open_regular(path)?;
    let metadata = file.metadata().map_err(ReadError::Io)?;
    if metadata.len() > most {
        return Err(ReadError::TooLarge(most));
    }
    Ok((read_most(file, most)?, metadata))
}

/// Reads everything from `from`, up to `most` octets.
///
/// # Errors
/// When there are more octets, or the system's error.
pub fn read_most(from: impl Read, most: u64) -> Result<Vec<u8>, ReadError> {
    let mut octets = Vec::new();
    let length = from.take(most.saturating_add(1)).read_to_end(&mut octets).map_err(ReadError::Io)?;
    if u64::try_from(length).is_ok_and(|length| length <= most) {
        Ok(octets)
    } else {
        Err(ReadError::TooLarge(most))
    }
}

/// Reason why a file was not read, worded to follow the file's name.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not a regular file.
    #[error("is {0}")]
    Kind(FileKind),
    /// It has more octets than this bound.
    #[error("is over {}", size(*.0))]
    TooLarge(u64),
    /// The error of the system.
    #[error("cannot be read: {0}")]
    Io(io::Error),
}

fn size(octets: u64) -> String {
    if octets >= 1 << 20 { format!("{} MiB", octets >> 20) } else { format!("{} KiB", octets >> 10) }
}

/// Reason why a file was not opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// It violates its rule.
    Unsafe(AccessFinding),
    /// The error of the system.
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
            let opened = open_checked(&path, AccessRule::PRIVATE_FILE);
            assert!(matches!(opened, Err(OpenError::Unsafe(_))), "{opened:?}");
        }
        let absent = open_checked(&directory.path().join("absent"), AccessRule::PRIVATE_FILE);
        assert!(matches!(absent, Err(OpenError::Io(error)) if error.kind() == io::ErrorKind::NotFound));
    }
    #[test]
    fn only_a_file_is_read_and_no_more_than_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link, fifo) =
            (directory.path().join("a"), directory.path().join("l"), directory.path().join("f"));
        std::fs::write(&file, [7; 2048]).unwrap();
        std::os::unix::fs::symlink("a", &link).unwrap();
        assert_eq!(read_file(&link, 2048).unwrap().len(), 2048);
        assert_eq!(read_file(&file, 2047).unwrap_err().to_string(), "is over 1 KiB");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("s")).unwrap();
        for special in [fifo.as_path(), Path::new("/dev/zero"), &directory.path().join("s")] {
            assert!(matches!(read_file(special, 9), Err(ReadError::Kind(FileKind::Special))), "{special:?}");
        }
        let whole = read_file(directory.path(), 9);
        assert!(matches!(whole, Err(ReadError::Kind(FileKind::Directory))));
        assert!(matches!(read_most(io::repeat(0), 9), Err(ReadError::TooLarge(9))));
    }
}
