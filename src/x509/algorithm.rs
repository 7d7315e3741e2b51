//! Key and signature algorithms and their identifiers (RFC 3279, 4055, 5480, 5758, 8410).
use super::MalformedDer;
use super::octets::{sequence, tlv};
use const_oid::db::{rfc5912, rfc8410};
use der::asn1::{AnyRef, ObjectIdentifier};
use der::{Decode, Encode, Sequence};
use std::fmt;
use std::str::FromStr;

/// Key types that CAs and the holders of certificates may have.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyAlgorithm {
    /// ECDSA on secp256r1.
    EcdsaP256,
    /// ECDSA on secp384r1.
    EcdsaP384,
    /// ECDSA on secp521r1: accepted from requesters, not generated.
    EcdsaP521,
    /// Ed25519 (RFC 8410).
    Ed25519,
    /// RSA with a modulus of this many bits.
    Rsa(u32),
}

impl KeyAlgorithm {
    /// Those that can be generated.
    pub const GENERATED: [Self; 6] =
        [Self::EcdsaP256, Self::EcdsaP384, Self::Ed25519, Self::Rsa(2048), Self::Rsa(3072), Self::Rsa(4096)];

    /// What a key of this type signs with.
    #[must_use]
    pub fn signature_algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::EcdsaP256 => SignatureAlgorithm::EcdsaSha256,
            Self::EcdsaP384 => SignatureAlgorithm::EcdsaSha384,
            Self::EcdsaP521 => SignatureAlgorithm::EcdsaSha512,
            Self::Ed25519 => SignatureAlgorithm::Ed25519,
            Self::Rsa(_) => SignatureAlgorithm::RsaSha256,
        }
    }
}

/// As typed after `--key`: `p256`, `p384`, `p521`, `ed25519`, `rsa2048`.
impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP256 => f.write_str("p256"),
            Self::EcdsaP384 => f.write_str("p384"),
            Self::EcdsaP521 => f.write_str("p521"),
            Self::Ed25519 => f.write_str("ed25519"),
            Self::Rsa(bits) => write!(f, "rsa{bits}"),
        }
    }
}

impl FromStr for KeyAlgorithm {
    type Err = String;

    /// Takes the names of [`KeyAlgorithm::GENERATED`], with or without a hyphen, in any case.
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.replace('-', "").to_ascii_lowercase();
        Self::GENERATED.into_iter().find(|algorithm| algorithm.to_string() == plain).ok_or_else(|| {
            let names: Vec<String> = Self::GENERATED.iter().map(ToString::to_string).collect();
            format!("`{text}` is not a key type; one of {}", names.join(", "))
        })
    }
}

/// Signature algorithms of certificates, CRLs, OCSP answers and requests.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum SignatureAlgorithm {
    EcdsaSha256,
    EcdsaSha384,
    EcdsaSha512,
    Ed25519,
    RsaSha256,
    RsaSha384,
    RsaSha512,
}

/// `AlgorithmIdentifier` with its parameters as received.
#[derive(Clone, Debug, Eq, PartialEq, Sequence)]
pub(crate) struct RawAlgorithmIdentifier<'a> {
    pub(crate) algorithm: ObjectIdentifier,
    #[asn1(optional = "true")]
    pub(crate) parameters: Option<AnyRef<'a>>,
}

impl SignatureAlgorithm {
    const ALL: [(Self, ObjectIdentifier, &'static str); 7] = [
        (Self::EcdsaSha256, rfc5912::ECDSA_WITH_SHA_256, "ecdsa-with-SHA256"),
        (Self::EcdsaSha384, rfc5912::ECDSA_WITH_SHA_384, "ecdsa-with-SHA384"),
        (Self::EcdsaSha512, rfc5912::ECDSA_WITH_SHA_512, "ecdsa-with-SHA512"),
        (Self::Ed25519, rfc8410::ID_ED_25519, "Ed25519"),
        (Self::RsaSha256, rfc5912::SHA_256_WITH_RSA_ENCRYPTION, "sha256WithRSAEncryption"),
        (Self::RsaSha384, rfc5912::SHA_384_WITH_RSA_ENCRYPTION, "sha384WithRSAEncryption"),
        (Self::RsaSha512, rfc5912::SHA_512_WITH_RSA_ENCRYPTION, "sha512WithRSAEncryption"),
    ];

    fn row(self) -> (ObjectIdentifier, &'static str) {
        Self::ALL
            .iter()
            .find(|row| row.0 == self)
            .map_or((rfc5912::ECDSA_WITH_SHA_256, "ecdsa-with-SHA256"), |row| (row.1, row.2))
    }

    /// Its object identifier.
    #[must_use]
    pub fn oid(self) -> ObjectIdentifier {
        self.row().0
    }

    /// Whether it is RSASSA-PKCS1-v1_5, whose identifier has NULL parameters (RFC 4055 §5).
    #[must_use]
    pub fn is_rsa(self) -> bool {
        matches!(self, Self::RsaSha256 | Self::RsaSha384 | Self::RsaSha512)
    }

    /// `AlgorithmIdentifier`, DER: NULL parameters for RSA PKCS#1, none for ECDSA and EdDSA.
    #[must_use]
    pub fn to_der(self) -> Vec<u8> {
        let oid = self.oid().to_der().unwrap_or_default();
        let null = tlv(0x05, &[]);
        if self.is_rsa() { sequence(&[&oid, &null]) } else { sequence(&[&oid]) }
    }

    /// Reads the same from DER; the parameters must be exactly right (RSA may lack its NULL).
    ///
    /// # Errors
    /// When the identifier is malformed, unknown, or has parameters that it must not have.
    pub fn from_der(octets: &[u8]) -> Result<Self, MalformedDer> {
        let raw = RawAlgorithmIdentifier::from_der(octets)?;
        let (algorithm, ..) = Self::ALL.iter().find(|row| row.1 == raw.algorithm).ok_or_else(|| {
            let reason = format!("the algorithm {} is not supported", raw.algorithm);
            MalformedDer::unsupported("AlgorithmIdentifier", reason)
        })?;
        match raw.parameters {
            None => Ok(*algorithm),
            Some(parameters) if algorithm.is_rsa() && parameters.is_null() => Ok(*algorithm),
            Some(_) => Err(MalformedDer::new("AlgorithmIdentifier", "parameters where none belong")),
        }
    }
}

/// OpenSSL's name for it.
impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row().1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_null_parameters_for_rsa_and_none_otherwise() {
        // X14
        assert_eq!(SignatureAlgorithm::RsaSha256.to_der().last_chunk(), Some(&[5, 0]));
        assert_eq!(SignatureAlgorithm::Ed25519.to_der(), [0x30, 5, 6, 3, 0x2b, 0x65, 0x70]);
        for (algorithm, ..) in SignatureAlgorithm::ALL {
            assert_eq!(SignatureAlgorithm::from_der(&algorithm.to_der()), Ok(algorithm));
        }
        let with_null = [0x30, 7, 6, 3, 0x2b, 0x65, 0x70, 5, 0];
        assert!(SignatureAlgorithm::from_der(&with_null).is_err());
    }

    #[test]
    fn key_types_are_read_as_typed() {
        for algorithm in KeyAlgorithm::GENERATED {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        assert_eq!("RSA-3072".parse(), Ok(KeyAlgorithm::Rsa(3072)));
        assert!("rsa1024".parse::<KeyAlgorithm>().is_err());
    }
}
