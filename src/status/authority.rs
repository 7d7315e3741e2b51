//! The CAs as responders know them.
use crate::index::Authority;
use crate::x509::{Certificate, IssuerId, Name, UnixTime};

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
