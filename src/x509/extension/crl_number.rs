//! `cRLNumber` and `deltaCRLIndicator` (RFC 5280 §5.2.3, §5.2.4).
use super::{CRL_NUMBER, Extension};
use crate::x509::MalformedDer;
use crate::x509::octets::{INTEGER, tlv};
use der::Decode;
use der::asn1::UintRef;

/// `CRLNumber ::= INTEGER (0..MAX)`. Numbers of our CAs stay below 2^63; RFC 5280 allows up to 20 octets.
pub(crate) type CrlNumber = u64;

fn integer(number: CrlNumber) -> Vec<u8> {
    let mut contents: Vec<u8> = number.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
    if contents.first().is_none_or(|octet| *octet >= 0x80) {
        contents.insert(0, 0);
    }
    tlv(INTEGER, &contents)
}

/// Returns `cRLNumber`, not critical.
#[must_use]
pub fn crl_number(number: CrlNumber) -> Extension {
    Extension::new(CRL_NUMBER, false, integer(number))
}

/// Returns `deltaCRLIndicator`, critical: the number of the complete CRL on which the delta CRL is based.
#[must_use]
pub(crate) fn delta_crl_indicator(base: CrlNumber) -> Extension {
    Extension::new(super::DELTA_CRL_INDICATOR, true, integer(base))
}

/// Reads the value of either extension.
///
/// # Errors
/// When the value is malformed, negative, or does not fit 64 bits.
pub(crate) fn read_number(value: &[u8]) -> Result<CrlNumber, MalformedDer> {
    let malformed = || MalformedDer::new("cRLNumber", "not an INTEGER of at most 64 bits");
    let integer = UintRef::from_der(value).map_err(|_| malformed())?;
    let octets = integer.as_bytes();
    if octets.len() > 8 {
        return Err(malformed());
    }
    Ok(octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_a_round_trip() {
        // C1
        for number in [0, 1, 127, 128, 255, 256, u64::MAX] {
            assert_eq!(read_number(&crl_number(number).value), Ok(number));
        }
        assert_eq!(crl_number(128).value, [2, 2, 0, 0x80]);
        assert!(delta_crl_indicator(1).critical && !crl_number(1).critical);
    }
}
