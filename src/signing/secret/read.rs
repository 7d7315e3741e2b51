//! Reading of passphrases from files, variables, descriptors and credentials.
use crate::error::Reason;
use crate::home::{AccessRule, FileKind, OpenError, Owners, open_checked, open_file};
use crate::signing::octets::read_up_to;
use crate::signing::{KeyError, Secret};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bound of a passphrase, in octets of UTF-8 without the line end. A longer one is refused, never cut.
const LONGEST: usize = 4096;

/// A descriptor that is read for a command at the other end of a connection: it is not waited for when that is gone.
pub(super) struct ReadFor<'a> {
    /// What is read.
    pub(super) file: &'a File,
    /// The connection to the command; `None` where the command reads itself.
    pub(super) command: Option<&'a OwnedFd>,
}

impl Read for ReadFor<'_> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        if let Some(command) = self.command {
            let mut waited = [
                PollFd::new(self.file.as_fd(), PollFlags::POLLIN),
                PollFd::new(command.as_fd(), PollFlags::empty()),
            ];
            poll(&mut waited, PollTimeout::NONE)?;
            let [file, command] = waited;
            if file.any() != Some(true) && command.any() == Some(true) {
                return Err(io::Error::new(
                    io::ErrorKind::BrokenPipe,
                    "the command that asked for it is gone",
                ));
            }
        }
        let mut file = self.file;
        file.read(octets)
    }
}

/// Reads a source to its end and returns the passphrase without one trailing line feed.
pub(super) fn whole(source: impl Read, name: &str) -> Result<Secret, KeyError> {
    let unavailable = |reason: &str| KeyError::SecretUnavailable(format!("{name} {reason}"));
    let mut octets = Zeroizing::new([0; LONGEST + 3]);
    let length = read_up_to(source, octets.as_mut_slice())
        .map_err(|error| KeyError::SecretUnavailable(format!("{name}: {error}")))?;
    let text = std::str::from_utf8(octets.get(..length).unwrap_or_default())
        .map_err(|_| unavailable("is not UTF-8 text"))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    // trailing NULs do not change a passphrase (HMAC pads with them), and nobody can type one
    if text.contains('\0') {
        return Err(unavailable("has a NUL in it; save it as UTF-8 text"));
    }
    if text.len() > LONGEST {
        return Err(unavailable("has more than 4096 octets, too many for a passphrase"));
    }
    Ok(Secret::new(text.to_owned()))
}

/// Reads a passphrase from a file that only its owner can read.
pub(super) fn file(path: &Path, name: &str) -> Result<Secret, KeyError> {
    let rule = AccessRule { kind: FileKind::File, owners: Owners::UserOrRoot, forbidden: 0o077 };
    match open_checked(path, rule) {
        Ok(file) => whole(file, name),
        Err(OpenError::Unsafe(finding)) => Err(KeyError::Unsafe(finding)),
        Err(OpenError::Io(error)) => Err(KeyError::SecretUnavailable(format!("{name}: {error}"))),
    }
}

/// Reads a passphrase from the value of an environment variable.
pub(super) fn variable(value: Option<OsString>, name: &str) -> Result<Secret, KeyError> {
    let value =
        value.ok_or_else(|| KeyError::SecretUnavailable(format!("{name}: the variable is not set")))?;
    let text = value.into_string().map(Secret::new);
    text.map_err(|value| {
        drop(Zeroizing::new(value.into_encoded_bytes()));
        KeyError::SecretUnavailable(format!("{name} is not UTF-8 text"))
    })
}

/// Reads a passphrase from systemd's directory of credentials, which systemd itself protects (systemd.exec(5)).
pub(super) fn credential(
    directory: Option<OsString>,
    credential: &str,
    name: &str,
) -> Result<Secret, KeyError> {
    let directory = directory.map(PathBuf::from).ok_or_else(|| {
        KeyError::SecretUnavailable(format!(
            "{name}: there are no credentials; run as a service with LoadCredentialEncrypted={credential}:PATH"
        ))
    })?;
    let file = open_file(&directory.join(credential))
        .map_err(|error| KeyError::SecretUnavailable(format!("{name}: {error}")))?;
    whole(file, name)
}

/// Duplicates a descriptor that the process inherited; returns why it cannot be read otherwise.
pub(super) fn descriptor(number: u32) -> Result<File, Reason> {
    let failed = |error: io::Error| format!("fd:{number}: {error}");
    let file = if number == 0 {
        // Not reopened by its path: a pipe of the user before `sudo` could not be opened again.
        File::from(io::stdin().as_fd().try_clone_to_owned().map_err(failed)?)
    } else {
        // Opened without waiting, since the writer of a FIFO may have closed it.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let opened =
            open(format!("/dev/fd/{number}"), flags, Mode::empty()).map_err(|errno| failed(errno.into()))?;
        fcntl_setfl(&opened, OFlags::empty()).map_err(|errno| failed(errno.into()))?;
        File::from(opened)
    };
    if file.is_terminal() {
        return Err(format!("fd:{number} is a terminal, where the passphrase would show; use prompt").into());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn one_line_feed_at_the_end_is_not_part_of_the_passphrase() {
        for (contents, passphrase) in [
            ("s3cret", "s3cret"),
            ("s3cret\n", "s3cret"),
            ("s3cret\r\n", "s3cret"),
            ("s3cret\n\n", "s3cret\n"),
            (" two words ", " two words "),
        ] {
            assert_eq!(whole(contents.as_bytes(), "x").unwrap().as_str(), passphrase);
        }
        assert!(whole(&[0xff][..], "x").is_err());
        assert!(whole(&b"s3cret\0\n"[..], "x").is_err());
        let longest = [b'a'; LONGEST];
        assert_eq!(whole(&longest[..], "x").unwrap().len(), LONGEST);
        assert!(whole(&[&longest[..], b"a"].concat()[..], "x").is_err());
    }

    #[test]
    fn a_passphrase_file_that_others_can_read_is_refused() {
        // K2, P2
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pass");
        assert!(matches!(file(&path, "file:x"), Err(KeyError::SecretUnavailable(_))));
        fs::write(&path, "s3cret\n").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let Err(KeyError::Unsafe(finding)) = file(&path, "file:x") else { panic!("{mode:o}") };
            assert_eq!(finding.remedy, format!("chmod go-rwx {}", path.display()));
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_eq!(file(&path, "file:x").unwrap().as_str(), "s3cret");
    }

    #[test]
    fn a_variable_and_a_credential_that_are_not_there_are_said() {
        assert_eq!(variable(Some("s3cret".into()), "env:X").unwrap().as_str(), "s3cret");
        let unset = variable(None, "env:X").unwrap_err().to_string();
        assert_eq!(unset, "no passphrase: env:X: the variable is not set");
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("genfic"), "s3cret\n").unwrap();
        let at = || Some(directory.path().as_os_str().to_owned());
        assert_eq!(credential(at(), "genfic", "cred:genfic").unwrap().as_str(), "s3cret");
        assert!(credential(at(), "other", "cred:other").is_err());
        let none = credential(None, "genfic", "cred:genfic").unwrap_err().to_string();
        assert!(none.contains("LoadCredentialEncrypted=genfic"), "{none}");
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_said() {
        assert!(descriptor(9999).unwrap_err().to_string().starts_with("fd:9999: "));
    }
}
