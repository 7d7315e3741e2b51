//! Certificates in PKCS#7: a `SignedData` without signers (RFC 5652 §5, "degenerate" in RFC 2315 §9).
use super::oid;
use crate::ca::Published;
use crate::x509::Certificate;
use crate::x509::octets::{INTEGER, SET, sequence, tlv};
use der::asn1::ObjectIdentifier;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
pub(super) const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");

/// Returns a `ContentInfo` with these certificates only, DER; Windows calls it `.p7b`. The certificates are a SET OF,
/// so DER decides their order.
#[must_use]
pub fn certificates_only(certificates: &[Published<Certificate>]) -> Vec<u8> {
    let mut set: Vec<&[u8]> = certificates.iter().map(Published::as_der).collect();
    set.sort_unstable();
    set.dedup();
    let signed_data = sequence(&[
        &tlv(INTEGER, &[1]),
        &tlv(SET, &[]),
        &sequence(&[&oid(DATA)]),
        &tlv(0xa0, &set.concat()),
        &tlv(SET, &[]),
    ]);
    sequence(&[&oid(SIGNED_DATA), &tlv(0xa0, &signed_data)])
}
