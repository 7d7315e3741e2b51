//! CRL entry extensions: `reasonCode` and `invalidityDate` (RFC 5280 §5.3.1, §5.3.2).
use super::{Extension, ce};
use crate::x509::{CrlReason, UnixTime};
use der::asn1::ObjectIdentifier;

/// `id-ce-cRLReasons`
pub const REASON_CODE: ObjectIdentifier = ce("2.5.29.21");
/// `id-ce-invalidityDate`
pub const INVALIDITY_DATE: ObjectIdentifier = ce("2.5.29.24");

/// `reasonCode`; `None` for `unspecified`, which is left out.
#[must_use]
pub fn reason_code(reason: CrlReason) -> Option<Extension> {
    (reason != CrlReason::Unspecified)
        .then(|| Extension::new(REASON_CODE, false, vec![0x0a, 1, reason.number()]))
}

/// `invalidityDate`: when the key is thought to have become untrustworthy.
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
    fn the_invalidity_date_is_a_generalized_time() {
        // C4
        assert_eq!(invalidity_date(UnixTime(0)).value, b"\x18\x0f19700101000000Z");
    }
}
