//! `subjectKeyIdentifier` and `authorityKeyIdentifier` (RFC 5280 §4.2.1.1, §4.2.1.2; RFC 7093).
use super::{AUTHORITY_KEY_IDENTIFIER, Extension, SUBJECT_KEY_IDENTIFIER};
use crate::x509::octets::{OCTET_STRING, sequence, tlv};
use crate::x509::{SubjectPublicKeyInfo, TbsCertificate};
use der::Decode;
use der::asn1::OctetStringRef;

/// The subjectKeyIdentifier that certificates for this key get: RFC 7093 method 1.
#[must_use]
pub fn subject_key_identifier_for(key: &SubjectPublicKeyInfo) -> Extension {
    subject_key_identifier_of(&key.key_identifier())
}

/// `subjectKeyIdentifier` with these octets: those that certificates for a key have already.
#[must_use]
pub fn subject_key_identifier_of(identifier: &[u8]) -> Extension {
    Extension::new(SUBJECT_KEY_IDENTIFIER, false, tlv(OCTET_STRING, identifier))
}

/// The identifier octets that a certificate has; `None` when absent or malformed.
#[must_use]
pub fn subject_key_identifier(tbs: &TbsCertificate) -> Option<Vec<u8>> {
    let extension = tbs.extension(SUBJECT_KEY_IDENTIFIER)?;
    <&OctetStringRef>::from_der(&extension.value).ok().map(|octets| octets.as_bytes().to_vec())
}

/// `authorityKeyIdentifier` with the keyIdentifier only: the issuer's identifier octets as they are.
#[must_use]
pub fn authority_key_identifier(issuer_key_identifier: &[u8]) -> Extension {
    Extension::new(AUTHORITY_KEY_IDENTIFIER, false, sequence(&[&tlv(0x80, issuer_key_identifier)]))
}

/// The keyIdentifier octets in an authorityKeyIdentifier value; `None` when absent or malformed.
#[must_use]
pub fn authority_key_identifier_of(value: &[u8]) -> Option<Vec<u8>> {
    let decoded = x509_cert::ext::pkix::AuthorityKeyIdentifier::from_der(value).ok()?;
    decoded.key_identifier.map(|octets| octets.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_key_identifier_repeats_the_octets_it_is_given() {
        // X3, X6
        let extension = authority_key_identifier(&[1, 2, 3]);
        assert_eq!(extension.value, [0x30, 5, 0x80, 3, 1, 2, 3]);
        assert_eq!(authority_key_identifier_of(&extension.value), Some(vec![1, 2, 3]));
        assert!(!extension.critical);
    }
}
