//! Keys of CAs that other programs made, on their way into a store.
use super::soft_key::SoftKey;
use super::{KeyError, OpenedKey};
use crate::x509::SubjectPublicKeyInfo;
use std::fmt;

/// The private key of a CA that another program made. It cannot sign before a store has it
/// ([`ImportKeys`](super::ImportKeys)).
pub enum BroughtKey {
    /// In the memory of this process.
    Here(OpenedKey),
    /// In the signer, which has read and decrypted it and knows it by this number.
    InSigner(u32, SubjectPublicKeyInfo),
}

impl BroughtKey {
    /// Returns the public key.
    #[must_use]
    pub fn public_key(&self) -> &SubjectPublicKeyInfo {
        match self {
            Self::Here(key) => key.public_key(),
            Self::InSigner(_, public_key) => public_key,
        }
    }

    /// Returns the key.
    ///
    /// # Errors
    /// [`KeyError::Signer`] when the signer has it.
    pub(crate) fn into_key(self) -> Result<SoftKey, KeyError> {
        match self {
            Self::Here(key) => Ok(key.into_inner()),
            Self::InSigner(..) => Err(KeyError::Signer("a key that it has opened stays there".into())),
        }
    }
}

impl From<OpenedKey> for BroughtKey {
    fn from(key: OpenedKey) -> Self {
        Self::Here(key)
    }
}

/// Writes only the key type.
impl fmt::Debug for BroughtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BroughtKey({})", self.public_key().algorithm())
    }
}
