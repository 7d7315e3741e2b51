//! The CAs as the published status describes them to responders.
use crate::index::{Authority, AuthoritySummary};
use crate::x509::{Certificate, Fingerprint, IssuerId, Name, UnixTime};

/// A CA in the published status.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublishedAuthority {
    /// The name that the CA's files have.
    pub name: String,
    /// The CA's identity as an issuer.
    pub issuer: IssuerId,
    /// Every encoding of the CA's name ([`crate::index::AuthorityReader::names_of_issuer`]).
    pub names: Vec<Name>,
    /// The CA's certificate.
    pub certificate: Certificate,
    /// Whether the CA is to have a responder. Requests about a CA without one are answered as for an unknown
    /// issuer.
    pub serves_ocsp: bool,
    /// The latest notAfter of the certificates that the CA issued, when a newer generation issues in its place.
    /// The CA needs no responder after that time.
    pub retires: Option<UnixTime>,
}

impl PublishedAuthority {
    /// Describes one CA of all on record, with every encoding of its name.
    #[must_use]
    pub fn of(authority: &Authority, all: &[Authority], names: Vec<Name>) -> Self {
        let is_succeeded = all.iter().any(|one| one.succeeds.as_ref() == Some(&authority.name));
        Self::succeeded(authority, is_succeeded, names)
    }

    /// Describes a CA for which the caller knows whether a newer generation issues in its place.
    pub(super) fn succeeded(authority: &Authority, is_succeeded: bool, names: Vec<Name>) -> Self {
        let begun = authority.certificate.tbs().validity().not_before;
        Self {
            name: authority.name.clone(),
            issuer: authority.issuer,
            names,
            certificate: authority.certificate.clone(),
            serves_ocsp: authority.serves_ocsp,
            retires: is_succeeded.then(|| authority.last_end.unwrap_or(begun)),
        }
    }
}

/// A CA as a status file has it. Its certificate is not parsed.
#[derive(Debug)]
pub(super) struct WrittenAuthority {
    pub(super) name: String,
    pub(super) issuer: IssuerId,
    /// Names in DER, in the order of their octets.
    pub(super) names: Vec<Vec<u8>>,
    pub(super) certificate: Vec<u8>,
    pub(super) serves_ocsp: bool,
    pub(super) retires: Option<UnixTime>,
}

impl WrittenAuthority {
    /// Returns whether the CA in the file is the same as on record.
    pub(super) fn is(&self, summary: &AuthoritySummary, is_succeeded: bool) -> bool {
        let retires = is_succeeded.then(|| summary.last_end.unwrap_or(summary.not_before));
        self.issuer == summary.issuer
            && self.serves_ocsp == summary.serves_ocsp
            && self.retires == retires
            && self.names.iter().map(Vec::as_slice).eq(summary.names.iter().map(Name::as_der))
            && Fingerprint::of(&self.certificate) == summary.certificate
    }
}

impl From<PublishedAuthority> for WrittenAuthority {
    fn from(published: PublishedAuthority) -> Self {
        Self {
            name: published.name,
            issuer: published.issuer,
            names: published.names.iter().map(|name| name.as_der().to_vec()).collect(),
            certificate: published.certificate.as_der().to_vec(),
            serves_ocsp: published.serves_ocsp,
            retires: published.retires,
        }
    }
}
