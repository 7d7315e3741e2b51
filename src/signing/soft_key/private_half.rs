//! What private keys of every scheme can do: the table's other half, a row a scheme.
use super::ecdsa::Ecdsa;
use super::ed25519::Ed25519;
use super::ml_dsa::MlDsa;
use super::rsa::Rsa;
use crate::signing::KeyError;
use crate::x509::{KeyAlgorithm, KeyScheme};
use aws_lc_rs::encoding::PublicKeyX509Der;
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::signature as aws;
use const_oid::db::fips204::{ID_ML_DSA_44, ID_ML_DSA_65, ID_ML_DSA_87};
use zeroize::Zeroizing;

/// Which reads and makes the keys of which scheme.
const SCHEMES: &[(KeyAlgorithm, &dyn PrivateScheme)] = &[
    (KeyAlgorithm::P256, &Ecdsa(&aws::ECDSA_P256_SHA256_ASN1_SIGNING)),
    (KeyAlgorithm::P384, &Ecdsa(&aws::ECDSA_P384_SHA384_ASN1_SIGNING)),
    (KeyAlgorithm::P521, &Ecdsa(&aws::ECDSA_P521_SHA512_ASN1_SIGNING)),
    (KeyAlgorithm::ED25519, &Ed25519),
    (KeyAlgorithm::rsa(0), &Rsa),
    (KeyAlgorithm::ML_DSA_44, &MlDsa(&aws::ML_DSA_44_SIGNING, ID_ML_DSA_44)),
    (KeyAlgorithm::ML_DSA_65, &MlDsa(&aws::ML_DSA_65_SIGNING, ID_ML_DSA_65)),
    (KeyAlgorithm::ML_DSA_87, &MlDsa(&aws::ML_DSA_87_SIGNING, ID_ML_DSA_87)),
];

/// A private key of one scheme, in memory.
pub(super) trait PrivateHalf: Send + Sync {
    /// `SubjectPublicKeyInfo` of the other half.
    fn public_key(&self) -> Result<PublicKeyX509Der<'_>, Unspecified>;

    /// `PrivateKeyInfo` of version 1.
    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified>;

    /// Signs with the signature algorithm of the scheme.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified>;
}

/// Makes and reads private keys of one scheme.
pub(super) trait PrivateScheme: Sync {
    /// Makes a key of one of the lengths that are generated.
    fn generate(&self, length: Option<u32>) -> Result<Box<dyn PrivateHalf>, Unspecified>;

    /// Reads PKCS#8; the halves must belong together.
    fn read_pkcs8(&self, octets: &[u8]) -> Result<Box<dyn PrivateHalf>, KeyError>;

    /// Reads `ECPrivateKey` (RFC 5915); `None` when it is none of this curve.
    fn read_sec1(&self, _octets: &[u8]) -> Option<Box<dyn PrivateHalf>> {
        None
    }
}

/// Every row, to be tried.
pub(super) fn schemes() -> impl Iterator<Item = &'static dyn PrivateScheme> {
    SCHEMES.iter().map(|row| row.1)
}

/// The row of a scheme.
pub(super) fn scheme(of: &KeyScheme) -> Option<&'static dyn PrivateScheme> {
    SCHEMES.iter().find(|row| row.0.scheme() == of).map(|row| row.1)
}

/// A key that cannot be read, in the library's word.
pub(super) fn rejected(error: &KeyRejected) -> KeyError {
    KeyError::Malformed(error.to_string())
}
