//! ECDSA private keys (RFC 5915).
use super::private_half::{PrivateHalf, PrivateScheme, rejected};
use crate::signing::KeyError;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair};
use zeroize::Zeroizing;

/// Keys on one curve.
pub(super) struct Ecdsa(pub(super) &'static EcdsaSigningAlgorithm);

impl PrivateScheme for Ecdsa {
    fn generate(&self, _length: Option<u32>) -> Result<Box<dyn PrivateHalf>, Unspecified> {
        Ok(Box::new(EcdsaKeyPair::generate(self.0)?))
    }

    fn read_pkcs8(&self, octets: &[u8]) -> Result<Box<dyn PrivateHalf>, KeyError> {
        Ok(Box::new(EcdsaKeyPair::from_pkcs8(self.0, octets).map_err(|error| rejected(&error))?))
    }

    fn read_sec1(&self, octets: &[u8]) -> Option<Box<dyn PrivateHalf>> {
        Some(Box::new(EcdsaKeyPair::from_private_key_der(self.0, octets).ok()?))
    }
}

impl PrivateHalf for EcdsaKeyPair {
    fn public_key(&self) -> Result<PublicKeyX509Der<'_>, Unspecified> {
        KeyPair::public_key(self).as_der()
    }

    fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, Unspecified> {
        Ok(Zeroizing::new(self.to_pkcs8v1()?.as_ref().to_vec()))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        Ok(EcdsaKeyPair::sign(self, &SystemRandom::new(), message)?.as_ref().to_vec())
    }
}
