//! Encryption of the contents and authentication of the whole file (RFC 7292 §4 and §5).
use super::derivation::{DerivationPurpose, derive};
use super::{Passphrase, oid};
use crate::signing::{KeyError, random_salt};
use crate::x509::octets::{INTEGER, OCTET_STRING, sequence, tlv};
use aws_lc_rs::{digest, hmac};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use der::Encode;
use der::asn1::ObjectIdentifier;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::Parameters;
use zeroize::Zeroizing;

const TRIPLE_DES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.12.1.3");
const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const NULL: [u8; 2] = [5, 0];

/// Number of rounds of each of the three derivations in a file. Windows refuses files that need more than 600,000 in
/// all.
const ROUNDS: u32 = 100_000;

/// The algorithms that protect a file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Protection {
    /// PBES2 with PBKDF2-HMAC-SHA-256 and AES-256-CBC (RFC 8018), HMAC-SHA-256.
    #[default]
    Modern,
    /// `pbeWithSHAAnd3-KeyTripleDES-CBC` (RFC 7292 appendix C) and HMAC-SHA-1: for Windows before 10 1709, macOS
    /// before 13 and Java before 8u301.
    Legacy,
}

/// Encrypted contents, with the algorithm that decrypts them.
pub(super) struct Sealed {
    /// `AlgorithmIdentifier`, DER.
    pub(super) algorithm: Vec<u8>,
    pub(super) octets: Vec<u8>,
}

impl Protection {
    pub(super) fn encrypt(self, plain: &[u8], passphrase: &Passphrase) -> Result<Sealed, KeyError> {
        match self {
            Self::Modern => modern(plain, passphrase),
            Self::Legacy => legacy(plain, passphrase),
        }
    }

    /// Returns the `MacData` over these octets.
    pub(super) fn mac(self, octets: &[u8], passphrase: &Passphrase) -> Result<Vec<u8>, KeyError> {
        let (digest, length, name, algorithm) = match self {
            Self::Modern => (&digest::SHA256, 32, SHA_256, hmac::HMAC_SHA256),
            Self::Legacy => {
                (&digest::SHA1_FOR_LEGACY_USE_ONLY, 20, SHA_1, hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY)
            }
        };
        let salt = random_salt()?;
        let key = derive(digest, passphrase, &salt, ROUNDS, DerivationPurpose::Mac, length);
        let tag = hmac::sign(&hmac::Key::new(algorithm, &key), octets);
        let info = sequence(&[&sequence(&[&oid(name), &NULL]), &tlv(OCTET_STRING, tag.as_ref())]);
        Ok(sequence(&[&info, &tlv(OCTET_STRING, &salt), &rounds()]))
    }
}

fn modern(plain: &[u8], passphrase: &Passphrase) -> Result<Sealed, KeyError> {
    let failed = KeyError::Cryptography("encrypting for PKCS#12".into());
    let (salt, vector) = (random_salt()?, random_salt()?);
    let sealed = Parameters::generate_pbkdf2_sha256_aes256cbc(ROUNDS, &salt, vector).and_then(|parameters| {
        let octets = parameters.encrypt(passphrase.as_bytes(), plain)?;
        Ok((EncryptionScheme::Pbes2(parameters), octets))
    });
    let Ok((scheme, octets)) = sealed else { return Err(failed) };
    let Ok(algorithm) = scheme.to_der() else { return Err(failed) };
    Ok(Sealed { algorithm, octets })
}

fn legacy(plain: &[u8], passphrase: &Passphrase) -> Result<Sealed, KeyError> {
    let failed = KeyError::Cryptography("encrypting for PKCS#12".into());
    let salt = random_salt()?;
    let algorithm = &digest::SHA1_FOR_LEGACY_USE_ONLY;
    let key = derive(algorithm, passphrase, &salt, ROUNDS, DerivationPurpose::Key, 24);
    let vector = derive(algorithm, passphrase, &salt, ROUNDS, DerivationPurpose::InitialVector, 8);
    let Ok(cipher) = cbc::Encryptor::<des::TdesEde3>::new_from_slices(&key, &vector) else {
        return Err(failed);
    };
    let octets = cipher.encrypt_padded_vec::<Pkcs7>(plain);
    let parameters = sequence(&[&tlv(OCTET_STRING, &salt), &rounds()]);
    Ok(Sealed { algorithm: sequence(&[&oid(TRIPLE_DES), &parameters]), octets })
}

/// `INTEGER`
fn rounds() -> Vec<u8> {
    let octets: Zeroizing<Vec<u8>> =
        Zeroizing::new(ROUNDS.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect());
    let sign: &[u8] = if octets.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
    tlv(INTEGER, &[sign, octets.as_slice()].concat())
}
