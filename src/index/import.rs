//! Input of the index for a CA that was created by another program.
use super::{Authority, CertificateState};
use crate::audit::AuditEvent;
use crate::x509::extension::CrlNumber;
use crate::x509::{Certificate, IssuerId, Name, SerialNumber, UnixTime};

/// A CA created by another program, with the certificates that it issued and revoked there.
#[derive(Clone, Debug)]
pub struct Import {
    /// External CAs on the issuer path of this CA, the topmost first. Where the identity is known already, a
    /// new certificate replaces the one on record.
    pub issuer_path: Vec<(Authority, AuditEvent)>,
    /// The CA. Its certificate may be on record already as one that its parent issued. The CA may be on record
    /// as an external CA of the same name.
    pub authority: Authority,
    /// Whether the CA is on record already and this is its next certificate, with the same name and key.
    pub renews: bool,
    /// The certificates that the CA issued.
    pub certificates: Vec<ImportedCertificate>,
    /// Highest number of the CA's CRLs so far; 0 when there was none.
    pub crl_number: CrlNumber,
    /// The audit event of the import.
    pub event: AuditEvent,
}

impl Import {
    /// Returns an import of a CA that has issued nothing yet.
    #[must_use]
    pub fn of(authority: Authority, event: AuditEvent) -> Self {
        Self {
            issuer_path: Vec::new(),
            authority,
            renews: false,
            certificates: Vec::new(),
            crl_number: 0,
            event,
        }
    }
}

/// Certificates that a CA of this home signed and that are not on record.
#[derive(Clone, Debug)]
pub struct Supplement {
    /// The CA.
    pub issuer: IssuerId,
    /// The certificates that the CA signed.
    pub certificates: Vec<ImportedCertificate>,
    /// Highest number of the CA's CRLs at the other program; 0 when it is not known.
    pub crl_number: CrlNumber,
    /// The audit event of the whole, where there is one beside the events of the certificates.
    pub event: Option<AuditEvent>,
}

/// A certificate that a CA issued with another program.
#[derive(Clone, Debug)]
pub struct ImportedCertificate {
    /// `serialNumber`
    pub serial_number: SerialNumber,
    /// The known contents of the certificate.
    pub contents: ImportedContents,
    /// Issued or revoked, never pending.
    pub state: CertificateState,
    /// The audit event of the import of this certificate.
    pub event: AuditEvent,
}

/// Known contents of a certificate that was issued by another program.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all of them are certificates")]
pub enum ImportedContents {
    /// The whole certificate.
    Certificate(Certificate),
    /// The entry of the other program's database only.
    Number {
        /// The subject, as far as it can be read.
        subject: Name,
        /// notAfter, or [`UnixTime::NO_END`] when it is not known.
        not_after: UnixTime,
    },
}

/// Counts of what was new to the index.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Imported {
    /// Number of certificates with their octets, revoked ones included.
    pub certificates: usize,
    /// Number of certificates known by their serial numbers only, revoked ones included.
    pub serial_only: usize,
    /// Number of both that are revoked.
    pub revoked: usize,
}
