//! RSA with PKCS#1 v1.5 signatures (RFC 3279 §2.3.1, RFC 4055 §5).
use super::KeyAlgorithm;
use super::scheme::{KeyScheme, Lengths, Parameters, PrivateAlgorithm};
use super::signature::{SignatureAlgorithm, SignatureIdentifier};
use crate::x509::MalformedDer;
use crate::x509::extension::KeyUsage;
use crate::x509::key_strength::rsa_weaknesses;
use aws_lc_rs::signature as aws;
use const_oid::db::rfc5912::{
    RSA_ENCRYPTION, SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};
use der::asn1::UintRef;
use der::{Decode, Sequence};
use std::ops::RangeInclusive;

/// Accepted lengths of an RSA modulus in bits.
pub(in crate::x509) const MODULUS_BITS: RangeInclusive<u32> = 2048..=8192;

impl KeyAlgorithm {
    /// Returns RSA with a modulus of this many bits.
    #[must_use]
    pub const fn rsa(bits: u32) -> Self {
        Self { scheme: &RSA, length: Some(bits) }
    }
}

impl SignatureAlgorithm {
    /// `sha256WithRSAEncryption`
    pub const RSA_SHA256: Self = Self(&SHA256);
    /// `sha384WithRSAEncryption`
    pub(crate) const RSA_SHA384: Self = Self(&SHA384);
    /// `sha512WithRSAEncryption`
    pub(crate) const RSA_SHA512: Self = Self(&SHA512);
}

static SHA256: SignatureIdentifier =
    SignatureIdentifier { oid: SHA_256_WITH_RSA_ENCRYPTION, name: "sha256WithRSAEncryption", has_null: true };
static SHA384: SignatureIdentifier =
    SignatureIdentifier { oid: SHA_384_WITH_RSA_ENCRYPTION, name: "sha384WithRSAEncryption", has_null: true };
static SHA512: SignatureIdentifier =
    SignatureIdentifier { oid: SHA_512_WITH_RSA_ENCRYPTION, name: "sha512WithRSAEncryption", has_null: true };

pub(super) static RSA: KeyScheme = KeyScheme {
    name: "rsa",
    oid: RSA_ENCRYPTION,
    parameters: Parameters::Null,
    read: |key| Ok(Some(bits_of(RsaPublicKey::from_der(key)?.modulus.as_bytes()))),
    weaknesses: rsa_weaknesses,
    lengths: Some(Lengths {
        accepted: MODULUS_BITS,
        old: 1024..=2047,
        old_signatures: &[
            (SignatureAlgorithm::RSA_SHA256, &aws::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY),
            (SignatureAlgorithm::RSA_SHA512, &aws::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY),
        ],
        usual: 3072,
    }),
    generated: &[Some(2048), Some(3072), Some(4096)],
    // RFC 3279 §2.3.1
    uses: KeyUsage::SIGNATURES.with(KeyUsage::KEY_ENCIPHERMENT).with(KeyUsage::DATA_ENCIPHERMENT),
    signature: (SignatureAlgorithm::RSA_SHA256, &aws::RSA_PKCS1_2048_8192_SHA256),
    private: PrivateAlgorithm::Rsa,
    other_signatures: &[
        (SignatureAlgorithm::RSA_SHA384, &aws::RSA_PKCS1_2048_8192_SHA384),
        (SignatureAlgorithm::RSA_SHA512, &aws::RSA_PKCS1_2048_8192_SHA512),
    ],
    signs_quickly: false,
    is_usual: true,
    caution: None,
};

/// `RSAPublicKey` (RFC 8017 A.1.1).
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    modulus: UintRef<'a>,
    exponent: UintRef<'a>,
}

/// Returns the modulus and the public exponent of an `RSAPublicKey`, both big-endian.
pub(in crate::x509) fn parts(key: &[u8]) -> Result<(Vec<u8>, Vec<u8>), MalformedDer> {
    let key = RsaPublicKey::from_der(key)?;
    Ok((key.modulus.as_bytes().to_vec(), key.exponent.as_bytes().to_vec()))
}

fn bits_of(modulus: &[u8]) -> u32 {
    let leading = modulus.first().map_or(0, |octet| octet.leading_zeros());
    u32::try_from(modulus.len()).unwrap_or(u32::MAX).saturating_mul(8).saturating_sub(leading)
}
