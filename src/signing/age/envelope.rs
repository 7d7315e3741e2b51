//! Files encrypted as a stream (`age-encryption.org/v1`): to X25519 recipients, or with a passphrase.
//!
//! An encrypted file can be decrypted without this program: `age -d FILE`. The end of the stream is authenticated
//! too, so a truncated file is an error for the reader.
use super::AgeFileStore;
use crate::error::{Code, Problem, Remedy, Shown as _, remedy};
use crate::home::{AccessFinding, AccessRule, FileKind, OpenError, Owners, open_checked};
use crate::signing::Secret;
use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor};
use std::fmt;
use std::io::{self, BufRead, Read, Write};
use std::path::Path;
use std::str::FromStr;
use zeroize::Zeroizing;

/// Bound of a file of recipients or identities, in octets; one recipient takes 63.
const LARGEST: u64 = 1024 * 1024;

/// A public key that files are encrypted to, `age1...`.
#[derive(Clone)]
pub struct EnvelopeRecipient(age::x25519::Recipient);

/// The private key of a recipient, `AGE-SECRET-KEY-1...`.
pub struct EnvelopeIdentity(age::x25519::Identity);

/// The parties that can decrypt an encrypted file.
pub enum SealFor {
    /// The owner of any of these recipients.
    Recipients(Vec<EnvelopeRecipient>),
    /// Anyone who knows this passphrase, guarded by scrypt with N = 2^`scrypt_log_n`.
    Passphrase {
        /// The passphrase.
        secret: Secret,
        /// The work factor, as for [`AgeFileStore::new`].
        scrypt_log_n: u8,
    },
}

/// The secret that decrypts an envelope.
pub enum OpenWith {
    /// Any one of these identities.
    Identities(Vec<EnvelopeIdentity>),
    /// This passphrase.
    Passphrase(Secret),
}

/// Errors of reading or writing an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The text is not an age recipient.
    #[error("`{0}` is not an age recipient")]
    InvalidRecipient(String),
    /// The line of this number is not an age identity. Its text is not repeated, as it may be a secret.
    #[error("line {0} of the identity file is not an age identity")]
    InvalidIdentity(usize),
    /// The file of recipients or identities contains none.
    #[error("{0} names nobody")]
    Nobody(String),
    /// The file of recipients or identities can be changed or read by other users.
    #[error("{0}")]
    Unsafe(AccessFinding),
    /// The file of recipients or identities cannot be read.
    #[error("{0} cannot be read: {1}")]
    Unreadable(String, io::Error),
    /// The octets are not an age file, or are a damaged one.
    #[error("it is not an age file, or its beginning is damaged")]
    NotAnEnvelope,
    /// The passphrase is wrong.
    #[error("the passphrase does not open it")]
    WrongPassphrase,
    /// The file is encrypted to other recipients.
    #[error("none of the identities given opens it")]
    WrongIdentity,
    /// The file asks for a scrypt work factor above [`AgeFileStore::MOST_WORK`].
    #[error("it asks for a scrypt work factor of {0}, and at most {max} is done", max = AgeFileStore::MOST_WORK)]
    TooMuchWork(u8),
    /// The envelope cannot be written or read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<EnvelopeError> for Problem {
    fn from(error: EnvelopeError) -> Self {
        use EnvelopeError as E;
        let (code, hint): (_, Remedy) = match &error {
            E::InvalidRecipient(_) => {
                (Code::UsageRecipient, "a recipient is what age-keygen prints as the public key, age1...".into())
            }
            E::InvalidIdentity(_) | E::Nobody(_) => (
                Code::UsageIdentity,
                "the file has one age1... or AGE-SECRET-KEY-1... a line; `age-keygen` makes both. An identity that \
                 is itself encrypted is decrypted with `age -d` first".into(),
            ),
            E::Unsafe(finding) => (Code::KeyUnsafe, format!("run: {}", finding.remedy).into()),
            E::Unreadable(_, error) if error.kind() == io::ErrorKind::NotFound => {
                (Code::FileMissing, "look at the name".into())
            }
            E::Unreadable(..) => (Code::FileNotRead, "look at its owner and mode".into()),
            E::NotAnEnvelope | E::TooMuchWork(_) => {
                (Code::BackupDamaged, "use another copy of it".into())
            }
            E::WrongPassphrase => {
                (Code::KeyPassphraseWrong, "try again with the right passphrase".into())
            }
            E::WrongIdentity => (
                Code::KeyIdentityWrong,
                remedy::Access::Identity.into(),
            ),
            E::Io(_) => (Code::FileNotWritten, "look at free space, owner and mode, then try again".into()),
        };
        Self::of(code, error).hint(hint)
    }
}

/// Writes the recipient as a user types it.
impl fmt::Display for EnvelopeRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for EnvelopeRecipient {
    type Err = EnvelopeError;

    fn from_str(text: &str) -> Result<Self, EnvelopeError> {
        // somebody who pastes the private half by mistake must not find it in a log
        let shown = if text.starts_with("AGE-SECRET-KEY") { "AGE-SECRET-KEY-..." } else { text };
        text.parse().map(Self).map_err(|_| EnvelopeError::InvalidRecipient(shown.to_owned()))
    }
}

impl EnvelopeRecipient {
    pub(super) fn inner(&self) -> &age::x25519::Recipient {
        &self.0
    }

    /// Reads the recipients of a file: one a line; `#` begins a comment. Only the owner or root may be able to change
    /// the file, since whoever adds a recipient can read what is encrypted.
    ///
    /// # Errors
    /// [`EnvelopeError::Unsafe`], [`EnvelopeError::Unreadable`], [`EnvelopeError::InvalidRecipient`] for any other
    /// line, and [`EnvelopeError::Nobody`] without a recipient.
    pub fn read_file(path: &Path) -> Result<Vec<Self>, EnvelopeError> {
        let recipients: Vec<Self> = lines(&read(path, AccessRule::CONFIGURATION)?)
            .map(|(_, line)| line.parse())
            .collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            Err(EnvelopeError::Nobody(path.shown().to_string()))
        } else {
            Ok(recipients)
        }
    }
}

impl EnvelopeIdentity {
    /// Reads the identities of a file that only its owner can read, as `age-keygen -o` writes it.
    ///
    /// # Errors
    /// [`EnvelopeError::Unsafe`], [`EnvelopeError::Unreadable`], [`EnvelopeError::InvalidIdentity`] for any other
    /// line, and [`EnvelopeError::Nobody`] without an identity.
    pub fn read_file(path: &Path) -> Result<Vec<Self>, EnvelopeError> {
        let rule = AccessRule { kind: FileKind::File, owners: Owners::UserOrRoot, forbidden: 0o077 };
        let identities: Vec<Self> = lines(&read(path, rule)?)
            .map(|(at, line)| line.parse().map(Self).map_err(|_| EnvelopeError::InvalidIdentity(at)))
            .collect::<Result<_, _>>()?;
        if identities.is_empty() {
            Err(EnvelopeError::Nobody(path.shown().to_string()))
        } else {
            Ok(identities)
        }
    }
}

pub(super) fn read(path: &Path, rule: AccessRule) -> Result<Zeroizing<String>, EnvelopeError> {
    let unreadable = |error| EnvelopeError::Unreadable(path.shown().to_string(), error);
    let file = open_checked(path, rule).map_err(|error| match error {
        OpenError::Unsafe(finding) => EnvelopeError::Unsafe(finding),
        OpenError::Io(error) => unreadable(error),
    })?;
    let mut text = Zeroizing::new(String::new());
    file.take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
    Ok(text)
}

/// Returns the lines that are neither empty nor comments, with their numbers from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// A writer that encrypts. The result can be decrypted only after [`Sealing::finish`].
pub(crate) struct Sealing<W: Write>(StreamWriter<W>);

impl<W: Write> Sealing<W> {
    /// Writes the header of the age file.
    ///
    /// # Errors
    /// When there is no recipient, or the output cannot be written.
    pub(crate) fn new(output: W, reader: &SealFor) -> Result<Self, EnvelopeError> {
        let encryptor = match reader {
            SealFor::Recipients(recipients) => Encryptor::with_recipients(
                recipients.iter().map(|EnvelopeRecipient(one)| -> &dyn age::Recipient { one }),
            ),
            SealFor::Passphrase { secret, scrypt_log_n } => {
                let mut recipient = age::scrypt::Recipient::new(SecretString::from(secret.as_str()));
                recipient.set_work_factor(*scrypt_log_n);
                let recipients: [&dyn age::Recipient; 1] = [&recipient];
                Encryptor::with_recipients(recipients.into_iter())
            }
        };
        let encryptor = encryptor.map_err(|_| EnvelopeError::Nobody("the list of recipients".into()))?;
        Ok(Self(encryptor.wrap_output(output)?))
    }

    /// Writes the last chunk of the stream.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub(crate) fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// An encrypted file whose header was read.
pub(crate) struct Envelope<R>(Decryptor<R>);

impl<R: BufRead> Envelope<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When the input is not an age file.
    pub(crate) fn new(input: R) -> Result<Self, EnvelopeError> {
        Decryptor::new_buffered(input).map(Self).map_err(|error| refused(&error))
    }

    /// Returns whether the file is encrypted with a passphrase; otherwise it is encrypted to recipients.
    pub(crate) fn takes_passphrase(&self) -> bool {
        self.0.is_scrypt()
    }

    /// Decrypts the file. Reading from the result fails where a part was changed or is missing.
    ///
    /// # Errors
    /// When the passphrase or the identities are wrong.
    pub(crate) fn open(self, with: &OpenWith) -> Result<StreamReader<R>, EnvelopeError> {
        let opened = match with {
            OpenWith::Identities(identities) => {
                self.0.decrypt(identities.iter().map(|EnvelopeIdentity(one)| -> &dyn age::Identity { one }))
            }
            OpenWith::Passphrase(secret) => {
                let mut identity = age::scrypt::Identity::new(SecretString::from(secret.as_str()));
                identity.set_max_work_factor(AgeFileStore::MOST_WORK);
                let identities: [&dyn age::Identity; 1] = [&identity];
                self.0.decrypt(identities.into_iter())
            }
        };
        opened.map_err(|error| refused(&error))
    }
}

fn refused(error: &DecryptError) -> EnvelopeError {
    match error {
        DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed => EnvelopeError::WrongPassphrase,
        DecryptError::NoMatchingKeys => EnvelopeError::WrongIdentity,
        DecryptError::ExcessiveWork { required, .. } => EnvelopeError::TooMuchWork(*required),
        _ => EnvelopeError::NotAnEnvelope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;
    use age::secrecy::ExposeSecret;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn passphrase(text: &str) -> SealFor {
        SealFor::Passphrase { secret: Secret::new(text.into()), scrypt_log_n: AgeFileStore::LEAST_WORK }
    }

    fn sealed(plain: &[u8], reader: &SealFor) -> Vec<u8> {
        let mut sealing = Sealing::new(Vec::new(), reader).unwrap();
        sealing.write_all(plain).unwrap();
        sealing.finish().unwrap()
    }

    fn opened(octets: &[u8], with: &OpenWith) -> Result<Vec<u8>, EnvelopeError> {
        let mut plain = Vec::new();
        Envelope::new(octets)?.open(with)?.read_to_end(&mut plain)?;
        Ok(plain)
    }

    #[test]
    fn a_passphrase_opens_what_it_sealed_and_no_other_does() {
        let octets = sealed(b"contents", &passphrase("right"));
        assert!(Envelope::new(octets.as_slice()).unwrap().takes_passphrase());
        let with = |text: &str| OpenWith::Passphrase(Secret::new(text.into()));
        assert_eq!(opened(&octets, &with("right")).unwrap(), b"contents");
        let problem = Problem::from(opened(&octets, &with("wrong")).unwrap_err());
        assert_eq!((problem.exit, problem.code.code()), (Exit::KeyUnavailable, "key.passphrase-wrong"));
    }

    #[test]
    fn each_recipient_opens_with_the_identity_of_its_own() {
        let keys: Vec<age::x25519::Identity> = (0..3).map(|_| age::x25519::Identity::generate()).collect();
        let recipients = keys[..2].iter().map(|key| key.to_public().to_string().parse().unwrap()).collect();
        let octets = sealed(b"contents", &SealFor::Recipients(recipients));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("identity");
        for (at, key) in keys.iter().enumerate() {
            fs::write(&path, format!("# made for this test\n{}\n", key.to_string().expose_secret())).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let with = OpenWith::Identities(EnvelopeIdentity::read_file(&path).unwrap());
            match opened(&octets, &with) {
                Ok(plain) => assert!(at < 2 && plain == b"contents"),
                Err(error) => {
                    assert_eq!(at, 2);
                    assert_eq!(Problem::from(error).code.code(), "key.identity-wrong");
                }
            }
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(EnvelopeIdentity::read_file(&path), Err(EnvelopeError::Unsafe(_))));
    }

    #[test]
    fn a_secret_in_the_place_of_a_recipient_is_not_repeated() {
        let secret = age::x25519::Identity::generate().to_string();
        let error = secret.expose_secret().parse::<EnvelopeRecipient>().err().unwrap();
        assert!(!format!("{error} {error:?}").contains(&secret.expose_secret()[20..]), "{error}");
        assert!("age1nobody".parse::<EnvelopeRecipient>().is_err());
    }

    #[test]
    fn what_was_changed_or_cut_off_is_never_read_to_its_end() {
        let octets = sealed(&[7; 200_000], &passphrase("right"));
        let with = OpenWith::Passphrase(Secret::new("right".into()));
        for length in (0..octets.len()).step_by(9973) {
            assert!(opened(&octets[..length], &with).is_err(), "{length}");
            let mut changed = octets.clone();
            changed[length] ^= 1;
            assert!(opened(&changed, &with).is_err(), "{length}");
        }
    }
}
