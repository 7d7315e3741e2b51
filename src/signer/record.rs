//! What the signer remembers of its own signatures. It trusts no index.
mod changes;
mod file;
mod listed;
mod lists;
mod of_key;
mod shown;
mod with_used;
mod write_ahead;

pub(crate) use changes::ListChanges;
pub(super) use file::RecordFile;
pub(super) use lists::CLAIMED;
pub(crate) use shown::Verified;
pub(crate) use with_used::WithUsed;

use crate::error::{Code, Problem, Shown as _, remedy};
use crate::signing::KeyError;
use crate::x509::extension::{self, CrlNumber};
use crate::x509::{Revoked, SerialNumber, TbsCertList, TbsCertificate, UnixTime, sha256};
use std::io;
use std::path::PathBuf;

#[cfg(test)]
#[path = "record_contract.rs"]
pub(crate) mod contract;
#[cfg(test)]
#[path = "record_memory.rs"]
pub(crate) mod memory;

/// The kind of a signed structure.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SignedKind {
    /// TBSCertificate (RFC 5280 §4.1).
    Certificate,
    /// TBSCertList (RFC 5280 §5.1).
    Crl,
    /// CertificationRequestInfo (RFC 2986 §4.1).
    Request,
}

/// The place of a CRL among those of its issuer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct SignedList {
    /// DER of the value of issuingDistributionPoint; empty without the extension, as in every CRL that is signed here.
    pub(crate) scope: Vec<u8>,
    /// thisUpdate.
    pub(crate) this_update: UnixTime,
    /// The number of the complete CRL that a delta CRL is based on; `None` for a complete one.
    pub(crate) base: Option<CrlNumber>,
}

/// What was shown to the signer with a valid signature of one of its keys.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Shown {
    /// A certificate.
    Certificate {
        /// SHA-256 of the SubjectPublicKeyInfo of the key that signed.
        key: [u8; 32],
        /// serialNumber.
        serial: SerialNumber,
        /// notAfter.
        until: UnixTime,
    },
    /// A complete CRL.
    Crl {
        /// SHA-256 of the SubjectPublicKeyInfo of the key that signed.
        key: [u8; 32],
        /// Its scope and thisUpdate.
        list: SignedList,
        /// cRLNumber.
        number: CrlNumber,
        /// SHA-256 of the TBSCertList.
        digest: [u8; 32],
    },
}

/// One signature in the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Signed {
    /// SHA-256 of the SubjectPublicKeyInfo of the key that signs.
    pub(crate) key: [u8; 32],
    /// The kind.
    pub(crate) kind: SignedKind,
    /// SHA-256 of the octets to be signed.
    pub(crate) digest: [u8; 32],
    /// serialNumber of a certificate.
    pub(crate) serial: Option<SerialNumber>,
    /// notAfter of a certificate, nextUpdate of a CRL.
    pub(crate) until: Option<UnixTime>,
    /// cRLNumber of a CRL.
    pub(crate) crl_number: Option<CrlNumber>,
    /// Scope and thisUpdate of a CRL.
    pub(crate) list: Option<SignedList>,
}

impl Signed {
    /// Returns the entry of a certificate of this key.
    pub(crate) fn certificate(key: [u8; 32], tbs: &TbsCertificate) -> Self {
        Self {
            key,
            kind: SignedKind::Certificate,
            digest: sha256(tbs.as_der()),
            serial: Some(tbs.serial_number().clone()),
            until: Some(tbs.validity().not_after),
            crl_number: None,
            list: None,
        }
    }

    /// Returns the entry of a CRL of this key.
    pub(crate) fn crl(key: [u8; 32], tbs: &TbsCertList) -> Self {
        Self {
            key,
            kind: SignedKind::Crl,
            digest: sha256(tbs.as_der()),
            serial: None,
            until: tbs.next_update(),
            crl_number: tbs.crl_number(),
            list: Some(SignedList::of(tbs)),
        }
    }

    /// Returns the entry of a CertificationRequestInfo of this key.
    pub(crate) fn request(key: [u8; 32], octets: &[u8]) -> Self {
        Self {
            key,
            kind: SignedKind::Request,
            digest: sha256(octets),
            serial: None,
            until: None,
            crl_number: None,
            list: None,
        }
    }
}

impl SignedList {
    /// Returns the place of this CRL.
    pub(crate) fn of(tbs: &TbsCertList) -> Self {
        let extensions = || tbs.extensions().iter();
        let value = |oid| extensions().find(|one| one.oid == oid).map(|one| one.value.clone());
        Self {
            scope: value(extension::ISSUING_DISTRIBUTION_POINT).unwrap_or_default(),
            this_update: tbs.this_update(),
            base: tbs.base_crl_number(),
        }
    }
}

/// The CRL that a key signed last.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct LastCrl {
    /// cRLNumber.
    pub(crate) number: CrlNumber,
    /// thisUpdate.
    pub(crate) this_update: UnixTime,
}

/// Reasons why the record cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    /// A file of the record cannot be read or written.
    #[error("{}: {source}", path.shown())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The record contradicts itself: an entry was changed, or is missing.
    #[error("{}: {reason}", path.shown())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another process writes into the journal for too long.
    #[error("another process writes into {} for too long", _0.shown())]
    Busy(PathBuf),
    /// This key signed, or was about to sign, a certificate with this serial number before.
    #[error("a certificate with the serial number {0} was signed before")]
    Repeated(SerialNumber),
    /// The signer was restored, and nobody has accepted yet what is missing. Only CRLs and certificates of responders are
    /// signed.
    #[error("the signer was restored from a backup, and what is missing since was not accepted yet")]
    NotAccepted,
    /// The entries of the last complete CRL are not known: the record was made anew. The client shows the CRL.
    #[error("the entries of CRL {0}, which was signed last, are not known to the signer")]
    ListUnknown(CrlNumber),
    /// A CRL that was shown is not the last one of its key.
    #[error("CRL {0} is not the one that was handed out last")]
    ListOlder(CrlNumber),
}

impl RecordError {
    /// Returns the code, and what to do.
    fn advice(&self) -> (Code, &'static str) {
        match self {
            Self::NotAccepted => (Code::RestoreNotAccepted, "see what is missing, and accept it"),
            Self::Io { source, .. }
                if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) =>
            {
                (Code::DiskFull, "make room; nothing is signed that cannot be put on record")
            }
            Self::Io { .. } => (Code::JournalFailed, "look at free space, owner and mode, then try again"),
            Self::Damaged { .. } => (
                Code::JournalDamaged,
                "keep the files as they are and compare with a backup of the signer: somebody or something changed \
                 its journal",
            ),
            Self::Busy(_) => (Code::JournalBusy, "wait for it to end, then try again"),
            Self::Repeated(_) => (
                Code::JournalRepeated,
                "an older index was put in place; restore with what was published since",
            ),
            Self::ListUnknown(_) | Self::ListOlder(_) => (
                Code::JournalListUnknown,
                "put the CRL that was published last in its place in public/, and publish; where it is lost, restore from \
                 a backup",
            ),
        }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        let (code, hint) = error.advice();
        if matches!(error, RecordError::NotAccepted) {
            return Self::of(code, error).hint(remedy::Home::AcceptRestored);
        }
        Self::of(code, error).hint(hint)
    }
}

/// Nothing is signed without the journal.
impl From<RecordError> for KeyError {
    fn from(error: RecordError) -> Self {
        let (code, hint) = error.advice();
        Self::Prevented {
            code,
            reason: format!("the signer cannot use its journal: {error}"),
            hint: hint.into(),
        }
    }
}

/// What the rules of admission ask about what was signed before. A key is named by the SHA-256 of its
/// SubjectPublicKeyInfo.
pub(crate) trait SignatureRecord: Send + Sync {
    /// Returns whether this key ever signed, or was about to sign, a certificate with this serial number.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn knows_serial(&self, key: &[u8; 32], serial: &SerialNumber) -> Result<bool, RecordError>;

    /// Returns whether the newest complete CRL of this key whose entries are known has this serial number.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn lists_serial(&self, key: &[u8; 32], serial: &SerialNumber) -> Result<bool, RecordError>;

    /// Returns notAfter of the certificate of this key with this serial number: of one that it signed, or that was
    /// shown to the signer with a valid signature of this key.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn not_after(&self, key: &[u8; 32], serial: &SerialNumber) -> Result<Option<UnixTime>, RecordError>;

    /// Returns the number of certificates that this key signed since this time.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn signed_since(&self, key: &[u8; 32], since: UnixTime) -> Result<u64, RecordError>;

    /// Returns when the last certificate of a responder that renewed itself was to be signed by this key.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn last_enrolment(&self, key: &[u8; 32]) -> Result<Option<UnixTime>, RecordError>;

    /// Returns the number of CRLs of this key that were to be signed for timers since this time, which is no more
    /// than a day ago.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn timer_crls_since(&self, key: &[u8; 32], since: UnixTime) -> Result<u64, RecordError>;

    /// Returns when a certificate or a request was last to be signed with this key, or the thisUpdate of its last CRL,
    /// whichever is latest; `None` when it never signed any.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn last_used(&self, key: &[u8; 32]) -> Result<Option<UnixTime>, RecordError>;

    /// Returns the last complete CRL of this key.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn last_crl(&self, key: &[u8; 32]) -> Result<Option<LastCrl>, RecordError>;

    /// Returns whether this key was to sign a complete CRL here; one that was shown is none.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn has_signed_crl(&self, key: &[u8; 32]) -> Result<bool, RecordError>;

    /// Returns whether the last complete CRL of this key in here is the last one that the key signed anywhere: it was to be
    /// signed here, and since then neither was the record restored nor did the key come from elsewhere.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn is_continued(&self, key: &[u8; 32]) -> Result<bool, RecordError>;

    /// Returns the last delta CRL of this key.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn last_delta(&self, key: &[u8; 32]) -> Result<Option<LastCrl>, RecordError>;

    /// Calls `entry` for each entry of the last complete CRL, in the order of serial numbers as numbers, with its serial
    /// number, reasonCode and date, until it returns `false`. Nothing is called without such a CRL.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn each_last_entry(
        &self,
        key: &[u8; 32],
        entry: &mut dyn FnMut(&SerialNumber, Revoked) -> bool,
    ) -> Result<(), RecordError>;

    /// Returns the serial numbers that complete CRLs of this key list otherwise than the one before, from that after
    /// `base` to the last, each as often as it changed: those that were added, or got another reason or date. `None` where they
    /// are not known since `base`.
    ///
    /// # Errors
    /// When the record cannot be read.
    fn changed_since(
        &self,
        key: &[u8; 32],
        base: CrlNumber,
    ) -> Result<Option<Vec<SerialNumber>>, RecordError>;
}
