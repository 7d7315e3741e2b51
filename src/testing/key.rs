//! Keys that sign any octets, and public keys made of any octets.
use super::x509::octets::{sequence, tlv};
use super::x509::{SignatureAlgorithm, SubjectPublicKeyInfo, encode_signed, pem};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair,
};

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A test's own key.
pub(crate) struct TestKey {
    pair: Pair,
    public_key: SubjectPublicKeyInfo,
    pkcs8: Vec<u8>,
}

impl TestKey {
    /// Returns a new P-256 key.
    pub(crate) fn p256() -> Self {
        Self::generated(&ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    /// Returns a new P-384 key.
    pub(crate) fn p384() -> Self {
        Self::generated(&ECDSA_P384_SHA384_ASN1_SIGNING)
    }

    /// Returns the P-256 key in this PKCS#8 structure.
    pub(crate) fn p256_of(pkcs8: &[u8]) -> Self {
        Self::ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8)
    }

    /// Returns a new Ed25519 key.
    pub(crate) fn ed25519() -> Self {
        Self::edwards(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref())
    }

    /// Returns the Ed25519 key of 32 equal octets, whose signatures are always the same.
    pub(crate) fn ed25519_of(octet: u8) -> Self {
        let mut pkcs8 = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        pkcs8.extend([octet; 32]);
        Self::edwards(&pkcs8)
    }

    fn generated(algorithm: &'static EcdsaSigningAlgorithm) -> Self {
        Self::ecdsa(
            algorithm,
            EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap().as_ref(),
        )
    }

    fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, pkcs8: &[u8]) -> Self {
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8).unwrap();
        let public = pair.public_key().as_der().unwrap();
        Self::of(public.as_ref(), pkcs8, Pair::Ecdsa(pair))
    }

    fn edwards(pkcs8: &[u8]) -> Self {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).unwrap();
        let public = pair.public_key().as_der().unwrap();
        Self::of(public.as_ref(), pkcs8, Pair::Ed25519(pair))
    }

    fn of(public_key: &[u8], pkcs8: &[u8], pair: Pair) -> Self {
        let public_key = SubjectPublicKeyInfo::from_der(public_key).unwrap();
        Self { pair, public_key, pkcs8: pkcs8.to_vec() }
    }

    pub(crate) fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    pub(crate) fn algorithm(&self) -> SignatureAlgorithm {
        self.public_key.algorithm().signature_algorithm()
    }

    /// The private key in PKCS#8 DER.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn to_pem(&self) -> String {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// Returns a valid signature over these octets.
    pub(crate) fn sign(&self, octets: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&SystemRandom::new(), octets).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(octets).as_ref().to_vec(),
        }
    }

    /// Returns these octets in a `SIGNED{}` structure with a valid signature.
    pub(crate) fn encode_signed(&self, octets: &[u8]) -> Vec<u8> {
        encode_signed(octets, self.algorithm(), &self.sign(octets))
    }
}

/// `id-ecPublicKey`
pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// `prime256v1`
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// `rsaEncryption`
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1];
/// `id-Ed25519`
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Returns a `SubjectPublicKeyInfo` of these octets.
pub(crate) fn public_key(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = tlv(3, &[&[0][..], key].concat());
    sequence(&[&sequence(&[&tlv(6, algorithm), parameters]), &bits])
}
