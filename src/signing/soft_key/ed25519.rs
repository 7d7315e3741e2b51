//! Ed25519 private keys (RFC 8410 §7).
use super::private_half::{PrivateHalf, PrivateScheme, rejected};
use crate::signing::KeyError;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

pub(super) struct Ed25519;

impl PrivateScheme for Ed25519 {
    fn generate(&self, _length: Option<u32>) -> Result<Box<dyn PrivateHalf>, Unspecified> {
        Ok(Box::new(Ed25519KeyPair::generate()?))
    }

    fn read_pkcs8(&self, octets: &[u8]) -> Result<Box<dyn PrivateHalf>, KeyError> {
        Ok(Box::new(Ed25519KeyPair::from_pkcs8(octets).map_err(|error| rejected(&error))?))
    }
}

impl PrivateHalf for Ed25519KeyPair {
    fn public_key(&self) -> Result<PublicKeyX509Der<'_>, Unspecified> {
        KeyPair::public_key(self).as_der()
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        Ok(Zeroizing::new(self.to_pkcs8v1()?.as_ref().to_vec()))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(self.try_sign(message)?.as_ref().to_vec())
    }
}
