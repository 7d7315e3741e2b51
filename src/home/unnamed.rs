//! Files that have no name until they are whole (`O_TMPFILE`): a process that is ended while it writes one, by Ctrl-C
//! for example, leaves nothing behind.
use super::atomic::{Aside, directory_of};
use super::{ASIDE, Mode, WriteError, Writing, sync_directory};
use rustix::fs::{AtFlags, CWD, OFlags, linkat, open};
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What happens when the path is there already.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Existing {
    /// The file is replaced.
    Replace,
    /// The file stays, and nothing is written.
    Keep,
}

/// Writes a file outside of the home, durably. It appears at its path when it is whole. On file systems without
/// unnamed files it has a temporary name beside it meanwhile.
///
/// # Errors
/// When the directory cannot be written or the disk is full; [`io::ErrorKind::AlreadyExists`] when the path is there
/// and is to be kept. The former file is still there.
pub fn write_whole(
    path: &Path,
    mode: Mode,
    existing: Existing,
    contents: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), WriteError> {
    let failed = |source| WriteError { path: path.to_owned(), source };
    let directory = directory_of(path);
    // others that look for files left behind see that somebody is writing here
    let _writing = Writing::into(directory).map_err(failed)?;
    let Some(mut file) = unnamed(directory) else {
        let aside = Aside::write(path, mode, contents)?;
        match existing {
            Existing::Replace => aside.replace()?,
            Existing::Keep => aside.put_new()?,
        }
        return sync_directory(directory);
    };
    contents(&mut file).map_err(failed)?;
    mode.bits(&file)
        .and_then(|bits| file.set_permissions(Permissions::from_mode(bits)))
        .and_then(|()| file.sync_all())
        .and_then(|()| name(&file, path, existing))
        .map_err(failed)?;
    sync_directory(directory)
}

/// Returns a new file without a name; `None` where there is no such file, or it could not be named later.
fn unnamed(directory: &Path) -> Option<File> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = File::from(open(directory, flags, rustix::fs::Mode::from_raw_mode(0o600)).ok()?);
    fs::metadata(descriptor(&file)).is_ok().then_some(file)
}

fn descriptor(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

fn name(file: &File, path: &Path, existing: Existing) -> io::Result<()> {
    match link(file, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && existing == Existing::Replace => {}
        other => return other,
    }
    // a link replaces nothing, a renaming does
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    loop {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let beside = directory_of(path).join(format!("{ASIDE}{}-{number}", std::process::id()));
        match link(file, &beside) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => return fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside))),
        }
    }
}

fn link(file: &File, path: &Path) -> io::Result<()> {
    linkat(CWD, descriptor(file), CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn nothing_has_a_name_before_it_is_whole() {
        // C7
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("list");
        for contents in ["old", "new"] {
            let before = names(directory.path());
            write_whole(&path, Mode::Public, Existing::Replace, |file| {
                file.write_all(contents.as_bytes())?;
                assert_eq!(names(directory.path()), before);
                Ok(())
            })
            .unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), contents);
            assert_eq!(names(directory.path()), ["list"]);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        }
    }

    #[test]
    fn a_failure_and_a_file_to_keep_leave_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        let put = |text: &'static str| move |file: &mut File| file.write_all(text.as_bytes());
        write_whole(&path, Mode::Private, Existing::Keep, put("first")).unwrap();
        let kept = write_whole(&path, Mode::Private, Existing::Keep, put("second")).unwrap_err();
        assert_eq!(kept.source.kind(), ErrorKind::AlreadyExists);
        let full = |_: &mut File| Err(io::Error::from(ErrorKind::StorageFull));
        write_whole(&path, Mode::Private, Existing::Replace, full).unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(names(directory.path()), ["key"]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
