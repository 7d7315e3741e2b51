//! The issuer, subject and key that octets to be signed name, read from their DER elements.
use super::SigningError;
use crate::x509::extension::AUTHORITY_KEY_IDENTIFIER;
use crate::x509::octets::{INTEGER, SEQUENCE, contents_of};
use crate::x509::{Certificate, Extension, Name, SubjectPublicKeyInfo};
use der::asn1::{AnyRef, OctetStringRef};
use der::{Decode, Reader, SliceReader};

/// A structure that is signed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum SignedKind {
    /// TBSCertificate (RFC 5280 §4.1), version 3.
    Certificate,
    /// TBSCertList (RFC 5280 §5.1), version 2.
    Crl,
    /// ResponseData (RFC 6960 §4.2.1), version 1, with a responderID `byKey`.
    Response,
}

/// The parties that such a structure names.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Contents<'a> {
    kind: SignedKind,
    /// `issuer` in DER; for ResponseData the key hash in `responderID`.
    pub(super) by: &'a [u8],
    /// Value of the extension authorityKeyIdentifier.
    pub(super) identifier: Option<Vec<u8>>,
    /// `subject` and `subjectPublicKeyInfo` in DER.
    subject: Option<(&'a [u8], &'a [u8])>,
}

const V3: [u8; 5] = [0xa0, 3, 2, 1, 2];
const V2: [u8; 3] = [2, 1, 1];

impl<'a> Contents<'a> {
    /// Reads these octets. The entries of a CRL are skipped.
    ///
    /// # Errors
    /// [`SigningError::Contents`] when the octets are not of this kind.
    pub(super) fn of(octets: &'a [u8], kind: SignedKind) -> Result<Self, SigningError> {
        Self::read(octets).filter(|said| said.kind == kind).ok_or(SigningError::Contents(match kind {
            SignedKind::Certificate => "a TBSCertificate",
            SignedKind::Crl => "a TBSCertList",
            SignedKind::Response => "a ResponseData",
        }))
    }

    fn read(octets: &'a [u8]) -> Option<Self> {
        let mut fields = SliceReader::new(contents_of(octets, SEQUENCE).ok()?).ok()?;
        let first = fields.tlv_bytes().ok()?;
        let contents = match first.first()? {
            0xa0 if first == V3 => certificate(&mut fields),
            2 if first == V2 => crl(&mut fields),
            0xa2 => response(first, &mut fields),
            _ => None,
        }?;
        fields.is_finished().then_some(contents)
    }

    /// Checks that this is a self-signed certificate of this key: subject and issuer are equal, and the key is in it.
    ///
    /// # Errors
    /// [`SigningError::Contents`] when it is not.
    pub(super) fn is_by_itself(&self, key: &SubjectPublicKeyInfo) -> Result<(), SigningError> {
        let is_own = self.subject == Some((self.by, key.as_der()));
        if is_own { Ok(()) } else { Err(SigningError::Contents("a certificate of this key by itself")) }
    }

    /// Returns the error for a structure that names another issuer than `own`.
    pub(super) fn is_not_by(&self, own: &Certificate) -> SigningError {
        let named = Name::from_der(self.by).unwrap_or_else(|_| Name::empty());
        SigningError::Issuer { named, own: own.tbs().subject().clone() }
    }
}

fn certificate<'a>(fields: &mut SliceReader<'a>) -> Option<Contents<'a>> {
    tlv(fields, |tag| tag == INTEGER)?;
    tlv(fields, |tag| tag == SEQUENCE)?;
    let by = tlv(fields, |tag| tag == SEQUENCE)?;
    tlv(fields, |tag| tag == SEQUENCE)?;
    let subject = tlv(fields, |tag| tag == SEQUENCE)?;
    let public_key = tlv(fields, |tag| tag == SEQUENCE)?;
    let identifier = extensions(fields, 0xa3)?;
    Some(Contents { kind: SignedKind::Certificate, by, identifier, subject: Some((subject, public_key)) })
}

fn crl<'a>(fields: &mut SliceReader<'a>) -> Option<Contents<'a>> {
    let is_time = |tag| matches!(tag, 0x17 | 0x18);
    tlv(fields, |tag| tag == SEQUENCE)?;
    let by = tlv(fields, |tag| tag == SEQUENCE)?;
    // a time is required here, since a CertificationRequestInfo has its key in this place
    tlv(fields, is_time)?;
    tlv(fields, is_time)?;
    if fields.peek_byte() == Some(SEQUENCE) {
        tlv(fields, |tag| tag == SEQUENCE)?;
    }
    Some(Contents { kind: SignedKind::Crl, by, identifier: extensions(fields, 0xa0)?, subject: None })
}

fn response<'a>(responder: &'a [u8], fields: &mut SliceReader<'a>) -> Option<Contents<'a>> {
    let responder = <&OctetStringRef>::from_der(AnyRef::from_der(responder).ok()?.value()).ok()?;
    tlv(fields, |tag| tag == 0x18)?;
    tlv(fields, |tag| tag == SEQUENCE)?;
    if fields.peek_byte() == Some(0xa1) {
        tlv(fields, |tag| tag == 0xa1)?;
    }
    Some(Contents { kind: SignedKind::Response, by: responder.as_bytes(), identifier: None, subject: None })
}

/// Reads the next element; `None` when its tag is not accepted.
fn tlv<'a>(fields: &mut SliceReader<'a>, is_right: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
    fields.peek_byte().filter(|tag| is_right(*tag))?;
    fields.tlv_bytes().ok()
}

/// Returns the value of authorityKeyIdentifier from the extensions under this tag. Both the extensions and the value
/// may be absent.
#[expect(clippy::option_option, reason = "neither, and malformed")]
fn extensions(fields: &mut SliceReader<'_>, tag: u8) -> Option<Option<Vec<u8>>> {
    if fields.is_finished() {
        return Some(None);
    }
    let list = contents_of(fields.tlv_bytes().ok()?, tag).ok()?;
    let list = Extension::list_from_der(list).ok()?;
    Some(list.into_iter().find(|one| one.oid == AUTHORITY_KEY_IDENTIFIER).map(|one| one.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing::SoftKey;
    use crate::testing::{CertificateBuilder, entry, tbs_cert_list};
    use crate::x509::extension::{authority_key_identifier, crl_number};
    use crate::x509::octets::{OCTET_STRING, sequence, tlv};
    use crate::x509::{KeyAlgorithm, Name, SignatureAlgorithm, UnixTime, encode_request};

    fn name(common: &str) -> Name {
        Name::parse(&format!("CN={common}")).unwrap()
    }

    #[test]
    fn certificates_lists_and_answers_are_told_apart_and_a_request_is_none_of_them() {
        // K3
        let key = SoftKey::generate(KeyAlgorithm::P256).unwrap().public_key().clone();
        let identifier = authority_key_identifier(&[7; 20]);
        let certificate = CertificateBuilder::new(&name("subject"), &key)
            .named_by(&name("issuer"))
            .with([identifier.clone()])
            .tbs();
        let (issuer, subject) = (name("issuer"), name("subject"));
        let told = Contents {
            kind: SignedKind::Certificate,
            by: issuer.as_der(),
            identifier: Some(identifier.value.clone()),
            subject: Some((subject.as_der(), key.as_der())),
        };
        assert_eq!(Contents::read(certificate.as_der()), Some(told));
        for count in [0, 2] {
            let algorithm = SignatureAlgorithm::ECDSA_SHA256;
            let entries = (0..count).map(|number| entry(&[number + 1], None));
            let (times, extensions) = ((UnixTime(9), UnixTime(99)), vec![identifier.clone(), crl_number(1)]);
            let list = tbs_cert_list(algorithm, &issuer, times, entries, extensions);
            let identifier = Some(identifier.value.clone());
            let told = Contents { kind: SignedKind::Crl, by: issuer.as_der(), identifier, subject: None };
            assert_eq!(Contents::read(list.as_der()), Some(told), "{count}");
        }
        let answer = sequence(&[
            &tlv(0xa2, &tlv(OCTET_STRING, &[3; 20])),
            &UnixTime(9).to_generalized_der(),
            &sequence(&[]),
        ]);
        let told = Contents { kind: SignedKind::Response, by: &[3; 20], identifier: None, subject: None };
        assert_eq!(Contents::read(&answer), Some(told));
        assert!(
            Contents::of(&answer, SignedKind::Crl).is_err()
                && Contents::of(&answer, SignedKind::Response).is_ok()
        );
        let request = encode_request(&subject, &key, &[]);
        for octets in
            [&request[..], &[], b"anything", &certificate.as_der()[1..], &[&answer[..], &[0]].concat()]
        {
            assert_eq!(Contents::read(octets), None);
        }
    }
}
