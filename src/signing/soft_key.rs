//! A private key in memory; its external form is PKCS#8 (RFC 5208, RFC 5958).
mod ecdsa;
mod ed25519;
mod ml_dsa;
mod private_half;
mod rsa;

use super::KeyError;
use super::admit::Admitted;
use super::private_key::PrivateKey;
use super::vault::{ForKey, VaultKey};
use crate::error::Reason;
use crate::x509::{KeyAlgorithm, KeyScheme, SubjectPublicKeyInfo, Unidentified, identify};
use der::pem::LineEnding;
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use private_half::PrivateHalf;
use std::fmt;
use zeroize::Zeroizing;

const PLAIN: &str = "PRIVATE KEY";

/// A private key in the memory of this process.
///
/// The cryptographic library keeps the secret part and wipes it when the value is dropped.
pub(crate) struct SoftKey {
    private: Box<dyn PrivateHalf>,
    public_key: SubjectPublicKeyInfo,
}

impl SoftKey {
    /// Generates a key of one of the types of [`KeyAlgorithm::generated`].
    ///
    /// # Errors
    /// [`KeyError::Malformed`] for other types, [`KeyError::Cryptography`] when the generator fails.
    pub(crate) fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        if !KeyAlgorithm::generated().contains(&algorithm) {
            return Err(KeyError::Malformed(format!("{algorithm} keys are not generated here")));
        }
        let scheme = private_half::scheme(algorithm.scheme());
        Self::new(
            scheme
                .generate(algorithm.length())
                .map_err(|_| KeyError::Cryptography("key generation".into()))?,
        )
    }

    /// Reads a `PrivateKeyInfo` or `OneAsymmetricKey`. The private and the public half must belong together.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] when the octets are no such key, its type is none of [`KeyAlgorithm`], or its halves
    /// do not belong together.
    pub(crate) fn from_pkcs8_der(octets: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::try_from(octets)
            .map_err(|error| KeyError::Malformed(format!("not PKCS#8: {error}")))?;
        let unsupported = |what: String| KeyError::Malformed(format!("{what} is not supported"));
        let scheme =
            identify(info.algorithm.oid, info.algorithm.parameters).map_err(|reason| match reason {
                Unidentified::KeyType(oid) => unsupported(format!("the key type {oid}")),
                Unidentified::Curve(curve) => unsupported(format!("the curve {curve}")),
                Unidentified::NoCurve | Unidentified::NotACurve(_) => {
                    KeyError::Malformed("no named curve".into())
                }
            })?;
        Self::new(private_half::scheme(scheme).read_pkcs8(octets)?)
    }

    /// Reads an `RSAPrivateKey` (RFC 8017 A.1.2).
    ///
    /// # Errors
    /// As [`SoftKey::from_pkcs8_der`].
    pub(crate) fn from_pkcs1_der(octets: &[u8]) -> Result<Self, KeyError> {
        Self::new(rsa::read_pkcs1(octets)?)
    }

    /// Reads an `ECPrivateKey` (RFC 5915) that names its curve.
    ///
    /// # Errors
    /// As [`SoftKey::from_pkcs8_der`].
    pub(crate) fn from_sec1_der(octets: &[u8]) -> Result<Self, KeyError> {
        let found = KeyScheme::all().iter().find_map(|scheme| private_half::scheme(scheme).read_sec1(octets));
        let none = || KeyError::Malformed("it is on none of P-256, P-384 and P-521".into());
        Self::new(found.ok_or_else(none)?)
    }

    fn new(private: Box<dyn PrivateHalf>) -> Result<Self, KeyError> {
        let public_key = {
            let encoded = private.public_key();
            let encoded = encoded.map_err(|_| KeyError::Cryptography("encoding the public key".into()))?;
            SubjectPublicKeyInfo::from_der(encoded.as_ref())
                .map_err(|error| KeyError::Malformed(error.to_string()))?
        };
        Ok(Self { private, public_key })
    }

    /// Returns a `PrivateKeyInfo` of version 1, DER, which OpenSSL 3.0 reads for every type that it knows, Ed25519
    /// included.
    ///
    /// # Errors
    /// [`KeyError::Cryptography`] when the key cannot be encoded.
    pub(crate) fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.private.to_pkcs8().map_err(|_| KeyError::Cryptography("encoding the private key".into()))
    }

    /// Returns the public key.
    pub(crate) fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    /// Returns the key as unencrypted PEM, `PRIVATE KEY`.
    pub(super) fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let document = SecretDocument::try_from(self.to_pkcs8_der()?.as_slice());
        document
            .and_then(|document| document.to_pem(PLAIN, LineEnding::LF))
            .map_err(|_| KeyError::Cryptography("encoding the private key".into()))
    }

    /// Reads a key from unencrypted PEM; returns the reason otherwise.
    pub(super) fn from_pem(text: &str) -> Result<Self, Reason> {
        let (label, document) = SecretDocument::from_pem(text)
            .map_err(|error| format!("not PKCS#8 in PEM: {}", pkcs8::Error::from(error)))?;
        match label {
            PLAIN => Self::from_pkcs8_der(document.as_bytes()).map_err(|error| error.to_string().into()),
            "ENCRYPTED PRIVATE KEY" => Err("the key in it is encrypted once more".into()),
            other => Err(format!(
                "a {other} block where PRIVATE KEY is needed; convert it with: openssl pkcs8 -topk8"
            )
            .into()),
        }
    }
}

impl PrivateKey for SoftKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError> {
        self.private.sign(message.octets()).map_err(|_| KeyError::Cryptography("signing".into()))
    }
}

impl VaultKey for SoftKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign(&self, message: ForKey<'_>) -> Result<Vec<u8>, KeyError> {
        self.private.sign(message.octets()).map_err(|_| KeyError::Cryptography("signing".into()))
    }
}

/// Signatures over any octets, for tests that forge.
#[cfg(test)]
impl SoftKey {
    pub(crate) fn forge(&self, message: &[u8]) -> Vec<u8> {
        self.private.sign(message).unwrap()
    }
}

/// Writes only the key type.
impl fmt::Debug for SoftKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftKey({})", self.public_key.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{pem, verify};
    use aws_lc_rs::signature::Ed25519KeyPair;
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
        for algorithm in KeyAlgorithm::generated() {
            let key = SoftKey::generate(algorithm).unwrap();
            assert_eq!(key.public_key().algorithm(), algorithm);
            let signature = key.forge(b"to be signed");
            assert!(verify(key.public_key(), key.algorithm(), b"to be signed", &signature), "{algorithm}");
            assert!(!verify(key.public_key(), key.algorithm(), b"something else", &signature));
            // OpenSSL 3.0 does not know ML-DSA: tests/conformance checks it with another implementation
            if algorithm.to_string().starts_with("ml-dsa") {
                continue;
            }

            let pkcs8 = key.to_pkcs8_der().unwrap();
            fs::write(at("key"), pem::encode("PRIVATE KEY", &pkcs8)).unwrap();
            fs::write(at("public"), pem::encode("PUBLIC KEY", key.public_key().as_der())).unwrap();
            fs::write(at("signature"), &signature).unwrap();
            assert!(openssl(&["pkey", "-in", &at("key"), "-check", "-noout"]).contains("is valid"));
            let mut arguments = vec!["pkeyutl", "-verify", "-pubin", "-inkey"];
            let (public, message, signature) = (at("public"), at("message"), at("signature"));
            arguments.extend([public.as_str(), "-rawin", "-in", &message, "-sigfile", &signature]);
            let digest = if algorithm == KeyAlgorithm::P384 { "sha384" } else { "sha256" };
            if algorithm != KeyAlgorithm::ED25519 {
                arguments.extend(["-digest", digest]);
            }
            assert!(openssl(&arguments).contains("Verified Successfully"), "{algorithm}");
        }
    }

    #[test]
    fn a_key_is_the_same_after_a_round_trip() {
        for algorithm in
            [KeyAlgorithm::P256, KeyAlgorithm::ED25519, KeyAlgorithm::rsa(2048), KeyAlgorithm::ML_DSA_65]
        {
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
            ("EC", "ec_paramgen_curve:P-256", KeyAlgorithm::P256),
            ("EC", "ec_paramgen_curve:P-521", KeyAlgorithm::P521),
            ("RSA", "rsa_keygen_bits:2048", KeyAlgorithm::rsa(2048)),
            ("ED25519", "", KeyAlgorithm::ED25519),
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
        let (one, other) = pairs(KeyAlgorithm::P256);
        let mixed = with_the_public_half_of_another(
            &one.to_pkcs8_der().unwrap(),
            one.public_key().key_octets(),
            other.public_key().key_octets(),
        );
        assert!(matches!(SoftKey::from_pkcs8_der(&mixed), Err(KeyError::Malformed(_))));

        let (one, other) = pairs(KeyAlgorithm::rsa(2048));
        // skips two headers (9 octets): of `RSAPublicKey`, and of the modulus with its sign octet
        let modulus = |key: &SoftKey| key.public_key().key_octets()[9..][..256].to_vec();
        let mixed =
            with_the_public_half_of_another(&one.to_pkcs8_der().unwrap(), &modulus(&one), &modulus(&other));
        assert!(matches!(SoftKey::from_pkcs8_der(&mixed), Err(KeyError::Malformed(_))));

        let (one, other) = pairs(KeyAlgorithm::ED25519);
        let pair = Ed25519KeyPair::from_pkcs8(&one.to_pkcs8_der().unwrap()).unwrap();
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
        assert!(matches!(SoftKey::generate(KeyAlgorithm::P521), Err(KeyError::Malformed(_))));
        assert!(matches!(SoftKey::generate(KeyAlgorithm::rsa(1024)), Err(KeyError::Malformed(_))));
        // K2
        let key = SoftKey::generate(KeyAlgorithm::P256).unwrap();
        assert_eq!(format!("{key:?}"), "SoftKey(p256)");
    }
}
