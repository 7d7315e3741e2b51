//! What an administrator asks of the signer that listens.
use super::signer::keys_in;
use crate::backup::{
    Created, Opener, RestoredSigner, RestoringSigner, SignerFiles, SignerManifest, create_of_signer,
    restore_signer,
};
use crate::config::{Config, parse_duration};
use crate::error::Problem;
use crate::home::{Accounts, Existing, Mode, write_whole};
use crate::signer::{Administration, ForeignKeyFor, HandedKey, ProposedKey, WireGrant, WireTerms};
use crate::signing::{CaKeys, KeyError, KeyLimits, LimitsChange, PassphraseOrders, SealFor, SecretSpec};
use crate::x509::{Certificate, UnixTime};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The socket of administrators, where the package puts it.
pub const SIGNER_ADMIN_SOCKET: &str = "/run/genfic-signer/admin.socket";

/// The signer's door for administrators. No passphrase comes into this process.
pub struct SignerAdministration(Administration);

/// What a key is unlocked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct UnlockingTerms {
    /// `leaf`, `ca`, `crl`, each with the number of signatures; `None` for any number.
    pub scopes: BTreeMap<String, Option<u64>>,
    /// For how many seconds.
    pub lasting: u64,
}

impl UnlockingTerms {
    /// Returns terms for a time such as `15m`; `None` where that is none.
    #[must_use]
    pub fn lasting_for(scopes: BTreeMap<String, Option<u64>>, time: &str) -> Option<Self> {
        let seconds = parse_duration(time).ok().and_then(|seconds| u64::try_from(seconds).ok());
        seconds.filter(|seconds| *seconds > 0).map(|lasting| Self { scopes, lasting })
    }
}

/// Where the passphrase is, which the signer reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PassphraseFor {
    /// The source.
    pub spec: SecretSpec,
    /// Whether a person may be asked.
    pub attended: bool,
}

/// A key that is unlocked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unlocking {
    /// The name: that of its CA.
    pub key: String,
    /// What is left of each scope; `None` for any number.
    pub left: BTreeMap<String, Option<u64>>,
    /// When it ends.
    pub until: UnixTime,
    /// The login user who unlocked it, as a number.
    pub loginuid: u32,
    /// The same by name, where this system has one.
    pub user: Option<String>,
    /// The audit session.
    pub session: Option<u32>,
    /// Whether the key was brought, and is not used before its CA is taken over.
    pub is_waiting: bool,
}

/// The envelope of a key that is to come, as the signer has it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EnvelopeProposal {
    /// What it says.
    pub limits: KeyLimits,
    /// A line about each certificate of its CA for which no key of the signer vouches: the administrator answers for it.
    pub unvouched: Vec<String>,
    digest: [u8; 32],
}

/// A CA whose key an administrator brings to the signer in a file of another program.
#[derive(Clone, Debug)]
pub struct BroughtAuthority {
    /// The name of the CA.
    pub name: String,
    /// Its certificates; in a chain those of others follow the first, and are left out.
    pub certificates: Vec<Certificate>,
    /// The profile of the CA, and no other.
    pub profile: String,
    /// Beginnings of the URLs that its certificates may name; none for any.
    pub urls: Vec<String>,
    /// DER of the last CRL that the key signed; `None` where the administrator gives none.
    pub crl: Option<Vec<u8>>,
    /// Recipients of age to which the key is encrypted; none for a passphrase.
    pub recipients: Vec<String>,
}

impl BroughtAuthority {
    fn wire(&self) -> ForeignKeyFor<'_> {
        ForeignKeyFor {
            name: &self.name,
            certificates: &self.certificates,
            profile: &self.profile,
            urls: &self.urls,
            crl: self.crl.as_deref(),
            recipients: &self.recipients,
        }
    }
}

/// The file of such a key, open and not read, and where its passphrases are.
pub struct BroughtKeyFile<'a> {
    /// The file.
    pub file: OwnedFd,
    /// How messages name it.
    pub path: &'a Path,
    /// Where what opens it is; `None` where nobody is asked.
    pub old: Option<SecretSpec>,
    /// Where the new passphrase is, or an identity of one of the recipients.
    pub new: SecretSpec,
    /// Whether a person may be asked.
    pub attended: bool,
}

impl From<ProposedKey> for EnvelopeProposal {
    fn from(proposed: ProposedKey) -> Self {
        let ProposedKey { limits, unvouched, digest } = proposed;
        Self { limits, unvouched, digest }
    }
}

impl SignerAdministration {
    /// Returns the door at this socket.
    #[must_use]
    pub fn at(socket: &Path) -> Self {
        Self(Administration::at(socket))
    }

    /// Returns the envelope that was asked for a key that is to come; `None` where nobody asked for one.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub fn proposal(&self, key: &str) -> Result<Option<EnvelopeProposal>, Problem> {
        Ok(self.0.proposal(key)?.map(EnvelopeProposal::from))
    }

    /// Returns the envelope by which the signer binds a key that is brought for this CA.
    ///
    /// # Errors
    /// When the signer has a key of this name or cannot be asked, or the certificates are not those of a CA.
    pub fn proposal_for(&self, authority: &BroughtAuthority) -> Result<EnvelopeProposal, Problem> {
        Ok(self.0.proposal_for(&authority.wire())?.into())
    }

    /// Brings the key of a CA, with the envelope that was confirmed. It is used once the CA is taken over by a command of
    /// this login, which has it unlocked on these terms. Returns the form of the key in its file.
    ///
    /// # Errors
    /// As [`SignerAdministration::unlock`]; when the key is another one than that of the certificate, is weak or cannot be
    /// read; when the new passphrase is weak, or the signer has a key of this name.
    pub fn bring(
        &self,
        authority: &BroughtAuthority,
        confirmed: &EnvelopeProposal,
        terms: &UnlockingTerms,
        key: BroughtKeyFile<'_>,
    ) -> Result<String, Problem> {
        let BroughtKeyFile { file, path, old, new, attended } = key;
        let handed = HandedKey { file, path, old: old.as_ref(), new: &new, attended };
        Ok(self.0.bring(&authority.wire(), confirmed.digest, wire(terms), handed)?)
    }

    /// Unlocks a key. For one that is to come, `confirmed` is the envelope that the administrator has seen; it comes
    /// with no other.
    ///
    /// # Errors
    /// When there is no passphrase, it is wrong, or the signer cannot be asked; when a key is to come and no envelope was
    /// confirmed.
    pub fn unlock(
        &self,
        key: &str,
        confirmed: Option<&EnvelopeProposal>,
        terms: &UnlockingTerms,
        passphrase: &PassphraseFor,
    ) -> Result<Unlocking, Problem> {
        let envelope = confirmed.map(|proposal| proposal.digest);
        let grant = self.0.unlock((key, envelope), wire(terms), &passphrase.spec, passphrase.attended)?;
        Ok(unlocking(grant))
    }

    /// Gives the passphrase of a key that is about to be made for a CA of this profile. Its certificates may name URLs that
    /// begin with one of these; with none, any. With recipients of age, which come last, the key is encrypted to them, and
    /// the source has an identity of one of them. A key of this name that is there and has no certificate yet is bound to
    /// that and unlocked, which is returned.
    ///
    /// # Errors
    /// As [`SignerAdministration::unlock`]; when the passphrase is weak, or the signer has no such profile.
    pub fn prepare(
        &self,
        key: &str,
        bound: (&str, &[String], &[String]),
        terms: &UnlockingTerms,
        passphrase: &PassphraseFor,
    ) -> Result<Option<Unlocking>, Problem> {
        let grant = self.0.prepare(key, bound, wire(terms), &passphrase.spec, passphrase.attended)?;
        Ok(grant.map(unlocking))
    }

    /// Gives a key of the signer a new passphrase in the place of the present one, and locks it.
    ///
    /// # Errors
    /// As [`SignerAdministration::unlock`]; when the new passphrase is weak.
    pub fn change_passphrase(
        &self,
        key: &str,
        passphrase: &PassphraseFor,
        new: &SecretSpec,
    ) -> Result<(), Problem> {
        Ok(self.0.change_passphrase(key, &passphrase.spec, new, passphrase.attended)?)
    }

    /// Has the signer write a key into a file that has no name before it is whole, encrypted with a new passphrase.
    ///
    /// # Errors
    /// As [`SignerAdministration::unlock`]; when the new passphrase is weak, or the file is there or cannot be written.
    pub fn export(
        &self,
        key: &str,
        passphrase: &PassphraseFor,
        new: &SecretSpec,
        path: &Path,
    ) -> Result<(), Problem> {
        let mut failure = None;
        let written = write_whole(path, Mode::Private, Existing::Keep, |file| {
            let (specs, attended) = ((&passphrase.spec, new), passphrase.attended);
            self.0.export(key, specs, attended, file.try_clone()?.into()).map_err(|error| {
                failure = Some(error);
                io::Error::from(io::ErrorKind::Other)
            })
        });
        written.map_err(|error| failure.unwrap_or(KeyError::NotWritten(error)).into())
    }

    /// Locks a key, or every key, for everybody. Returns what was unlocked.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub fn lock(&self, key: Option<&str>) -> Result<Vec<Unlocking>, Problem> {
        Ok(self.0.lock(key)?.into_iter().map(unlocking).collect())
    }

    /// Accepts what a restore of the signer could not know: it signs certificates again.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub fn accept_restored(&self) -> Result<(), Problem> {
        Ok(self.0.accept()?)
    }

    /// Returns what is unlocked.
    ///
    /// # Errors
    /// When the signer cannot be asked.
    pub fn unlocked(&self) -> Result<Vec<Unlocking>, Problem> {
        Ok(self.0.unlocked()?.into_iter().map(unlocking).collect())
    }

    /// Accepts the certificate of a CA with this SHA-256, in hexadecimal digits, whose issuer the signer does not know.
    ///
    /// # Errors
    /// When it is none, or the signer cannot be asked.
    pub fn accept_certificate(&self, key: &str, certificate: &str) -> Result<(), Problem> {
        Ok(self.0.accept_certificate(key, certificate)?)
    }

    /// Returns the envelope of a key, and as it would be with these fields set to these values.
    ///
    /// # Errors
    /// When there is none, a field or value is none, or the signer cannot be asked.
    pub fn limits(&self, key: &str, settings: &[(String, String)]) -> Result<LimitsChange, Problem> {
        Ok(self.0.limits(key, settings)?)
    }

    /// Sets fields of the envelope of a key. The signer's journal has it before.
    ///
    /// # Errors
    /// When the envelope is not `before` any more, or the signer cannot be asked.
    pub fn set_limits(
        &self,
        key: &str,
        settings: &[(String, String)],
        before: &KeyLimits,
    ) -> Result<(), Problem> {
        Ok(self.0.set_limits(key, settings, before)?)
    }
}

/// The files of the signer, as an administrator copies them.
struct Copied(Administration);

impl SignerFiles for Copied {
    fn names(&self) -> Result<Vec<(String, u64)>, KeyError> {
        self.0.contents()
    }

    fn octets(&self, name: &str, from: u64, most: usize) -> Result<Vec<u8>, KeyError> {
        let mut octets = self.0.content(name, from)?;
        octets.truncate(most);
        Ok(octets)
    }
}

/// Makes a backup of the signer that listens at this socket.
///
/// # Errors
/// When the signer cannot be asked or refuses, or the file exists or cannot be written.
pub fn back_up_signer(
    socket: &Path,
    to: &Path,
    reader: &SealFor,
) -> Result<Created<SignerManifest>, Problem> {
    let files = Rc::new(Copied(Administration::at(socket)));
    create_of_signer(files, to, reader, super::now())
}

/// Restores a signer's directory from a backup, with what is found in `published`.
///
/// # Errors
/// When there is something in its place, the backup does not verify, or nothing can be written.
pub fn restore_signer_backup(
    directory: &Path,
    file: &Path,
    opener: Opener<'_>,
    published: &[PathBuf],
) -> Result<RestoredSigner, Problem> {
    let keys_in = |directory: &Path| -> Box<dyn CaKeys> {
        let (work, nobody) = (Config::default().keys.scrypt_log_n, PassphraseOrders::nobody());
        Box::new(keys_in(directory, work, &nobody, &directory.join("policy")))
    };
    restore_signer(&RestoringSigner {
        file,
        opener,
        directory,
        published,
        keys_in: &keys_in,
        now: super::now(),
    })
}

pub(super) fn wire(terms: &UnlockingTerms) -> WireTerms {
    WireTerms { scopes: terms.scopes.clone(), lasting: terms.lasting }
}

pub(super) fn unlocking(grant: WireGrant) -> Unlocking {
    let name = Accounts::of_system().name_of(grant.loginuid);
    let user = Some(name).filter(|name| *name != grant.loginuid.to_string());
    Unlocking {
        key: grant.key,
        left: grant.left,
        until: UnixTime(grant.until),
        loginuid: grant.loginuid,
        user,
        session: grant.session,
        is_waiting: grant.waiting,
    }
}
