//! What an administrator said that a new key of the service is for, until it has an envelope: files in the signer's
//! directory, `DIGEST.bound.toml` with the SHA-256 of the public key, and `DIGEST.accepted` with that of a certificate.
//!
//! The client that has the key made may lie, so that its word makes no envelope.
use super::Refusal;
use super::pinned_urls::is_base;
use crate::document::{self, Section};
use crate::error::{Code, Reason, Shown as _};
use crate::home::{Mode, ReadError, read_file, replace, sync_directory};
use crate::x509::Name;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Bound of a file, in octets.
const LARGEST: u64 = 16 * 1024;

/// What a new key is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Bound {
    /// Name of the profile of its CA.
    pub(crate) profile: String,
    /// Beginnings of the URLs that its certificates may name; none for any.
    pub(crate) urls: Vec<String>,
    /// The name in the certificate of itself that it has signed as the key of a root; `None` until then.
    pub(crate) subject: Option<Name>,
}

fn unusable(path: &Path, reason: impl std::fmt::Display) -> Refusal {
    let message = format!("{} cannot be used: {reason}", path.shown());
    let hint =
        "restore the file from a backup of the signer, or look at its owner and mode; nothing was signed";
    Refusal::new(Code::SignerRecord, "what an administrator said of the key", message, hint)
}

fn hexadecimal(digest: &[u8; 32]) -> String {
    base16ct::lower::encode_string(digest)
}

impl Bound {
    fn path(directory: &Path, key: &[u8; 32]) -> PathBuf {
        directory.join(format!("{}.bound.toml", hexadecimal(key)))
    }

    /// Reads what was said of the key with this SHA-256 of its SubjectPublicKeyInfo; `None` where nothing was.
    ///
    /// # Errors
    /// When the file cannot be read or has mistakes.
    pub(crate) fn read(directory: &Path, key: &[u8; 32]) -> Result<Option<Self>, Refusal> {
        let path = Self::path(directory, key);
        let octets = match read_file(&path, LARGEST) {
            Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            octets => octets.map_err(|error| unusable(&path, error))?,
        };
        let text = String::from_utf8(octets).map_err(|_| unusable(&path, "it is not UTF-8"))?;
        let read = |section: &mut Section| {
            let profile = section.require_as("profile", Ok::<String, Reason>);
            let urls = section.list_as("urls", |text| match is_base(text) {
                true => Ok(text.to_owned()),
                false => Err("must be the beginning of URLs, with a slash at its end"),
            });
            let subject = section.get_as("subject", |text: String| {
                base16ct::lower::decode_vec(&text)
                    .ok()
                    .and_then(|octets| Name::from_der(&octets).ok())
                    .ok_or(Reason::from("must be the DER of a name, in hexadecimal digits"))
            });
            Some(Self { profile: profile?, urls: urls.unwrap_or_default(), subject })
        };
        let mistakes = |mistakes: Vec<document::Mistake>| {
            unusable(&path, mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        };
        document::read(&text, read).map_err(mistakes)
    }

    /// Writes it, durably.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn put(&self, directory: &Path, key: &[u8; 32]) -> Result<(), Refusal> {
        let path = Self::path(directory, key);
        let list =
            |texts: &[String]| texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ");
        let mut text = format!(
            "# What an administrator said that this key is for. It is used until the key has its envelope.\n\
             profile = {:?}\nurls = [{}]\n",
            self.profile,
            list(&self.urls)
        );
        if let Some(subject) = &self.subject {
            let octets = base16ct::lower::encode_string(subject.as_der());
            text.push_str("# The name under which it has signed its own certificate.\n");
            text.push_str(&format!("subject = \"{octets}\"\n"));
        }
        replace(&path, text.as_bytes(), Mode::Private).map_err(|error| unusable(&path, error))
    }

    /// Removes it. One that stays is of no use to anybody: the envelope comes first.
    pub(crate) fn remove(directory: &Path, key: &[u8; 32]) {
        let _ = fs::remove_file(Self::path(directory, key));
        let _ = sync_directory(directory);
    }
}

fn accepted(directory: &Path, certificate: &[u8; 32]) -> PathBuf {
    directory.join(format!("{}.accepted", hexadecimal(certificate)))
}

/// Notes that an administrator accepts the CA certificate with this SHA-256, whose issuer the signer does not know.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn accept(directory: &Path, certificate: &[u8; 32]) -> Result<(), Refusal> {
    let path = accepted(directory, certificate);
    replace(&path, b"", Mode::Private).map_err(|error| unusable(&path, error))
}

/// Returns whether an administrator accepted this certificate.
pub(crate) fn is_accepted(directory: &Path, certificate: &[u8; 32]) -> bool {
    accepted(directory, certificate).is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_was_said_of_a_key_is_read_as_it_was_written_and_goes_with_its_envelope() {
        let directory = tempfile::tempdir().unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let urls = vec!["http://pki.example/".to_owned()];
        let bound = Bound { profile: "root-ca".into(), urls, subject: None };
        assert_eq!(Bound::read(directory.path(), &[7; 32]).unwrap(), None);
        bound.put(directory.path(), &[7; 32]).unwrap();
        assert_eq!(Bound::read(directory.path(), &[7; 32]).unwrap().as_ref(), Some(&bound));
        let named = Bound { subject: Some(Name::parse("CN=Root").unwrap()), ..bound };
        named.put(directory.path(), &[7; 32]).unwrap();
        assert_eq!(Bound::read(directory.path(), &[7; 32]).unwrap(), Some(named));
        assert_eq!(Bound::read(directory.path(), &[8; 32]).unwrap(), None);
        let path = Bound::path(directory.path(), &[7; 32]);
        fs::write(&path, "profile = 'root-ca'\nurls = ['http://pki.example']\n").unwrap();
        assert_eq!(Bound::read(directory.path(), &[7; 32]).unwrap_err().code, Code::SignerRecord);
        Bound::remove(directory.path(), &[7; 32]);
        assert_eq!(Bound::read(directory.path(), &[7; 32]).unwrap(), None);
        assert!(!is_accepted(directory.path(), &[1; 32]));
        accept(directory.path(), &[1; 32]).unwrap();
        assert!(is_accepted(directory.path(), &[1; 32]) && !is_accepted(directory.path(), &[2; 32]));
    }
}
