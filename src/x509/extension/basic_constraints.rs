//! `basicConstraints` (RFC 5280 §4.2.1.9).
use super::{BASIC_CONSTRAINTS, Extension};
use crate::x509::octets::{sequence, tlv};
use crate::x509::{MalformedDer, TbsCertificate};
use der::Decode;

/// `BasicConstraints ::= SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER OPTIONAL }`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BasicConstraints {
    /// `cA`
    pub ca: bool,
    /// `pathLenConstraint`: maximum number of CA certificates below this one in a path, self-issued ones not counted.
    pub path_length: Option<u8>,
}

impl BasicConstraints {
    /// Returns the extension, critical, as RFC 5280 requires in CA certificates.
    #[must_use]
    pub fn to_extension(self) -> Extension {
        let ca: &[u8] = if self.ca { &[1, 1, 0xff] } else { &[] };
        let path_length = self.path_length.map_or_else(Vec::new, |length| {
            let padded: &[u8] = &[0, length];
            tlv(0x02, if length >= 0x80 { padded } else { padded.get(1..).unwrap_or_default() })
        });
        Extension::new(BASIC_CONSTRAINTS, true, sequence(&[ca, &path_length]))
    }

    /// Reads the extension's value.
    ///
    /// # Errors
    /// When it is malformed or the path length is above 255.
    pub(crate) fn from_value(value: &[u8]) -> Result<Self, MalformedDer> {
        let decoded = x509_cert::ext::pkix::BasicConstraints::from_der(value)
            .map_err(|error| MalformedDer::from(error).reading("basicConstraints"))?;
        Ok(Self { ca: decoded.ca, path_length: decoded.path_len_constraint })
    }

    /// Returns the basicConstraints of a certificate; `None` when absent or malformed.
    #[must_use]
    pub fn of(tbs: &TbsCertificate) -> Option<Self> {
        Self::from_value(&tbs.extension(BASIC_CONSTRAINTS)?.value).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ca_and_path_length_survive_a_round_trip() {
        // X5
        for (ca, path_length) in [(false, None), (true, None), (true, Some(0)), (true, Some(200))] {
            let constraints = BasicConstraints { ca, path_length };
            let extension = constraints.to_extension();
            assert!(extension.critical);
            assert_eq!(BasicConstraints::from_value(&extension.value), Ok(constraints));
        }
        assert_eq!(BasicConstraints { ca: false, path_length: None }.to_extension().value, [0x30, 0]);
    }
}
