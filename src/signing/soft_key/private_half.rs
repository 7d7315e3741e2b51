//! The operations of private keys, the same for every scheme.
use super::ecdsa::Ecdsa;
use super::ed25519::Ed25519;
use super::ml_dsa::MlDsa;
use super::rsa::Rsa;
use crate::signing::KeyError;
use crate::x509::{KeyScheme, PrivateAlgorithm};
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use zeroize::Zeroizing;

/// A private key of one scheme, in memory.
pub(super) trait PrivateHalf: Send + Sync {
    /// Returns the `SubjectPublicKeyInfo`, DER.
    fn public_key(&self) -> Result<PublicKeyX509Der<'_>, Unspecified>;

    /// Returns the `PrivateKeyInfo` of version 1, DER.
    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified>;

    /// Signs with the signature algorithm of the scheme.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified>;
}

/// Generation and decoding of private keys of one scheme.
pub(super) trait PrivateScheme: Sync {
    /// Generates a key of one of the supported lengths, in bits.
    fn generate(&self, length: Option<u32>) -> Result<Box<dyn PrivateHalf>, Unspecified>;

    /// Reads PKCS#8. The private and the public half must belong together.
    fn read_pkcs8(&self, octets: &[u8]) -> Result<Box<dyn PrivateHalf>, KeyError>;

    /// Reads `ECPrivateKey` (RFC 5915); `None` when the octets are no key on this curve.
    fn read_sec1(&self, _octets: &[u8]) -> Option<Box<dyn PrivateHalf>> {
        None
    }
}

/// Returns the implementation of a scheme for its row in the table of key schemes.
pub(super) fn scheme(of: &KeyScheme) -> Box<dyn PrivateScheme> {
    match of.private() {
        PrivateAlgorithm::Ecdsa(algorithm) => Box::new(Ecdsa(algorithm)),
        PrivateAlgorithm::Ed25519 => Box::new(Ed25519),
        PrivateAlgorithm::Rsa => Box::new(Rsa),
        PrivateAlgorithm::MlDsa(algorithm) => Box::new(MlDsa(algorithm, of.oid())),
    }
}

/// Returns the error for a key that the library rejects, with the library's reason.
pub(super) fn rejected(error: &KeyRejected) -> KeyError {
    KeyError::Malformed(error.to_string())
}
