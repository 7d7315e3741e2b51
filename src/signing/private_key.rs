//! Private keys in this process.
use super::KeyError;
use super::admit::Admitted;
use crate::x509::{SignatureAlgorithm, SubjectPublicKeyInfo};

/// A private key: it signs what was admitted, and nothing else.
pub(crate) trait PrivateKey: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &SubjectPublicKeyInfo;

    /// What it signs with.
    fn algorithm(&self) -> SignatureAlgorithm {
        self.public_key().algorithm().signature_algorithm()
    }

    /// Signs a whole message (not a digest); returns the signatureValue octets.
    ///
    /// # Errors
    /// [`KeyError::Backend`] when the key's store fails, [`KeyError::Cryptography`] when the key in memory does.
    fn sign<T>(&self, message: &Admitted<T>) -> Result<Vec<u8>, KeyError>;
}
