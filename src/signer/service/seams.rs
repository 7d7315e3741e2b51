//! What the signer asks before it signs: its rules, and its journal.
use crate::signer::copies::Copies;
use crate::signer::protocol::Failure;
use crate::signer::{
    Act, Asker, Bound, Enrolment, JOURNAL, Journal, KeyEnvelope, Peer, RecordError, Scope, SignatureRecord,
    SignedKind, ToBeSigned,
};
use crate::signing::KeyRef;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, SubjectPublicKeyInfo, TbsCertificate, UnixTime};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A request for signatures.
pub(crate) struct Asked<'a> {
    /// Who asks.
    pub(crate) peer: &'a Peer,
    /// The key, as the client names it.
    pub(crate) key: &'a KeyRef,
    /// The public key.
    pub(crate) public_key: &'a SubjectPublicKeyInfo,
    /// The kind of what is to be signed.
    pub(crate) kind: SignedKind,
    /// The CA's certificate, as the client shows it; `None` for a self-signed certificate and for requests.
    pub(crate) issuer: Option<&'a Certificate>,
    /// The profile of the CA, as the client says.
    pub(crate) profile: Option<&'a str>,
    /// The mark beside the key, where a CRL is to be signed.
    pub(crate) mark: Option<CrlNumber>,
    /// The word of a responder for the one that comes after it.
    pub(crate) enrolment: Option<&'a Enrolment>,
}

/// What the rules admit of a group.
pub(crate) struct PermittedGroup {
    /// What is signed.
    pub(crate) permitted: Vec<Permitted>,
    /// What came with it and is to be kept; `None` where the signer has all of it.
    pub(crate) brought: Option<Brought>,
}

/// A certificate or an envelope that is not kept yet.
pub(crate) struct Brought {
    /// The certificates, with the new one.
    pub(super) copies: Copies,
    /// The envelope, where it was made now.
    pub(super) envelope: Option<KeyEnvelope>,
    /// What the key is bound to, where it signs the first certificate of itself now: with the name in that.
    pub(super) named: Option<Bound>,
    /// What the journal has before it is kept.
    pub(super) acts: Vec<Act>,
}

/// What the rules admit.
pub(crate) struct Permitted {
    /// What is signed.
    pub(crate) tbs: Box<dyn ToBeSigned + Send + Sync>,
    /// What the key has to be unlocked for.
    pub(crate) scope: Scope,
}

/// A key that is to come from another signer.
pub(crate) struct Coming<'a> {
    /// The key, as it is named here.
    pub(crate) key: &'a KeyRef,
    /// The profile of its CA, as the client says.
    pub(crate) profile: &'a str,
    /// The certificates of its CA.
    pub(crate) certificates: &'a [Certificate],
    /// The text of the envelope that it has, or that was confirmed.
    pub(crate) envelope: Option<&'a str>,
    /// Beginnings of the URLs that the configuration has, for an envelope that names none.
    pub(crate) urls: &'a [String],
    /// Whether the client is the user who owns the keys, and so sets the limits of their keys.
    pub(crate) is_own: bool,
}

/// What the rules keep of a key.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// The text of its envelope.
    pub(crate) envelope: Option<String>,
    /// The certificates of its CA.
    pub(crate) certificates: Vec<Certificate>,
}

/// The rules of admission.
pub(crate) trait Rules: Send + Sync {
    /// Admits a group of structures of one kind, all or none. Nobody else writes into the record meanwhile.
    ///
    /// # Errors
    /// When one of them is not admitted; nothing is signed then.
    fn admit(
        &self,
        asked: &Asked<'_>,
        record: &dyn SignatureRecord,
        group: Vec<Vec<u8>>,
    ) -> Result<PermittedGroup, Failure>;

    /// Returns the text of the envelope of a key, or where it has none yet, of the one that it gets with this certificate.
    ///
    /// # Errors
    /// When the envelope cannot be read, or an administrator bound the key to another profile.
    fn envelope_with(
        &self,
        peer: &Peer,
        key: &KeyRef,
        tbs: &TbsCertificate,
        profile: Option<&str>,
    ) -> Result<String, Failure>;

    /// Checks what an administrator says that a new key is for.
    ///
    /// # Errors
    /// When there is no such profile of CAs, or what is said of URLs says nothing.
    fn may_bind(&self, bound: &Bound) -> Result<(), Failure>;

    /// Binds the key with this SHA-256 of its SubjectPublicKeyInfo to what an administrator said that it is for, until it
    /// has its envelope; `None` forgets that.
    ///
    /// # Errors
    /// When it cannot be written.
    fn bind(&self, key: &[u8; 32], bound: Option<&Bound>) -> Result<(), Failure>;

    /// Takes note that an administrator accepts the certificate of a CA with this SHA-256, of whatever issuer.
    ///
    /// # Errors
    /// When it cannot be written.
    fn accept_certificate(&self, certificate: &[u8; 32]) -> Result<(), Failure>;

    /// Says whether what is kept of a key can be read.
    ///
    /// # Errors
    /// When it cannot: the key signs nothing then.
    fn check(&self, key: &KeyRef) -> Result<(), Failure> {
        let _ = key;
        Ok(())
    }

    /// Returns what is kept of the key with this SHA-256 of its SubjectPublicKeyInfo.
    ///
    /// # Errors
    /// When it cannot be read.
    fn kept(&self, key: &KeyRef, identity: &[u8; 32]) -> Result<Kept, Failure>;

    /// Returns the text of the envelope that binds a key that comes. What it brought is taken where that is no wider than
    /// what its certificate and the profiles give.
    ///
    /// # Errors
    /// When the envelope cannot be read; when no certificate of its CA is shown, or one that is not kept.
    fn envelope_of(&self, coming: &Coming<'_>) -> Result<String, Failure>;

    /// Returns the SHA-256 of the SubjectPublicKeyInfo of the key with this name, by the certificates that are kept of it;
    /// `None` where they do not say.
    ///
    /// # Errors
    /// When they cannot be read.
    fn identity_named(&self, key: &KeyRef) -> Result<Option<[u8; 32]>, Failure>;

    /// Returns a line about each certificate of a key that comes which is not kept yet and for which no key of this signer
    /// vouches. The administrator who has the key come answers for it; the journal has it.
    ///
    /// # Errors
    /// As [`Rules::envelope_of`].
    fn unvouched(&self, coming: &Coming<'_>) -> Result<Vec<String>, Failure>;

    /// Keeps the certificates of a key that comes, and this envelope. Nobody else writes into the record meanwhile.
    ///
    /// # Errors
    /// When one of them is no certificate of a CA, or of another name than the CA has; when they cannot be written.
    fn keep(&self, coming: &Coming<'_>, envelope: &str) -> Result<(), Failure>;

    /// Removes the envelope of a key that has left. The certificates stay: others may be vouched for by them.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn drop_envelope(&self, key: &KeyRef, identity: &[u8; 32]) -> Result<(), Failure>;

    /// Keeps what the admitted group brought: once the key is unlocked for it and the journal has it, and before
    /// anything is signed. Nobody else writes into the record meanwhile.
    ///
    /// # Errors
    /// When it cannot be written; nothing is signed then.
    fn keep_brought(&self, asked: &Asked<'_>, brought: Brought) -> Result<(), Failure>;
}

/// The place of the journal, which is opened when the first signature is asked for.
pub(crate) struct JournalPlace {
    directory: PathBuf,
    opened: OnceLock<Journal>,
}

impl JournalPlace {
    /// Returns the journal in the signer's directory.
    pub(crate) fn within(directory: PathBuf) -> Self {
        Self { directory, opened: OnceLock::new() }
    }

    /// Returns the signer's directory.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns whether there is a journal already.
    pub(crate) fn is_begun(&self) -> bool {
        self.opened.get().is_some() || self.directory.join(JOURNAL).exists()
    }

    /// Returns the journal.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn journal(&self, by: Asker, at: UnixTime) -> Result<&Journal, RecordError> {
        match self.opened.get() {
            Some(journal) => Ok(journal),
            None => {
                let journal = Journal::open(&self.directory, by, at)?;
                Ok(self.opened.get_or_init(|| journal))
            }
        }
    }
}
