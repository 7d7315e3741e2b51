//! A private key in memory, as PKCS#8 (RFC 5208, RFC 5958) outside of it.
use super::KeyError;
use super::admit::Admitted;
use super::private_key::PrivateKey;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaKeyPair};
use const_oid::db::{rfc5912, rfc8410};
use der::asn1::ObjectIdentifier;
use der::pem::LineEnding;
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use std::fmt;
use zeroize::Zeroizing;

const PLAIN: &str = "PRIVATE KEY";

/// A private key that this process holds.
///
/// The cryptographic library keeps the secret part and wipes it when the value is dropped.
pub(crate) struct SoftKey {
    pair: Pair,
    public_key: SubjectPublicKeyInfo,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SoftKey {
    /// Makes a new key of one of the types of [`KeyAlgorithm::GENERATED`].
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for other types, [`KeyError::Cryptography`] when the generator fails.
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        let failed = |_: Unspecified| KeyError::Cryptography("key generation");
        let rsa = |size| RsaKeyPair::generate(size).map(Pair::Rsa);
        let ecdsa = |curve| EcdsaKeyPair::generate(curve).map(Pair::Ecdsa);
        Self::from_pair(
            match algorithm {
                KeyAlgorithm::EcdsaP256 => ecdsa(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
                KeyAlgorithm::EcdsaP384 => ecdsa(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
                KeyAlgorithm::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
                KeyAlgorithm::Rsa(2048) => rsa(KeySize::Rsa2048),
                KeyAlgorithm::Rsa(3072) => rsa(KeySize::Rsa3072),
                KeyAlgorithm::Rsa(4096) => rsa(KeySize::Rsa4096),
                other => return Err(KeyError::Malformed(format!("{other} keys are not generated here"))),
            }
            .map_err(failed)?,
        )
    }

    /// Reads a `PrivateKeyInfo` or `OneAsymmetricKey`; private and public half must belong together.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the octets are no such key, its type is none of
    /// [`KeyAlgorithm`], or its halves do not belong together.
    pub(crate) fn from_pkcs8_der(octets: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::try_from(octets)
            .map_err(|error| KeyError::Malformed(format!("not PKCS#8: {error}")))?;
        let rejected = |error: KeyRejected| KeyError::Malformed(error.to_string());
        let pair = match info.algorithm.oid {
            rfc5912::ID_EC_PUBLIC_KEY => {
                let curve = info
                    .algorithm
                    .parameters
                    .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok())
                    .ok_or_else(|| KeyError::Malformed("no named curve".into()))?;
                let curve = signing_curve(curve)
                    .ok_or_else(|| KeyError::Malformed(format!("the curve {curve} is not supported")))?;
                EcdsaKeyPair::from_pkcs8(curve, octets).map(Pair::Ecdsa).map_err(rejected)?
            }
            rfc5912::RSA_ENCRYPTION => {
                RsaKeyPair::from_pkcs8(octets).map(Pair::Rsa).map_err(|error| rejected_rsa(&error))?
            }
            rfc8410::ID_ED_25519 => {
                Ed25519KeyPair::from_pkcs8(octets).map(Pair::Ed25519).map_err(rejected)?
            }
            other => return Err(KeyError::Malformed(format!("the key type {other} is not supported"))),
        };
        Self::from_pair(pair)
    }

    /// Reads an `RSAPrivateKey` (RFC 8017 A.1.2).
    ///
    /// # Errors
    /// As [`SoftKey::from_pkcs8_der`].
    pub(crate) fn from_pkcs1_der(octets: &[u8]) -> Result<Self, KeyError> {
        let pair = RsaKeyPair::from_der(octets).map_err(|error| rejected_rsa(&error))?;
        Self::from_pair(Pair::Rsa(pair))
    }

    /// Reads an `ECPrivateKey` (RFC 5915) that names its curve.
    ///
    /// # Errors
    /// As [`SoftKey::from_pkcs8_der`].
    pub(crate) fn from_sec1_der(octets: &[u8]) -> Result<Self, KeyError> {
        let found = [rfc5912::SECP_256_R_1, rfc5912::SECP_384_R_1, rfc5912::SECP_521_R_1]
            .into_iter()
            .filter_map(signing_curve)
            .find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, octets).ok());
        let pair =
            found.ok_or_else(|| KeyError::Malformed("it is on none of P-256, P-384 and P-521".into()))?;
        Self::from_pair(Pair::Ecdsa(pair))
    }

    fn from_pair(pair: Pair) -> Result<Self, KeyError> {
        let encoded: Result<PublicKeyX509Der<'_>, Unspecified> = match &pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
        };
        let encoded = encoded.map_err(|_| KeyError::Cryptography("encoding the public key"))?;
        let public_key = SubjectPublicKeyInfo::from_der(encoded.as_ref())
            .map_err(|error| KeyError::Malformed(error.to_string()))?;
        Ok(Self { pair, public_key })
    }

    /// `PrivateKeyInfo` of version 1, DER: what OpenSSL 3.0 reads for every type, Ed25519 included.
    ///
    /// # Errors
    /// [`KeyError::Cryptography`] when the key cannot be encoded.
    pub(crate) fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let failed = |_: Unspecified| KeyError::Cryptography("encoding the private key");
        Ok(Zeroizing::new(match &self.pair {
            Pair::Ecdsa(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let encoded: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
                encoded.as_ref().to_vec()
            }
        }))
    }
}

impl SoftKey {
    /// The public half.
    pub(crate) fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    /// The key as plain PEM, `PRIVATE KEY`.
    pub(super) fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let document = SecretDocument::try_from(self.to_pkcs8_der()?.as_slice());
        document
            .and_then(|document| document.to_pem(PLAIN, LineEnding::LF))
            .map_err(|_| KeyError::Cryptography("encoding the private key"))
    }

    /// Reads a key from plain PEM; says why it cannot.
    pub(super) fn from_pem(text: &str) -> Result<Self, String> {
        let (label, document) = SecretDocument::from_pem(text)
            .map_err(|error| format!("not PKCS#8 in PEM: {}", pkcs8::Error::from(error)))?;
        match label {
            PLAIN => Self::from_pkcs8_der(document.as_bytes()).map_err(|error| error.to_string()),
            "ENCRYPTED PRIVATE KEY" => Err("the key in it is encrypted once more".into()),
            other => Err(format!(
                "a {other} block where PRIVATE KEY is needed; convert it with: openssl pkcs8 -topk8"
            )),
        }
    }
}

/// The library's word for it alone says little.
fn rejected_rsa(error: &KeyRejected) -> KeyError {
    KeyError::Malformed(match error.to_string().as_str() {
        "TooSmall" => "an RSA key of fewer than 2048 bits".into(),
        "TooLarge" => "an RSA key of more than 8192 bits".into(),
        other => format!("an RSA key that is damaged or of no usual length ({other})"),
    })
}

fn signing_curve(curve: ObjectIdentifier) -> Option<&'static EcdsaSigningAlgorithm> {
    match curve {
        rfc5912::SECP_256_R_1 => Some(&signature::ECDSA_P256_SHA256_ASN1_SIGNING),
        rfc5912::SECP_384_R_1 => Some(&signature::ECDSA_P384_SHA384_ASN1_SIGNING),
        rfc5912::SECP_521_R_1 => Some(&signature::ECDSA_P521_SHA512_ASN1_SIGNING),
        _ => None,
    }
}

impl PrivateKey for SoftKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError> {
        self.sign_octets(message.octets())
    }
}

impl SoftKey {
    fn sign_octets(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |_: Unspecified| KeyError::Cryptography("signing");
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => Ok(pair.sign(&random, message).map_err(failed)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut out = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut out).map_err(failed)?;
                Ok(out)
            }
        }
    }
}

/// What tests forge.
#[cfg(test)]
impl SoftKey {
    pub(crate) fn forge(&self, message: &[u8]) -> Vec<u8> {
        self.sign_octets(message).unwrap()
    }
}

/// The type only.
impl fmt::Debug for SoftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftKey({})", self.public_key.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{pem, verify};
    use std::fs;
    use std::process::Command;

    fn openssl(arguments: &[&str]) -> String {
        let output = Command::new("openssl").args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(output.status.success(), "openssl {arguments:?}: {text}");
        text
    }

    #[test]
    fn every_generated_key_signs_and_openssl_reads_and_verifies_it() {
        // G1, X14
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        fs::write(at("message"), b"to be signed").unwrap();
        for algorithm in KeyAlgorithm::GENERATED {
            let key = SoftKey::generate(algorithm).unwrap();
            assert_eq!(key.public_key().algorithm(), algorithm);
            let signature = key.forge(b"to be signed");
            assert!(verify(key.public_key(), key.algorithm(), b"to be signed", &signature), "{algorithm}");
            assert!(!verify(key.public_key(), key.algorithm(), b"something else", &signature));

            let pkcs8 = key.to_pkcs8_der().unwrap();
            fs::write(at("key"), pem::encode("PRIVATE KEY", &pkcs8)).unwrap();
            fs::write(at("public"), pem::encode("PUBLIC KEY", key.public_key().as_der())).unwrap();
            fs::write(at("signature"), &signature).unwrap();
            assert!(openssl(&["pkey", "-in", &at("key"), "-check", "-noout"]).contains("is valid"));
            let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey"];
            let (public, message, signature) = (at("public"), at("message"), at("signature"));
            arguments.extend([public.as_str(), "-rawin", "-in", &message, "-sigfile", &signature]);
            match algorithm {
                KeyAlgorithm::Ed25519 => {}
                KeyAlgorithm::EcdsaP384 => arguments.extend(["-digest", "sha384"]),
                _ => arguments.extend(["-digest", "sha256"]),
            }
            assert!(openssl(&arguments).contains("Verified Successfully"), "{algorithm}");
        }
    }

    #[test]
    fn a_key_is_the_same_after_a_round_trip() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::Ed25519, KeyAlgorithm::Rsa(2048)] {
            let key = SoftKey::generate(algorithm).unwrap();
            let again = SoftKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            assert_eq!(again.to_pkcs8_der().unwrap(), key.to_pkcs8_der().unwrap());
        }
    }

    #[test]
    fn keys_that_openssl_made_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key.pem");
        let path = path.to_str().unwrap();
        for (kind, option, algorithm) in [
            ("EC", "ec_paramgen_curve:P-256", KeyAlgorithm::EcdsaP256),
            ("EC", "ec_paramgen_curve:P-521", KeyAlgorithm::EcdsaP521),
            ("RSA", "rsa_keygen_bits:2048", KeyAlgorithm::Rsa(2048)),
            ("ED25519", "", KeyAlgorithm::Ed25519),
        ] {
            let mut arguments = vec!["genpkey", "-algorithm", kind, "-out", path];
            if !option.is_empty() {
                arguments.extend(["-pkeyopt", option]);
            }
            openssl(&arguments);
            let blocks = pem::decode_all(&fs::read_to_string(path).unwrap()).unwrap();
            let key = SoftKey::from_pkcs8_der(&blocks[0].der).unwrap();
            assert_eq!(key.public_key().algorithm(), algorithm);
            let signature = key.forge(b"x");
            assert!(verify(key.public_key(), key.algorithm(), b"x", &signature));
        }
    }

    /// The PKCS#8 of one key with the public octets of another in place of its own.
    fn with_the_public_half_of_another(pkcs8: &[u8], own: &[u8], other: &[u8]) -> Vec<u8> {
        let at = pkcs8.windows(own.len()).position(|window| window == own).unwrap();
        let mut out = pkcs8.to_vec();
        out[at..at + own.len()].copy_from_slice(other);
        out
    }

    #[test]
    fn halves_that_do_not_belong_together_are_refused() {
        let pairs =
            |algorithm| (SoftKey::generate(algorithm).unwrap(), SoftKey::generate(algorithm).unwrap());
        let (one, other) = pairs(KeyAlgorithm::EcdsaP256);
        let mixed = with_the_public_half_of_another(
            &one.to_pkcs8_der().unwrap(),
            one.public_key().key_octets(),
            other.public_key().key_octets(),
        );
        assert!(matches!(SoftKey::from_pkcs8_der(&mixed), Err(KeyError::Malformed(_))));

        let (one, other) = pairs(KeyAlgorithm::Rsa(2048));
        let (own, others) =
            (one.public_key().rsa_parts().unwrap().0, other.public_key().rsa_parts().unwrap().0);
        let mixed = with_the_public_half_of_another(&one.to_pkcs8_der().unwrap(), &own, &others);
        assert!(matches!(SoftKey::from_pkcs8_der(&mixed), Err(KeyError::Malformed(_))));

        let (one, other) = pairs(KeyAlgorithm::Ed25519);
        let Pair::Ed25519(pair) = &one.pair else { panic!("not Ed25519") };
        let second_version = pair.to_pkcs8().unwrap();
        assert!(SoftKey::from_pkcs8_der(second_version.as_ref()).is_ok());
        let mixed = with_the_public_half_of_another(
            second_version.as_ref(),
            one.public_key().key_octets(),
            other.public_key().key_octets(),
        );
        assert!(matches!(SoftKey::from_pkcs8_der(&mixed), Err(KeyError::Malformed(_))));
    }

    #[test]
    fn what_is_no_private_key_is_refused_and_never_shown() {
        assert!(matches!(SoftKey::from_pkcs8_der(&[]), Err(KeyError::Malformed(_))));
        let x25519 =
            [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20][..], &[7; 32]]
                .concat();
        assert!(matches!(SoftKey::from_pkcs8_der(&x25519), Err(KeyError::Malformed(_))));
        assert!(matches!(SoftKey::generate(KeyAlgorithm::EcdsaP521), Err(KeyError::Malformed(_))));
        assert!(matches!(SoftKey::generate(KeyAlgorithm::Rsa(1024)), Err(KeyError::Malformed(_))));
        // K2
        let key = SoftKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert_eq!(format!("{key:?}"), "SoftKey(p256)");
    }
}
