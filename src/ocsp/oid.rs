//! Object identifiers of RFC 6960 §4.
use der::asn1::ObjectIdentifier;

/// `id-pkix-ocsp-basic`: the only response type that RFC 6960 defines.
pub(crate) const BASIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// `id-pkix-ocsp-nonce` (RFC 9654)
pub(crate) const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// `id-pkix-ocsp-response`: the response types that a client accepts.
pub(crate) const ACCEPTABLE_RESPONSES: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.4");
/// `id-pkix-ocsp-archive-cutoff`
pub(crate) const ARCHIVE_CUTOFF: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.6");
/// `id-pkix-ocsp-pref-sig-algs`
pub(crate) const PREFERRED_SIGNATURE_ALGORITHMS: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.8");
/// `id-pkix-ocsp-extended-revoke`
pub(crate) const EXTENDED_REVOKE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.9");
