//! What an index is told of a CA that was made elsewhere.
use super::{Authority, CertificateState};
use crate::audit::AuditEvent;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, IssuerId, Name, SerialNumber, UnixTime};

/// A CA made elsewhere, with what it issued and revoked there.
#[derive(Clone, Debug)]
pub struct Import {
    /// CAs above it that others keep, the topmost first; of those of a known identity, a certificate that is new
    /// takes the place of the one on record.
    pub above: Vec<(Authority, AuditEvent)>,
    /// The CA. Its certificate may be on record already, as one that its parent issued; and it may be a CA that
    /// others kept so far, under the same name.
    pub authority: Authority,
    /// Whether it is here already and this is its next certificate, of the same name and key.
    pub renews: bool,
    /// What it issued.
    pub certificates: Vec<ImportedCertificate>,
    /// The highest number of its CRLs so far; 0 when there was none.
    pub crl_number: CrlNumber,
    /// The record of its being taken over.
    pub event: AuditEvent,
}

impl Import {
    /// A CA that has issued nothing yet.
    #[must_use]
    pub fn of(authority: Authority, event: AuditEvent) -> Self {
        Self { above: Vec::new(), authority, renews: false, certificates: Vec::new(), crl_number: 0, event }
    }
}

/// What a CA of this home signed and is not on record.
#[derive(Clone, Debug)]
pub struct Supplement {
    /// The CA.
    pub issuer: IssuerId,
    /// What it signed.
    pub certificates: Vec<ImportedCertificate>,
    /// The highest number of its CRLs elsewhere; 0 where that is not known.
    pub crl_number: CrlNumber,
    /// The record of the whole, where there is more than the certificates' own.
    pub event: Option<AuditEvent>,
}

/// A certificate that a CA issued elsewhere.
#[derive(Clone, Debug)]
pub struct ImportedCertificate {
    /// `serialNumber`
    pub serial_number: SerialNumber,
    /// What is known of it.
    pub contents: ImportedContents,
    /// Issued or revoked, never pending.
    pub state: CertificateState,
    /// The record of its being taken over.
    pub event: AuditEvent,
}

/// What is known of a certificate from elsewhere.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are certificates")]
pub enum ImportedContents {
    /// All of it.
    Certificate(Certificate),
    /// What another CA's own record says of it.
    Number {
        /// Its subject, as far as it can be read.
        subject: Name,
        /// When it ends; [`UnixTime::NO_END`] when that is not known.
        not_after: UnixTime,
    },
}

/// What was new to the index.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Imported {
    /// Certificates with their octets, revoked ones included.
    pub certificates: usize,
    /// Certificates known by their numbers alone, revoked ones included.
    pub known_by_number: usize,
    /// How many of both are revoked.
    pub revoked: usize,
}
