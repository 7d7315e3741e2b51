//! Keys of subscribers and of responders in tokens. No key of a CA is opened or used by this.
use super::TokenRequest;
use super::key::key_on;
use super::launching::Launching;
use super::processes::{ModuleTerms, Processes};
use crate::signing::{KeyError, KeyRef, SecretSource, TokenKeys, VaultKey};
use crate::x509::KeyAlgorithm;
use std::sync::Arc;

/// The tokens of a holder, or of a responder.
pub(crate) struct HolderTokens(Processes);

impl HolderTokens {
    /// Returns the tokens that the processes of modules reach, which are started when they are first needed.
    pub(crate) fn new(launching: Launching, secrets: Arc<dyn SecretSource>, terms: ModuleTerms) -> Self {
        Self(Processes::new(Arc::new(launching), secrets, terms))
    }

    /// Returns tokens whose processes a test starts, which have this long for an answer.
    #[cfg(test)]
    pub(super) fn launched_by(
        launch: impl super::launching::Launch + 'static,
        secrets: Arc<dyn SecretSource>,
        terms: ModuleTerms,
        limit: std::time::Duration,
    ) -> Self {
        Self(Processes::new(Arc::new(launch), secrets, terms).limited(limit))
    }

    /// Makes a key.
    ///
    /// # Errors
    /// When the token has such a key, is not there or fails.
    pub(crate) fn make(&self, of: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError> {
        let request = TokenRequest::Make { key: of.into(), algorithm: algorithm.to_string() };
        key_on(&self.0.of(of)?, request)
    }
}

impl TokenKeys for HolderTokens {
    fn open(&self, of: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        key_on(&self.0.of(of)?, TokenRequest::Open { key: of.into() })
    }
}
