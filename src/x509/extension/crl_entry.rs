//! CRL entry extensions: `reasonCode` and `invalidityDate` (RFC 5280 §5.3.1, §5.3.2).
use super::{Extension, ce};
use crate::x509::{CrlReason, UnixTime};
use der::asn1::ObjectIdentifier;

/// `id-ce-cRLReasons`
pub(crate) const REASON_CODE: ObjectIdentifier = ce("2.5.29.21");
/// `id-ce-invalidityDate`
pub(crate) const INVALIDITY_DATE: ObjectIdentifier = ce("2.5.29.24");

/// Returns `reasonCode`; `None` for `unspecified`, which is left out.
#[cfg(test)]
#[must_use]
pub(crate) fn reason_code(reason: CrlReason) -> Option<Extension> {
    (reason != CrlReason::Unspecified)
        .then(|| Extension::new(REASON_CODE, false, vec![0x0a, 1, reason.number()]))
}

/// Appends a whole `reasonCode` other than `unspecified`. The octets are written directly, without an [`Extension`].
pub(crate) fn put_reason_code(out: &mut Vec<u8>, reason: CrlReason) {
    out.extend_from_slice(&[0x30, 10, 6, 3, 0x55, 0x1d, 21, 4, 3, 0x0a, 1, reason.number()]);
}

/// Appends a whole `invalidityDate`.
pub(crate) fn put_invalidity_date(out: &mut Vec<u8>, at: UnixTime) {
    out.extend(invalidity_date(at).to_der());
}

/// Returns `invalidityDate`: the time at which the key is known or suspected to have become untrustworthy.
#[must_use]
pub fn invalidity_date(at: UnixTime) -> Extension {
    Extension::new(INVALIDITY_DATE, false, at.to_generalized_der())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unspecified_is_left_out() {
        // C2
        assert_eq!(reason_code(CrlReason::Unspecified), None);
        assert_eq!(reason_code(CrlReason::KeyCompromise).unwrap().value, [10, 1, 1]);
    }

    #[test]
    fn a_reason_that_is_put_is_the_extension_octet_for_octet() {
        // C2
        for (reason, ..) in
            CrlReason::ALL.into_iter().filter(|(reason, ..)| *reason != CrlReason::Unspecified)
        {
            let mut out = vec![7];
            put_reason_code(&mut out, reason);
            assert_eq!(out[1..], reason_code(reason).unwrap().to_der());
        }
    }

    #[test]
    fn the_invalidity_date_is_a_generalized_time() {
        // C4
        assert_eq!(invalidity_date(UnixTime(0)).value, b"\x18\x0f19700101000000Z");
    }
}
