//! The CAs on record.
use super::{Authority, AuthoritySummary, Import, Imported, IndexError, Supplement};
use crate::audit::AuditEvent;
use crate::x509::{IssuerId, Name};

/// What is read of the CAs themselves.
pub trait AuthorityReader: Send + Sync {
    /// Every CA, parents before children, siblings by name.
    ///
    /// # Errors
    /// When the store cannot be read; so below.
    fn authorities(&self) -> Result<Vec<Authority>, IndexError>;

    /// The CA of this name.
    fn authority(&self, name: &str) -> Result<Option<Authority>, IndexError>;

    /// The CA of this identity.
    fn authority_of(&self, issuer: &IssuerId) -> Result<Option<Authority>, IndexError>;

    /// Every CA without its certificate, in the order of [`AuthorityReader::authorities`]: enough to say whether what
    /// is published of each is what is on record, however many there are.
    fn summaries(&self) -> Result<Vec<AuthoritySummary>, IndexError>;

    /// The generation after the CA of this name, if that was given a new key.
    fn successor(&self, name: &str) -> Result<Option<Authority>, IndexError>;

    /// The CAs whose certificate is for this name, by the comparison of names.
    fn bearers(&self, name: &Name) -> Result<Vec<Authority>, IndexError>;

    /// Every way in which the name of an issuer is written, in its own certificates and in those that it issued.
    fn names_of_issuer(&self, issuer: &IssuerId) -> Result<Vec<Name>, IndexError>;
}

/// CAs that come from elsewhere, and what is changed of one as a whole.
pub trait AuthorityIndex: Send + Sync {
    /// Takes over a CA that was made elsewhere: a root, or a child of a CA that is known, with all that it issued
    /// and revoked. Its name, identity and numbers are taken from then on, its next CRL is owed, and nothing that
    /// is revoked here becomes less so. Returns what was new.
    ///
    /// # Errors
    /// [`IndexError::AuthorityExists`]; [`IndexError::SerialInUse`] when another certificate has one of the
    /// numbers; [`IndexError::IssuerUnfit`] when the parent is not known or the certificate is of another name or
    /// key; [`IndexError::ClockBehind`], [`IndexError::NotAccepted`].
    fn import(&self, import: &Import) -> Result<Imported, IndexError>;

    /// Adds to a CA of this home what it signed and is not on record: issued or revoked elsewhere, found, or named by
    /// its number. Nothing that is revoked here becomes less so, and nothing that is known is changed but to become
    /// revoked. Returns what was new.
    ///
    /// # Errors
    /// [`IndexError::UnknownAuthority`]; [`IndexError::SerialInUse`] when another certificate has one of the numbers;
    /// [`IndexError::NotAccepted`] where one of them is not revoked.
    fn supplement(&self, supplement: &Supplement) -> Result<Imported, IndexError>;

    /// Sets whether certificates of this CA name an OCSP responder.
    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError>;
}
