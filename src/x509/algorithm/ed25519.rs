//! Ed25519 (RFC 8410).
use super::KeyAlgorithm;
use super::scheme::{KeyScheme, Parameters, PrivateAlgorithm};
use super::signature::{SignatureAlgorithm, SignatureIdentifier};
use crate::x509::extension::KeyUsage;
use crate::x509::key_strength::of_small_order;
use aws_lc_rs::signature as aws;
use const_oid::db::rfc8410::ID_ED_25519;

impl KeyAlgorithm {
    /// Ed25519.
    pub const ED25519: Self = Self { scheme: &ED25519, length: None };
}

impl SignatureAlgorithm {
    /// `Ed25519`
    pub const ED25519: Self = Self(&SIGNATURE);
}

static SIGNATURE: SignatureIdentifier =
    SignatureIdentifier { oid: ID_ED_25519, name: "Ed25519", has_null: false };

pub(super) static ED25519: KeyScheme = KeyScheme {
    name: "ed25519",
    oid: ID_ED_25519,
    parameters: Parameters::Absent,
    read: |key| if key.len() == 32 { Ok(None) } else { Err(ED25519.unsupported()) },
    weaknesses: of_small_order,
    lengths: None,
    generated: &[None],
    // RFC 8410 §5
    uses: KeyUsage::SIGNATURES,
    signature: (SignatureAlgorithm::ED25519, &aws::ED25519),
    private: PrivateAlgorithm::Ed25519,
    other_signatures: &[],
    signs_quickly: true,
    is_usual: true,
    caution: Some("browsers, Windows and Apple's systems do not accept Ed25519 certificates"),
};
