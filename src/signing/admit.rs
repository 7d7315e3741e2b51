//! What a private key signs. This file alone makes an [`Admitted`], by what the octets say: whoever holds a key signs
//! as the one that has it and no other (K3), by name and by key, since two may bear one name.
use super::SigningError;
use super::contents::{Contents, Kind};
use crate::index::Recorded;
use crate::x509::{Certificate, Extension, Name, SubjectPublicKeyInfo as Key, TbsCertList, TbsCertificate};
use crate::x509::{encode_request, extension::authority_key_identifier};

/// What a private key may sign, and its octets.
pub(crate) struct Admitted<T>(T, fn(&T) -> &[u8]);
type Admission<T> = Result<Admitted<T>, SigningError>;

impl<T> Admitted<T> {
    pub(super) fn octets(&self) -> &[u8] {
        (self.1)(&self.0)
    }
    pub(super) fn into_inner(self) -> T {
        self.0
    }
}

/// A certificate by the CA with the certificate `own`; without one, by its subject itself.
pub(super) fn certificate(
    tbs: Recorded<TbsCertificate>,
    own: Option<&Certificate>,
    key: &Key,
) -> Admission<TbsCertificate> {
    let tbs = tbs.into_inner();
    let said = Contents::of(tbs.as_der(), Kind::Certificate)?;
    own.map_or_else(|| said.is_by_itself(key), |own| is_by(&said, own, key))?;
    Ok(Admitted(tbs, TbsCertificate::as_der))
}

/// A CRL of the CA with the certificate `own`.
pub(super) fn crl(tbs: Recorded<TbsCertList>, own: &Certificate, key: &Key) -> Admission<TbsCertList> {
    let tbs = tbs.into_inner();
    is_by(&Contents::of(tbs.as_der(), Kind::Crl)?, own, key)?;
    Ok(Admitted(tbs, TbsCertList::as_der))
}

fn is_by(said: &Contents<'_>, own: &Certificate, key: &Key) -> Result<(), SigningError> {
    let its_own = authority_key_identifier(&own.key_identifier()).value;
    let is_own = said.by == own.tbs().subject().as_der() && said.identifier == Some(its_own);
    if is_own && own.tbs().public_key() == key { Ok(()) } else { Err(said.is_not_by(own)) }
}

/// A request for a certificate of this key.
pub(super) fn request(subject: &Name, extensions: &[Extension], key: &Key) -> Admitted<Vec<u8>> {
    Admitted(encode_request(subject, key, extensions), Vec::as_slice)
}

/// An answer by the responder whose key has this hash.
pub(super) fn response<'a>(octets: &'a [u8], key_hash: &[u8]) -> Admission<&'a [u8]> {
    let is_own = Contents::of(octets, Kind::Response)?.by == key_hash;
    is_own.then_some(Admitted(octets, |it| it)).ok_or(SigningError::Contents("an answer of this responder"))
}
