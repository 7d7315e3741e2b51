//! The repository: published files, and the requests that external CAs are to sign. A file is written under a
//! temporary name, made durable and then renamed.
mod crl;
mod directory;
mod hold;
mod moving;
mod pending_request;
mod signed;
#[cfg(test)]
mod tests;

pub use directory::HomeDirectory;
pub use pending_request::PendingRequest;

use crate::error::{Problem, Shown as _};
use crate::home::WriteError;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, CertificateList, CrlListing, CrlSummary, Fingerprint, SerialNumber};
use std::path::PathBuf;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Publishes certificates, CRLs, responder keys and certificates once they are on record.
pub trait Publisher: Send + Sync {
    /// Returns whether a CA's certificate, chain and cross-certificates are published, compared by digests of
    /// the arguments of [`Publisher::authority`].
    fn is_published(
        &self,
        name: &str,
        certificate: &Fingerprint,
        ancestors: &[Fingerprint],
        cross_certificates: &[Fingerprint],
    ) -> bool;

    /// Returns whether the file of an issued certificate exists and is whole: the power may have failed soon after it
    /// was written.
    fn is_stored(&self, authority: &str, serial_number: &SerialNumber) -> bool;

    /// Publishes a CA's certificate (PEM, DER) and its chain up to the root (PEM). `ancestors` runs from the
    /// CA's issuer to the root and is empty for a root. `cross_certificates` are the CA's cross-certificates, for the same
    /// name and key by other issuers (PEM, in one file). Without any, the file is removed.
    ///
    /// # Errors
    /// Every method of this trait fails when a file cannot be written.
    fn authority(
        &self,
        name: &str,
        certificate: &Certificate,
        ancestors: &[Certificate],
        cross_certificates: &[Certificate],
    ) -> Result<AuthorityFiles, PublishError>;

    /// Publishes a CA's complete CRL, DER and PEM, and returns the paths. An older CRL never replaces a newer
    /// one (C7), whichever processes publish at the same time. Other processes wait only while the published
    /// CRL is compared and the files are renamed.
    ///
    /// # Errors
    /// [`PublishError::Older`] when the published CRL has the same number or a higher one, and then stays;
    /// [`PublishError::Busy`] when another process holds the lock for too long.
    fn crl(&self, name: &str, crl: &CertificateList) -> Result<Vec<PathBuf>, PublishError>;

    /// Publishes a CA's delta CRL, DER and PEM, and returns the paths, as [`Publisher::crl`] does.
    ///
    /// # Errors
    /// As [`Publisher::crl`].
    fn delta_crl(&self, name: &str, crl: &CertificateList) -> Result<Vec<PathBuf>, PublishError>;

    /// Returns the published delta CRL, if there is one.
    ///
    /// # Errors
    /// When the file exists and is not a CRL.
    fn published_delta_crl(&self, name: &str) -> Result<Option<CertificateList>, PublishError>;

    /// Returns the outline of the published delta CRL, as [`Publisher::crl_in_place`] does.
    ///
    /// # Errors
    /// When the file exists and is not a CRL.
    fn delta_crl_in_place(&self, name: &str) -> Result<Option<CrlSummary>, PublishError>;

    /// Returns the paths of a CA's CRL, DER then PEM.
    ///
    /// # Errors
    /// When the name cannot be part of a file name.
    fn crl_files(&self, name: &str) -> Result<Vec<PathBuf>, PublishError>;

    /// Returns the published CRL with all its entries, if there is one.
    ///
    /// # Errors
    /// When the file exists and is not a CRL.
    fn published_crl(&self, name: &str) -> Result<Option<CertificateList>, PublishError>;

    /// Returns the published CRL of a CA for look-ups of serial numbers, when the CA's key signed it. Returns
    /// `None` when there is no file, or the file is something else.
    ///
    /// # Errors
    /// When the file cannot be read for want of resources, so that its contents are not known.
    fn signed_list(
        &self,
        name: &str,
        certificate: &Certificate,
    ) -> Result<Option<Arc<CrlListing>>, PublishError>;

    /// Returns the outline of the published CRL, at a cost that does not depend on the number of entries.
    /// Returns `None` when there is no CRL, or when the PEM form beside it is not of the same CRL.
    ///
    /// # Errors
    /// When the file exists and is not a CRL.
    fn crl_in_place(&self, name: &str) -> Result<Option<CrlSummary>, PublishError>;

    /// Writes the PEM form of the published CRL again. Nothing is written when there is no CRL.
    ///
    /// # Errors
    /// When the CRL cannot be read or its PEM form cannot be written; [`PublishError::Busy`].
    fn repeat_crl_text(&self, name: &str) -> Result<(), PublishError>;

    /// Returns the number of the published CRL, whoever signed it; 0 when there is none.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    fn crl_number_floor(&self, name: &str) -> Result<CrlNumber, PublishError>;

    /// Removes temporary files that killed processes left, in the directories of certificates issued by these
    /// CAs and in all other directories. The files do no harm, so that one that cannot be removed stays.
    fn sweep(&self, issued_by: &[&str]);

    /// Stores issued certificates as PEM and returns the paths in the order given. The files are renamed in the
    /// order of their serial numbers, so that the existence of the last implies that of all.
    ///
    /// # Errors
    /// When a file cannot be written.
    fn issued(&self, authority: &str, certificates: &[&Certificate]) -> Result<Vec<PathBuf>, PublishError>;

    /// Stores a responder's certificate and plain private key, both PEM, one process at a time; a key that waits for its
    /// certificate may follow. Returns the path of the certificate.
    ///
    /// # Errors
    /// When a file cannot be written; [`PublishError::Busy`] when another process holds the lock for too long.
    fn responder(
        &self,
        authority: &str,
        certificate: &Certificate,
        private_keys: &str,
    ) -> Result<PathBuf, PublishError>;

    /// Puts these keys, PKCS#8 in PEM, where the responder of a CA has its key: that of the certificate in use, and one that
    /// waits for its certificate.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn keep_responder_keys(&self, authority: &str, private_keys: &[&str]) -> Result<(), PublishError>;

    /// Returns the URI of the key of a CA's responder, when it is in a token.
    fn responder_token(&self, authority: &str) -> Option<String>;

    /// Returns the contents of the key file of a CA's responder, wiped after use; `None` when it cannot be read.
    fn responder_key(&self, authority: &str) -> Option<Zeroizing<Vec<u8>>>;

    /// Returns the responder certificate in use, if there is one that can be read.
    fn responder_certificate(&self, authority: &str) -> Option<Certificate>;

    /// Returns the CAs with a pending request, by name: their keys are in this home, and their certificates are
    /// not issued yet.
    ///
    /// # Errors
    /// When a file of a request cannot be read.
    fn pending_requests(&self) -> Result<Vec<PendingRequest>, PublishError>;

    /// Stores the pending request of a CA.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn store_pending_request(&self, authority: &PendingRequest) -> Result<(), PublishError>;

    /// Returns what is kept of the ceremonies of a CA.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    fn ceremony(&self, authority: &str, file: CeremonyFile) -> Result<Option<Vec<u8>>, PublishError>;

    /// Keeps this of the ceremonies of a CA; `None` removes it.
    ///
    /// # Errors
    /// When the file cannot be written or removed.
    fn keep_ceremony(
        &self,
        authority: &str,
        file: CeremonyFile,
        contents: Option<&[u8]>,
    ) -> Result<(), PublishError>;

    /// Returns the note that the key of a CA is being moved, if there is one.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    fn key_move(&self, authority: &str) -> Result<Option<Vec<u8>>, PublishError>;

    /// Notes that the key of a CA is being moved; `None` removes the note.
    ///
    /// # Errors
    /// When the file cannot be written or removed.
    fn keep_key_move(&self, authority: &str, contents: Option<&[u8]>) -> Result<(), PublishError>;

    /// Moves the files of a CA to another name, and returns whether there were any.
    ///
    /// # Errors
    /// When a file cannot be moved.
    fn move_authority(&self, from: &str, to: &str) -> Result<bool, PublishError>;

    /// Removes the certificates and keys of a CA's responders, and returns whether there were any.
    ///
    /// # Errors
    /// When a file cannot be removed.
    fn remove_responder(&self, name: &str) -> Result<bool, PublishError>;

    /// Creates the missing directories of a CA.
    ///
    /// # Errors
    /// When a directory cannot be created.
    fn place(&self, name: &str) -> Result<(), PublishError>;

    /// Removes the pending request of a CA, if there is one.
    ///
    /// # Errors
    /// When the file cannot be removed.
    fn remove_pending_request(&self, name: &str) -> Result<(), PublishError>;
}

/// A file about the ceremonies of a CA.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CeremonyFile {
    /// The request that is not answered yet.
    Request,
    /// What the key signed, as far as it was taken in.
    History,
}

/// Paths of a CA's published certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuthorityFiles {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// The certificate and its issuers up to the root, PEM.
    pub chain: PathBuf,
    /// The CA's cross-certificates, for the same name and key by other issuers, PEM.
    pub cross_certificates: Option<PathBuf>,
}

/// Reason why something was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The file system refused to write a file.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The published CRL is newer.
    #[error("CRL number {published} is published already, and {offered} is not above it")]
    Older {
        /// Number of the published CRL.
        published: CrlNumber,
        /// Number of the CRL that was to replace it.
        offered: CrlNumber,
    },
    /// A file was not read, because the system lacks a resource such as file descriptors or memory.
    #[error("{} cannot be read: {source}", path.shown())]
    NotRead {
        /// The path of the file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A published file has other contents than it must have.
    #[error("{}: {reason}", path.shown())]
    Unreadable {
        /// The path of the file.
        path: PathBuf,
        /// The reason why the file cannot be used.
        reason: String,
    },
    /// Another process is publishing and holds the lock for too long.
    #[error("another process is publishing")]
    Busy,
    /// A directory of the home cannot be created.
    #[error(transparent)]
    Home(#[from] Problem),
}
