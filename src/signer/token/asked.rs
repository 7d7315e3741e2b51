//! The signer's side: a store of keys whose tokens another process reaches.
use super::line::{Line, TokenProcess, unexpected};
use super::{TokenReply, TokenRequest};
use crate::signer::protocol::{Frame, WireKey};
use crate::signing::{
    BroughtKey, CaKeys, CaSigner, DiscardKeys, ForKey, ImportKeys, InspectKeys, KeyError, KeyPlace, KeyRef,
    KeyVault, Mark, MarkError, ProtectKeys, SecretSource, VaultKey,
};
use crate::x509::extension::CrlNumber;
use crate::x509::{KeyAlgorithm, SubjectPublicKeyInfo};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Keys in tokens that another process reaches.
pub(crate) struct RemoteTokens {
    /// What needs no token: names and marks.
    beside: Arc<dyn KeyVault>,
    line: Arc<Line>,
}

impl RemoteTokens {
    pub(super) fn new(beside: Arc<dyn KeyVault>, line: Arc<Line>) -> Self {
        Self { beside, line }
    }

    /// Returns the tokens of a service, whose process connects to it; without `is_expected` none does. PINs come from
    /// `secrets`; `beside` is a store without modules, which keeps marks.
    pub(crate) fn of_service(
        secrets: Arc<dyn SecretSource>,
        beside: Arc<dyn KeyVault>,
        is_expected: bool,
    ) -> Self {
        Self::new(beside, Arc::new(Line::waiting(secrets, is_expected)))
    }

    /// Takes the process that has connected, in the place of a former one. Keys that were open there are locked.
    ///
    /// # Errors
    /// When it does not answer, or is of another version.
    pub(crate) fn connect(&self, connection: UnixStream) -> Result<(), KeyError> {
        // one that says nothing holds nobody up
        self.line.begin(TokenProcess::of(connection), &[], Path::new("/"))
    }

    /// Returns the same with a process that has this long for an answer.
    #[cfg(test)]
    pub(crate) fn limited(
        secrets: Arc<dyn SecretSource>,
        beside: Arc<dyn KeyVault>,
        limit: std::time::Duration,
    ) -> Self {
        Self::new(beside, Arc::new(Line::waiting(secrets, true).limited(limit)))
    }
}

/// Has the process open or make a key, and returns it.
pub(super) fn key_on(line: &Arc<Line>, request: TokenRequest) -> Result<Arc<dyn VaultKey>, KeyError> {
    let (of, answer) = line.ask(None, request)?;
    let TokenReply::Key { number } = answer.message else { return Err(unexpected()) };
    let octets = answer.only_part().map_err(|_| unexpected())?;
    let public_key = SubjectPublicKeyInfo::from_der(&octets).map_err(|_| unexpected())?;
    Ok(Arc::new(RemoteTokenKey { of, number, public_key, line: Arc::clone(line) }))
}

/// A key in a token.
struct RemoteTokenKey {
    /// The process that has it open.
    of: u64,
    number: u32,
    public_key: SubjectPublicKeyInfo,
    line: Arc<Line>,
}

impl Drop for RemoteTokenKey {
    fn drop(&mut self) {
        Line::close(&self.line, self.of, self.number);
    }
}

impl VaultKey for RemoteTokenKey {
    fn public_key(&self) -> &SubjectPublicKeyInfo {
        &self.public_key
    }

    fn sign(&self, message: ForKey<'_>) -> Result<Vec<u8>, KeyError> {
        let request = TokenRequest::Sign { number: self.number };
        let (_, answer) =
            self.line.ask(Some(self.of), Frame::with(request, vec![message.octets().to_vec()]))?;
        match answer.message {
            TokenReply::Signed => answer.only_part().map_err(|_| unexpected()),
            _ => Err(unexpected()),
        }
    }
}

impl KeyVault for RemoteTokens {
    fn keys(&self) -> &dyn CaKeys {
        self
    }

    fn open_key(&self, key: &KeyRef) -> Result<Arc<dyn VaultKey>, KeyError> {
        key_on(&self.line, TokenRequest::Open { key: key.into() })
    }

    fn make_key(&self, key: &KeyRef, algorithm: KeyAlgorithm) -> Result<Arc<dyn VaultKey>, KeyError> {
        key_on(&self.line, TokenRequest::Make { key: key.into(), algorithm: algorithm.to_string() })
    }

    fn take_key(&self, key: &KeyRef, brought: BroughtKey) -> Result<Arc<dyn VaultKey>, KeyError> {
        self.beside.take_key(key, brought)
    }

    fn check_secret(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.line.done(TokenRequest::LogIn { key: key.into() })
    }
}

impl CaKeys for RemoteTokens {
    fn new_key(&self, authority: &str) -> KeyRef {
        self.beside.keys().new_key(authority)
    }

    fn place(&self, key: &KeyRef) -> KeyPlace {
        self.beside.keys().place(key)
    }

    /// The signer uses [`KeyVault::make_key`].
    fn generate(&self, key: &KeyRef, _: KeyAlgorithm) -> Result<Arc<dyn CaSigner>, KeyError> {
        Err(KeyError::Backend(self.place(key), "it is used through the signer".into()))
    }

    /// The signer uses [`KeyVault::open_key`].
    fn signer(&self, key: &KeyRef) -> Result<Arc<dyn CaSigner>, KeyError> {
        Err(KeyError::Backend(self.place(key), "it is used through the signer".into()))
    }

    fn mark(&self, key: &KeyRef) -> Result<Mark, MarkError> {
        self.beside.keys().mark(key)
    }

    fn raise_mark(&self, key: &KeyRef, number: CrlNumber) -> Result<(), MarkError> {
        self.beside.keys().raise_mark(key, number)
    }

    fn rename(&self, from: &KeyRef, to: &KeyRef) -> Result<bool, KeyError> {
        self.beside.keys().rename(from, to)
    }

    fn importing(&self) -> Option<&dyn ImportKeys> {
        None
    }

    fn inspecting(&self) -> Option<&dyn InspectKeys> {
        Some(self)
    }

    fn discarding(&self) -> Option<&dyn DiscardKeys> {
        Some(self)
    }

    fn protecting(&self) -> Option<&dyn ProtectKeys> {
        None
    }
}

impl DiscardKeys for RemoteTokens {
    fn discard(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.line.done(TokenRequest::Discard { key: WireKey::from(key) })
    }
}

impl InspectKeys for RemoteTokens {
    fn inspect(&self, key: &KeyRef) -> Result<(), KeyError> {
        self.line.done(TokenRequest::Inspect { key: WireKey::from(key) })
    }

    fn sealed(&self, key: &KeyRef) -> Result<Vec<u8>, KeyError> {
        let none = || KeyError::Backend(self.place(key), "a key does not leave its token".into());
        self.beside.keys().inspecting().ok_or_else(none)?.sealed(key)
    }

    fn files(&self, key: &KeyRef) -> Vec<PathBuf> {
        self.beside.keys().inspecting().map(|keys| keys.files(key)).unwrap_or_default()
    }
}
