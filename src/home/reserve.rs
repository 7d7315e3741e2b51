//! Disk space that is reserved, so that revocations work on a full disk.
use super::{AccessRule, FileStatus, Home};
use crate::error::{Code, Problem, Shown as _};
use rustix::fs::{FallocateFlags, OFlags, fallocate, open, statvfs};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Least size of the reserve, and the step by which it grows, in octets. Half of the least size is for pages of
/// the index, and the other half for small CRLs and status files.
const LEAST: u64 = 8 << 20;
const STEP: u64 = 4 << 20;
/// Octets that stay free when a released reserve is allocated again.
const MARGIN: u64 = 256 << 10;

/// The file `reserve` of a home. It is as large as a revocation can write at most, and its blocks are
/// allocated.
#[derive(Clone, Debug)]
pub(crate) struct ReserveFile {
    home: Home,
}

/// The right to use the released reserve. The space stays released while any process has one of these.
#[derive(Debug)]
pub(crate) struct GivenBack {
    reserve: ReserveFile,
    file: File,
}

impl ReserveFile {
    /// Octets that a command needs that changes nothing: SQLite's shared memory and an audit record.
    pub(crate) const TO_LOOK: u64 = 1 << 20;

    /// Returns the reserve of this home.
    #[must_use]
    pub(crate) fn of(home: &Home) -> Self {
        Self { home: home.clone() }
    }

    fn path(&self) -> PathBuf {
        self.home.reserve_file()
    }

    /// Returns how many octets a revocation may write: pages of the index, a group of the status or a new base, and
    /// the CRL of the largest CA, DER and PEM, twice.
    #[must_use]
    pub(crate) fn size(&self) -> u64 {
        let lists = largest(&self.home.public_directory(), ".crl").saturating_mul(5);
        let status = largest(&self.home.status_directory(), ".status").saturating_mul(6) / 5;
        let more = lists.saturating_add(status).saturating_sub(LEAST / 2);
        LEAST.saturating_add(more.div_ceil(STEP).saturating_mul(STEP))
    }

    /// Returns how many octets an issuing command must find free beside a reserve of this size.
    #[must_use]
    pub(crate) fn to_issue(size: u64) -> u64 {
        size / 4
    }

    /// Returns whether the reserve is allocated in full. This reads the status of a few files and changes
    /// nothing.
    #[must_use]
    pub(crate) fn is_held(&self) -> bool {
        self.kept() >= self.size()
    }

    /// Returns how many octets are allocated at the moment.
    #[must_use]
    pub(crate) fn kept(&self) -> u64 {
        let metadata = self.path().symlink_metadata().ok().filter(fs::Metadata::is_file);
        metadata.map_or(0, |metadata| allocated(&metadata))
    }

    /// Creates or enlarges the reserve, when the disk has room for it and for issuance besides. Returns false
    /// when it has not.
    ///
    /// # Errors
    /// When the file cannot be made for another reason than a full disk.
    pub(crate) fn hold(&self) -> io::Result<bool> {
        if self.is_held() {
            return Ok(true);
        }
        let size = self.size();
        let there = self.path().symlink_metadata().map_or(0, |metadata| allocated(&metadata));
        let needed = size.saturating_sub(there).saturating_add(Self::to_issue(size));
        if !self.is_ours() || self.free().is_some_and(|free| free < needed) {
            return Ok(false);
        }
        let file = open_reserve(&self.path(), OFlags::CREATE)?;
        // Another process is using the released space.
        if file.try_lock().is_err() {
            return Ok(false);
        }
        match allocate(&file, size) {
            Ok(()) => Ok(true),
            Err(error) if is_full(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Checks before an issuance that the reserve is allocated in full, and that there is room besides.
    ///
    /// # Errors
    /// `disk.full` (exit 1) when there is not.
    pub(crate) fn must_be_held(&self) -> Result<(), Problem> {
        // A missing or wrong index is reported when it is opened.
        if !self.home.has_index() {
            return Ok(());
        }
        let size = self.size();
        let held = self.is_held() || {
            self.home.verify()?;
            self.hold().map_err(|error| self.not_written(&error))?
        };
        let free = self.free();
        if held && free.is_none_or(|free| free >= Self::to_issue(size)) {
            return Ok(());
        }
        let besides = if held { "is kept" } else { "cannot be kept" };
        let message = format!(
            "the disk of {} is full: {} KiB are free, and {} MiB {besides} for revoking",
            self.home.directory().shown(),
            free.unwrap_or(0) >> 10,
            size >> 20,
        );
        Err(Problem::new(Code::DiskFull, message).hint(
            "nothing was issued; make room and try again. Revoking and publishing go on: they may use what is \
             kept for them",
        ))
    }

    /// Releases the reserve when fewer than `least` octets are free. Returns `None` when enough are free, or
    /// there is no reserve.
    #[must_use]
    pub(crate) fn release(&self, least: u64) -> Option<GivenBack> {
        if !self.is_ours() || self.free().is_none_or(|free| free >= least) {
            return None;
        }
        let file = open_reserve(&self.path(), OFlags::empty()).ok()?;
        // Without the lock, another process may allocate the space again too early, which does no other harm.
        let _ = file.try_lock_shared();
        file.set_len(0).ok()?;
        Some(GivenBack { reserve: self.clone(), file })
    }

    fn free(&self) -> Option<u64> {
        let status = statvfs(self.home.directory()).ok().filter(|status| status.f_blocks > 0)?;
        Some(status.f_bavail.saturating_mul(status.f_frsize))
    }

    /// Returns whether the directory is a home of this user. Another user's home, in which no command works,
    /// and a directory that is no home are left alone.
    fn is_ours(&self) -> bool {
        let user = rustix::process::geteuid().as_raw();
        let owned = fs::metadata(self.home.directory()).is_ok_and(|metadata| metadata.uid() == user);
        owned && self.home.has_index()
    }

    fn not_written(&self, error: &io::Error) -> Problem {
        let message = format!("{} cannot be written: {error}", self.path().shown());
        Problem::new(Code::FileNotWritten, message)
            .hint("nothing was issued; mend the directory's mode or mount, then try again")
    }
}

impl GivenBack {
    /// Allocates the space again that was not needed, unless other processes still use it.
    pub(crate) fn take_back(self) {
        let Self { reserve, file } = self;
        if file.unlock().is_err() || file.try_lock().is_err() {
            return;
        }
        let there = file.metadata().map_or(0, |metadata| allocated(&metadata));
        let free = reserve.free().unwrap_or(0).saturating_sub(MARGIN);
        let size = reserve.size().min(there.saturating_add(free));
        if size > there {
            let _ = allocate(&file, size);
        }
    }
}

/// Returns the size of the largest file whose name has this suffix.
fn largest(directory: &Path, ending: &str) -> u64 {
    fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().ends_with(ending.as_bytes()))
        .filter_map(|entry| entry.metadata().ok())
        .map(|metadata| metadata.len())
        .max()
        .unwrap_or(0)
}

/// Returns the octets on the disk, because a hole reserves no space.
fn allocated(metadata: &fs::Metadata) -> u64 {
    metadata.len().min(metadata.blocks().saturating_mul(512))
}

fn open_reserve(path: &Path, more: OFlags) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | more;
    let file = File::from(open(path, flags, rustix::fs::Mode::from_raw_mode(0o600))?);
    // Another user's file that is linked here is neither truncated nor filled.
    let (status, user) = (FileStatus::from(&file.metadata()?), rustix::process::geteuid().as_raw());
    if AccessRule::PRIVATE_FILE.judge(path, &status, user).is_empty() {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// Allocates a file of this size. On failure the file keeps its former length.
fn allocate(file: &File, size: u64) -> io::Result<()> {
    let before = file.metadata()?.len();
    let made = fallocate(file, FallocateFlags::empty(), 0, size).map_err(io::Error::from);
    let has = |file: &File| file.metadata().is_ok_and(|metadata| allocated(&metadata) >= size);
    let made = match made {
        Err(error) if error.raw_os_error() != Some(Errno::OPNOTSUPP.raw_os_error()) => Err(error),
        Ok(()) if has(file) => Ok(()),
        // The file system does not guarantee the allocation, so that the file is filled with data that cannot
        // be compressed.
        _ => fill(file, size),
    };
    if made.is_err() {
        file.set_len(before)?;
    }
    made
}

fn fill(mut file: &File, size: u64) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut File::open("/dev/urandom")?.take(size), &mut file)?;
    file.sync_all()
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn home() -> (tempfile::TempDir, Home) {
        let directory = tempfile::tempdir().unwrap();
        let home = Home::at(directory.path().join("home"));
        home.create().unwrap();
        drop(open_reserve(&home.index_file(), OFlags::CREATE).unwrap());
        (directory, home)
    }

    #[test]
    fn the_space_is_really_kept_and_given_back_only_where_it_is_needed() {
        let (_directory, home) = home();
        let reserve = ReserveFile::of(&home);
        assert!(!reserve.is_held());
        assert!(reserve.hold().unwrap());
        let metadata = fs::metadata(home.reserve_file()).unwrap();
        assert_eq!((allocated(&metadata), metadata.mode() & 0o777), (LEAST, 0o600));
        assert!(reserve.release(1).is_none(), "there is room");
        let one = reserve.release(u64::MAX).unwrap();
        let other = reserve.release(u64::MAX).unwrap();
        assert!(!reserve.is_held());
        assert!(!reserve.hold().unwrap(), "two are at work with it");
        assert_eq!(reserve.must_be_held().unwrap_err().code.code(), "disk.full");
        one.take_back();
        assert!(!reserve.is_held(), "one is still at work with it");
        other.take_back();
        assert!(reserve.is_held());
        assert_eq!(reserve.must_be_held(), Ok(()));
    }

    #[test]
    fn a_directory_that_is_no_home_is_left_alone() {
        let (_directory, home) = home();
        fs::remove_file(home.index_file()).unwrap();
        let reserve = ReserveFile::of(&home);
        assert!(!reserve.hold().unwrap() && !home.reserve_file().exists());
        assert_eq!(reserve.must_be_held(), Ok(()), "another says what is missing");
    }

    #[test]
    fn its_size_follows_the_largest_list_and_the_status() {
        let (_directory, home) = home();
        let reserve = ReserveFile::of(&home);
        assert_eq!(reserve.size(), LEAST);
        let list = File::create(home.public_directory().join("a.crl")).unwrap();
        list.set_len(10 << 20).unwrap();
        let size = reserve.size();
        assert!((50 << 20..=58 << 20).contains(&size), "{size}");
        let base = File::create(home.status_directory().join("base-1.status")).unwrap();
        base.set_len(100 << 20).unwrap();
        assert!(reserve.size() >= size + (116 << 20), "{}", reserve.size());
        assert_eq!(reserve.size() % STEP, 0);
    }

    #[test]
    fn a_hole_keeps_nothing_and_a_link_is_not_followed() {
        let (directory, home) = home();
        let reserve = ReserveFile::of(&home);
        let hole = File::create(home.reserve_file()).unwrap();
        hole.set_len(LEAST).unwrap();
        hole.set_permissions(fs::Permissions::from_mode(0o600)).unwrap();
        assert!(!reserve.is_held());
        assert!(reserve.hold().unwrap() && reserve.is_held());
        fs::remove_file(home.reserve_file()).unwrap();
        std::os::unix::fs::symlink(directory.path().join("other"), home.reserve_file()).unwrap();
        assert!(reserve.hold().is_err());
        assert!(!directory.path().join("other").exists());
        fs::remove_file(home.reserve_file()).unwrap();
        fs::write(home.reserve_file(), "precious").unwrap();
        fs::set_permissions(home.reserve_file(), fs::Permissions::from_mode(0o666)).unwrap();
        assert!(reserve.hold().is_err() && reserve.release(u64::MAX).is_none(), "who knows whose it is");
        assert_eq!(fs::read(home.reserve_file()).unwrap(), b"precious");
    }

    #[test]
    fn what_the_file_system_does_not_promise_is_written_out() {
        let file = tempfile::tempfile().unwrap();
        fill(&file, LEAST).unwrap();
        assert_eq!(allocated(&file.metadata().unwrap()), LEAST);
    }
}
