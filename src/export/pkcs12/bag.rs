//! `SafeBag` and its attributes (RFC 7292 §4.2).
use super::oid;
use crate::x509::octets::{OCTET_STRING, SET, sequence, tlv};
use crate::x509::{Certificate, sha1};
use der::asn1::ObjectIdentifier;

const CERTIFICATE_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.3");
const SHROUDED_KEY_BAG: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.10.1.2");
const X509_CERTIFICATE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.22.1");
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
/// Oracle's attribute for a trusted certificate. Its value is the purpose that the certificate is trusted for.
const TRUSTED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// `BMPString`.
const BMP_STRING: u8 = 0x1e;

/// Returns the bag of a certificate.
pub(super) fn certificate_bag(certificate: &Certificate, attributes: &[u8]) -> Vec<u8> {
    let octets = tlv(OCTET_STRING, certificate.as_der());
    let bag = sequence(&[&oid(X509_CERTIFICATE), &tlv(0xa0, &octets)]);
    sequence(&[&oid(CERTIFICATE_BAG), &tlv(0xa0, &bag), attributes])
}

/// Returns the bag of a key that is already encrypted, as `EncryptedPrivateKeyInfo`.
pub(super) fn shrouded_key_bag(algorithm: &[u8], encrypted: &[u8], attributes: &[u8]) -> Vec<u8> {
    let bag = sequence(&[algorithm, &tlv(OCTET_STRING, encrypted)]);
    sequence(&[&oid(SHROUDED_KEY_BAG), &tlv(0xa0, &bag), attributes])
}

/// Returns the attributes of a bag, or no octets when there are none. `localKeyId` links a key to its certificate.
pub(super) fn attributes(
    friendly_name: Option<&str>,
    belongs_to: Option<&Certificate>,
    is_trusted: bool,
) -> Vec<u8> {
    let attribute = |kind, value: Vec<u8>| sequence(&[&oid(kind), &tlv(SET, &value)]);
    let mut all: Vec<Vec<u8>> = Vec::new();
    all.extend(friendly_name.map(|name| attribute(FRIENDLY_NAME, tlv(BMP_STRING, &bmp(name)))));
    all.extend(belongs_to.map(|one| attribute(LOCAL_KEY_ID, tlv(OCTET_STRING, &sha1(one.as_der())))));
    if is_trusted {
        all.push(attribute(TRUSTED_KEY_USAGE, oid(ANY_EXTENDED_KEY_USAGE)));
    }
    all.sort();
    if all.is_empty() { Vec::new() } else { tlv(SET, &all.concat()) }
}

/// Encodes text in UTF-16, big-endian.
fn bmp(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}
