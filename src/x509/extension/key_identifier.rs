//! `subjectKeyIdentifier` and `authorityKeyIdentifier` (RFC 5280 §4.2.1.1, §4.2.1.2; RFC 7093).
use super::{AUTHORITY_KEY_IDENTIFIER, Extension, SUBJECT_KEY_IDENTIFIER};
use crate::x509::octets::{OCTET_STRING, sequence, tlv};
use crate::x509::{SubjectPublicKeyInfo, TbsCertificate};
use der::Decode;
use der::asn1::OctetStringRef;

/// Returns the subjectKeyIdentifier for certificates with this key (RFC 7093 method 1).
#[must_use]
pub fn subject_key_identifier_for(key: &SubjectPublicKeyInfo) -> Extension {
    subject_key_identifier_of(&key.key_identifier())
}

/// Returns `subjectKeyIdentifier` with these octets. Meant for keys whose certificates already have an identifier.
#[must_use]
pub(crate) fn subject_key_identifier_of(identifier: &[u8]) -> Extension {
    Extension::new(SUBJECT_KEY_IDENTIFIER, false, tlv(OCTET_STRING, identifier))
}

/// Returns the subjectKeyIdentifier octets of a certificate; `None` when absent or malformed.
#[must_use]
pub fn subject_key_identifier(tbs: &TbsCertificate) -> Option<Vec<u8>> {
    let extension = tbs.extension(SUBJECT_KEY_IDENTIFIER)?;
    <&OctetStringRef>::from_der(&extension.value).ok().map(|octets| octets.as_bytes().to_vec())
}

/// Returns `authorityKeyIdentifier` with the keyIdentifier only: the issuer's identifier octets, unchanged.
#[must_use]
pub fn authority_key_identifier(issuer_key_identifier: &[u8]) -> Extension {
    Extension::new(AUTHORITY_KEY_IDENTIFIER, false, sequence(&[&tlv(0x80, issuer_key_identifier)]))
}

/// Returns the keyIdentifier octets in the value of an authorityKeyIdentifier; `None` when absent or malformed.
#[must_use]
pub(crate) fn authority_key_identifier_of(value: &[u8]) -> Option<Vec<u8>> {
    let decoded = x509_cert::ext::pkix::AuthorityKeyIdentifier::from_der(value).ok()?;
    decoded.key_identifier.map(|octets| octets.as_bytes().to_vec())
}

/// Tells whether the value of an authorityKeyIdentifier has an authorityCertSerialNumber. Clients that look at the
/// number, such as OpenSSL, accept only the issuer certificate with that serial number.
#[must_use]
pub(crate) fn names_issuer_by_number(value: &[u8]) -> bool {
    x509_cert::ext::pkix::AuthorityKeyIdentifier::from_der(value)
        .is_ok_and(|decoded| decoded.authority_cert_serial_number.is_some())
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
        assert!(!names_issuer_by_number(&extension.value));
    }

    #[test]
    fn an_issuer_named_by_its_certificates_number_is_noticed() {
        // keyIdentifier 01, authorityCertIssuer CN=a, authorityCertSerialNumber 5
        let name = [0xa4, 0x0e, 0x30, 0x0c, 0x31, 0x0a, 0x30, 8, 6, 3, 0x55, 4, 3, 0x0c, 1, b'a'];
        let value = sequence(&[&tlv(0x80, &[1]), &tlv(0xa1, &name), &tlv(0x82, &[5])]);
        assert!(names_issuer_by_number(&value));
        assert!(!names_issuer_by_number(&[0x30, 0]) && !names_issuer_by_number(b""));
    }
}
