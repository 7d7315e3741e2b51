//! What others read, and the requests that others are to sign: written aside, made durable, then renamed into place.
mod crl;
mod directory;
mod hold;
mod signed;
#[cfg(test)]
mod tests;
mod waiting;

pub use directory::HomeDirectory;
pub use waiting::WaitingAuthority;

use crate::error::{Problem, Shown as _};
use crate::home::WriteError;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, CrlListing, CrlOutline, Fingerprint, SerialNumber};
use std::path::PathBuf;
use std::sync::Arc;

/// Where certificates, CRLs, responder keys and statuses go once they are on record.
pub trait Publisher: Send + Sync {
    /// Whether a CA's certificate and chain are in their public place as they should be: the digests of what
    /// [`Publisher::authority`] is given.
    fn is_published(
        &self,
        name: &str,
        certificate: &Fingerprint,
        ancestors: &[Fingerprint],
        crossed: &[Fingerprint],
    ) -> bool;

    /// Whether an issued certificate is kept.
    fn is_kept(&self, authority: &str, serial_number: &SerialNumber) -> bool;

    /// Publishes a CA's certificate (PEM, DER) and its chain up to the root (PEM). `ancestors` runs from its
    /// issuer to the root and is empty for a root. `crossed` are certificates of the same name and key by other
    /// issuers (PEM, in one file); there is no file when there are none.
    ///
    /// # Errors
    /// When a file cannot be written; so below.
    fn authority(
        &self,
        name: &str,
        certificate: &Certificate,
        ancestors: &[Certificate],
        crossed: &[Certificate],
    ) -> Result<AuthorityFiles, PublishError>;

    /// Publishes a CA's complete CRL, DER and PEM; never an older one over a newer one (C7), whichever
    /// processes publish at the same time. Others are kept waiting for no longer than it takes to look at what
    /// is there and to put the files in its place. Returns where they are.
    ///
    /// # Errors
    /// [`PublishError::Older`] when what is published has the same number or a higher one, which then stays;
    /// [`PublishError::Busy`] when somebody else does not end.
    fn crl(&self, name: &str, crl: &CertificateList) -> Result<Vec<PathBuf>, PublishError>;

    /// Where a CA's CRL is published, DER then PEM.
    ///
    /// # Errors
    /// When the name cannot be one of a file.
    fn crl_files(&self, name: &str) -> Result<Vec<PathBuf>, PublishError>;

    /// The published CRL with all its entries, if there is one.
    ///
    /// # Errors
    /// When the file is there and is not a CRL.
    fn published_crl(&self, name: &str) -> Result<Option<CertificateList>, PublishError>;

    /// The published CRL of a CA to look serial numbers up in, when the CA's key signed it; `None` when there is
    /// none, or something else is in its place.
    ///
    /// # Errors
    /// When it cannot be known what is there.
    fn signed_list(
        &self,
        name: &str,
        certificate: &Certificate,
    ) -> Result<Option<Arc<CrlListing>>, PublishError>;

    /// What the published CRL says of itself, however many entries it has; `None` when there is none, or the
    /// PEM form of the same list does not stand beside it.
    ///
    /// # Errors
    /// When the file is there and is not a CRL.
    fn crl_in_place(&self, name: &str) -> Result<Option<CrlOutline>, PublishError>;

    /// Writes the PEM form of the published CRL anew; nothing where there is no CRL.
    ///
    /// # Errors
    /// When the CRL cannot be read or its other form not be written; [`PublishError::Busy`].
    fn repeat_crl_text(&self, name: &str) -> Result<(), PublishError>;

    /// The number of the CRL that is in its public place, whoever signed it; 0 when there is none.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    fn crl_number_floor(&self, name: &str) -> Result<CrlNumber, PublishError>;

    /// Removes what killed processes left written aside, in the directories of issued certificates of these CAs
    /// and everywhere else. It is in nobody's way; what cannot be removed stays.
    fn sweep(&self, issued_by: &[&str]);

    /// Keeps issued certificates, PEM; returns where, in the order given. They are put in place in the order of
    /// their serial numbers: where the last is kept, all are.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn issued(&self, authority: &str, certificates: &[&Certificate]) -> Result<Vec<PathBuf>, PublishError>;

    /// Hands a responder its certificate and plain private key, both PEM, one process at a time; returns where.
    ///
    /// # Errors
    /// When a file cannot be written; [`PublishError::Busy`] when somebody else does not end.
    fn responder(
        &self,
        authority: &str,
        certificate: &Certificate,
        private_key: &str,
    ) -> Result<PathBuf, PublishError>;

    /// The responder certificate in use, if there is one that can be read.
    fn responder_certificate(&self, authority: &str) -> Option<Certificate>;

    /// The CAs whose key is here and whose certificate is not, by name.
    ///
    /// # Errors
    /// When one of their files cannot be read; so below.
    fn waiting(&self) -> Result<Vec<WaitingAuthority>, PublishError>;

    /// Notes that a CA waits for its certificate.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn wait_for_certificate(&self, authority: &WaitingAuthority) -> Result<(), PublishError>;

    /// Makes the directories of a CA where they are missing.
    ///
    /// # Errors
    /// When one cannot be made.
    fn place(&self, name: &str) -> Result<(), PublishError>;

    /// Notes that it waits no longer, if it did.
    ///
    /// # Errors
    /// When the file cannot be removed.
    fn waits_no_longer(&self, name: &str) -> Result<(), PublishError>;
}

/// Where a CA's certificate was published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorityFiles {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The certificate and its issuers up to the root, PEM.
    pub chain: PathBuf,
    /// Certificates of the same name and key by other issuers, PEM.
    pub crossed: Option<PathBuf>,
}

/// Why something was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The file system refused.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What is published is newer.
    #[error("CRL number {published} is published already, and {offered} is not above it")]
    Older {
        /// Number of the published CRL.
        published: CrlNumber,
        /// Number of the one that was to replace it.
        offered: CrlNumber,
    },
    /// The system is short of what it takes to read a file.
    #[error("{} cannot be read: {source}", path.shown())]
    NotRead {
        /// The file.
        path: PathBuf,
        /// What the system is short of.
        source: std::io::Error,
    },
    /// A published file is not what it should be.
    #[error("{}: {reason}", path.shown())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// Another process is publishing and does not end.
    #[error("another process is publishing")]
    Busy,
    /// A directory of the home cannot be made.
    #[error(transparent)]
    Home(#[from] Problem),
}
