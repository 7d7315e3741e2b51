//! A holder's side: keys of subscribers in tokens that another process reaches. No key of a CA is opened or used by this.
use super::TokenRequest;
use super::asked::key_on;
use super::line::Line;
use crate::signing::{KeyError, KeyRef, VaultKey};
use crate::x509::KeyAlgorithm;
use std::sync::Arc;

/// The tokens of a holder.
pub(crate) struct HolderTokens(Arc<Line>);

impl HolderTokens {
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self(line)
    }

    /// Opens a key.
    ///
    /// # Errors
    /// [`KeyError::NotFound`] when the token has no such key; when it is not there or fails.
    pub(crate) fn open(&self, of: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        key_on(&self.0, TokenRequest::Open { key: of.into() })
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When the token has such a key, is not there or fails.
    pub(crate) fn make(&self, of: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError> {
        key_on(&self.0, TokenRequest::Make { key: of.into(), algorithm: algorithm.to_string() })
    }
}
