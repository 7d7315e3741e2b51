//! A directory on a medium: a stick or a disk that is taken away and locked up.
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::failpoint;
use crate::home::{
    Mode, ReadError, WriteError, has_no_modes, read_file, replace, sync_directory, verify_medium,
};
use crate::x509::{Certificate, pem};
use aws_lc_rs::digest::{SHA256, digest};
use rustix::fs::{Advice, fadvise, statfs, syncfs};
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Bound of one file on a medium, in octets; a CRL of a million entries takes 40 MB.
const LARGEST: u64 = 256 << 20;

/// statfs(2) of tmpfs and ramfs.
const IN_MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

/// A directory on a medium.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Medium {
    directory: PathBuf,
}

/// A file for a medium: its path within the directory, and its contents.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct MediumFile {
    /// The name, with at most one directory before it.
    pub(crate) name: String,
    /// The contents.
    pub(crate) contents: Vec<u8>,
}

/// Returns the SHA-256 digest of octets in lower-case hexadecimal digits.
#[must_use]
pub fn sha256(octets: &[u8]) -> String {
    base16ct::lower::encode_string(digest(&SHA256, octets).as_ref())
}

impl Medium {
    /// Returns the medium in this directory, which need not exist.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Returns the directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the path of a file.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Refuses a medium that others can change, and one whose profiles are not those that the list of its files has.
    ///
    /// # Errors
    /// `home.unsafe` (exit 10) with the commands that mend it; `medium.unverified` with the names of the files.
    pub fn verify(&self) -> Result<(), Problem> {
        verify_medium(&self.directory)?;
        let unlike = super::bundle::unlisted_profiles(self)?;
        if unlike.is_empty() {
            return Ok(());
        }
        let place = self.directory.shown();
        let message = format!("{place} does not have the profiles that its list has: {}", unlike.join(", "));
        Err(Problem::new(Code::MediumUnverified, message).hint(remedy::Access::OtherMedium))
    }

    /// Creates the directory with mode 0700 if it does not exist.
    ///
    /// # Errors
    /// When it cannot be created.
    pub(crate) fn prepare(&self) -> Result<(), Problem> {
        for directory in [self.directory.clone(), self.directory.join(super::bundle::PROFILES)] {
            match DirBuilder::new().mode(0o700).create(&directory) {
                Ok(()) => failpoint::passed("medium: directory made"),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && directory.is_dir() => {}
                Err(error) => {
                    let message = format!("{} cannot be made: {error}", directory.shown());
                    return Err(Problem::new(Code::MediumNotWritten, message)
                        .hint("name a directory on a mounted medium that you may write to"));
                }
            }
        }
        Ok(())
    }

    /// Returns whether this directory is on the file system that contains another path.
    #[must_use]
    pub fn shares_file_system_with(&self, other: &Path) -> bool {
        let device = |path: &Path| there(path).map(|(_, found)| found.dev());
        device(&self.directory).is_some_and(|own| device(other) == Some(own))
    }

    /// Returns whether this directory is in the memory of this machine (tmpfs, ramfs): what is there is gone with the power.
    #[must_use]
    pub fn is_in_memory(&self) -> bool {
        let kind = there(&self.directory).and_then(|(path, _)| statfs(path).ok()).map(|found| found.f_type);
        kind.is_some_and(|kind| u64::try_from(kind).is_ok_and(|kind| IN_MEMORY.contains(&kind)))
    }

    /// Writes a file, durably. The former one stays until the new one is whole.
    ///
    /// # Errors
    /// When the medium is full or cannot be written.
    pub(crate) fn write(&self, file: &MediumFile) -> Result<(), Problem> {
        let path = self.file(&file.name);
        replace(&path, &file.contents, Mode::Private).map_err(|error| {
            // such a file system refuses the mode unless it shows files so already
            let kind = error.source.kind();
            let is_denied = has_no_modes(&self.directory) && kind == io::ErrorKind::PermissionDenied;
            match is_denied || kind == io::ErrorKind::Unsupported {
                true => Problem::new(Code::MediumNotWritten, error.to_string()).hint(
                    "FAT and exFAT have no modes: mount the medium with -o uid=USER,fmask=0177,dmask=0077, so that it is \
                     its user's alone",
                ),
                false => not_written(&error),
            }
        })?;
        failpoint::passed("medium: file written");
        Ok(())
    }

    /// Makes the names of the files durable, and that of the directory.
    ///
    /// # Errors
    /// When the system reports that it could not.
    pub(crate) fn sync(&self) -> Result<(), Problem> {
        sync_directory(&self.directory).map_err(|error| not_written(&error))?;
        let failed = |source| not_written(&WriteError { path: self.directory.clone(), source });
        let directory = self.directory.canonicalize().map_err(failed)?;
        // where it is the whole medium, its name is that of the mount
        let Some(parent) = directory.parent().filter(|parent| self.shares_file_system_with(parent)) else {
            return Ok(());
        };
        match sync_directory(parent) {
            // who may write into it may not read it: the whole file system then
            Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => {
                let open = File::open(&directory).map_err(failed)?;
                syncfs(&open).map_err(|error| failed(error.into()))
            }
            synced => synced.map_err(|error| not_written(&error)),
        }
    }

    /// Returns the contents of a file; `None` when it does not exist.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        let path = self.file(name);
        match read_file(&path, LARGEST) {
            Ok(octets) => Ok(Some(octets)),
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.shown());
                Err(Problem::new(Code::MediumNotRead, message).hint("try another medium"))
            }
        }
    }

    /// Removes a file.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Problem> {
        let path = self.file(name);
        fs::remove_file(&path).map_err(|error| {
            let message = format!("{} cannot be removed: {error}", path.shown());
            Problem::new(Code::MediumNotWritten, message).hint(remedy::Access::OtherMedium)
        })
    }

    /// Returns all certificates in the directory, as the signer of a key there looks for them: those in files `NAME.pem`. A
    /// file that cannot be read has none.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn certificates(&self) -> Result<Vec<Certificate>, Problem> {
        let failed = |error: io::Error| {
            let message = format!("{} cannot be read: {error}", self.directory.shown());
            Problem::new(Code::MediumNotRead, message).hint("try another medium")
        };
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || !name.ends_with(".pem") {
                continue;
            }
            let octets = self.read(&name).ok().flatten().unwrap_or_default();
            let blocks = pem::decode_file(&octets, "CERTIFICATE").unwrap_or_default();
            found.extend(blocks.iter().filter_map(|block| Certificate::from_der(&block.der).ok()));
        }
        Ok(found)
    }

    /// Returns the files that are not on the medium as they were written. Each is read from the device, as far as the
    /// system lets go of what it keeps in memory.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn unlike(&self, files: &[MediumFile]) -> Result<Vec<String>, Problem> {
        let mut unlike = Vec::new();
        for file in files {
            if let Ok(open) = File::open(self.file(&file.name)) {
                let _ = fadvise(&open, 0, None, Advice::DontNeed);
            }
            let found = self.read(&file.name)?;
            if found.as_deref().map(sha256) != Some(sha256(&file.contents)) {
                unlike.push(file.name.clone());
            }
        }
        failpoint::passed("medium: verified");
        Ok(unlike)
    }
}

/// Returns the nearest directory on the way to a path that is there.
fn there(path: &Path) -> Option<(&Path, Metadata)> {
    path.ancestors().find_map(|path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        fs::metadata(path).ok().map(|found| (path, found))
    })
}

fn not_written(error: &WriteError) -> Problem {
    let code = if error.is_for_want_of_space() { Code::MediumFull } else { Code::MediumNotWritten };
    let hint: Remedy = match code {
        Code::MediumFull => "nothing was removed here; make room on the medium, or take another".into(),
        _ => remedy::Access::OtherMedium.into(),
    };
    Problem::new(code, error.to_string()).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_is_on_a_medium_is_read_back_and_compared() {
        // G6
        let directory = tempfile::tempdir().unwrap();
        let medium = Medium::at(directory.path().join("genfic"));
        medium.prepare().unwrap();
        medium.prepare().unwrap();
        let mode = fs::metadata(medium.directory()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let files = ["a", "policy/b"].map(|name| MediumFile { name: name.into(), contents: name.into() });
        assert_eq!(medium.unlike(&files).unwrap(), ["a", "policy/b"]);
        files.iter().for_each(|file| medium.write(file).unwrap());
        assert!(medium.unlike(&files).unwrap().is_empty());
        fs::write(medium.file("policy/b"), "c").unwrap();
        assert_eq!(medium.unlike(&files).unwrap(), ["policy/b"]);
        assert!(medium.shares_file_system_with(directory.path()));
        assert!(!medium.shares_file_system_with(Path::new("/proc")));
        medium.sync().unwrap();
    }

    #[test]
    fn a_medium_that_is_gone_with_the_power_is_known_before_its_directory_is_made() {
        // G6
        assert!(!Medium::at("/proc/none").is_in_memory());
        let memory = Path::new("/dev/shm");
        let is_there =
            fs::metadata(memory).is_ok_and(|found| found.dev() != fs::metadata("/").unwrap().dev());
        if is_there {
            assert!(Medium::at(memory.join("no/such/directory")).is_in_memory());
        }
    }
}
