//! Signature algorithms and their `AlgorithmIdentifier` (RFC 5280 §4.1.1.2).
use super::SCHEMES;
use crate::x509::MalformedDer;
use crate::x509::octets::{sequence, tlv};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Sequence};
use std::fmt;
use std::hash::{Hash, Hasher};

/// Signature algorithms of certificates, CRLs, OCSP responses and requests.
#[derive(Clone, Copy)]
pub struct SignatureAlgorithm(pub(super) &'static SignatureIdentifier);

/// Parts of the `AlgorithmIdentifier`, and the name.
pub(super) struct SignatureIdentifier {
    pub(super) oid: ObjectIdentifier,
    /// Name in OpenSSL.
    pub(super) name: &'static str,
    /// Whether the parameters are NULL (RSASSA-PKCS1-v1_5, RFC 4055 §5). Otherwise they are absent.
    pub(super) has_null: bool,
}

/// `AlgorithmIdentifier` with its parameters as received.
#[derive(Clone, Debug, Eq, PartialEq, Sequence)]
pub(crate) struct RawAlgorithmIdentifier<'a> {
    pub(crate) algorithm: ObjectIdentifier,
    #[asn1(optional = "true")]
    pub(crate) parameters: Option<AnyRef<'a>>,
}

impl SignatureAlgorithm {
    /// Returns the object identifier.
    #[must_use]
    pub fn oid(self) -> ObjectIdentifier {
        self.0.oid
    }

    /// Encodes `AlgorithmIdentifier`, DER, with NULL parameters for RSA PKCS#1 v1.5 and none for others.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let oid = self.0.oid.to_der().unwrap_or_default();
        let null = tlv(0x05, &[]);
        if self.0.has_null { sequence(&[&oid, &null]) } else { sequence(&[&oid]) }
    }

    /// Reads `AlgorithmIdentifier` from DER. The parameters must be exactly right, except that RSA may lack its NULL.
    ///
    /// # Errors
    /// When the identifier is malformed, unknown, or has parameters that it must not have.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let raw = RawAlgorithmIdentifier::from_der(octets)?;
        let mut known = SCHEMES.iter().flat_map(|scheme| scheme.signatures()).map(|row| row.0);
        let algorithm = known.find(|known| known.0.oid == raw.algorithm).ok_or_else(|| {
            let reason = format!("the algorithm {} is not supported", raw.algorithm);
            MalformedDer::unsupported("AlgorithmIdentifier", reason)
        })?;
        match raw.parameters {
            None => Ok(algorithm),
            Some(parameters) if algorithm.0.has_null && parameters.is_null() => Ok(algorithm),
            Some(_) => Err(MalformedDer::new("AlgorithmIdentifier", "parameters where none belong")),
        }
    }
}

impl PartialEq for SignatureAlgorithm {
    fn eq(&self, other: &Self) -> bool {
        self.0.oid == other.0.oid
    }
}

impl Eq for SignatureAlgorithm {}

impl Hash for SignatureAlgorithm {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.oid.hash(state);
    }
}

/// Writes the name in OpenSSL.
impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// Writes the same name.
impl fmt::Debug for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignatureAlgorithm({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_null_parameters_for_rsa_and_none_otherwise() {
        // X14
        assert_eq!(SignatureAlgorithm::RSA_SHA256.to_der().last_chunk(), Some(&[5, 0]));
        assert_eq!(SignatureAlgorithm::ED25519.to_der(), [0x30, 5, 6, 3, 0x2b, 0x65, 0x70]);
        for (algorithm, _) in SCHEMES.iter().flat_map(|scheme| scheme.signatures()) {
            assert_eq!(SignatureAlgorithm::from_der(&algorithm.to_der()), Ok(algorithm));
        }
        let with_null = [0x30, 7, 6, 3, 0x2b, 0x65, 0x70, 5, 0];
        assert!(SignatureAlgorithm::from_der(&with_null).is_err());
    }
}
