//! ECDSA on the NIST curves (RFC 5480, RFC 5758 §3.2).
use super::KeyAlgorithm;
use super::scheme::{KeyScheme, Parameters, PrivateAlgorithm, Verification};
use super::signature::{SignatureAlgorithm, SignatureIdentifier};
use crate::x509::MalformedDer;
use crate::x509::extension::KeyUsage;
use crate::x509::key_strength::off_its_curve;
use aws_lc_rs::signature as aws;
use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, ID_EC_PUBLIC_KEY, SECP_256_R_1, SECP_384_R_1,
    SECP_521_R_1,
};
use der::asn1::ObjectIdentifier;

impl KeyAlgorithm {
    /// ECDSA on secp256r1.
    pub const P256: Self = Self { scheme: &P256, length: None };
    /// ECDSA on secp384r1.
    pub const P384: Self = Self { scheme: &P384, length: None };
    /// ECDSA on secp521r1: accepted in requests, not generated.
    #[cfg(test)]
    pub(crate) const P521: Self = Self { scheme: &P521, length: None };
}

impl SignatureAlgorithm {
    /// `ecdsa-with-SHA256`
    pub const ECDSA_SHA256: Self = Self(&SHA256);
    /// `ecdsa-with-SHA384`
    pub const ECDSA_SHA384: Self = Self(&SHA384);
    /// `ecdsa-with-SHA512`
    pub(crate) const ECDSA_SHA512: Self = Self(&SHA512);
}

static SHA256: SignatureIdentifier =
    SignatureIdentifier { oid: ECDSA_WITH_SHA_256, name: "ecdsa-with-SHA256", has_null: false };
static SHA384: SignatureIdentifier =
    SignatureIdentifier { oid: ECDSA_WITH_SHA_384, name: "ecdsa-with-SHA384", has_null: false };
static SHA512: SignatureIdentifier =
    SignatureIdentifier { oid: ECDSA_WITH_SHA_512, name: "ecdsa-with-SHA512", has_null: false };

pub(super) static P256: KeyScheme = KeyScheme {
    name: "p256",
    read: |key| uncompressed(key, 32),
    generated: &[None],
    signs_quickly: true,
    ..on_curve(
        SECP_256_R_1,
        PrivateAlgorithm::Ecdsa(&aws::ECDSA_P256_SHA256_ASN1_SIGNING),
        (SignatureAlgorithm::ECDSA_SHA256, &aws::ECDSA_P256_SHA256_ASN1),
        &[
            (SignatureAlgorithm::ECDSA_SHA384, &aws::ECDSA_P256_SHA384_ASN1),
            (SignatureAlgorithm::ECDSA_SHA512, &aws::ECDSA_P256_SHA512_ASN1),
        ],
    )
};

pub(super) static P384: KeyScheme = KeyScheme {
    name: "p384",
    read: |key| uncompressed(key, 48),
    generated: &[None],
    ..on_curve(
        SECP_384_R_1,
        PrivateAlgorithm::Ecdsa(&aws::ECDSA_P384_SHA384_ASN1_SIGNING),
        (SignatureAlgorithm::ECDSA_SHA384, &aws::ECDSA_P384_SHA384_ASN1),
        &[
            (SignatureAlgorithm::ECDSA_SHA256, &aws::ECDSA_P384_SHA256_ASN1),
            (SignatureAlgorithm::ECDSA_SHA512, &aws::ECDSA_P384_SHA512_ASN1),
        ],
    )
};

pub(super) static P521: KeyScheme = KeyScheme {
    name: "p521",
    read: |key| uncompressed(key, 66),
    ..on_curve(
        SECP_521_R_1,
        PrivateAlgorithm::Ecdsa(&aws::ECDSA_P521_SHA512_ASN1_SIGNING),
        (SignatureAlgorithm::ECDSA_SHA512, &aws::ECDSA_P521_SHA512_ASN1),
        &[
            (SignatureAlgorithm::ECDSA_SHA256, &aws::ECDSA_P521_SHA256_ASN1),
            (SignatureAlgorithm::ECDSA_SHA384, &aws::ECDSA_P521_SHA384_ASN1),
        ],
    )
};

/// Returns the row of a curve; the arguments are what differs between curves.
const fn on_curve(
    curve: ObjectIdentifier,
    private: PrivateAlgorithm,
    signature: Verification,
    other_signatures: &'static [Verification],
) -> KeyScheme {
    KeyScheme {
        name: "",
        oid: ID_EC_PUBLIC_KEY,
        parameters: Parameters::Curve(curve),
        read: |_| Ok(None),
        weaknesses: off_its_curve,
        lengths: None,
        generated: &[],
        // RFC 3279 §2.3.5, RFC 8813 §3
        uses: KeyUsage::SIGNATURES
            .with(KeyUsage::KEY_AGREEMENT.with(KeyUsage::ENCIPHER_ONLY).with(KeyUsage::DECIPHER_ONLY)),
        signature,
        private,
        other_signatures,
        signs_quickly: false,
        is_usual: true,
        caution: None,
    }
}

/// Checks an uncompressed `ECPoint` (RFC 5480 §2.2) with coordinates of `field` octets.
fn uncompressed(key: &[u8], field: usize) -> Result<Option<u32>, MalformedDer> {
    if key.len() != 2 * field + 1 || key.first() != Some(&4) {
        return Err(MalformedDer::new("SubjectPublicKeyInfo", "not an uncompressed point of its curve"));
    }
    Ok(None)
}
