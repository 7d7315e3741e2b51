//! Writes whole files: a reader sees the old contents or the new, never a part (C7).
use super::{ASIDE, Accounts, Writing};
use crate::error::Shown as _;
use crate::failpoint;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Permission bits of a new file. The umask does not change them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// 0600: only the owner.
    Private,
    /// 0640: the owner writes, the group reads. 0600 when the group has other members than the daemon or this
    /// user.
    Group,
    /// 0644: everybody reads.
    Public,
}

impl Mode {
    /// Returns the bits for this file, which depend on its owner and group.
    ///
    /// # Errors
    /// When the status of the file cannot be read.
    pub fn bits(self, file: &File) -> io::Result<u32> {
        Ok(match self {
            Self::Private => 0o600,
            Self::Group => Accounts::of_system().confined_mode(0o640, &file.metadata()?),
            Self::Public => 0o644,
        })
    }
}

/// A file could not be written. The former file is still there.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {source}", path.shown())]
pub struct WriteError {
    /// The path of the file.
    pub path: PathBuf,
    /// The error of the system.
    pub source: io::Error,
}

impl WriteError {
    /// Returns whether the disk, or the user's quota, is full.
    #[must_use]
    pub(crate) fn is_for_want_of_space(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// Creates or replaces a file, durably.
///
/// # Errors
/// When the directory cannot be written or the disk is full; the old file stays.
pub fn replace(path: &Path, contents: &[u8], mode: Mode) -> Result<(), WriteError> {
    Aside::write(path, mode, |file| file.write_all(contents))?.replace()?;
    sync_directory(directory_of(path))
}

/// Replaces a file in a directory that the caller has locked exclusively.
///
/// # Errors
/// As [`replace`].
pub(crate) fn replace_alone(
    _alone: &Writing,
    path: &Path,
    contents: &[u8],
    mode: Mode,
) -> Result<(), WriteError> {
    Aside::empty(path, mode, None)?.filled(|file| file.write_all(contents))?.settled()?.replace()?;
    sync_directory(directory_of(path))
}

/// Creates a file at a path that does not exist, durably.
///
/// # Errors
/// As [`replace`], and [`io::ErrorKind::AlreadyExists`] when the path exists.
pub fn write_new(path: &Path, contents: &[u8], mode: Mode) -> Result<(), WriteError> {
    Aside::write(path, mode, |file| file.write_all(contents))?.put_new()?;
    sync_directory(directory_of(path))
}

/// A temporary file and the path that it is for. It is removed when it is dropped before it is renamed.
pub(crate) struct Aside {
    path: PathBuf,
    mode: Mode,
    file: NamedTempFile,
    /// The mark on the directory; `None` when the caller has locked the directory exclusively.
    _writing: Option<Writing>,
}

impl Aside {
    /// Creates an empty temporary file.
    pub(crate) fn begin(path: &Path, mode: Mode) -> Result<Self, WriteError> {
        let writing = Writing::into(directory_of(path))
            .map_err(|source| WriteError { path: path.to_owned(), source })?;
        Self::empty(path, mode, Some(writing))
    }

    fn empty(path: &Path, mode: Mode, writing: Option<Writing>) -> Result<Self, WriteError> {
        failpoint::passed("file: to be written");
        let file =
            empty_file(directory_of(path)).map_err(|source| WriteError { path: path.to_owned(), source })?;
        failpoint::passed("file: aside, empty");
        Ok(Self { path: path.to_owned(), mode, file, _writing: writing })
    }

    /// Creates a temporary file with its contents, not durable yet.
    pub(crate) fn fill(
        path: &Path,
        mode: Mode,
        contents: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Self, WriteError> {
        Self::begin(path, mode)?.filled(contents)
    }

    fn filled(mut self, contents: impl FnOnce(&mut File) -> io::Result<()>) -> Result<Self, WriteError> {
        contents(self.file.as_file_mut()).map_err(|source| self.failed(source))?;
        failpoint::passed("file: aside, written");
        Ok(self)
    }

    /// Creates a temporary file with its contents, durable.
    pub(crate) fn write(
        path: &Path,
        mode: Mode,
        contents: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Self, WriteError> {
        Self::fill(path, mode, contents)?.settled()
    }

    fn settled(self) -> Result<Self, WriteError> {
        self.settle()?;
        failpoint::passed("file: aside, durable");
        Ok(self)
    }

    /// Returns the path that the file is for.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the open temporary file.
    pub(crate) fn file(&mut self) -> &mut NamedTempFile {
        &mut self.file
    }

    /// Sets the mode and waits until the file is durable.
    pub(super) fn settle(&self) -> Result<(), WriteError> {
        let file = self.file.as_file();
        self.set_mode().and_then(|()| file.sync_all()).map_err(|source| self.failed(source))
    }

    /// Sets the mode of a file that need not be durable.
    pub(super) fn ready(self) -> Result<Self, WriteError> {
        self.set_mode().map_err(|source| self.failed(source))?;
        Ok(self)
    }

    fn set_mode(&self) -> io::Result<()> {
        let file = self.file.as_file();
        set_mode(file, self.mode.bits(file)?)
    }

    /// Renames the file to its path, replacing what is there. [`sync_directory`] makes the name durable.
    pub(crate) fn replace(self) -> Result<(), WriteError> {
        let Self { path, file, _writing, .. } = self;
        let put = file.persist(&path).map(drop);
        put.map_err(|refused| WriteError { path, source: refused.error })?;
        failpoint::passed("file: in place");
        Ok(())
    }

    /// Renames the file to its path, which must not exist.
    pub(super) fn put_new(self) -> Result<(), WriteError> {
        let Self { path, file, _writing, .. } = self;
        let put = file.persist_noclobber(&path).map(drop);
        put.map_err(|refused| WriteError { path, source: refused.error })?;
        failpoint::passed("file: in place");
        Ok(())
    }

    fn failed(&self, source: io::Error) -> WriteError {
        WriteError { path: self.path.clone(), source }
    }
}

/// Sets the mode of a file of this user. A file system that has none, as media often do, refuses that or does not know it:
/// there the mode that it shows has to keep others away as well.
fn set_mode(file: &File, bits: u32) -> io::Result<()> {
    match file.set_permissions(Permissions::from_mode(bits)) {
        Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
            let shown = file.metadata()?.permissions().mode();
            if shown & 0o077 & !bits == 0 { Ok(()) } else { Err(error) }
        }
        set => set,
    }
}

/// Creates a temporary file with mode 0600.
pub(super) fn empty_file(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(ASIDE).make_in(directory, |aside| {
        OpenOptions::new().write(true).read(true).create_new(true).mode(0o600).open(aside)
    })
}

/// Makes renames within a directory durable.
///
/// # Errors
/// When the directory cannot be opened or synchronised.
pub fn sync_directory(directory: &Path) -> Result<(), WriteError> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|source| WriteError { path: directory.to_owned(), source })?;
    failpoint::passed("directory: durable");
    Ok(())
}

pub(super) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_file_is_replaced_whole_and_with_its_mode() {
        // C7
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.crl");
        replace(&path, b"old", Mode::Public).unwrap();
        replace(&path, b"new", Mode::Private).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left aside");
    }

    #[test]
    fn what_exists_is_not_written_over_by_a_new_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        write_new(&path, b"first", Mode::Private).unwrap();
        let error = write_new(&path, b"second", Mode::Private).unwrap_err();
        assert_eq!(error.source.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }

    #[test]
    fn where_no_mode_can_be_set_the_mode_that_is_shown_has_to_keep_others_away() {
        // G6, P2
        for (path, is_taken) in [("/proc/self/environ", true), ("/proc/self/status", false)] {
            assert_eq!(set_mode(&File::open(path).unwrap(), 0o600).is_ok(), is_taken, "{path}");
        }
    }

    #[test]
    fn a_failure_leaves_the_old_file() {
        let error = replace(Path::new("/nowhere/at/all"), b"x", Mode::Public).unwrap_err();
        assert!(error.to_string().starts_with("/nowhere/at/all cannot be written"));
    }
}
