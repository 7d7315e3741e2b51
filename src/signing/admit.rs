//! Admission of octets to signing. Only this file makes an [`Admitted`].
//!
//! The issuer, subject or responder that the octets name must be the owner of the key, so that a key signs in no
//! other name (K3). The key is compared as well as the name, since two CAs may have the same name.
use super::SigningError;
use super::contents::{Contents, SignedKind};
use crate::index::Recorded;
use crate::x509::{
    Certificate, Extension, Name, SubjectPublicKeyInfo as Key, TbsCertList, TbsCertificate, UnixTime,
};
use crate::x509::{encode_request, extension::authority_key_identifier};

/// A value that a private key may sign, and a function that returns its octets.
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

/// Admits a certificate issued by the CA with the certificate `own`; without `own`, a self-signed certificate of this
/// key.
pub(super) fn certificate(
    tbs: Recorded<TbsCertificate>,
    own: Option<&Certificate>,
    key: &Key,
) -> Admission<TbsCertificate> {
    let tbs = tbs.into_inner();
    let said = Contents::of(tbs.as_der(), SignedKind::Certificate)?;
    own.map_or_else(|| said.is_by_itself(key), |own| is_by(&said, own, key))?;
    Ok(Admitted(tbs, TbsCertificate::as_der))
}

/// Admits a CRL of the CA with the certificate `own`.
pub(super) fn crl(tbs: Recorded<TbsCertList>, own: &Certificate, key: &Key) -> Admission<TbsCertList> {
    let tbs = tbs.into_inner();
    is_by(&Contents::of(tbs.as_der(), SignedKind::Crl)?, own, key)?;
    Ok(Admitted(tbs, TbsCertList::as_der))
}

pub(super) fn is_by(said: &Contents<'_>, own: &Certificate, key: &Key) -> Result<(), SigningError> {
    let its_own = authority_key_identifier(&own.key_identifier()).value;
    let is_own = said.by == own.tbs().subject().as_der() && said.identifier == Some(its_own);
    if is_own && own.tbs().public_key() == key { Ok(()) } else { Err(said.is_not_by(own)) }
}

/// Makes and admits a `CertificationRequestInfo` (RFC 2986 §4.1) for this key.
pub(super) fn request(subject: &Name, extensions: &[Extension], key: &Key) -> Admitted<Vec<u8>> {
    Admitted(encode_request(subject, key, extensions), Vec::as_slice)
}

/// What the key of a responder signs to name the key that comes after it: a text that no DER begins with, and the
/// TBSCertificate of that key.
pub(crate) fn enrolment_octets(tbs: &TbsCertificate) -> Vec<u8> {
    [b"genfic-ca: the next key of this responder\n", tbs.as_der()].concat()
}

/// Admits the certificate that comes after that of the responder with this key.
pub(super) fn enrolment(tbs: &TbsCertificate) -> Admission<Vec<u8>> {
    Contents::of(tbs.as_der(), SignedKind::Certificate)?;
    Ok(Admitted(enrolment_octets(tbs), Vec::as_slice))
}

/// What a responder signs to vouch for a file of its answers: a text that no DER begins with, the number and time of the
/// file, and the digest of what is in it.
pub(crate) fn answers_octets(number: u64, time: UnixTime, digest: &[u8; 32]) -> Vec<u8> {
    let text = b"genfic-ca: a file of answers of this responder\n";
    [&text[..], &number.to_be_bytes(), &time.0.to_be_bytes(), digest].concat()
}

/// Makes and admits what vouches for a file of answers.
pub(super) fn answers(number: u64, time: UnixTime, digest: &[u8; 32]) -> Admitted<Vec<u8>> {
    Admitted(answers_octets(number, time, digest), Vec::as_slice)
}

/// Admits an OCSP response of the responder whose key has this hash.
pub(super) fn response<'a>(octets: &'a [u8], key_hash: &[u8]) -> Admission<&'a [u8]> {
    let is_own = Contents::of(octets, SignedKind::Response)?.by == key_hash;
    is_own.then_some(Admitted(octets, |it| it)).ok_or(SigningError::Contents("an answer of this responder"))
}
