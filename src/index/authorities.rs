//! The CAs on record.
use super::{Authority, AuthoritySummary, Import, Imported, IndexError, Retiring, Supplement};
use crate::audit::AuditEvent;
use crate::x509::{IssuerId, Name};

/// Reads the CAs themselves.
pub trait AuthorityReader: Send + Sync {
    /// Returns every CA, parents before children and siblings by name.
    ///
    /// # Errors
    /// Every method of this trait fails when the store cannot be read.
    fn authorities(&self) -> Result<Vec<Authority>, IndexError>;

    /// Returns the CA of this name.
    fn authority(&self, name: &str) -> Result<Option<Authority>, IndexError>;

    /// Returns the CA of this identity.
    fn authority_of(&self, issuer: &IssuerId) -> Result<Option<Authority>, IndexError>;

    /// Returns every CA without its certificate, in the order of [`AuthorityReader::authorities`]. A summary is
    /// enough to compare what is published of each CA with the record, and is cheap for many CAs.
    fn summaries(&self) -> Result<Vec<AuthoritySummary>, IndexError>;

    /// Returns the next generation of the CA of this name, if the CA was given a new key.
    fn successor(&self, name: &str) -> Result<Option<Authority>, IndexError>;

    /// Returns the CAs whose certificate has this subject (RFC 5280 §7.1 name comparison).
    fn bearers(&self, name: &Name) -> Result<Vec<Authority>, IndexError>;

    /// Returns every encoding of an issuer's name that occurs in the issuer's own certificates or in the
    /// certificates it issued.
    fn names_of_issuer(&self, issuer: &IssuerId) -> Result<Vec<Name>, IndexError>;
}

/// Records CAs that were created by another program, and changes to a CA as a whole.
pub trait AuthorityIndex: Send + Sync {
    /// Takes over a CA that was created by another program: a root, or a child of a known CA, with all
    /// certificates that it issued and revoked. The CA's name, identity and serial numbers are in use from then
    /// on, and its next CRL is outstanding. No revocation on record is weakened. Returns what was new.
    ///
    /// # Errors
    /// [`IndexError::AuthorityExists`]; [`IndexError::SerialInUse`] when another certificate has one of the
    /// serial numbers; [`IndexError::IssuerUnfit`] when the parent is not known or the certificate has another
    /// name or key; [`IndexError::ClockBehind`], [`IndexError::NotAccepted`].
    fn import(&self, import: &Import) -> Result<Imported, IndexError>;

    /// Adds certificates that a CA of this home signed and that are not on record: issued or revoked by another
    /// program, found in files, or known by their serial numbers only. No revocation on record is weakened, and
    /// the only change to a known certificate is its revocation. Returns what was new.
    ///
    /// # Errors
    /// [`IndexError::UnknownAuthority`]; [`IndexError::SerialInUse`] when another certificate has one of the
    /// serial numbers; [`IndexError::NotAccepted`] when one of the certificates is not revoked.
    fn supplement(&self, supplement: &Supplement) -> Result<Imported, IndexError>;

    /// Retires a CA: it gets this name and this location of its key on record, has no responder, and succeeds no CA.
    /// It issues nothing from now on. For a CA that is retired already, time and former name stay.
    ///
    /// # Errors
    /// [`IndexError::UnknownAuthority`]; [`IndexError::AuthorityExists`] when another CA has the name.
    fn retire(&self, retiring: &Retiring, event: AuditEvent) -> Result<(), IndexError>;

    /// Notes that the files and the key of a retired CA have its name on record.
    fn complete_retirement(&self, issuer: &IssuerId) -> Result<(), IndexError>;

    /// Sets the location of the key of a CA of this home: a URI whose scheme names the key store.
    ///
    /// # Errors
    /// [`IndexError::UnknownAuthority`].
    fn set_key(&self, issuer: &IssuerId, key: &str, event: AuditEvent) -> Result<(), IndexError>;

    /// Sets whether certificates of this CA name an OCSP responder.
    fn set_serves_ocsp(&self, issuer: &IssuerId, serves: bool, event: AuditEvent) -> Result<(), IndexError>;
}
