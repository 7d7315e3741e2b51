//! Keys that sign whatever they are given, and public keys of any octets.
use super::x509::octets::{sequence, tlv};
use super::x509::{SignatureAlgorithm, SubjectPublicKeyInfo, pem, seal};
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

/// A key of a test, to be signed with by nothing but that test.
pub(crate) struct TestKey {
    pair: Pair,
    public_key: SubjectPublicKeyInfo,
    pkcs8: Vec<u8>,
}

impl TestKey {
    /// A new key on P-256.
    pub(crate) fn p256() -> Self {
        Self::generated(&ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    /// A new key on P-384.
    pub(crate) fn p384() -> Self {
        Self::generated(&ECDSA_P384_SHA384_ASN1_SIGNING)
    }

    /// The key on P-256 that this PKCS#8 holds.
    pub(crate) fn p256_of(pkcs8: &[u8]) -> Self {
        Self::ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8)
    }

    /// A new Ed25519 key.
    pub(crate) fn ed25519() -> Self {
        Self::edwards(Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap().as_ref())
    }

    /// The Ed25519 key of 32 equal octets: signatures by it are always the same.
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

    /// The private key as PKCS#8 DER.
    pub(crate) fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    pub(crate) fn to_pem(&self) -> String {
        pem::encode("PRIVATE KEY", &self.pkcs8)
    }

    /// A good signature over these octets.
    pub(crate) fn sign(&self, octets: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ecdsa(pair) => pair.sign(&SystemRandom::new(), octets).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(octets).as_ref().to_vec(),
        }
    }

    /// These octets in a `SIGNED{}` with a good signature.
    pub(crate) fn seal(&self, octets: &[u8]) -> Vec<u8> {
        seal(octets, self.algorithm(), &self.sign(octets))
    }
}

/// `id-ecPublicKey`
pub(crate) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
/// prime256v1
pub(crate) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
/// rsaEncryption
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1];
/// `id-Ed25519`
pub(crate) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// `SubjectPublicKeyInfo` of these octets.
pub(crate) fn public_key(algorithm: &[u8], parameters: &[u8], key: &[u8]) -> Vec<u8> {
    let bits = tlv(3, &[&[0][..], key].concat());
    sequence(&[&sequence(&[&tlv(6, algorithm), parameters]), &bits])
}
