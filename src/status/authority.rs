//! The CAs as responders know them.
use crate::index::{Authority, AuthoritySummary};
use crate::x509::{Certificate, Fingerprint, IssuerId, Name, UnixTime};

/// A CA as what is published for OCSP responders names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublishedAuthority {
    /// The name that its files bear.
    pub name: String,
    /// Its identity as an issuer.
    pub issuer: IssuerId,
    /// Every way in which its name is written ([`crate::index::AuthorityReader::names_of_issuer`]).
    pub names: Vec<Name>,
    /// Its certificate.
    pub certificate: Certificate,
    /// Whether it is to have a responder. One that is not is answered for like a stranger.
    pub serves_ocsp: bool,
    /// When the last of what it issued ends, where a newer generation issues in its place: it needs no responder
    /// from then on.
    pub retires: Option<UnixTime>,
}

impl PublishedAuthority {
    /// One CA of all that are on record, and every way in which its name is written.
    #[must_use]
    pub fn of(authority: &Authority, all: &[Authority], names: Vec<Name>) -> Self {
        let is_succeeded = all.iter().any(|one| one.succeeds.as_ref() == Some(&authority.name));
        Self::succeeded(authority, is_succeeded, names)
    }

    /// The same of one of which is known whether a newer generation issues in its place.
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

/// A CA as it stands in a status file; its certificate is not looked into.
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
    /// Whether it is what is on record.
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
