//! Private keys that sign in this process or on a token.
use super::KeyError;
use super::admit::Admitted;
use crate::x509::{SignatureAlgorithm, SubjectPublicKeyInfo};

/// A private key. It signs only an [`Admitted`].
pub(crate) trait PrivateKey: Send + Sync {
    /// Returns the public key.
    fn public_key(&self) -> &SubjectPublicKeyInfo;

    /// Returns the signature algorithm.
    fn algorithm(&self) -> SignatureAlgorithm {
        self.public_key().algorithm().signature_algorithm()
    }

    /// Signs a whole message, not a digest, and returns the octets of signatureValue.
    ///
    /// # Errors
    /// [`KeyError::Backend`] when the key's store fails, [`KeyError::Cryptography`] when signing in memory fails.
    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError>;
}
