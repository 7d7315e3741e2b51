//! RSA private keys (RFC 8017 A.1.2).
use super::private_half::{PrivateHalf, PrivateScheme};
use crate::signing::KeyError;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::{KeyRejected, Unspecified};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, KeyPair, RsaKeyPair};
use zeroize::Zeroizing;

pub(super) struct Rsa;

impl PrivateScheme for Rsa {
    fn generate(&self, length: Option<u32>) -> Result<Box<dyn PrivateHalf>, Unspecified> {
        let size = match length {
            Some(2048) => KeySize::Rsa2048,
            Some(3072) => KeySize::Rsa3072,
            Some(4096) => KeySize::Rsa4096,
            _ => return Err(Unspecified),
        };
        Ok(Box::new(RsaKeyPair::generate(size)?))
    }

    fn read_pkcs8(&self, octets: &[u8]) -> Result<Box<dyn PrivateHalf>, KeyError> {
        Ok(Box::new(RsaKeyPair::from_pkcs8(octets).map_err(|error| rejected(&error))?))
    }
}

/// Reads an `RSAPrivateKey`, DER.
pub(super) fn read_pkcs1(octets: &[u8]) -> Result<Box<dyn PrivateHalf>, KeyError> {
    Ok(Box::new(RsaKeyPair::from_der(octets).map_err(|error| rejected(&error))?))
}

/// Returns the error for a key that the library rejects, in more words than the library's.
fn rejected(error: &KeyRejected) -> KeyError {
    KeyError::Malformed(match error.to_string().as_str() {
        "TooSmall" => "an RSA key of fewer than 2048 bits".into(),
        "TooLarge" => "an RSA key of more than 8192 bits".into(),
        other => format!("an RSA key that is damaged or of no usual length ({other})"),
    })
}

impl PrivateHalf for RsaKeyPair {
    fn public_key(&self) -> Result<PublicKeyX509Der<'_>, Unspecified> {
        KeyPair::public_key(self).as_der()
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        let encoded: Pkcs8V1Der<'_> = self.as_der()?;
        Ok(Zeroizing::new(encoded.as_ref().to_vec()))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let mut out = vec![0; self.public_modulus_len()];
        RsaKeyPair::sign(self, &signature::RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut out)?;
        Ok(out)
    }
}
